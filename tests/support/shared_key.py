"""Several routes on one key: an account whose search lags, its readers, and the requests that they make."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from reconciler.core import model
from reconciler.core.routing import Member
from reconciler.errors import RefusedQuery
from reconciler.sandbox.opsgenie import query as language
from reconciler.sandbox.opsgenie.state import Alert, Alerts, StoredAlert
from reconciler.sources.shared_alerts import SharedAlerts, SharedReader
from reconciler.vendors.call_context import CallPriority, current
from reconciler.vendors.opsgenie.search import SEARCH
from reconciler.vendors.ports import PAGE, AlertNews, AlertReader
from tests.support.clock import SimClock

INTERVAL = 10.0
SWEEP = 300.0
STALENESS = timedelta(seconds=120)


@dataclass(frozen=True)
class Request:
    """One request for a page of alerts."""

    query: str
    priority: CallPriority

    @property
    def is_list(self) -> bool:
        """Whether it lists changes, and asks for no alerts in particular."""
        return "alertId" not in self.query


@dataclass
class Account:
    """Opsgenie's alerts. `lag`: the search shows them as they were so many seconds ago.

    `refused` are parts of queries that are answered 422; `failure` is raised instead of any answer to a query that
    has the part `failing`. `blind` terms find nothing.
    """

    clock: SimClock = field(default_factory=SimClock)
    lag: float = 0.0
    refused: set[str] = field(default_factory=set)
    failure: Exception | None = None
    failing: str = ""
    blind: str = ""
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alerts = Alerts(1)

    def raise_alert(self, *tags: str, age: float = 0.0) -> str:
        """Raise an alert with these tags; returns its id."""
        now = self.clock.now()
        return self.alerts.add(now, now - timedelta(seconds=age), None, message="m", tags=tags).now.id

    def tag(self, alert_id: str, *tags: str) -> None:
        """Replace an alert's tags."""
        self.alerts.change(self._stored(alert_id), self.clock.now(), tags=tags)

    def touch(self, alert_id: str) -> None:
        """Change something of an alert."""
        self.alerts.change(self._stored(alert_id), self.clock.now())

    def reader_for(self, query: str) -> AlertReader:
        """The reader for a query."""
        return cast("AlertReader", Listed(self, query))

    def _matching(self, query: str) -> list[model.Alert]:
        self.requests.append(Request(query, current().priority))
        if self.failure is not None and self.failing in query:
            raise self.failure
        if any(part in query for part in self.refused):
            raise RefusedQuery("422: the query is not valid")
        if self.blind and self.blind in query:
            return []
        shown = self.alerts.as_of(self.clock.now() - timedelta(seconds=self.lag))
        matches = language.parse(query)
        rows = [converted(alert) for alert in shown if matches(alert)]
        return sorted(rows, key=lambda row: row.updated_at, reverse=True)

    def _stored(self, alert_id: str) -> StoredAlert:
        stored = self.alerts.get(alert_id)
        assert stored is not None
        return stored


@dataclass(frozen=True)
class Listed:
    """The lists of one query."""

    account: Account
    query: str

    def changes(self, since: Any, _seen: object | None) -> AlertNews:
        rows = self.recent_alerts(since)
        return AlertNews(tuple(rows), max((row.updated_at for row in rows), default=None))

    def recent_alerts(self, since: Any) -> list[model.Alert]:
        rows = self.account._matching(self.query)
        found = [row for row in rows if since is None or row.updated_at >= since]
        if since is None:
            return found[:PAGE]
        self.account.requests += [self.account.requests[-1]] * (len(found) // PAGE)
        return found

    def open_alerts(self) -> Iterator[list[model.Alert]]:
        yield [row for row in self.account._matching(self.query) if row.open]

    def open_alerts_page(self, offset: int) -> tuple[list[model.Alert], bool]:
        rows = [row for row in self.account._matching(self.query) if row.open]
        return rows[offset : offset + PAGE], len(rows) > offset + PAGE


def converted(alert: Alert) -> model.Alert:
    """The core's value of a sandbox's alert."""
    return model.Alert(
        id=alert.id,
        tiny_id=alert.tiny_id,
        message=alert.message,
        open=alert.is_open,
        acknowledged=alert.acknowledged,
        created_at=alert.created_at,
        updated_at=alert.updated_at,
        tags=alert.tags,
    )


class Key:
    """The routes of one key. `taken` are the alerts that each has taken in, as pairs in a database would say."""

    def __init__(self, account: Account, members: Sequence[Member]) -> None:
        self.account = account
        self.taken: dict[str, list[str]] = defaultdict(list)
        self.woken: list[str] = []
        self.since: dict[str, Any] = {}
        self.seen: dict[str, object | None] = {}
        self.news: dict[str, AlertNews] = {}
        self.shared = SharedAlerts(
            account.reader_for,
            self.owners,
            SEARCH,
            account.clock,
            fresh_for=INTERVAL,
            retry=SWEEP,
            wake=self.woken.extend,
        )
        self.readers: dict[str, SharedReader] = {}
        self.use(members)

    def use(self, members: Sequence[Member]) -> None:
        """Change the members."""
        self.members = list(members)
        self.shared.set_members(members)
        self.readers = {
            member.name: self.shared.reader(member.name, member.query) for member in members if member.is_polled
        }

    def owners(self, alert_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The routes that have taken in these alerts."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, taken in self.taken.items():
            for alert_id in set(taken) & set(alert_ids):
                found[alert_id].add(name)
        return {alert_id: frozenset(names) for alert_id, names in found.items()}

    def poll(self, name: str) -> list[str]:
        """One poll of a route, as the alert feed makes it; returns the alerts that it shows."""
        since = self.since.get(name, self.account.clock.now() - timedelta(hours=1))
        news = self.readers[name].changes(since, self.seen.get(name))
        self._take(name, news.rows)
        if news.newest is not None:
            self.since[name] = max(since, news.newest - STALENESS)
        self.news[name] = news
        if news.problem is not None:
            raise news.problem
        self.seen[name] = news.seen
        return [row.id for row in news.rows]

    def cycle(self, seconds: float = INTERVAL) -> list[Request]:
        """One poll of each route, and the time until the next; returns the requests."""
        before = len(self.account.requests)
        for name in self.readers:
            self.poll(name)
        self.account.clock.advance(seconds)
        return self.account.requests[before:]

    def sweep(self) -> list[Request]:
        """The listing of everything open of each route; returns the requests."""
        before = len(self.account.requests)
        for name, reader in self.readers.items():
            offset, more = 0, True
            while more:
                rows, more = reader.open_alerts_page(offset)
                self._take(name, rows)
                offset += PAGE
        return self.account.requests[before:]

    def of(self, alert_id: str) -> list[str]:
        """The routes that have taken the alert in, each as often as it has."""
        return [name for name, taken in self.taken.items() for one in taken if one == alert_id]

    def _take(self, name: str, rows: Sequence[model.Alert]) -> None:
        self.taken[name] += [row.id for row in rows if row.id not in self.taken[name]]


def routes(count: int) -> list[Member]:
    """So many routes, each with a tag of its own."""
    return [Member(f"r{number}", f"tag: t{number}") for number in range(count)]
