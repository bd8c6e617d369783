"""`status` of several routes for people: one line a route, the worst first, then the totals."""

from dataclasses import replace

from reconciler.cli.status_text import Page, page, section
from reconciler.observability.logs import printable
from reconciler.observability.naming import STATES
from reconciler.operations import status_routes
from reconciler.operations.status_routes import Overview, RouteReport

ADVICE = "Everything of one route: reconciler status --route, with its name"


def page_of(found: Overview | RouteReport, interval: float) -> Page:
    """What `status` shows: one route as where there is no other, or one line for each of several."""
    return _route(found, interval) if isinstance(found, RouteReport) else _overview(found, interval)


def _overview(found: Overview, interval: float) -> Page:
    worst = status_routes.worst_first(found, interval)
    sections = (
        section("Routes", status_routes.COLUMNS, (status_routes.row(each, interval) for each in worst)),
        section("What to look at", ("route", "what"), status_routes.attention(found, interval)),
        section("Pods", ("pod", "routes"), ((each.name, str(each.routes)) for each in found.pods)),
    )
    return Page(
        printable(status_routes.headline(found, interval)),
        tuple((name, printable(value)) for name, value in _facts(found)),
        tuple(each for each in sections if each.rows),
        ADVICE,
    )


def _route(found: RouteReport, interval: float) -> Page:
    whole = page(found.report, interval)
    return whole if found.removed is None else replace(whole, headline=printable(found.headline(interval)))


def _facts(found: Overview) -> tuple[tuple[str, str], ...]:
    report, counts = found.routes[0].report, found.counts
    removed = sum(each.removed is not None for each in found.routes)
    routes = f"{len(found.routes)}, {removed} of them removed" if removed else str(len(found.routes))
    return (
        ("Database", f"{found.database} ({report.kind}, schema {report.schema})"),
        ("Routes", routes),
        ("Open pairs", str(found.open_pairs)),
        ("Actions", ", ".join(f"{counts[state]} {state}" for state in STATES)),
    )
