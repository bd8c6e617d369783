"""One list for several routes: the first of them that polls fetches it, the others get their part from memory."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from reconciler.core.model import Alert
from reconciler.core.routing import Member, united
from reconciler.errors import Permanent, ReconcilerError
from reconciler.sources.member_search import ReaderFor, RefusedQueries
from reconciler.sources.ownership import Ownership, Recipients
from reconciler.store.cursors import earlier
from reconciler.vendors.call_context import CallPriority, at_least
from reconciler.vendors.ports import AlertNews, AlertSearch, Clock

Owners = Callable[[Collection[str]], Mapping[str, frozenset[str]]]
"""Names of the routes that have taken in each of these alerts; see `store.key_routes.owners`."""
Wake = Callable[[Collection[str]], None]
"""Told the names of routes for which another one's poll has found something."""
MARGIN = timedelta(seconds=60)
"""How much further than asked for a list reaches back, so that it serves routes that are behind by a little."""
REMEMBERED_LOOKS = 100
"""Looks whose differences are remembered, for routes that poll more seldom than others."""


@dataclass(frozen=True, slots=True)
class KeyTools:
    """What all lists of one key use. `fresh_for`: seconds for which a list serves routes that have not had it."""

    reader_for: ReaderFor
    owners: Owners
    search: AlertSearch
    clock: Clock
    refused: RefusedQueries
    fresh_for: float
    retry: float
    wake: Wake


@dataclass(frozen=True, slots=True)
class Mark:
    """The look from which a route's last stored news came."""

    looks: object
    number: int


@dataclass(frozen=True, slots=True)
class Look:
    """One answer of the list, divided among the routes.

    It was asked for at the monotonic time `at` and covers what has changed since `floor`. `rows` are each route's.
    `newest` is not later than any row of which it is not decided yet whose it is.
    """

    number: int
    at: float
    floor: datetime
    news: AlertNews
    newest: datetime | None
    rows: Mapping[str, tuple[Alert, ...]]
    listed: frozenset[str]


class SharedList:
    """The list of the alerts of a group of members. For any thread; one fetches at a time."""

    def __init__(self, members: Sequence[Member], ownership: Ownership, tools: KeyTools) -> None:
        self.members = tuple(members)
        self._ownership = ownership
        self._tools = tools
        self._lock = Lock()
        self._look: Look | None = None
        self._served: dict[str, datetime] = {}
        self._seen: object | None = None
        self._differences: deque[tuple[int, AlertNews]] = deque(maxlen=REMEMBERED_LOOKS)
        self._number = 0
        self._failures = 0
        self._failure: ReconcilerError | None = None
        self._apart_until = float("-inf")
        self._expired_at = float("-inf")

    @property
    def is_apart(self) -> bool:
        """Whether the vendor refuses the united query, though it takes each by itself: then each polls alone."""
        return self._tools.clock.monotonic() < self._apart_until

    def expire(self) -> None:
        """Have the next poll fetch the list, because something is known to be newer."""
        self._expired_at = self._tools.clock.monotonic()

    def use(self, ownership: Ownership) -> None:
        """Decide by this from now on: other members of the key have come or gone."""
        self._ownership = ownership

    def look(self, name: str, since: datetime) -> Look | None:
        """The look for this route: one that it has not had; None if the list is apart.

        Who waits for another's fetch fails with it; the next call tries again.
        """
        failures = self._failures
        with self._lock:
            if self._failure is not None and self._failures != failures:
                raise self._failure
            look = self._look
            if look is None or name in self._served or not self._is_fresh(look):
                look = self._fetched(name, since)
            if look is not None:
                self._served[name] = since
            return look

    def part(self, name: str, look: Look, seen: object | None) -> AlertNews:
        """The route's part of the look, against the one from which its last stored news came."""
        rows = look.rows.get(name, ())
        if look.news.problem is not None:
            return AlertNews(rows, look.newest, seen=seen, problem=look.news.problem)
        is_whole, absent = self._since_look(seen, look)
        return AlertNews(rows, look.newest, absent - look.listed, is_whole, Mark(self, look.number))

    def _since_look(self, seen: object | None, look: Look) -> tuple[bool, frozenset[str]]:
        """Whether nothing may have been missed between two looks, and what was absent in one of those between."""
        if look.news.seen is None:
            return look.news.is_whole, look.news.absent
        known = seen.number if isinstance(seen, Mark) and seen.looks is self else None
        between = [news for number, news in tuple(self._differences) if known is not None and number > known]
        if known is None or len(between) != look.number - known:
            return False, frozenset()
        return all(news.is_whole for news in between), frozenset[str]().union(*(news.absent for news in between))

    def _is_fresh(self, look: Look) -> bool:
        return look.at > self._expired_at and self._tools.clock.monotonic() - look.at < self._tools.fresh_for

    def _fetched(self, name: str, since: datetime) -> Look | None:
        if self.is_apart:
            return None
        before = self._look
        try:
            look = self._fetch(since)
        except ReconcilerError as error:
            self._failures += 1
            self._failure, self._look = error, None
            raise
        self._look, self._failure, self._served = look, None, {}
        if look is not None:
            self._wake(name, before, look)
        return look

    def _fetch(self, since: datetime) -> Look | None:
        """A new look; None if the vendor refuses the united query and none by itself."""
        tools = self._tools
        members = tools.refused.without(self.members)
        if not members:  # without a query, everybody's alerts would be listed
            raise next(error for member in self.members if (error := tools.refused.error(member)))
        floor = self._floor(since)
        began = tools.clock.monotonic()
        try:
            news = tools.reader_for(united(members)).changes(floor, self._seen)
        except Permanent:
            if tools.refused.sort_out(members):
                return self._fetch(since)
            self._apart_until = tools.clock.monotonic() + tools.retry
            return None
        return self._divided(members, news, floor, began)

    def _floor(self, since: datetime) -> datetime:
        """How far back to list: a little further than asked for.

        While nothing changes, no route moves on: then as far as all need that had the last look, which costs nothing.
        """
        if self._look is not None and self._look.newest is None:
            return min(since, *self._served.values())
        return earlier(since, MARGIN)

    def _divided(self, members: Sequence[Member], news: AlertNews, floor: datetime, began: float) -> Look:
        recipients, problem = self._recipients(members, news.rows)
        undecided = [row for row in news.rows if row.id not in recipients]
        newest = news.newest
        if newest is not None and undecided:
            newest = min(newest, *map(self._tools.search.stamp, undecided))
        if news.problem is None:
            self._number += 1
            self._seen = news.seen
            self._differences.append((self._number, news))
        rows: dict[str, list[Alert]] = defaultdict(list)
        for row in news.rows:
            for name in recipients.get(row.id, ()):
                rows[name].append(row)
        return Look(
            number=self._number,
            at=began,
            floor=floor,
            news=replace(news, problem=news.problem or problem),
            newest=newest,
            rows={name: tuple(found) for name, found in rows.items()},
            listed=frozenset(row.id for row in news.rows),
        )

    def _recipients(
        self, members: Sequence[Member], rows: Sequence[Alert]
    ) -> tuple[Recipients, ReconcilerError | None]:
        """Who gets each row. What cannot be asked is left undecided: the rest is given out meanwhile."""
        owners = self._tools.owners([row.id for row in rows])
        sharing = {member.name for member in self._ownership.members if member.is_shared}
        held = {
            row.id: frozenset(owners.get(row.id, ())) & self._ownership.names for row in rows
        }  # of a route that is no member any more, a pair is no claim
        found: Recipients = {alert_id: tuple(names) for alert_id, names in held.items() if names}
        unknown = [row for row in rows if not held[row.id]]
        shared = [row for row in rows if held[row.id] and held[row.id] <= sharing and held[row.id] != sharing]
        try:
            with at_least(CallPriority.PAGE):
                found |= self._ownership.of_unknown(unknown, members)
                found |= self._ownership.of_shared(shared, held)
        except ReconcilerError as error:
            return found, error
        return found, None

    def _wake(self, name: str, before: Look | None, look: Look) -> None:
        """Tell the other routes for which the list has rows that the last one did not have."""
        stamps = {} if before is None else {row.id: row.updated_at for row in before.news.rows}
        names = [
            each
            for each, rows in look.rows.items()
            if each != name and any(stamps.get(row.id) != row.updated_at for row in rows)
        ]
        if names:
            self._tools.wake(names)
