"""One cycle's observation: the feeds say where to look, the eyes see, and the outcome is a World.

Nothing here decides. What could not be read is looked at again in the next cycle, and never stops the rest.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.absence import Absence
from reconciler.aside import at_once
from reconciler.core.model import Policy, Side, Sighting, World
from reconciler.crew import Crew
from reconciler.cursors import earlier, moment, moments, stored_unread, unread
from reconciler.feeds import Feeds, Hint
from reconciler.first_start import Beginning
from reconciler.logcost import LogCost
from reconciler.looks import Horizons, Looks, Origin
from reconciler.memory import Memory
from reconciler.sight import Eyes, Problem
from reconciler.store.database import Database
from reconciler.sweep import Slice, Sweep
from reconciler.vendors.ports import OpsgenieReader, PagerDutyReader

BATCH = 50
"""New alerts that are looked at and paged before the next ones."""
AGAIN = 200
"""Pairs that could not be read before and are looked at again in one cycle."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one cycle saw, and where its feeds stand afterwards (only what moved).

    `urgent`: new alerts, with more to come; their pages go out before anything else is done. `pace`: new alerts a
    second since the last poll. `blind`: Opsgenie's key sees none of several alerts that it saw before, so that
    nothing should be written there.
    """

    world: World
    cursors: dict[str, str]
    problems: tuple[Problem, ...]
    urgent: bool = False
    pace: float = 0.0
    blind: bool = False


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
        aside: Callable[[Callable[[], None]], Iterator[None]] = at_once,
    ) -> None:
        """`aside` does slow reading and gives its caller turns meanwhile, in which new alerts are paged."""
        self.aside = aside
        self.crew = crew
        self.busy = busy
        self.sweep = Sweep()
        self.log = LogCost()
        self.memory = Memory()
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
        whole = self._round(now, policy, busy=busy)
        return whole.whole(0.0 if busy else share, lambda work: self._meanwhile(now, policy, work))

    def glance(self, now: datetime, policy: Policy, hints: Collection[Hint]) -> Observation:
        """Look at once, and only, where a webhook hinted that something may have happened."""
        return self._round(now, policy).hinted(hints)

    def follow_up(self, now: datetime, policy: Policy) -> Observation:
        """Look only where our own writes are still in doubt."""
        return self._round(now, policy).doubts_only()

    def _meanwhile(self, now: datetime, policy: Policy, work: Callable[[], None]) -> Iterator[Observation]:
        """New alerts that turn up while the work is under way."""
        for _ in self.aside(work):
            yield from self._round(now, policy).news_only()

    def _round(self, now: datetime, policy: Policy, *, busy: bool = False) -> "_Round":
        return _Round(self, now, policy, busy=busy)


class _Round:
    """One cycle's looking."""

    def __init__(self, observer: Observer, now: datetime, policy: Policy, *, busy: bool) -> None:
        self.crew = observer.crew
        self.database = observer.database
        self.horizons = observer.horizons
        self.memory = memory = observer.memory
        with self.database.reading() as books:
            self.before = books.snapshot.cursors()
            self.open_pairs = books.snapshot.open_pairs()
            self.unsettled = books.snapshot.unsettled()
            self.open_actions = books.outbox.open()
        may_ask = memory.to_ask(self.open_actions, now)
        self.eyes = Eyes(observer.opsgenie, observer.pagerduty, observer.stopping, policy, now, memory, may_ask)
        self.unread = unread(self.before.get("again"))
        self.origin = self._origin()
        self.looks = Looks(self.database, self.horizons, self.origin, now, memory)
        self.beginning = Beginning(self.eyes, self.looks)
        self.feeds = Feeds(self.eyes, self.looks, observer.log, busy=busy)
        self.slice = Slice(observer.sweep, self.eyes, self.looks)
        self.absence = Absence(self.eyes, self.database)

    def whole(
        self, share: float, meanwhile: Callable[[Callable[[], None]], Iterator[Observation]]
    ) -> Iterator[Observation]:
        """Opsgenie's feed and the pages come first: no page waits for PagerDuty's feed, the sweep or any pair."""
        if self._is_first():
            self.beginning.first_start()
        else:
            self._opsgenie()
            self.looks.unread(self._due_again())
            yield from self._pages()
            yield from meanwhile(lambda: self._elsewhere(share))
        self._ours()
        yield from self._pages()
        rest: list[Observation] = []
        yield from meanwhile(lambda: rest.append(self._rest()))
        yield replace(rest[0], pace=self._pace)

    def news_only(self) -> Iterator[Observation]:
        """What the feed shows of new alerts; where it stands is left to the cycle that is under way."""
        if not self._is_first() and self.before.get("query") == self.horizons.query:
            self.eyes.attempt(Side.OPSGENIE, lambda: self.feeds.opsgenie(self.before))
            yield from self._pages()
            self.memory.leave((alert_id, look.again) for alert_id, look in self.looks.by_alert.items())

    def _elsewhere(self, share: float) -> None:
        """PagerDuty's feed, the sweep, and what is to be looked at although no feed names it."""
        self.eyes.attempt(Side.PAGERDUTY, lambda: self.feeds.pagerduty(self.before, self.open_pairs))
        self.slice.take(self.before, self.open_pairs, share, begin=self.feeds.sweep_now)
        self.beginning.adopt_some(self.before)
        often = min(self.eyes.policy.staleness, self.horizons.sweep_interval)
        self.looks.missing(self.memory.to_check(often, self.eyes.now))

    def hinted(self, hints: Collection[Hint]) -> Observation:
        """A hint names a thing and nothing more. An alert we do not know must be one that the feed shows."""
        if self.feeds.hinted(hints) and not self._is_first():
            self._opsgenie()
        return self.doubts_only()

    def doubts_only(self) -> Observation:
        self._ours()
        return self._rest()

    def _opsgenie(self) -> None:
        """Opsgenie's feed. Where the query has changed, what only now is visible is sorted out first."""
        if self.beginning.query_changed(self.before):
            self.eyes.attempt(Side.OPSGENIE, lambda: self.feeds.opsgenie(self.before))

    def _ours(self) -> None:
        """Our own writes in doubt, and incidents that page nobody or whose last step nothing explains."""
        self.looks.doubts(self.open_actions)
        self.looks.unsettled(self.unsettled)

    def _pages(self) -> Iterator[Observation]:
        """The new alerts that were not looked at yet, in batches."""
        news = [alert_id for alert_id, look in self.looks.by_alert.items() if look.news and not look.seen]
        for start in range(0, len(news), BATCH):
            yield replace(self._see(news[start : start + BATCH]), urgent=True, pace=self._pace)

    @property
    def _pace(self) -> float:
        """New alerts a second since the last poll; what is new at a first start came over more than that."""
        now = self.eyes.now
        default = earlier(now, self.horizons.lookback)
        since = now - moment(self.before.get("polled.opsgenie"), now, default)
        return sum(look.news for look in self.looks.by_alert.values()) / max(since.total_seconds(), 0.1)

    def _is_first(self) -> bool:
        return "origin" not in self.before

    def _origin(self) -> Origin:
        now = self.eyes.now
        defaults = now, earlier(now, self.horizons.lookback)
        return Origin(*moments(self.before.get("origin"), 2, now, defaults))

    def _due_again(self) -> dict[str, set[Side]]:
        """Some of what could not be read last time, by the sides that were not read and are not left alone."""
        due: dict[str, set[Side]] = {}
        for alert_id, sides in sorted(self.unread.items()):
            free = {side for side in sides if not self.memory.is_held(alert_id, side, self.eyes.now)}
            if free == sides or Side.OPSGENIE in free:  # an incident's notes wait for the alert's
                due[alert_id] = free
            if len(due) == AGAIN:
                break
        return due

    def _rest(self) -> Observation:
        """What is left to be seen, and with it where the feeds stand."""
        looks = self.looks.by_alert
        seen = self._see([alert_id for alert_id, look in looks.items() if not look.seen])
        again = {alert_id: set(look.again) for alert_id, look in looks.items() if look.again}
        for alert_id, sides in self.unread.items():
            waiting = sides - self.looks.looked_again.get(alert_id, set())
            if waiting:
                again.setdefault(alert_id, set()).update(waiting)
        for alert_id, sides in self.memory.take_left():
            again.setdefault(alert_id, set()).update(sides)
        stored = {"again": stored_unread(again)}
        after = self.beginning.cursors | self.feeds.cursors | self.slice.cursors | stored
        moved = {name: value for name, value in after.items() if self.before.get(name, "[]") != value}
        problems = (*self._blindness(), *seen.problems, *self._left_alone(seen.problems))
        return replace(seen, cursors=moved, problems=problems)

    def _blindness(self) -> tuple[Problem, ...]:
        """That Opsgenie's key sees nothing of what it saw before, for as long as that lasts."""
        return (Problem(Side.OPSGENIE, self.memory.blind),) if self.memory.blind else ()

    def _left_alone(self, told: tuple[Problem, ...]) -> Iterator[Problem]:
        """What pairs that are left alone for now are left alone for: that they wait is no recovery."""
        named = {(problem.alert_id, problem.side) for problem in told}
        for (alert_id, side), hold in list(self.memory.holds.items()):
            if (alert_id, side) not in named and self.memory.is_held(alert_id, side, self.eyes.now):
                yield Problem(side, hold.error, alert_id)

    def _see(self, alert_ids: list[str]) -> Observation:
        """Read what these looks ask for, several pairs side by side."""
        world = World(self.eyes.now, self.eyes.policy, ())
        if not alert_ids:
            return Observation(world, {}, self.eyes.take_problems(), blind=self.memory.blind is not None)
        with self.database.reading() as books:
            pairs = books.snapshot.pairs(alert_ids)
            known = books.snapshot.known_notes(alert_ids)
            mine = books.outbox.of(alert_ids)

        def see(alert_id: str) -> Sighting:
            look = self.looks.by_alert[alert_id]
            look.seen = True
            blank = Sighting(
                alert_id,
                pair=pairs.get(alert_id),
                tracked=look.tracked,
                since=None if alert_id in pairs else self.origin.since,
                known_notes=known.get(alert_id, frozenset()),
                mine=mine.get(alert_id, ()),
                swept=look.swept,
            )
            return self.eyes.see(blank, look)

        sightings = self.absence.judged(tuple(self.crew.each(see, alert_ids)))
        for seen in sightings:
            self._remember(seen)
        world = replace(world, sightings=sightings)
        return Observation(world, {}, self.eyes.take_problems(), blind=self.memory.blind is not None)

    def _remember(self, seen: Sighting) -> None:
        """Whether the notes of an alert that occurs again and again had anything new."""
        if self.looks.by_alert[seen.alert_id].repeated and seen.alert_notes is not None:
            new = any((Side.OPSGENIE, note.id) not in seen.known_notes for note in seen.alert_notes)
            self.memory.repeated(seen.alert_id, self.eyes.now, fruitful=new)
