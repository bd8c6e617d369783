"""One cycle's observation: the feeds say where to look, the eyes see, and the outcome is a World.

Nothing here decides. What could not be read is looked at again in the next cycle, and never stops the rest.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.model import Policy, Side, Sighting, World
from reconciler.crew import Crew
from reconciler.feeds import Feeds, Hint
from reconciler.logcost import LogCost
from reconciler.looks import Horizons, Looks, Origin
from reconciler.remotes.base import OpsgenieReader, PagerDutyReader
from reconciler.sight import Eyes, Problem
from reconciler.store.database import Database
from reconciler.sweep import Slice, Sweep

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
        return _Round(self, eyes, busy=busy)


class _Round:
    """One cycle's looking."""

    def __init__(self, observer: Observer, eyes: Eyes, *, busy: bool) -> None:
        self.eyes = eyes
        self.crew = observer.crew
        self.database = observer.database
        self.horizons = observer.horizons
        with self.database.reading() as books:
            self.before = books.snapshot.cursors()
            self.open_pairs = books.snapshot.open_pairs()
            self.open_actions = books.ledger.open()
        self.looks = Looks(self.database, self.horizons, self._origin(), eyes.now)
        self.feeds = Feeds(eyes, self.looks, observer.log, busy=busy)
        self.slice = Slice(observer.sweep, eyes, self.looks)

    def whole(self, share: float) -> Iterator[Observation]:
        feeds, before = self.feeds, self.before
        if self._is_first():
            feeds.first_start()
        else:
            both: list[tuple[Side, Callable[[], None]]] = [
                (Side.OPSGENIE, lambda: feeds.opsgenie(before)),
                (Side.PAGERDUTY, lambda: feeds.pagerduty(before, self.open_pairs)),
            ]
            self.crew.each(lambda feed: self.eyes.attempt(*feed), both)
            self.slice.take(before, self.open_pairs, share)
            for alert_id in sorted(
                self._unread_before()
            ):  # one that is not known yet may have its incident already
                self.looks.whole(alert_id).by_key = True
        self.looks.doubts(self.open_actions)
        news = [alert_id for alert_id, look in self.looks.by_alert.items() if look.news]
        pace = len(news) / self._elapsed()
        for start in range(0, len(news), BATCH):
            yield replace(self._see(news[start : start + BATCH]), urgent=True, pace=pace)
        yield replace(self._rest(), pace=pace)

    def hinted(self, hints: Collection[Hint]) -> Observation:
        """A hint names a thing and nothing more. An alert we do not know must be one that the feed shows."""
        if self.feeds.hinted(hints) and not self._is_first():
            self.eyes.attempt(Side.OPSGENIE, lambda: self.feeds.opsgenie(self.before))
        return self.doubts_only()

    def doubts_only(self) -> Observation:
        self.looks.doubts(self.open_actions)
        return self._rest()

    def _is_first(self) -> bool:
        return "origin" not in self.before

    def _origin(self) -> Origin:
        if self._is_first():
            return Origin(self.eyes.now, self.eyes.now - self.horizons.lookback)
        return Origin(*map(datetime.fromisoformat, json.loads(self.before["origin"])))

    def _unread_before(self) -> set[str]:
        """Alerts of which something could not be read last time."""
        return set(json.loads(self.before.get("again", "[]")))

    def _elapsed(self) -> float:
        """Seconds since the last poll; what is new at a first start came over more than that."""
        polled = self.before.get("polled.opsgenie")
        since = self.eyes.now - datetime.fromisoformat(polled) if polled else self.horizons.lookback
        return max(since.total_seconds(), 0.1)

    def _rest(self) -> Observation:
        """What is left to be seen, and with it where the feeds stand."""
        looks = self.looks.by_alert
        seen = self._see([alert_id for alert_id, look in looks.items() if not look.seen])
        unread = {alert_id for alert_id, look in looks.items() if look.again}
        waiting = self._unread_before() - self.looks.looked_again
        again = json.dumps(sorted(unread | waiting))
        after = self.feeds.cursors | self.slice.cursors | {"again": again}
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
            look = self.looks.by_alert[alert_id]
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
