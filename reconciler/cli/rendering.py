"""Output of `once` and its dry run: text, and the same as JSON."""

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from reconciler.cli.risks import is_limit, not_counted, summary
from reconciler.core import late_alerts
from reconciler.core.model import Action, Kind, Status
from reconciler.core.pause import held
from reconciler.core.product import Product
from reconciler.core.text import shortened
from reconciler.errors import Misconfigured, ReconcilerError
from reconciler.observability.logs import printable
from reconciler.observability.naming import state_of
from reconciler.operations import pausing
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report

_LINE = ("done", "dropped", "planned", "in flight", "unknown", "dead")
"""The order of states in the summary line: final states first."""
ADVICE = "run it again, or let the daemon (`reconciler run`) go on"
_NOTHING_WRITTEN = "Dry run: nothing was written, neither to {product} nor to PagerDuty nor to the database."

_PUBLIC = {
    Status.PLANNED: "pending",
    Status.SENT: "pending",
    Status.DONE: "done",
    Status.DROPPED: "done",
    Status.DEAD: "dead",
}
"""`status` in the public contract's words; `state` is exact."""


def nothing_written(product: Product) -> str:
    """The last line of a dry run."""
    return _NOTHING_WRITTEN.format(product=product.name)


def as_data(report: Report, *, dry_run: bool) -> dict[str, Any]:
    """The document that `once --json` prints, as the public contract specifies it."""
    return {
        "dry_run": dry_run,
        "actions": [
            _action(action, report.product, dry_run=dry_run) | {"paused": held(action, report.pauses) is not None}
            for action in report.actions
        ],
        "pauses": pausing.as_data(
            pausing.counted(report.pauses, report.actions), datetime.now(UTC), report.product
        ),
        "late_alerts": {each: report.late.get(each, 0) for each in (late_alerts.NOTE, late_alerts.SKIP)},
        "errors": errors(report, dry_run=dry_run),
    }


def as_text(report: Report, *, dry_run: bool) -> str:
    """The text that `once` prints: actions grouped by pair, each with its reason."""
    end = [nothing_written(report.product)] if dry_run else []
    return "\n".join([*body(report, dry_run=dry_run), *end])


def body(report: Report, *, dry_run: bool) -> list[str]:
    """The lines of that text, but for a dry run's last one."""
    lines: list[str] = []
    by_pair = sorted(report.actions, key=lambda action: action.alert_id)
    groups = [list(mine) for _, mine in groupby(by_pair, key=lambda action: action.alert_id)]
    for mine in sorted(groups, key=lambda mine: min(action.at for action in mine)):
        lines.append(report.names.get(mine[0].alert_id, f"Alert {mine[0].alert_id}"))
        for action in mine:
            what = f"{_how(action)}{_why(action)}{_held(action, report)}"
            lines.append(f"  {state_of(action):<8} {report.product.kind(action.kind):<27} {what}")
            if action.text:
                lines.append(f"{'':38}{shortened(action.text)}")
        lines.append("")
    lines += _summary(report, dry_run=dry_run)
    return [printable(line) for line in lines]


def errors(report: Report, *, dry_run: bool) -> list[str]:
    """One line for each thing that does not work, whose words name the fix, and for how far the run got.

    An action that waits because it failed is named where nothing else is said of its side; a plan lists it.
    """
    said = {problem.side for problem in report.problems}
    failed = [a for a in report.actions if a.status is Status.PLANNED and a.error and a.kind.side not in said]
    waiting = [action for action in failed if held(action, report.pauses) is None]
    lines = [
        *(_problem(problem) for problem in report.problems),
        *(_located(f"{report.product.kind(a.kind)} waits: {a.error}", a.alert_id) for a in waiting if not dry_run),
        *_unread(report),
        *_stopped(report, dry_run=dry_run),
    ]
    return [printable(line) for line in lines]


def _unread(report: Report) -> list[str]:
    """How many alerts the run has not read, or has read in part only."""
    why = _limit(report.rate_limited) if report.rate_limited else "a vendor that they need cannot be asked now"
    counts = ((report.unread, "not looked at yet"), (report.partly, "read in part only, and more may follow"))
    return [
        f"{number:,} of {report.pairs:,} alerts {words}: {why}; {ADVICE}" for number, words in counts if number
    ]


def _stopped(report: Report, *, dry_run: bool) -> list[str]:
    """That a signal has ended the run, and what is left."""
    if not report.stopped:
        return []
    count = f"{report.left:,} alert{'' if report.left == 1 else 's'}"
    if dry_run:
        return [f"stopped by {report.stopped}: the plan lacks {count}, and what was not listed yet; run it again"]
    return [f"stopped by {report.stopped}: {count} left in the queue, and what was not listed yet; {ADVICE}"]


def _problem(problem: Problem) -> str:
    """One problem; a rate limit that concerns no single alert has cut a source short."""
    if is_limit(problem.error) and not problem.alert_id:
        left = "not every source was read to its end, and more alerts may be left"
        return f"{_limit(problem.error)}; {left}; {ADVICE}"
    return _located(str(problem.error), problem.alert_id)


def _limit(error: ReconcilerError) -> str:
    """What a rate limit says, without the fate of the one call that met it."""
    return str(error).removesuffix("; not sent")


def is_misconfigured(report: Report) -> bool:
    """Whether a problem needs a change of configuration; a refused key is one."""
    return any(isinstance(problem.error, Misconfigured) for problem in report.problems)


def _located(words: str, alert_id: str) -> str:
    return f"{words} (alert {alert_id})" if alert_id else words


def _action(action: Action, product: Product, *, dry_run: bool) -> dict[str, Any]:
    return {
        "kind": product.kind(action.kind),
        "alert_id": action.alert_id,
        "incident_id": action.incident_id,
        "status": _status(action, dry_run=dry_run),
        "state": state_of(action),
        "reason": _why(action),
        "text": action.text,
        "urgency": action.urgency or None,
        **({"priority": action.priority} if action.priority else {}),
    }


def _status(action: Action, *, dry_run: bool) -> str:
    """The word for an action of a plan: still to be written, or already sent and to be confirmed."""
    return "planned" if dry_run and action.status is Status.PLANNED else _PUBLIC[action.status]


def _held(action: Action, report: Report) -> str:
    return "; waits: paused" if held(action, report.pauses) else ""


def _why(action: Action) -> str:
    return f"{action.reason}; {action.error}" if action.error else action.reason


def _how(action: Action) -> str:
    """How urgently an incident pages, before anything else is said of it."""
    if action.kind is not Kind.CREATE_INCIDENT or not action.urgency:
        return ""
    return (
        f"{action.urgency} urgency, priority {action.priority}: "
        if action.priority
        else f"{action.urgency} urgency: "
    )


def _summary(report: Report, *, dry_run: bool) -> list[str]:
    counts = Counter(report.product.kind(action.kind) for action in report.actions)
    pairs = len({action.alert_id for action in report.actions})
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    noun = "pair" if pairs == 1 else "pairs"
    planned = f"Plan: {listed} for {pairs} {noun}." if counts else "Plan: nothing to do."
    told = [f"{report.names.get(alert_id, f'Alert {alert_id}')}: {words}" for alert_id, words in report.orders]
    told += late_alerts.lines(report.late)
    told += [
        pausing.line(each, datetime.now(UTC), report.product)
        for each in pausing.counted(report.pauses, report.actions)
    ]
    if dry_run:
        now = [action for action in report.actions if held(action, report.pauses) is None]
        risks, left = summary(now), not_counted(report)
        known = ([f"{risks}."] if risks else []) + ([f"Not counted: {left}."] if left else [])
        return [*told, planned, *known]
    standing = Counter(state_of(action) for action in report.actions)
    done = ", ".join(f"{standing[word]} {word}" for word in _LINE if standing[word])
    return [*told, f"Done: {done}." if done else "Nothing to do."]
