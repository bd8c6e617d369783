"""Turns of the routes: whose pair is worked on next, and how many pairs of a route may be in work at a time.

Pages of any route go before all other work; among routes, the one goes first that was given a turn longest ago. A
route may always have one page and one other pair in work, whatever all others do. Only what is beyond that shares
the bounds of the whole process, so that neither a storm nor reads that hang hold back another route.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.core.work import Priority, WorkItem
from reconciler.observability.defects import defect
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime.worker import PAGE_WORKERS, WORKERS, Worker

ALL_WORKERS, ALL_PAGE_WORKERS = 16 * WORKERS, 16 * PAGE_WORKERS
"""The same bounds for all routes of a process: as many threads as sixteen busy routes need."""
WITHOUT_LEAD = 0.1
"""Seconds after which a route that has work, and may not work, is looked at again: it may lead by then."""
PARKED = 0.25
"""Seconds after which a route with parked pairs is looked at again: the circuit breaker may let one through."""
AFTER_DEFECT = 1.0
"""Seconds after which a route is looked at again that could not be asked for a pair."""


@dataclass(slots=True, eq=False)
class Route:
    """One route's worker, and its pairs in work: `pages` and `others`.

    `page_due` and `due` are the times by the pool's clock at which a page, or any pair, may be leased; they are
    outdated if the queue has `changed`. Nothing is leased before `paused_until`.
    """

    name: str
    worker: Worker
    queue: WorkQueue
    may_work: Callable[[], bool]
    failed: Callable[[Exception], None]
    changed: bool = True
    pages: int = 0
    others: int = 0
    page_due: float = math.inf
    due: float = math.inf
    paused_until: float = -math.inf

    @property
    def in_work(self) -> int:
        """Number of its pairs in work."""
        return self.pages + self.others


@dataclass(frozen=True, slots=True)
class Turn:
    """A pair that was leased, and its route."""

    route: Route
    item: WorkItem

    @property
    def is_page(self) -> bool:
        """Whether it counts as a page."""
        return self.item.priority is Priority.PAGE


class Turns:
    """The routes, the one whose last turn is longest ago first. Not for several threads at a time.

    `changed` is called by any thread when a route may have a pair sooner than `next_look` has said. Times are
    seconds by the caller's clock.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._routes: dict[str, Route] = {}
        self._pages = 0
        self._others = 0

    def add(self, route: Route) -> None:
        """Give this route turns. ValueError if there is one of this name."""
        if route.name in self._routes:
            raise ValueError(f"the pool has a route {route.name} already")
        self._routes[route.name] = route

        def changed() -> None:
            route.changed = True
            self._changed()

        route.queue.listen(changed)
        self._changed()

    def remove(self, name: str) -> Route | None:
        """Give the route no further turn; returns it. None if there is none of this name."""
        route = self._routes.pop(name, None)
        if route is not None:
            route.queue.listen(lambda: None)
        return route

    def take(self, now: float) -> Turn | None:
        """Lease the next pair; None if no route has one that may be worked on."""
        for route in self._routes.values():
            if route.changed:
                _look(route, now)
        for pages_only in (True, False):
            for route in self._ready(now, pages_only=pages_only):
                item = _leased(route, now, pages_only=pages_only)
                if item is not None:
                    self._routes[route.name] = self._routes.pop(route.name)
                    turn = Turn(route, item)
                    self._count(turn, 1)
                    return turn
        return None

    def ended(self, turn: Turn) -> None:
        """Note that the work on a pair has ended."""
        self._count(turn, -1)

    def pause(self, route: Route, until: float) -> None:
        """Lease nothing of this route until then."""
        route.paused_until = max(route.paused_until, until)
        route.changed = True

    def next_look(self) -> float:
        """The time at which `take` may find a pair if nothing changes; infinite if there is none."""
        return min((due for route in self._routes.values() for due in self._dues(route)), default=math.inf)

    def _dues(self, route: Route) -> Iterator[float]:
        if self._has_room(route, pages_only=True):
            yield route.page_due
        if self._has_room(route, pages_only=False):
            yield route.due

    def _ready(self, now: float, *, pages_only: bool) -> list[Route]:
        return [
            route
            for route in self._routes.values()
            if (route.page_due if pages_only else route.due) <= now
            and self._has_room(route, pages_only=pages_only)
        ]

    def _has_room(self, route: Route, *, pages_only: bool) -> bool:
        """Whether one more page of this route, or one more of its other pairs, may be in work."""
        if route.in_work >= WORKERS + PAGE_WORKERS:
            return False
        if pages_only:
            return not route.pages or self._pages + self._others < ALL_WORKERS + ALL_PAGE_WORKERS
        return not route.others or (route.others < WORKERS and self._others < ALL_WORKERS)

    def _count(self, turn: Turn, by: int) -> None:
        if turn.is_page:
            turn.route.pages += by
            self._pages += by
        else:
            turn.route.others += by
            self._others += by


def _look(route: Route, now: float) -> None:
    """Ask the route's queue when it has a page, and when it has any pair."""
    route.changed = False  # first: what changes from now on makes it True again
    latest = now + PARKED if route.queue.any_parked() else math.inf
    page_due, due = (now + route.queue.until_lease(pages_only=pages_only) for pages_only in (True, False))
    route.page_due = max(min(page_due, latest), route.paused_until)
    route.due = max(min(due, latest), route.paused_until)


def _leased(route: Route, now: float, *, pages_only: bool) -> WorkItem | None:
    """Lease a pair of this route, if it may work. A defect there holds back no other route."""
    try:
        if not route.may_work():
            route.page_due = route.due = now + WITHOUT_LEAD
            return None
        item = route.worker.take(pages_only=pages_only)
        _look(route, now)
    except Exception as error:  # noqa: BLE001 - the other routes go on
        defect(error, f"route {route.name}")
        route.page_due = route.due = now + AFTER_DEFECT
        return None
    return item
