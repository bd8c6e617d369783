"""What the status page shows, as values: made from a report of the database by a pure function."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler import __version__
from reconciler.core.journal import Event
from reconciler.core.product import Product
from reconciler.observability.naming import STATES, counted, span
from reconciler.operations import divergence, pausing, status_words
from reconciler.operations import lag as lags
from reconciler.operations.config import Configuration, Line
from reconciler.operations.decisions import Decision
from reconciler.operations.headline import headline, since_words
from reconciler.operations.lag import Lag
from reconciler.operations.status import Entry, StatusReport, needs_attention
from reconciler.operations.status_words import VendorWords
from reconciler.web.lag_chart import Chart, chart_of
from reconciler.web.view import ALARMING, Cell, Moment, Table, moment, pair_cells, table, time_cell

_ENTRY = ("alert", "incident", "action", "for", "tries", "why")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is read for one answer: the report of `status`, the newest decisions, and the lag of the last day."""

    report: StatusReport
    decisions: tuple[Decision, ...]
    lag: Lag


@dataclass(frozen=True, slots=True)
class Served:
    """The process that answers: its name in the table of leaders, its interval, and its settings as shown.

    `option` is that of the commands which the page names: `--route` where there are several routes.
    """

    holder: str
    interval: float
    configuration: Configuration
    log_level: str = "INFO"
    option: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """The whole page. `tables` are those with rows; `empty` names those without in one sentence."""

    headline: str
    verdict: str
    is_good: bool
    made: Moment
    process: tuple[tuple[str, str], ...]
    database: str
    counts: tuple[tuple[str, int, str], ...]
    vendors: tuple[VendorWords, ...]
    tables: tuple[Table, ...]
    empty: str
    lag: str
    chart: Chart
    decisions: Table
    settings: Table
    version: str = __version__


def status_view(found: Snapshot, served: Served) -> StatusView:
    """The page's values."""
    report = found.report
    is_good = not needs_attention(report, served.interval)
    every = tuple(_tables(report, served.option))
    return StatusView(
        headline=headline(report, served.interval),
        verdict=_verdict(report, is_good=is_good),
        is_good=is_good,
        made=moment(report.now),
        process=tuple(_process(report, served)),
        database=f"Database: {report.database} ({report.kind}, schema {report.schema})",
        counts=tuple(_counts(report)),
        vendors=status_words.vendors(report, served.interval),
        tables=tuple(each for each in every if each.rows),
        empty=_empty(every, is_paging=not (report.waiting_pages or report.paging.dead)),
        lag=lags.words(found.lag),
        chart=chart_of(found.lag),
        decisions=_decisions(report, found.decisions),
        settings=_settings(served),
    )


def _verdict(report: StatusReport, *, is_good: bool) -> str:
    """Whether somebody has to do something. What is unknown or apart settles by itself, or is reported later."""
    if not is_good:
        return "Needs attention"
    is_open = report.of("unknown") or not all(each.on_purpose for each in report.apart)
    return "Nothing to do yet" if is_open else "Nothing needs attention"


def _process(report: StatusReport, served: Served) -> Iterator[tuple[str, str]]:
    yield "leader", status_words.leader(report)
    yield "standing by", ", ".join(each.holder for each in report.standbys) or "nobody"
    yield "page from", _role(report, served.holder)
    if report.shadow is not None:
        yield "JSM shadow", status_words.shadow(report.now, report.shadow)


def _role(report: StatusReport, holder: str) -> str:
    leads = report.lead is not None and report.lead.holder == holder
    return "the leader" if leads else f"{holder}, which stands by"


def _counts(report: StatusReport) -> Iterator[tuple[str, int, str]]:
    """Each number with its name and tone."""
    yield "open pairs", report.open_pairs, ""
    for state in STATES:
        number = report.counts.get(state, 0)
        yield state, number, "bad" if number and state in ALARMING else ""


def _tables(report: StatusReport, option: str) -> Iterator[Table]:
    now, product = report.now, report.product
    yield table(
        "paused",
        "Paused",
        ("what waits, and why",),
        _cells(pausing.row(each, now, product) for each in report.pauses),
    )
    troubles = (f"{each.words}, {since_words(now, each.since)}" for each in report.troubles)
    yield table("in-trouble", "In trouble", ("what, and since when",), _cells(troubles))
    unpaged = ((*pair_cells(pair.alert_id, pair), Cell(pair.unpaged)) for pair in report.unpaged)
    yield table("unpaged", "Nobody is paged for", ("alert", "incident", "why"), unpaged)
    yield _entries(report, "dead", "Dead", "To try them again:", (f"reconciler retry --all{option}",))
    yield _entries(report, "unknown", "Unknown", "Each target is read again until its outcome is known.")
    yield _entries(report, "in flight", "In flight")
    yield _entries(
        report,
        "planned",
        "Planned",
        "Pages first, then the oldest. Each is written as soon as nothing holds it back.",
    )
    apart = (
        (
            *pair_cells(each.pair.alert_id, each.pair),
            Cell(span(now - each.since)),
            Cell(divergence.words(each, product)),
        )
        for each in report.apart
    )
    yield table(
        "apart",
        "Apart: one side is acknowledged, the other is not",
        ("alert", "incident", "for", "how, and whether on purpose"),
        apart,
    )


def _cells(lines: Iterable[str]) -> Iterator[tuple[Cell, ...]]:
    return ((Cell(line),) for line in lines)


def _entries(
    report: StatusReport, state: str, title: str, advice: str = "", commands: tuple[str, ...] = ()
) -> Table:
    rows = (_entry(report, entry) for entry in report.of(state))
    return table(state.replace(" ", "-"), title, _ENTRY, rows, advice, commands)


def _entry(report: StatusReport, entry: Entry) -> tuple[Cell, ...]:
    action = entry.action
    return (
        *pair_cells(action.alert_id, entry.pair),
        Cell(report.product.kind(action.kind)),
        Cell(span(report.now - entry.since)),
        Cell(str(action.attempts or "none")),
        Cell(action.error or action.reason),
    )


_EMPTY = {
    "paused": "nothing is paused",
    "in-trouble": "nothing is in trouble",
    "unpaged": "every incident pages somebody",
    "dead": "nothing is dead",
    "unknown": "no outcome is unknown",
    "in-flight": "nothing is in flight",
    "planned": "nothing waits to be written",
    "apart": "no pair is apart",
}
"""What is said of a table without rows, by its name."""


def _empty(tables: Iterable[Table], *, is_paging: bool) -> str:
    """What there is none of. Where a page waits or is dead, nothing is said of incidents that page nobody."""
    shown = (each for each in tables if not each.rows and (is_paging or each.name != "unpaged"))
    words = ", ".join(_EMPTY[each.name] for each in shown)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _decisions(report: StatusReport, found: tuple[Decision, ...]) -> Table:
    rows = (_decision(report.now, each, report.product) for each in found)
    columns = ("time (UTC)", "alert", "what", "who", "why")
    return table("decisions", f"The last {counted(len(found), 'decision')}", columns, rows, most=len(found))


def _decision(now: datetime, each: Decision, product: Product) -> tuple[Cell, ...]:
    entry = each.entry
    name = pair_cells(entry.alert_id, each.pair)[0] if entry.alert_id else Cell("all pairs")
    place = f"in {product.name_of(entry.side)}" if entry.side else ""
    target = product.kind(entry.kind) if entry.kind else place
    what = Cell(f"{entry.event.value} {target}".rstrip(), tone="bad" if entry.event.value in ALARMING else "")
    who = entry.who or ("not named" if entry.event is Event.SEEN else "the reconciler")
    if entry.who and not entry.is_act:
        who = f"the reconciler, for {entry.who}"
    why = entry.words or (f"request {entry.request_id}" if entry.request_id else "")
    return time_cell(now, entry.at), name, what, Cell(who), Cell(why)


def _settings(served: Served) -> Table:
    rows = (_setting(line, served) for line in served.configuration.lines)
    lines = served.configuration.lines
    return table("settings", "Settings in force", ("name", "value", "from"), rows, most=len(lines))


def _setting(line: Line, served: Served) -> tuple[Cell, ...]:
    """A line of `reconciler config`. Of a secret only that it is set, of the database its address."""
    value = line.value or "empty"
    if line.secret and line.value and line.name != "DATABASE_URL":
        value = "set"
    if line.name == "LOG_LEVEL":
        value = served.log_level  # SIGHUP may have changed it
    return Cell(line.name), Cell(value), Cell(line.origin)
