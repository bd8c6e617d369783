"""Whose an alert is, among the routes that share a key: decided by the vendor's search, and remembered.

The rule is `core.routing.recipients`. A pair in the database decides without any request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from reconciler.core.model import Alert
from reconciler.core.routing import Member, apart, recipients
from reconciler.errors import ReconcilerError, RefusedQuery
from reconciler.sources.member_search import MemberSearch, ReaderFor, RefusedQueries
from reconciler.vendors.ports import AlertSearch, Clock

REMEMBERED_ALERTS = 50_000
"""The most alerts remembered; the one that was decided longest ago is dropped first."""
REMEMBERED_FOR = 3600.0
"""Seconds after which it is decided anew whose an alert is that one route lists and another has a pair for."""
TAKEN_WITHIN = 60.0
"""Seconds within which whoever gets an alert takes it in; if nobody has, it is decided anew whose it is."""
UNDECIDED_FOR = 15.0
"""Seconds for which a list may show an alert that the search does not find, or fails to; then each route's list
decides."""
Recipients = dict[str, tuple[str, ...]]
"""Names of the routes that get each alert, by its id; none if it is nobody's."""
Holders = Mapping[str, Collection[str]]
"""Names of the routes that have a pair for each alert, by its id."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """Who gets an alert, decided when its row had this stamp."""

    routes: tuple[str, ...]
    updated_at: datetime
    at: float


class Ownership:
    """Decides for the members of one key. For any thread; what it remembers is lost with the process."""

    def __init__(
        self,
        members: Sequence[Member],
        reader_for: ReaderFor,
        search: AlertSearch,
        refused: RefusedQueries,
        clock: Clock,
    ) -> None:
        self.members = tuple(members)
        self.names = frozenset(member.name for member in members)
        self.sharing = frozenset(member.name for member in members if member.is_shared)
        self._reader_for = reader_for
        self._stamp = search.stamp
        self._search = MemberSearch(reader_for, search, refused)
        self._refused = refused
        self._clock = clock
        self._lock = Lock()
        self._decisions: dict[str, _Decision] = {}
        self._undecided: dict[str, float] = {}

    def of_unknown(self, rows: Sequence[Alert], shown_by: Sequence[Member]) -> Recipients:
        """Who gets these alerts, which no route has a pair for and a list of these members shows.

        Alerts that the search does not find yet are left out: it lags, or they have just left every query.
        """
        found = self._remembered(rows, TAKEN_WITHIN)
        asked = [row for row in rows if row.id not in found]
        if not asked:
            return found
        usable = self._refused.without(self.members)
        is_sure = [member.name for member in usable] == [member.name for member in shown_by]
        try:
            decided = self._found(usable, asked, is_sure=is_sure)
        except RefusedQuery:  # none of the queries is refused by itself: the search does not take what unites them
            decided = self._by_lists(usable, asked)
        except ReconcilerError as error:
            decided = self._by_lists(usable, self._overdue(asked, error))
        decided |= self._by_lists(usable, self._late(asked, decided))
        return found | self._keep(asked, decided)

    def of_shared(self, rows: Sequence[Alert], holders: Holders) -> Recipients:
        """Who gets these alerts, which only routes that share have pairs for: others that share may match, too."""
        found = {
            alert_id: tuple({*routes, *holders[alert_id]})
            for alert_id, routes in self._remembered(rows, REMEMBERED_FOR).items()
        }
        asked = [row for row in rows if row.id not in found]
        missing = [
            member
            for member in self._refused.without(self.members)
            if member.is_shared and any(member.name not in holders[row.id] for row in asked)
        ]
        try:
            every = self._search.every(missing, asked) if missing else {}
        except ReconcilerError as error:
            asked = self._overdue(asked, error)
            every = self._listed_by(missing, asked)
        decided: Recipients = {}
        for row in asked:
            held = [member for member in self.members if member.name in holders[row.id]]
            others = [member for member in every.get(row.id, ()) if member not in held]
            decided[row.id] = tuple({*holders[row.id], *(member.name for member in apart(others, held))})
        return found | self._keep(asked, decided)

    def of_listed(self, member: Member, rows: Sequence[Alert], holders: Holders) -> Recipients:
        """Who gets these alerts, which the list of this member shows and which it has no pair for.

        Left out are those that the search fails to decide; while it does, what another has stays that one's.
        """
        held = [row for row in rows if holders.get(row.id)]
        found = self._remembered(held, REMEMBERED_FOR, as_it_was=True)
        found |= self._remembered([row for row in rows if not holders.get(row.id)], TAKEN_WITHIN)
        asked = [row for row in rows if row.id not in found]
        if not asked:
            return found
        try:
            decided = self._of_listed(member, asked, holders)
        except RefusedQuery:  # the search does not take what unites the queries: the list that shows them decides
            return found | dict.fromkeys((row.id for row in asked), (member.name,))
        except ReconcilerError as error:
            late = self._overdue([row for row in asked if not holders.get(row.id)], error)
            decided = self._by_lists(self._refused.without(self.members), late)
        return found | self._keep(asked, decided)

    def _of_listed(self, member: Member, rows: Sequence[Alert], holders: Holders) -> Recipients:
        usable = self._refused.without(self.members)
        still = self._still(usable, rows, holders)
        is_open = [row for row in rows if member.is_shared or row.id not in still]
        first = dict.fromkeys((row.id for row in rows), member)
        first |= self._first(usable[: usable.index(member)] if member in usable else usable, is_open)
        matching = {row.id: {member, first[row.id], *still.get(row.id, ())} for row in rows}
        shared = [row for row in rows if any(one.is_shared for one in (first[row.id], *still.get(row.id, ())))]
        for alert_id, sharing in self._sharing(usable, shared).items():
            matching[alert_id].update(sharing)
        return {
            alert_id: recipients(
                sorted(found, key=self.members.index), {one.name for one in still.get(alert_id, ())}
            )
            for alert_id, found in matching.items()
        }

    def _found(self, members: Sequence[Member], rows: Sequence[Alert], *, is_sure: bool) -> Recipients:
        places = self._search.first(members, rows, is_sure=is_sure)
        shared = [row for row in rows if row.id in places and members[places[row.id]].is_shared]
        sharing = self._sharing(members, shared)
        decided: Recipients = {}
        for alert_id, place in places.items():
            others = [one for one in sharing.get(alert_id, ()) if one != members[place]]
            decided[alert_id] = recipients([members[place], *others])
        return decided

    def _first(self, members: Sequence[Member], rows: Sequence[Alert]) -> dict[str, Member]:
        """The first of these members that matches each alert. Most match none of them: that is asked at once."""
        shown = self._search.shown(members, rows)
        among = [row for row in rows if row.id in shown]
        places = self._search.first(members, among, is_sure=True)
        return {alert_id: members[place] for alert_id, place in places.items()}

    def _sharing(self, members: Sequence[Member], rows: Sequence[Alert]) -> dict[str, list[Member]]:
        return self._search.every([member for member in members if member.is_shared], rows) if rows else {}

    def _still(
        self, members: Sequence[Member], rows: Sequence[Alert], holders: Holders
    ) -> dict[str, list[Member]]:
        """The members that have a pair for each alert and whose queries still show it."""
        found: dict[str, list[Member]] = {}
        for member in members:
            held = [row for row in rows if member.name in holders.get(row.id, ())]
            for alert_id in self._search.shown([member], held):
                found.setdefault(alert_id, []).append(member)
        return found

    def _by_lists(self, members: Sequence[Member], rows: Sequence[Alert]) -> Recipients:
        """Who gets these alerts by each member's own list, without any search; nobody if none shows them."""
        return {alert_id: recipients(found) for alert_id, found in self._listed_by(members, rows).items()}

    def _listed_by(self, members: Sequence[Member], rows: Sequence[Alert]) -> dict[str, list[Member]]:
        """The members whose own lists show each alert, in order."""
        if not rows:
            return {}
        since = min(map(self._stamp, rows))
        matching: dict[str, list[Member]] = {row.id: [] for row in rows}
        for member in members:
            for alert_id in {
                row.id for row in self._reader_for(member.query).recent_alerts(since)
            } & matching.keys():
                matching[alert_id].append(member)
        return matching

    def _overdue(self, rows: Sequence[Alert], error: ReconcilerError) -> list[Alert]:
        """Those of the alerts that the search has failed to decide for too long; raises its error if none are."""
        late = self._late(rows, ())
        if not late:
            raise error
        return late

    def _late(self, rows: Sequence[Alert], decided: Collection[str]) -> list[Alert]:
        """Those of the alerts that have been undecided for too long."""
        now = self._clock.monotonic()
        with self._lock:
            for row in rows:
                if row.id in decided:
                    self._undecided.pop(row.id, None)
                else:
                    self._undecided.setdefault(row.id, now)
            late = [row for row in rows if now - self._undecided.get(row.id, now) >= UNDECIDED_FOR]
            while len(self._undecided) > REMEMBERED_ALERTS:
                del self._undecided[next(iter(self._undecided))]
        return late

    def _remembered(self, rows: Sequence[Alert], seconds: float, *, as_it_was: bool = False) -> Recipients:
        """What was decided of these alerts so many seconds ago or later; `as_it_was`: their rows are the same."""
        now = self._clock.monotonic()
        kept = {row.id: (row, found) for row in rows if (found := self._decisions.get(row.id)) is not None}
        return {
            alert_id: found.routes
            for alert_id, (row, found) in kept.items()
            if now - found.at < seconds and not (as_it_was and found.updated_at != row.updated_at)
        }

    def _keep(self, rows: Sequence[Alert], decided: Recipients) -> Recipients:
        now = self._clock.monotonic()
        with self._lock:
            for row in rows:
                if row.id in decided:
                    self._decisions.pop(row.id, None)
                    self._decisions[row.id] = _Decision(decided[row.id], row.updated_at, now)
            while len(self._decisions) > REMEMBERED_ALERTS:
                del self._decisions[next(iter(self._decisions))]
        return decided
