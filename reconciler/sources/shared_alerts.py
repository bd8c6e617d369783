"""The alerts of all routes that share one key: one list of changes a cycle, however many routes there are.

Each route has a reader of its own, and cursors of its own; only the lists are shared. A route that is far behind
the others, or whose query cannot be united with theirs, lists its own alerts.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.model import Act, Alert, Note
from reconciler.core.routing import Member, grouped
from reconciler.errors import ObjectError
from reconciler.sources.member_search import MemberSearch, ReaderFor, RefusedQueries
from reconciler.sources.overlaps import Overlap, overlaps
from reconciler.sources.ownership import Ownership
from reconciler.sources.shared_lists import KeyTools, Look, Mark, Owners, SharedList, Wake
from reconciler.vendors.ports import AlertNews, AlertReader, AlertSearch, Clock, RequestStatus


@dataclass(frozen=True, slots=True)
class _Setup:
    """The members at one time. `lists` are by member; `ownership` knows all members, polled here or not."""

    members: dict[str, Member]
    ownership: Ownership
    lists: dict[str, SharedList]


class SharedAlerts:
    """One for each key of a product that raises alerts. For any thread."""

    def __init__(
        self,
        reader_for: ReaderFor,
        owners: Owners,
        search: AlertSearch,
        clock: Clock,
        *,
        fresh_for: float,
        retry: float,
        wake: Wake = lambda _names: None,
    ) -> None:
        """`reader_for` makes the reader for a query, over the session that all routes share.

        `fresh_for` are the seconds for which a list serves the routes that have not had it: POLL_INTERVAL_SECONDS.
        A query that the vendor refuses is asked again after `retry` seconds: SWEEP_INTERVAL_SECONDS. `wake` is
        told the names of routes for which another one's poll has found something, so that they poll at once.
        """
        refused = RefusedQueries(reader_for, clock, retry)
        self._tools = KeyTools(reader_for, owners, search, clock, refused, fresh_for, retry, wake)
        self._setup = _Setup({}, self._ownership(()), {})

    def set_members(self, members: Sequence[Member]) -> None:
        """The routes of this key, in the order of the file. The lists of routes that stay together go on."""
        ownership = self._ownership(members)
        kept = {each.members: each for each in self._setup.lists.values()}
        lists: dict[str, SharedList] = {}
        for group in grouped([member for member in members if member.is_polled]):
            found = kept.get(group) or SharedList(group, ownership, self._tools)
            found.use(ownership)
            lists |= dict.fromkeys((member.name for member in group), found)
        self._setup = _Setup({member.name: member for member in members}, ownership, lists)

    def reader(self, name: str, query: str) -> "SharedReader":
        """The reader of the member of this name, now or soon, whose query this is."""
        return SharedReader(self, name, self._tools.reader_for(query))

    def expire(self, name: str) -> None:
        """Have this route's next poll fetch the list, because a webhook names an alert that none has shown."""
        if name in self._setup.lists:
            self._setup.lists[name].expire()

    def overlaps(self) -> list[Overlap]:
        """Which members' queries show the same alerts, as far as each one's newest alerts show it."""
        search = MemberSearch(self._tools.reader_for, self._tools.search, self._tools.refused)
        usable = self._tools.refused.without(self._setup.ownership.members)
        return overlaps(usable, search, self._tools.reader_for)

    def changes(self, name: str, own: AlertReader, since: datetime, seen: object | None) -> AlertNews:
        """See `AlertReader.changes`: the part of this member. `own` reads with its query alone."""
        setup = self._setup
        member, shared = setup.members.get(name), setup.lists.get(name)
        if member is None:
            return own.changes(since, _own(seen))
        if shared is None:  # it has just begun to lead, and the next beat says so
            news = own.changes(since, _own(seen))
            return replace(news, rows=tuple(self._mine(setup, member, news.rows)))
        error = self._tools.refused.error(member)
        if error is not None:
            raise error
        look = shared.look(name, since)
        if look is None:  # the list is apart
            news = own.changes(since, _own(seen))
            return replace(news, rows=tuple(self._mine(setup, member, news.rows)))
        news = shared.part(name, look, seen)
        return news if since >= look.floor else self._caught_up(setup, member, own, since, look, news)

    def mine(self, name: str, rows: Sequence[Alert]) -> list[Alert]:
        """The alerts that this member's own list shows, without those that are another one's."""
        setup = self._setup
        member = setup.members.get(name)
        return list(rows) if member is None else self._mine(setup, member, rows)

    def elsewhere(self, name: str, own: AlertReader, alert_ids: Collection[str]) -> set[str]:
        """Those of these alerts that are other members' alone, whether or not a list of this member's shows them.

        Each that no member has taken in is read. One that no query shows any more belongs to the first of the
        members whose incidents are on the same service as this one's.
        """
        setup = self._setup
        owners = self._tools.owners(alert_ids)
        claimed = {each: owners.get(each, frozenset()) & setup.ownership.names for each in alert_ids}
        found = {each for each, routes in claimed.items() if routes and name not in routes}
        rows = []
        for alert_id in (each for each, routes in claimed.items() if not routes):
            with suppress(ObjectError):
                rows.append(own.alert(alert_id))
        decided = setup.ownership.of_unknown(rows, ())
        mine = {alert_id for alert_id, routes in decided.items() if name in routes}
        if self._is_first_of_service(setup, name):
            mine |= {each for each, routes in claimed.items() if not routes and not decided.get(each)}
        return found | {each for each, routes in claimed.items() if not routes and each not in mine}

    def _is_first_of_service(self, setup: _Setup, name: str) -> bool:
        """Whether no member before this one has its incidents on the same service."""
        names = list(setup.members)
        before = names[: names.index(name)] if name in names else names
        mine = setup.members.get(name)
        return mine is None or not any(setup.members[each].is_beside(mine) for each in before)

    def _caught_up(
        self, setup: _Setup, member: Member, own: AlertReader, since: datetime, look: Look, news: AlertNews
    ) -> AlertNews:
        """The part of a look that does not reach back far enough, and what the member's own list shows since then.

        The look is the older of the two, so that the next call goes on from it.
        """
        earlier = own.changes(since, None)
        rows = {row.id: row for row in (*news.rows, *self._mine(setup, member, earlier.rows))}
        newest = look.newest or earlier.newest
        return replace(news, rows=tuple(rows.values()), newest=newest, problem=news.problem or earlier.problem)

    def _mine(self, setup: _Setup, member: Member, rows: Sequence[Alert]) -> list[Alert]:
        owners = self._tools.owners([row.id for row in rows])
        beside = {other.name for other in setup.members.values() if other.is_beside(member)}
        held = {row.id for row in rows if owners.get(row.id, frozenset()) & beside}
        mine = {row.id for row in rows if member.name in owners.get(row.id, ())}
        unknown = [row for row in rows if row.id not in held | mine]
        found = setup.ownership.of_listed(member, unknown, owners) if unknown else {}
        mine |= {alert_id for alert_id, names in found.items() if member.name in names}
        return [row for row in rows if row.id in mine]

    def _ownership(self, members: Sequence[Member]) -> Ownership:
        tools = self._tools
        return Ownership(members, tools.reader_for, tools.search, tools.refused, tools.clock)


class SharedReader:
    """One route's AlertReader. `own` reads with the route's query alone."""

    def __init__(self, shared: SharedAlerts, name: str, own: AlertReader) -> None:
        self._shared = shared
        self._name = name
        self._own = own

    def changes(self, since: datetime, seen: object | None) -> AlertNews:
        """The route's part of what has changed."""
        return self._shared.changes(self._name, self._own, since, seen)

    def elsewhere(self, alert_ids: Collection[str]) -> set[str]:
        """Those of these alerts that are other routes' alone. May raise what a list of alerts may."""
        return self._shared.elsewhere(self._name, self._own, alert_ids)

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the route's query, whosever they are: they only show what the key sees, and since when."""
        return self._own.recent_alerts(since)

    def open_alerts(self) -> Iterator[list[Alert]]:
        """Every open alert of the route."""
        for page in self._own.open_alerts():
            yield self._shared.mine(self._name, page)

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """One page of the route's open alerts, from `offset` in its query's list, and whether there is more."""
        rows, more = self._own.open_alerts_page(offset)
        return self._shared.mine(self._name, rows), more

    def alert(self, alert_id: str) -> Alert:
        """See AlertReader."""
        return self._own.alert(alert_id)

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:
        """See AlertReader."""
        return self._own.notes(alert_id, until)

    def acts(self, alert_id: str) -> list[Act]:
        """See AlertReader."""
        return self._own.acts(alert_id)

    def request_status(self, request_id: str) -> RequestStatus:
        """See AlertReader."""
        return self._own.request_status(request_id)

    def confirm_key(self) -> None:
        """See AlertReader."""
        self._own.confirm_key()


def _own(seen: object | None) -> object | None:
    """What the member's own reader remembers; nothing if its last news came from a shared list."""
    return None if isinstance(seen, Mark) else seen
