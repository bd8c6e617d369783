"""`status` for people: a headline, then tables; on a terminal drawn with rich, elsewhere aligned plain text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core.model import Pair
from reconciler.core.text import shortened
from reconciler.observability.logs import printable
from reconciler.observability.naming import STATES, alert_name, incident_name, span
from reconciler.operations import divergence, pausing, status_words
from reconciler.operations.headline import headline, since_words
from reconciler.operations.status import Entry, StatusReport

MOST_LISTED = 20
"""The most rows of one table; counts and JSON cover all."""
LONGEST_TITLE = 48
RETRY = "To try dead actions again: reconciler retry --all, or reconciler retry with the numbers above"


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table. The last column may be long; `more` rows are left out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """All that is shown: the headline, names with their values, tables, and what to do about it."""

    headline: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    advice: str = ""


def page(report: StatusReport, interval: float) -> Page:
    """The report in words, with unprintable characters escaped."""
    if report.missing:
        return Page(printable(headline(report, interval)), (("Database", printable(report.database)),), ())
    now, product = report.now, report.product
    found = (
        section("Vendors", ("", "polled", "requests left", "may write", "problem"), _vendors(report, interval)),
        section(
            "Paused",
            ("",),
            ((pausing.row(each, now, product),) for each in report.pauses),
        ),
        section(
            "In trouble",
            ("subject", "what"),
            (
                (product.word(each.public_subject), f"{each.words}, {since_words(now, each.since)}")
                for each in report.troubles
            ),
        ),
        section(
            "Nobody is paged for",
            ("alert", "incident", "why"),
            ((_alert(pair.alert_id, pair), incident_name(pair), pair.unpaged) for pair in report.unpaged),
        ),
        *(_entries(report, title, state) for title, state in _STATES),
        section("Apart: one side is acknowledged, the other is not", _APART, _apart_rows(report)),
    )
    return Page(
        printable(headline(report, interval)),
        tuple((name, printable(value)) for name, value in _facts(report)),
        tuple(section for section in found if section.rows),
        RETRY if report.of("dead") else "",
    )


_STATES = (("Planned", "planned"), ("Unknown", "unknown"), ("In flight", "in flight"), ("Dead", "dead"))
_COLUMNS = ("alert", "incident", "action", "for", "tries", "why")
_APART = ("alert", "incident", "for", "how")


def _facts(report: StatusReport) -> Iterable[tuple[str, str]]:
    yield "Database", f"{report.database} ({report.kind}, schema {report.schema})"
    yield "Leader", status_words.leader(report)
    if report.standbys:
        yield "Standing by", ", ".join(each.holder for each in report.standbys)
    yield "Open pairs", str(report.open_pairs)
    yield "Actions", ", ".join(f"{report.counts.get(state, 0)} {state}" for state in STATES)
    if report.oldest is not None:
        yield "Oldest open", span(report.now - report.oldest)
    if report.shadow is not None:
        yield "JSM shadow", status_words.shadow(report.now, report.shadow)


def _vendors(report: StatusReport, interval: float) -> Iterable[tuple[str, ...]]:
    for each in status_words.vendors(report, interval):
        yield each.name, each.polled, each.requests_left, each.may_write, each.problem or "none"


def _entries(report: StatusReport, title: str, state: str) -> Section:
    found = report.of(state)
    return section(f"{title}: {len(found)}", _COLUMNS, (_entry(report, entry) for entry in found))


def _entry(report: StatusReport, entry: Entry) -> tuple[str, ...]:
    action = entry.action
    return (
        _alert(action.alert_id, entry.pair),
        incident_name(entry.pair),
        report.product.kind(action.kind),
        span(report.now - entry.since),
        str(action.attempts or ""),
        f"{action.error or action.reason} (alert {action.alert_id})",
    )


def _apart_rows(report: StatusReport) -> Iterable[tuple[str, ...]]:
    for each in report.apart:
        pair = each.pair
        yield (
            _alert(pair.alert_id, pair),
            incident_name(pair),
            span(report.now - each.since),
            divergence.words(each, report.product),
        )


def _alert(alert_id: str, pair: Pair | None) -> str:
    """The alert's number and title, which a table has little room for."""
    return alert_name(alert_id, replace(pair, title=shortened(pair.title, LONGEST_TITLE)) if pair else None)


def section(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Section:
    """A table of the first rows, with unprintable characters escaped; it says how many rows are left out."""
    found = [tuple(printable(cell) for cell in row) for row in rows]
    return Section(title, columns, tuple(found[:MOST_LISTED]), max(0, len(found) - MOST_LISTED))


def is_plain(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether the output goes to no terminal, or to one that can do nothing but print lines."""
    return not is_terminal or environ.get("TERM", "dumb") in ("", "dumb", "unknown")


def plain(page: Page) -> str:
    """Aligned lines without any control sequence."""
    wide = max(len(name) for name, _ in page.facts)
    lines = [page.headline, "", *(f"{name:<{wide}}  {value}" for name, value in page.facts)]
    for section in page.sections:
        lines += ["", section.title]
        lines += [f"  {line}" for line in _aligned(section)]
    return "\n".join([*lines, *(["", page.advice] if page.advice else [])])


def _aligned(section: Section) -> Iterable[str]:
    head = [section.columns] if any(section.columns) else []
    rows = [*head, *section.rows]
    widths = [max(len(row[nth]) for row in rows) for nth in range(len(section.columns) - 1)]
    for row in rows:
        *first, last = row
        yield "  ".join([*(f"{cell:<{width}}" for cell, width in zip(first, widths, strict=True)), last]).rstrip()
    if section.more:
        yield more_words(section)


def more_words(section: Section) -> str:
    """How many rows are left out."""
    return f"… and {section.more} more"


def draw(page: Page, environ: Mapping[str, str], *, is_good: bool) -> None:
    """Draw the page on the terminal; with NO_COLOR without any control sequence."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    system: dict[str, Any] = {"color_system": None} if environ.get("NO_COLOR") else {}
    console = Console(highlight=False, markup=False, emoji=False, **system)
    console.print(Text(page.headline, style="bold green" if is_good else "bold red"))
    facts = Table.grid(padding=(0, 2))
    for name, value in page.facts:
        facts.add_row(Text(name, style="bold"), Text(value))
    console.print("", facts, sep="\n")
    for section in page.sections:
        table = Table(
            title=Text(section.title, style="bold"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_header=any(section.columns),
            caption=Text(more_words(section)) if section.more else None,
            caption_justify="left",
        )
        for column in section.columns:
            table.add_column(Text(column), overflow="fold")
        for row in section.rows:
            table.add_row(*map(Text, row))
        console.print("", table, sep="\n")
    if page.advice:
        console.print("", Text(page.advice), sep="\n")
