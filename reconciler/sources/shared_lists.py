"""One list for several routes: the first of them that polls fetches it, the others get their part from memory."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from reconciler.core.model import Alert
from reconciler.core.routing import Member, united
from reconciler.errors import ReconcilerError, RefusedQuery
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
MOST_ASKED = 200
"""Alerts of which one poll asks whose they are: in a storm the first ones page before the last ones are asked.

Half of them are the newest ones, so that another route's alert does not wait for a storm that came before it.
"""
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

    It was asked for at the monotonic time `at` and covers what has changed since `floor`. `recipients` are the
    routes that get each row; a row without an entry is undecided, and `newest` is no later than it. It is still to
    be asked whose the `unasked` rows are; `problem` is what prevented that. `rows` are each route's.
    """

    number: int
    at: float
    floor: datetime
    news: AlertNews
    recipients: Recipients
    unasked: tuple[Alert, ...]
    newest: datetime | None = None
    rows: Mapping[str, tuple[Alert, ...]] = field(default_factory=dict)
    problem: ReconcilerError | None = None


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
            if look is None or not self._is_fresh(look) or (name in self._served and not look.unasked):
                look = self._fetched(name, since)
            elif look.unasked:
                look = self._divided_further(name, look)
            if look is not None:
                self._served[name] = since
            return look

    def part(self, name: str, look: Look, seen: object | None) -> AlertNews:
        """The route's part of the look, against the one from which its last stored news came."""
        rows = look.rows.get(name, ())
        problem = look.news.problem or look.problem
        if problem is not None:
            return AlertNews(rows, look.newest, seen=seen, problem=problem)
        is_whole, absent = self._since_look(seen, look)
        listed = {row.id for row in look.news.rows} if absent else set[str]()
        return AlertNews(rows, look.newest, absent - listed, is_whole, Mark(self, look.number))

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
        return None if look is None else self._divided_further(name, look, before)

    def _divided_further(self, name: str, look: Look, before: Look | None = None) -> Look:
        """The look with more of its rows decided. `before` is the look before it, if this one is new."""
        self._look = further = self._divided(look)
        known = look if before is None else before
        stamps = {row.id: row.updated_at for row in known.news.rows if row.id in known.recipients}
        names = {
            each
            for each, rows in further.rows.items()
            if each != name and any(stamps.get(row.id) != row.updated_at for row in rows)
        }
        if further.unasked and further.problem is None:
            names.add(name)
        if names:
            self._tools.wake(sorted(names))
        return further

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
        except RefusedQuery:
            if tools.refused.sort_out(members):
                return self._fetch(since)
            self._apart_until = tools.clock.monotonic() + tools.retry
            return None
        if news.problem is None:
            self._number += 1
            self._seen = news.seen
            self._differences.append((self._number, news))
        recipients, unasked = self._held(news.rows)
        return Look(self._number, began, floor, news, recipients, unasked)

    def _floor(self, since: datetime) -> datetime:
        """How far back to list: a little further than asked for.

        While nothing changes, no route moves on: then as far as all need that had the last look; it costs nothing.
        """
        if self._look is not None and self._look.newest is None:
            return min(since, *self._served.values())
        return earlier(since, MARGIN)

    def _held(self, rows: Sequence[Alert]) -> tuple[Recipients, tuple[Alert, ...]]:
        """Who has taken in each row; and the rows, the oldest first, of which that does not say whose they are."""
        owners = self._tools.owners([row.id for row in rows])
        held = {row.id: tuple(owners.get(row.id, frozenset()) & self._ownership.names) for row in rows}
        unasked = [row for row in rows if not held[row.id] or self._may_be_shared(held[row.id])]
        return {alert_id: names for alert_id, names in held.items() if names}, tuple(reversed(unasked))

    def _may_be_shared(self, holders: Collection[str]) -> bool:
        sharing = self._ownership.sharing
        return sharing.issuperset(holders) and len(sharing) > len(holders)

    def _divided(self, look: Look) -> Look:
        """The look with some more rows decided. What cannot be asked is left to the next call."""
        asked, left = _asked_next(look.unasked)
        known = [row for row in asked if row.id in look.recipients]
        unknown = [row for row in asked if row.id not in look.recipients]
        recipients, unasked = dict(look.recipients), left
        problem: ReconcilerError | None = None
        try:
            with at_least(CallPriority.PAGE):
                recipients |= self._whose(unknown)
                recipients |= self._ownership.of_shared(known, look.recipients)
        except ReconcilerError as error:
            unasked, problem = look.unasked, error
        undecided = [row for row in look.news.rows if row.id not in recipients]
        newest = look.news.newest
        if newest is not None and undecided:
            newest = min(newest, *map(self._tools.search.stamp, undecided))
        rows: dict[str, list[Alert]] = defaultdict(list)
        for row in look.news.rows:
            for name in recipients.get(row.id, ()):
                rows[name].append(row)
        return replace(
            look,
            problem=problem,
            recipients=recipients,
            unasked=unasked,
            newest=newest,
            rows={name: tuple(found) for name, found in rows.items()},
        )

    def _whose(self, rows: Sequence[Alert]) -> Recipients:
        """Who gets these alerts, which nobody has taken in. A single member's list shows what is its own."""
        if len(self.members) == 1:
            return self._ownership.of_listed(self.members[0], rows, {})
        return self._ownership.of_unknown(rows, self._tools.refused.without(self.members))


def _asked_next(rows: Sequence[Alert]) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
    """The MOST_ASKED rows at both ends, and those between them; all of them if there are no more than that."""
    half = MOST_ASKED // 2
    if len(rows) <= MOST_ASKED:
        return tuple(rows), ()
    return (*rows[:half], *rows[-half:]), tuple(rows[half:-half])
