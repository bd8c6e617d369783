"""What the first page shows where there are several routes, as values: one line for each, and the totals."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from reconciler import __version__
from reconciler.observability.naming import STATES
from reconciler.operations import status_routes
from reconciler.operations.status_routes import Overview, RouteReport
from reconciler.web.view import ALARMING, Cell, Moment, Table, moment, table

MOST_ROUTES = 1_000
"""The most routes in the table: as many as a file may have."""


@dataclass(frozen=True, slots=True)
class RoutesView:
    """The whole page."""

    headline: str
    verdict: str
    is_good: bool
    made: Moment
    database: str
    counts: tuple[tuple[str, int, str], ...]
    tables: tuple[Table, ...]
    version: str = __version__


def routes_view(found: Overview, interval: float) -> RoutesView:
    """The page's values."""
    is_good = not found.needs_attention(interval)
    report = found.routes[0].report
    return RoutesView(
        headline=status_routes.headline(found, interval),
        verdict="Nothing needs attention" if is_good else "Needs attention",
        is_good=is_good,
        made=moment(found.now),
        database=f"Database: {found.database} ({report.kind}, schema {report.schema})",
        counts=tuple(_counts(found)),
        tables=tuple(each for each in _tables(found, interval) if each.rows),
    )


def route_path(name: str) -> str:
    """Where the pages of a route are, without the slash at the end."""
    return f"/routes/{quote(name, safe='')}"


def _counts(found: Overview) -> Iterator[tuple[str, int, str]]:
    """Each number with its name and tone."""
    yield "routes", len(found.routes), ""
    yield "open pairs", found.open_pairs, ""
    for state, number in ((state, found.counts[state]) for state in STATES):
        yield state, number, "bad" if number and state in ALARMING else ""


def _tables(found: Overview, interval: float) -> Iterator[Table]:
    attention = (
        (Cell(name, f"{route_path(name)}/"), Cell(words))
        for name, words in status_routes.attention(found, interval)
    )
    yield table("attention", "What to look at", ("route", "what"), attention, most=MOST_ROUTES)
    rows = (_row(each, interval) for each in status_routes.worst_first(found, interval))
    yield table("routes", "Routes", status_routes.COLUMNS, rows, most=MOST_ROUTES)
    pods = ((Cell(each.name), Cell(str(each.routes))) for each in found.pods)
    yield table("pods", "Pods", ("pod", "routes"), pods, most=MOST_ROUTES)


def _row(each: RouteReport, interval: float) -> tuple[Cell, ...]:
    name, state, *rest = status_routes.row(each, interval)
    tone = "bad" if each.needs_attention(interval) else ""
    return Cell(name, f"{route_path(name)}/"), Cell(state, tone=tone), *map(Cell, rest)
