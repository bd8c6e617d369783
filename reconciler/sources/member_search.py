"""Which alerts the queries of several routes show: asked of the vendor's search, for many routes at a time."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from threading import Lock

from reconciler.core.model import Alert
from reconciler.core.routing import Member, is_closed, is_too_long, narrowed, united
from reconciler.errors import ReconcilerError, RefusedQuery
from reconciler.store.cursors import OLDEST
from reconciler.vendors.ports import AlertReader, AlertSearch, Clock

BATCH = 20
"""Alerts that one request asks for."""
ReaderFor = Callable[[str], AlertReader]
"""The reader for a query, over the session that all routes share."""


class RefusedQueries:
    """The members whose queries the vendor refuses. For any thread.

    They are set aside, so that the others' lists go on, and asked again after `retry` seconds.
    """

    def __init__(self, reader_for: ReaderFor, clock: Clock, retry: float) -> None:
        self._reader_for = reader_for
        self._clock = clock
        self._retry = retry
        self._lock = Lock()
        self._refused: dict[Member, tuple[RefusedQuery, float]] = {}
        self._good: dict[str, float] = {}
        """Queries that were taken while some were sorted out, and until when they need not be asked again."""

    def error(self, member: Member) -> RefusedQuery | None:
        """The vendor's refusal of the member's query; None if there is none."""
        with self._lock:
            refused = self._refused.get(member)
        if refused is None:
            return None
        if self._clock.monotonic() >= refused[1]:
            self._ask(member, refused[0])
        with self._lock:
            still = self._refused.get(member)
        return None if still is None else still[0]

    def without(self, members: Sequence[Member]) -> list[Member]:
        """The members whose queries are not refused."""
        return [member for member in members if self.error(member) is None]

    def sort_out(self, members: Collection[Member]) -> bool:
        """Find the queries that are refused, after one that united them was. Returns whether there are any.

        About two requests for each halving. What prevents an answer is raised; the next call goes on from there.
        """
        now = self._clock.monotonic()
        queries = [member for member in members if member.query.strip()]
        self._sort_out([member for member in queries if self._good.get(member.query, now) <= now])
        with self._lock:
            for member in members:
                self._good.pop(member.query, None)
        return any(self.error(member) for member in members)

    def _sort_out(self, members: Sequence[Member]) -> None:
        if len(members) > 1 and self._is_refused(united(members)):
            half = len(members) // 2
            self._sort_out(members[:half])
            self._sort_out(members[half:])
            return
        if len(members) == 1:
            self._ask(members[0], None)
        until = self._clock.monotonic() + self._retry
        with self._lock:
            self._good |= {member.query: until for member in members if member not in self._refused}

    def _is_refused(self, query: str) -> bool:
        try:
            self._reader_for(query).recent_alerts(None)
        except RefusedQuery:
            return True
        return False

    def _ask(self, member: Member, refusal: RefusedQuery | None) -> None:
        """Ask with this query. What prevents an answer leaves it as it was: with this `refusal`, or with none."""
        try:
            self._reader_for(member.query).recent_alerts(None)
            refusal = None
        except RefusedQuery as error:
            refusal = error
        except ReconcilerError:
            if refusal is None:
                raise
        with self._lock:
            self._refused.pop(member, None)
            if refusal is not None:
                self._refused[member] = refusal, self._clock.monotonic() + self._retry


class MemberSearch:
    """Searches with the members' queries. Each call may raise what a list of alerts may.

    RefusedQuery if the vendor refuses the united query of members none of which it refuses alone.
    """

    def __init__(self, reader_for: ReaderFor, search: AlertSearch, refused: RefusedQueries) -> None:
        self._reader_for = reader_for
        self._search = search
        self._refused = refused
        self._guess: Member | None = None

    def shown(self, members: Sequence[Member], rows: Sequence[Alert]) -> set[str]:
        """Ids of those of the alerts that the query of any of these members shows."""
        asked = [member for member in self._refused.without(members) if is_closed(member.query)]
        if not asked or not rows:
            return set()
        query = united(asked)
        if not query:
            return {row.id for row in rows}
        found: set[str] = set()
        for batch in batches(rows):
            found |= self._shown(asked, query, batch)
        return found

    def first(self, members: Sequence[Member], rows: Sequence[Alert], *, is_sure: bool) -> dict[str, int]:
        """For each alert, the place of the first member whose query shows it; without those that none shows.

        `is_sure`: a list of just these members' alerts has shown them. The members are halved until one is left,
        whose query then confirms it. Of many alerts most belong to one route: the one of the last is tried first.
        """
        found: dict[str, int] = {}
        is_storm = len(rows) > BATCH
        for batch in batches(rows):
            decided = self._guessed(members, batch) if is_storm else {}
            rest = [row for row in batch if row.id not in decided]
            decided |= self._first(members, 0, len(members), rest, is_sure=is_sure)
            if decided:
                self._guess = members[Counter(decided.values()).most_common(1)[0][0]]
            found |= decided
        return found

    def every(self, members: Sequence[Member], rows: Sequence[Alert]) -> dict[str, list[Member]]:
        """For each alert, all members whose queries show it, in order; without those that none shows."""
        shown = self.shown(members, rows)
        found = [row for row in rows if row.id in shown]
        if not found or len(members) == 1:
            return {row.id: list(members) for row in found}
        half = len(members) // 2
        parts = [self.every(members[:half], found), self.every(members[half:], found)]
        return {row.id: [member for part in parts for member in part.get(row.id, [])] for row in found}

    def _shown(self, members: Sequence[Member], query: str, rows: Sequence[Alert]) -> set[str]:
        narrow = narrowed(query, map(self._search.term, rows))
        if is_too_long(narrow) and len(members) > 1:
            half = len(members) // 2
            parts = (members[:half], members[half:])
            return {alert_id for part in parts for alert_id in self._shown(part, united(part), rows)}
        try:
            listed = self._reader_for(narrow).recent_alerts(OLDEST)
        except RefusedQuery:
            if not self._refused.sort_out(members):
                raise
            return self.shown(members, rows)
        return {row.id for row in rows} & {row.id for row in listed}

    def _first(
        self, members: Sequence[Member], begin: int, end: int, rows: Sequence[Alert], *, is_sure: bool
    ) -> dict[str, int]:
        if not rows:
            return {}
        if end - begin == 1:
            shown = {row.id for row in rows} if is_sure else self.shown(members[begin:end], rows)
            return dict.fromkeys(shown, begin)
        middle = (begin + end) // 2
        shown = self.shown(members[begin:middle], rows)
        left = [row for row in rows if row.id in shown]
        right = [row for row in rows if row.id not in shown]
        return self._first(members, begin, middle, left, is_sure=True) | self._first(
            members, middle, end, right, is_sure=False
        )

    def _guessed(self, members: Sequence[Member], rows: Sequence[Alert]) -> dict[str, int]:
        """Those alerts whose first match is the member that most of the last ones belong to."""
        if self._guess not in members:
            return {}
        place = members.index(self._guess)
        earlier = self.shown(members[:place], rows)
        rest = [row for row in rows if row.id not in earlier]
        return dict.fromkeys(self.shown(members[place : place + 1], rest), place)


def batches(rows: Sequence[Alert]) -> Iterator[Sequence[Alert]]:
    """The alerts, as many at a time as one request asks for."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
