"""The state of every route of a database, for `status` and the status page: one line a route, and the totals."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.core.model import Side
from reconciler.core.sharing import Pod
from reconciler.core.text import shortened
from reconciler.observability.naming import STATES, clock, counted, span
from reconciler.operations import headline as headlines
from reconciler.operations import status
from reconciler.operations.status import StatusReport
from reconciler.operations.status_data import as_data as report_data
from reconciler.store.pods import known
from reconciler.store.routes import StoredRoutes

PENDING = ("planned", "in flight", "unknown")
"""The states of actions that are not over."""
REMOVED = "removed"
_GRAVITY = {name: rank for rank, name in enumerate((*headlines.LINES, REMOVED))}
_MOST_NAMED = 3
"""The most routes that the headline names."""
LONGEST_LINE = 240


@dataclass(frozen=True, slots=True)
class RouteReport:
    """One route. `removed` is since when ROUTES_FILE names it no more; None if it does."""

    name: str
    report: StatusReport
    removed: datetime | None = None

    def state(self, interval: float) -> str:
        """What is to be said of it first, in a word or two; docs/runbook.md has a section for each."""
        return REMOVED if self.removed else headlines.state(self.report, interval)

    def headline(self, interval: float) -> str:
        """The same in one line."""
        if self.removed is None:
            return headlines.headline(self.report, interval)
        left = [f"{number} {state}" for state in (*PENDING, "dead") if (number := len(self.report.of(state)))]
        since = clock(self.report.now, self.removed)
        pairs = self.report.open_pairs
        more = f"; {counted(pairs, 'open pair')} followed no longer" if pairs else ""
        return f"Removed from ROUTES_FILE since {since}: {', '.join(left) or 'no write'} left{more}"

    def needs_attention(self, interval: float) -> bool:
        """Whether somebody has to do something. Of a removed route: only about what it has left undone."""
        report = self.report
        if self.removed is None:
            return status.needs_attention(report, interval)
        return bool(report.of("dead") or report.waiting_pages or report.unpaged)


@dataclass(frozen=True, slots=True)
class Overview:
    """Every route of a database. `pods` are the processes that share them, known on PostgreSQL alone."""

    now: datetime
    database: str
    routes: tuple[RouteReport, ...]
    pods: tuple[Pod, ...] = ()

    @property
    def open_pairs(self) -> int:
        """The open pairs of all routes."""
        return sum(each.report.open_pairs for each in self.routes)

    @property
    def counts(self) -> dict[str, int]:
        """The actions of all routes, by state."""
        total = Counter[str]()
        for each in self.routes:
            total.update(each.report.counts)
        return {state: total[state] for state in STATES}

    def needs_attention(self, interval: float) -> bool:
        """Whether any route does."""
        return any(each.needs_attention(interval) for each in self.routes)


def read(routes: StoredRoutes, address: str) -> Overview:
    """The present state of every route, without any write."""
    found = tuple(read_one(routes, name, address) for name in routes.names)
    with routes.database.connected(immediate=False) as connection:
        pods = tuple(pod for pod in known(connection) if pod.lives)
    return Overview(datetime.now(UTC), address, found, pods)


def read_one(routes: StoredRoutes, name: str, address: str, missing: str = "") -> RouteReport:
    """The present state of one route; `missing` says why the database is empty."""
    return RouteReport(name, status.read(routes.of(name), address, missing), routes.removed.get(name))


def worst_first(found: Overview, interval: float) -> tuple[RouteReport, ...]:
    """The routes that need attention first, the gravest state first, then by name."""
    return tuple(
        sorted(
            found.routes,
            key=lambda each: (not each.needs_attention(interval), _GRAVITY[each.state(interval)], each.name),
        )
    )


def headline(found: Overview, interval: float) -> str:
    """How all routes stand, in one line: which need attention, and why in a word."""
    bad = [each for each in worst_first(found, interval) if each.needs_attention(interval)]
    every = counted(len(found.routes), "route")
    pairs = counted(found.open_pairs, "open pair")
    if not bad:
        return f"No route needs attention: {every}, {pairs}"
    named = ", ".join(f"{each.name} ({each.state(interval)})" for each in bad[:_MOST_NAMED])
    more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
    verb = "needs" if len(bad) == 1 else "need"
    return f"{len(bad)} of {every} {verb} attention: {named}{more}; {pairs}"


COLUMNS = ("route", "state", "open pairs", "pending", "dead", "polled", "paused", "leader")


def row(each: RouteReport, interval: float) -> tuple[str, ...]:
    """The cells of one route, in the order of COLUMNS."""
    report = each.report
    return (
        each.name,
        each.state(interval),
        str(report.open_pairs),
        str(len(report.of(*PENDING))),
        str(len(report.of("dead"))),
        _polled(each, interval),
        _paused(report),
        report.lead.process if report.lead else "nobody yet",
    )


def _polled(each: RouteReport, interval: float) -> str:
    """How long ago the side that is further behind was polled."""
    report = each.report
    ages = [status.age_of(report, side) for side in Side]
    known = [age for age in ages if age is not None]
    words = f"{span(max(known))} ago" if len(known) == len(ages) else "never"
    is_late = each.removed is None and status.late(report, interval)
    return f"{words}, late" if is_late else words


def _paused(report: StatusReport) -> str:
    sides = [report.product.name_of(each.pause.side) for each in report.pauses]
    pages = ", pages too" if any(each.pause.pages for each in report.pauses) else ""
    return f"{' and '.join(sides)}{pages}" if sides else "no"


def attention(found: Overview, interval: float) -> Iterable[tuple[str, str]]:
    """The routes that need attention with their headlines, and those that were removed, the worst first."""
    for each in worst_first(found, interval):
        if each.removed or each.needs_attention(interval):
            yield each.name, shortened(each.headline(interval), LONGEST_LINE)


def as_data(found: Overview | RouteReport, interval: float) -> dict[str, Any]:
    """The document that `status --json` prints: one route's, or of several the totals and each one's own."""
    if isinstance(found, RouteReport):
        return report_data(found.report, interval)
    first = found.routes[0].report
    return {
        "now": found.now.isoformat(),
        "headline": headline(found, interval),
        "needs_attention": found.needs_attention(interval),
        "database": found.database,
        "database_kind": first.kind,
        "schema": first.schema,
        "open_pairs": found.open_pairs,
        "actions": found.counts,
        "pods": [{"holder": each.name, "routes": each.routes} for each in found.pods],
        "states": {each.name: each.state(interval) for each in found.routes},
        "removed": {each.name: each.removed.isoformat() for each in found.routes if each.removed},
        "routes": {each.name: as_data(each, interval) for each in found.routes},
    }
