"""Summary of a plan by its effects on people, pages first, and of what a run could not read."""

from collections import Counter
from collections.abc import Iterable

from reconciler.core.model import Action, Kind, Status
from reconciler.errors import NotExecuted, RateLimited, ReconcilerError
from reconciler.observability.naming import counted, listed
from reconciler.runtime.report import Report

_PRIORITY = "priority alone"
"""What changes an incident's priority and not its urgency, which pages nobody."""
_NOUNS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({Kind.PAGERDUTY_UNACKNOWLEDGE}), "incident that pages again"),
    (frozenset({Kind.PAGERDUTY_SET_URGENCY}), "urgency raised"),
    (frozenset({_PRIORITY}), "priority changed"),
    (frozenset({Kind.ALERT_UNACKNOWLEDGE}), "alert un-acknowledged"),
    (frozenset({Kind.PAGERDUTY_RESOLVE}), "incident resolved"),
    (frozenset({Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE}), "note"),
    (frozenset({Kind.PAGERDUTY_ACKNOWLEDGE, Kind.ALERT_ACKNOWLEDGE}), "acknowledgement"),
)
_PLURALS = {
    "incident that pages again": "incidents that page again",
    "urgency raised": "urgencies raised",
    "priority changed": "priorities changed",
    "alert un-acknowledged": "alerts un-acknowledged",
    "incident resolved": "incidents resolved",
}


def summary(actions: Iterable[Action]) -> str:
    """The planned actions by what they do: `3 people will be paged (2 high urgency), 4 notes`."""
    planned = [action for action in actions if action.status is Status.PLANNED]
    kinds = Counter(_effect(action) for action in planned)
    parts = [_pages([action for action in planned if action.kind is Kind.CREATE_INCIDENT])]
    parts += [_counted(sum(kinds[kind] for kind in mine), noun) for mine, noun in _NOUNS]
    return ", ".join(part for part in parts if part)


def _effect(action: Action) -> str:
    return _PRIORITY if action.is_priority_alone else action.kind


def _pages(pages: list[Action]) -> str:
    if not pages:
        return ""
    high = sum(action.urgency == "high" for action in pages)
    who = "1 person" if len(pages) == 1 else f"{len(pages):,} people"
    return f"{who} will be paged ({f'{high:,} high' if high else 'low'} urgency)"


def _counted(number: int, noun: str) -> str:
    if number > 1 and noun in _PLURALS:
        return f"{number} {_PLURALS[noun]}"
    return counted(number, noun) if number else ""


def not_counted(report: Report) -> str:
    """What the summary leaves out, because the run could not read it; empty if it has read everything."""
    parts = []
    if report.unread:
        parts.append(f"{report.unread:,} of {report.pairs:,} alerts found, which were not looked at")
    if report.partly:
        parts.append(f"notes and states of {counted(report.partly, 'alert')} read in part only")
    if any(is_limit(problem.error) and not problem.alert_id for problem in report.problems):
        parts.append("alerts beyond the end of a list that was cut short")
    return listed(parts) if parts else ""


def is_limit(error: ReconcilerError) -> bool:
    """Whether a rate limit, ours or the vendor's, has kept a call from being made."""
    return isinstance(error, RateLimited) or (isinstance(error, NotExecuted) and error.retry_after is not None)
