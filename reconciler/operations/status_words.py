"""The cells of `status` in words: what a terminal's table and the status page both show."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Side
from reconciler.core.shadow import Comparison
from reconciler.observability.naming import span
from reconciler.operations.headline import since_words
from reconciler.operations.status import StatusReport, age_of, late


@dataclass(frozen=True, slots=True)
class VendorWords:
    """One vendor. `problem` is empty if there is none."""

    name: str
    polled: str
    requests_left: str
    may_write: str
    problem: str
    is_late: bool


def vendors(report: StatusReport, interval: float) -> tuple[VendorWords, ...]:
    """Both vendors."""
    behind = late(report, interval)
    return tuple(_vendor(report, side, is_late=side in behind) for side in Side)


def _vendor(report: StatusReport, side: Side, *, is_late: bool) -> VendorWords:
    known, trouble, seconds = report.leader, report.problem(side), age_of(report, side)
    polled = "never" if seconds is None else f"{span(seconds)} ago" + (", late" if is_late else "")
    left = known.left.get(side) if known else None
    as_of = f" ({span(report.now - known.at)} ago)" if known else ""
    problem = f"{trouble.words}, {since_words(report.now, trouble.since)}" if trouble else ""
    left_words = "no limit known" if left is None else f"{left}{as_of}"
    return VendorWords(
        report.product.name_of(side), polled, left_words, _may_write(report, side), problem, is_late
    )


def _may_write(report: StatusReport, side: Side) -> str:
    """Whether writes to this side go out: as far as the key allows, and no operator has paused them."""
    if report.leader is not None and side in report.leader.refused:
        return "no"
    for held in report.pauses:
        if held.pause.side is side:
            return (
                "paused"
                if side is Side.ALERTS
                else f"paused, {'pages too' if held.pause.pages else 'except pages'}"
            )
    return "not known" if report.leader is None else "yes"


def leader(report: StatusReport) -> str:
    """Who leads, or has led last."""
    if report.lead is None:
        return "nobody yet"
    since = report.led_since
    told = f", {since_words(report.now, since)}" if since else ""
    return f"{report.lead.holder}, epoch {report.lead.epoch}{told}"


def shadow(now: datetime, seen: Comparison) -> str:
    """What the last comparison with the product of ALERT_SHADOW found, and when."""
    return f"{seen.words}, looked at {span(now - seen.at)} ago"
