"""One cycle's observation: the feeds say where to look, the eyes see, and the outcome is a World.

Nothing here decides. What could not be read is looked at again in the next cycle, and never stops the rest.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.model import Policy, Side, Sighting, World
from reconciler.crew import Crew
from reconciler.feeds import Feeds, Hint, Horizons
from reconciler.remotes.base import OpsgenieReader, PagerDutyReader
from reconciler.sight import Eyes, Problem
from reconciler.store.database import Database
from reconciler.sweep import LogCost, Sweep

BATCH = 50
"""New alerts that are looked at and paged before the next ones."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one cycle saw, and where its feeds stand afterwards (only what moved).

    `urgent`: new alerts, with more to come; their pages go out before anything else is done. `pace`: new alerts a
    second since the last poll.
    """

    world: World
    cursors: dict[str, str]
    problems: tuple[Problem, ...]
    urgent: bool = False
    pace: float = 0.0


class Observer:
    """Reads both sides; writes nothing anywhere."""

    def __init__(
        self,
        opsgenie: OpsgenieReader,
        pagerduty: PagerDutyReader,
        database: Database,
        horizons: Horizons,
        stopping: Callable[[], bool],
        crew: Crew,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.crew = crew
        self.busy = busy
        self.sweep = Sweep()
        self.log = LogCost()
        self.stopping = stopping
        self.opsgenie = opsgenie
        self.pagerduty = pagerduty
        self.database = database
        self.horizons = horizons

    def observe(self, now: datetime, policy: Policy, share: float) -> Iterator[Observation]:
        """Look wherever something may have happened; sweep that `share` of the open pairs which waited longest.

        Nothing is swept while the vendors' rate is `busy` with more urgent things.
        New alerts come first and in batches, so that a page does not wait for the rest of a storm. The cursors
        come with the last observation: what is interrupted before that is looked at again.
        """
        busy = self.busy()
        return self._round(now, policy, busy=busy).whole(0.0 if busy else share)

    def glance(self, now: datetime, policy: Policy, hints: Collection[Hint]) -> Observation:
        """Look at once, and only, where a webhook hinted that something may have happened."""
        return self._round(now, policy).hinted(hints)

    def follow_up(self, now: datetime, policy: Policy) -> Observation:
        """Look only where our own writes are still in doubt."""
        return self._round(now, policy).doubts_only()

    def _round(self, now: datetime, policy: Policy, *, busy: bool = False) -> "_Round":
        eyes = Eyes(self.opsgenie, self.pagerduty, self.stopping, policy, now)
        feeds = Feeds(eyes, self.database, self.horizons, self.sweep, self.log, busy=busy)
        return _Round(eyes, feeds, self.database, self.crew)


class _Round:
    """One cycle's looking."""

    def __init__(self, eyes: Eyes, feeds: Feeds, database: Database, crew: Crew) -> None:
        self.eyes = eyes
        self.feeds = feeds
        self.database = database
        self.crew = crew
        self.looks = feeds.looks
        with database.reading() as books:
            self.before = books.snapshot.cursors()
            feeds.begin(books)

    def whole(self, share: float) -> Iterator[Observation]:
        feeds, before = self.feeds, self.before
        if "origin" not in before:
            feeds.first_start()
        else:
            at, since = self._origin()
            both: list[tuple[Side, Callable[[], None]]] = [
                (Side.OPSGENIE, lambda: feeds.opsgenie(before, at, since)),
                (Side.PAGERDUTY, lambda: feeds.pagerduty(before)),
            ]
            self.crew.each(lambda feed: self.eyes.attempt(*feed), both)
            feeds.slice(before, at, since, share)
            feeds.again(before)
        feeds.doubts()
        news = [alert_id for alert_id, look in self.looks.items() if look.news]
        pace = len(news) / self._elapsed()
        for start in range(0, len(news), BATCH):
            yield replace(self._see(news[start : start + BATCH]), urgent=True, pace=pace)
        yield replace(self._rest(), pace=pace)

    def hinted(self, hints: Collection[Hint]) -> Observation:
        """A hint names a thing and nothing more. An alert we do not know must be one that the feed shows."""
        if self.feeds.hinted(hints) and "origin" in self.before:
            at, since = self._origin()
            self.eyes.attempt(Side.OPSGENIE, lambda: self.feeds.opsgenie(self.before, at, since))
        return self.doubts_only()

    def doubts_only(self) -> Observation:
        self.feeds.doubts()
        return self._rest()

    def _elapsed(self) -> float:
        """Seconds since the last poll; what is new at a first start came over more than that."""
        polled = self.before.get("polled.opsgenie")
        since = self.eyes.now - datetime.fromisoformat(polled) if polled else self.feeds.horizons.lookback
        return max(since.total_seconds(), 0.1)

    def _origin(self) -> tuple[datetime, datetime]:
        """When we first started, and since when what was open then was to be paged."""
        at, since = json.loads(self.before["origin"])
        return datetime.fromisoformat(at), datetime.fromisoformat(since)

    def _rest(self) -> Observation:
        """What is left to be seen, and with it where the feeds stand."""
        seen = self._see([alert_id for alert_id, look in self.looks.items() if not look.seen])
        unread = {alert_id for alert_id, look in self.looks.items() if look.again}
        waiting = set(json.loads(self.before.get("again", "[]"))) - self.feeds.looked_again
        after = self.feeds.cursors | {"again": json.dumps(sorted(unread | waiting))}
        moved = {name: value for name, value in after.items() if self.before.get(name, "[]") != value}
        return replace(seen, cursors=moved)

    def _see(self, alert_ids: list[str]) -> Observation:
        """Read what these looks ask for, several pairs side by side."""
        if not alert_ids:
            return Observation(World(self.eyes.now, self.eyes.policy, ()), {}, self.eyes.take_problems())
        with self.database.reading() as books:
            pairs = books.snapshot.pairs(alert_ids)
            known = books.snapshot.known_notes(alert_ids)
            mine = books.ledger.of(alert_ids)

        def see(alert_id: str) -> Sighting:
            look = self.looks[alert_id]
            look.seen = True
            blank = Sighting(
                alert_id,
                pair=pairs.get(alert_id),
                tracked=look.tracked,
                since=self.feeds.mirrored_since,
                known_notes=known.get(alert_id, frozenset()),
                mine=mine.get(alert_id, ()),
                swept=look.swept,
            )
            return self.eyes.see(blank, look)

        sightings = tuple(self.crew.each(see, alert_ids))
        return Observation(World(self.eyes.now, self.eyes.policy, sightings), {}, self.eyes.take_problems())
