"""How everything stands, in one line: the worst that is true, with since when and why."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from reconciler.core.model import Side
from reconciler.core.product import PRODUCTS
from reconciler.observability.naming import clock, counted, kinds_of, listed, pair_name, span
from reconciler.operations import pausing
from reconciler.operations.status import StatusReport, age_of, late
from reconciler.store.overview import WaitingPage

_VENDORS = dict.fromkeys(product.name_of(side) for product in PRODUCTS.values() for side in Side)
_ANSWER = re.compile(rf"({'|'.join(_VENDORS)}): [A-Z]+ /\S*(?: \(request [^)]*\))?: (\d{{3}})\b.*", re.DOTALL)
"""A vendor's refusal of one call: that it answers so says enough in a headline."""


def headline(report: StatusReport, interval: float) -> str:
    """The first of these that has something to say: no database, no polls, a pause, pages, problems, work."""
    return next(words for say in LINES.values() if (words := say(report, interval)))


def state(report: StatusReport, interval: float) -> str:
    """What the headline is about, in a word or two: a key of LINES."""
    return next(name for name, say in LINES.items() if say(report, interval))


def _missing(report: StatusReport, _interval: float) -> str:
    return f"No reconciler has run on this database yet: {report.missing}" if report.missing else ""


def _nobody_polls(report: StatusReport, interval: float) -> str:
    if len(late(report, interval)) < len(report.polled):
        return ""
    ages = [seconds for side in report.polled if (seconds := age_of(report, side)) is not None]
    if not ages:
        return "Nobody has polled yet: is `reconciler run` at work?"
    if report.standbys and report.lead:
        who = listed([each.holder for each in report.standbys])
        return (
            f"Standing by: {who}; {report.lead.holder} holds the lock and has not polled for {span(min(ages))}: "
            "end it, and another one takes over"
        )
    last = "; ".join(each.words for each in report.troubles)
    said = f" The last that it stored: {last}" if last else ""
    return f"Nobody has polled for {span(min(ages))}: is `reconciler run` at work?{said}"


def _paused(report: StatusReport, _interval: float) -> str:
    if not report.pauses:
        return ""
    return f"Paused: {'; '.join(pausing.row(each, report.now, report.product) for each in report.pauses)}"


def _pages(report: StatusReport, _interval: float) -> str:
    paging = report.paging
    waiting = list(report.waiting_pages)
    lines = []
    if waiting:
        verb = "waits" if len(waiting) == 1 else "wait"
        lines.append(f"{counted(len(waiting), 'page')} {verb}: {_why(report, waiting)}")
    if paging.unpaged:
        first = paging.unpaged[0]
        more = f" and {len(paging.unpaged) - 1} more" if len(paging.unpaged) > 1 else ""
        lines.append(f"Nobody is paged for {pair_name(first.alert_id, first)}{more}: {first.unpaged}")
    if paging.dead:
        verb = "is" if len(paging.dead) == 1 else "are"
        lines.append(f"{counted(len(paging.dead), 'page')} {verb} dead: {_why(report, list(paging.dead))}")
    return "; ".join(lines)


def _why(report: StatusReport, pages: list[WaitingPage]) -> str:
    error = next((page.error for page in pages if page.error), "")
    since = since_words(report.now, min(page.since for page in pages))
    return f"{cause(error)} {since}" if error else since


def cause(error: str) -> str:
    """The error, shortened where a vendor has refused one call: `PagerDuty answers 503`."""
    return _ANSWER.sub(r"\1 answers \2", error)


def _troubles(report: StatusReport, interval: float) -> str:
    lines = [f"{cause(each.words)} {since_words(report.now, each.since)}" for each in report.troubles]
    if lines:
        return "In trouble: " + "; ".join(lines)
    behind = [f"{report.product.name_of(side)} {_polled(age_of(report, side))}" for side in late(report, interval)]
    return f"Late: {listed(behind)}" if behind else ""


def _dead(report: StatusReport, _interval: float) -> str:
    dead = kinds_of(entry.action.kind for entry in report.of("dead"))
    return f"{dead} dead, until `reconciler retry`; else {_pairs(report)}" if dead else ""


def _at_work(report: StatusReport, _interval: float) -> str:
    waiting = kinds_of(entry.action.kind for entry in report.of("planned", "in flight", "unknown"))
    if not waiting or report.oldest is None:
        return ""
    return f"At work: {waiting} not done yet, the oldest for {span(report.now - report.oldest)}; {_pairs(report)}"


def _apart(report: StatusReport, _interval: float) -> str:
    odd = [each for each in report.apart if not each.on_purpose]
    return f"{counted(len(odd), 'pair')} apart, not on purpose; {_pairs(report)}" if odd else ""


def _in_step(report: StatusReport, _interval: float) -> str:
    return f"In step: {_pairs(report)}"


LINES: Mapping[str, Callable[[StatusReport, float], str]] = {
    "no reconciler": _missing,
    "nobody polls": _nobody_polls,
    "paused": _paused,
    "pages": _pages,
    "in trouble": _troubles,
    "dead": _dead,
    "at work": _at_work,
    "apart": _apart,
    "in step": _in_step,
}
"""What a headline can be about, the gravest first, by the name that docs/runbook.md has for it."""


def _pairs(report: StatusReport) -> str:
    ages = {side: age_of(report, side) or 0.0 for side in report.polled}
    longest = span(max(ages.values(), default=0.0))
    return f"{counted(report.open_pairs, 'open pair')}, both sides polled {longest} ago"


def _polled(seconds: float | None) -> str:
    return "has never been polled" if seconds is None else f"was polled {span(seconds)} ago"


def since_words(now: datetime, at: datetime) -> str:
    """Since when, and for how long: `since 17:27 UTC (52 min)`."""
    return f"since {clock(now, at)} ({span(now - at)})"
