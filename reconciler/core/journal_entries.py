"""The journal's entries for a committed plan, and for the end of a write.

A plan that contains only that a pair was read has none. What repeats without news has none either: a write that is
refused again in the same words.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.core import late_alerts
from reconciler.core.journal import Entry, Event
from reconciler.core.model import (
    Action,
    Change,
    Echo,
    Kind,
    Observation,
    Pair,
    Plan,
    Settlement,
    Side,
    Status,
)
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.work import Reason

ACTS = {
    "create": "the alert was raised",
    "late": "the alert was raised",
    "note": "added note {ref}",
    "acknowledge": "acknowledged",
    "unacknowledge": "unacknowledged",
    "close": "closed the alert",
    "delete": "the alert was deleted",
    "priority": "changed the priority",
    "resolve": "resolved the incident",
    "reopen": "reopened the incident",
}
"""The verbs of acts, in words: each act is seen once, because the baselines move with it. Other changes, such as a
second incident, are derived anew at every read, until an action follows from them."""
_GUARDS = {
    (Side.ALERTS, "outbox"): "the reconciler wrote it",
    (Side.ALERTS, "author"): "it was done in PagerDuty, and is not passed back",
    (Side.ALERTS, "mark"): "its mark names a note in PagerDuty",
    (Side.PAGERDUTY, "outbox"): "the reconciler wrote it",
    (Side.PAGERDUTY, "author"): "done by the automation user, whose acts are never passed on",
    (Side.PAGERDUTY, "mark"): "its mark names a note in {product}",
}
_EVENTS = {
    Status.PLANNED: Event.PLANNED,
    Status.DONE: Event.DONE,
    Status.DROPPED: Event.DROPPED,
    Status.DEAD: Event.DEAD,
}
_REQUEST = re.compile(r" \(request [^)]*\)")
"""The part of an error that names its request. It differs between repetitions, and has a field of its own."""


def of_plan(plan: Plan, inputs: DecisionInput, reasons: Collection[Reason]) -> tuple[Entry, ...]:
    """The entries of a plan: what was seen, what it was taken for, outcomes of earlier writes, and new actions.

    `reasons` are those of the read.
    """
    before = {observation.alert_id: observation for observation in inputs.observations}
    after = {pair.alert_id: pair for pair in plan.pairs}
    now = inputs.now
    found = [
        *(_seen(change, now) for change in plan.changes),
        *(_echo(echo, now, inputs.policy) for echo in plan.echoes),
        *(entry for pair in plan.pairs for entry in _recorded(pair, before[pair.alert_id], plan, inputs, reasons)),
        *(entry for observation in inputs.observations for entry in _settled(plan.settlements, observation, now)),
        *(of_action(action, Event.PLANNED, now, action.reason) for action in plan.actions),
    ]
    source = ", ".join(sorted(reasons))
    known = {alert_id: after.get(alert_id, observation.pair) for alert_id, observation in before.items()}
    return tuple(
        replace(entry, source=source, incident_id=entry.incident_id or _incident(known, entry)) for entry in found
    )


def of_action(
    action: Action, event: Event, now: datetime, words: str = "", request_id: str = "", incident_id: str = ""
) -> Entry:
    """The entry for a step of an action."""
    return Entry(
        now,
        event,
        action.alert_id,
        action.kind.side,
        action.kind,
        action.key,
        incident_id or action.incident_id or "",
        action.person,
        without_request(words),
        request_id=request_id,
    )


def of_failure(action: Action, event: Event, now: datetime, words: str, request_id: str) -> tuple[Entry, ...]:
    """The entry for a write without success; none if the action failed in the same words before.

    The last error may be followed by what was found when its outcome was looked up.
    """
    said, before = without_request(words), without_request(action.error)
    if before == said or before.startswith(f"{said}; "):
        return ()
    return (of_action(action, event, now, words, request_id),)


def of_moved_pair(before: Pair, after: Pair, now: datetime) -> tuple[Entry, ...]:
    """The entry for a write of ours after which nobody is paged, or somebody again."""
    return tuple(_paging(before, after, now))


def without_request(words: str) -> str:
    """An error's text without the ids of requests."""
    return _REQUEST.sub("", words)


def _incident(known: dict[str, Pair | None], entry: Entry) -> str:
    pair = known.get(entry.alert_id)
    return (pair.incident_id or "") if pair is not None and entry.side is Side.PAGERDUTY else ""


def _seen(change: Change, now: datetime) -> Entry:
    words = ACTS[change.verb].format(ref=change.ref)
    detail = f" {change.detail}" if change.verb == "priority" else f" ({change.detail})" if change.detail else ""
    who = change.person.name
    at = _stamp(change.at)
    return Entry(now, Event.SEEN, change.alert_id, change.side, who=who, words=f"{words}{detail} at {at}")


def _echo(echo: Echo, now: datetime, policy: Policy) -> Entry:
    guard = _GUARDS[echo.side, echo.guard].format(product=policy.product.name)
    words = f"{echo.what}: {guard}"
    return Entry(now, Event.ECHO, echo.alert_id, echo.side, words=words)


def _recorded(
    pair: Pair, observation: Observation, plan: Plan, inputs: DecisionInput, reasons: Collection[Reason]
) -> Iterator[Entry]:
    """How the pair's record has changed: a baseline, another incident, somebody paged or not."""
    before, now = observation.pair, inputs.now
    if before is None and not pair.tracked:
        words = late_alerts.why_skipped(observation, inputs.policy) or _why_baseline(
            observation, inputs.policy, reasons
        )
        yield Entry(now, Event.BASELINE, pair.alert_id, Side.ALERTS, words=words)
    old = before.incident_id if before else None
    is_made = any(s.status is Status.DONE and s.result_id == pair.incident_id for s in plan.settlements)
    is_told = is_made or observation.order is not None  # by the creation's or the order's own entry
    if pair.incident_id is not None and pair.incident_id != old and not is_told:
        words = _why_followed(pair, observation)
        yield Entry(now, Event.FOLLOWED, pair.alert_id, Side.PAGERDUTY, incident_id=pair.incident_id, words=words)
    yield from _paging(before, pair, now)


def _why_baseline(observation: Observation, policy: Policy, reasons: Collection[Reason]) -> str:
    created = observation.alert.created_at if observation.alert else None
    if created is not None and observation.since is not None and created < observation.since:
        return (
            f"raised at {_stamp(created)}: the first start pages what was raised since "
            f"{_stamp(observation.since)} (INITIAL_LOOKBACK_SECONDS), and nothing older"
        )
    raised = f"raised at {_stamp(created)}: " if created is not None else ""
    if Reason.FIRST_START in reasons:
        query = policy.product.query
        return f"{raised}older than INITIAL_LOOKBACK_SECONDS when a changed {query} first showed it"
    return f"{raised}recorded as it is, and pages nobody"


def _why_followed(pair: Pair, observation: Observation) -> str:
    before, ours = observation.pair, observation.incident
    shown = next((i for i in (observation.successor, ours) if i is not None and i.id == pair.incident_id), None)
    name = f"incident #{pair.incident_number}" + (f" {shown.url}" if shown is not None and shown.url else "")
    if before is not None and before.incident_id is not None:
        merged = (
            " was merged into it" if ours is not None and ours.merged_into == pair.incident_id else " is resolved"
        )
        return f"{name} from now on: incident #{before.incident_number}{merged}"
    history = f", and notes from before {_stamp(observation.since)} are history" if observation.since else ""
    return f"{name} existed already: nothing that was done on it before is mirrored as a state{history}"


def _paging(before: Pair | None, after: Pair, now: datetime) -> Iterator[Entry]:
    """Whether nobody is paged any longer, or somebody again."""
    old, incident_id = before.unpaged if before else "", after.incident_id or ""
    if after.unpaged == old:
        return
    if after.unpaged:
        event, words = Event.UNPAGED, f"nobody is paged: {after.unpaged}"
    else:
        status = after.pagerduty.status if after.pagerduty else "unknown"
        event, words = Event.PAGED, f"nobody was paged until now; the incident is {status}, and not for us alone"
    yield Entry(now, event, after.alert_id, Side.PAGERDUTY, incident_id=incident_id, words=words)


def _settled(settlements: Iterable[Settlement], observation: Observation, now: datetime) -> Iterator[Entry]:
    """Outcomes that a read has shown. Of repeated returns to `planned`, only the first one has an entry."""
    mine = {action.id: action for action in observation.mine}
    for each in settlements:
        action = mine.get(each.action_id)
        if action is None or (each.status is Status.PLANNED and action.attempts and not action.request_id):
            continue
        again = "again: " if each.status is Status.PLANNED else ""
        made = each.result_id if action.kind is Kind.CREATE_INCIDENT else ""
        url = observation.incident.url if made and observation.incident is not None else ""
        words = f"{again}{each.why or 'its effect is there'} {url}".rstrip()
        yield of_action(action, _EVENTS[each.status], now, words, action.request_id, made)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
