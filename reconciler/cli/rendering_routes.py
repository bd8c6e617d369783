"""Output of `once` and its dry run for several routes: a heading for each, and one JSON document."""

from collections.abc import Sequence
from typing import Any

from reconciler.cli import rendering
from reconciler.cli.risks import summary
from reconciler.core import late_alerts
from reconciler.core.pause import held
from reconciler.observability.naming import counted
from reconciler.runtime.report import Report
from reconciler.store.routes import listed

Reports = Sequence[tuple[str, Report]]
"""The name of each route with its report, in the order of the file; never none."""


def as_text(reports: Reports, *, dry_run: bool) -> str:
    """The text that `once` prints: each route that has something to say, and how many have not; may be empty.

    Of a route that has nothing but errors nothing is printed here: they go to stderr.
    """
    told = [
        (name, report)
        for name, report in reports
        if report.actions or not rendering.errors(report, dry_run=dry_run)
    ]
    if len(reports) == 1:
        return rendering.as_text(reports[0][1], dry_run=dry_run) if told else ""
    quiet = [name for name, report in told if _is_quiet(report)]
    lines: list[str] = []
    for name, report in told:
        if name not in quiet:
            lines += [f"Route {name}", "", *rendering.body(report, dry_run=dry_run), ""]
    if quiet:
        lines.append(f"Nothing to do in {counted(len(quiet), 'route')}: {listed(quiet)}.")
    if dry_run:
        lines += _together(told)
        lines += dict.fromkeys(rendering.nothing_written(report.product) for _, report in reports)
    return "\n".join(lines).removesuffix("\n")


def _together(told: Reports) -> list[str]:
    """The plan of all routes in one line; none if fewer than two have a plan."""
    planned = [report for _, report in told if report.actions]
    now = [action for report in planned for action in report.actions if held(action, report.pauses) is None]
    return [f"All routes: {summary(now)}.", ""] if len(planned) > 1 and summary(now) else []


def as_data(reports: Reports, *, dry_run: bool) -> dict[str, Any]:
    """The document that `once --json` prints; with several routes, actions and pauses bear theirs."""
    documents = [(name, rendering.as_data(report, dry_run=dry_run)) for name, report in reports]
    if len(reports) == 1:
        return documents[0][1]
    late = [document["late_alerts"] for _, document in documents]
    return {
        "dry_run": dry_run,
        **{
            key: [row | {"route": name} for name, document in documents for row in document[key]]
            for key in ("actions", "pauses")
        },
        "late_alerts": {each: sum(counts[each] for counts in late) for each in late[0]},
        "errors": errors(reports, dry_run=dry_run),
    }


def errors(reports: Reports, *, dry_run: bool) -> list[str]:
    """One line for each thing that does not work; with several routes, it begins with the route's name."""
    if len(reports) == 1:
        return rendering.errors(reports[0][1], dry_run=dry_run)
    return [f"{name}: {line}" for name, report in reports for line in rendering.errors(report, dry_run=dry_run)]


def is_misconfigured(reports: Reports) -> bool:
    """Whether a problem of any route needs a change of configuration."""
    return any(rendering.is_misconfigured(report) for _, report in reports)


def _is_quiet(report: Report) -> bool:
    """Whether nothing was to be done, and nothing else is worth a line."""
    return not (report.actions or report.orders or report.pauses or late_alerts.lines(report.late))
