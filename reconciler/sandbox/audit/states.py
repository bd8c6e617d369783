"""Rules about incidents, acknowledgements, urgencies, closings and pages.

States are compared by level, as the product sees them: what counts is an act that changed the state of its own
side, and had an undisturbed look between it and anything else that happened to the pair. Where such an act was
the last one, the final states follow from it (`_is_right`). Acts that cross, or undo each other between two looks,
cannot be told apart: there both sides must agree, or differ in a way that a person's or a policy's act explains.
"""

from collections import Counter

from reconciler.sandbox.audit import marks
from reconciler.sandbox.audit.case import Case
from reconciler.sandbox.audit.events import Did, Event, is_by_account
from reconciler.sandbox.audit.findings import Kind, Wrong, compare
from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.wire import Json, parse_time

_HIGH = ("P1", "P2")
_TIMEOUT = "PagerDuty (acknowledgement timed out)"
_TIMEOUTS = ("acknowledgement timeout", "snooze ended")
_RETRIGGERS = ("reassigned", "escalated", "status set to triggered", "retriggered without a log entry")
_FOLLOWS = {
    Did.ACKNOWLEDGED: ("acknowledge", Did.ALERT_ACKNOWLEDGED, Did.UNACKNOWLEDGED),
    Did.UNACKNOWLEDGED: ("unacknowledge", Did.ALERT_UNACKNOWLEDGED, Did.ACKNOWLEDGED),
}
"""An engineer's act: its verb, what follows in Opsgenie, and what undoes it."""
_ENDS = (Did.TIMED_OUT, Did.OURS_TIMED_OUT, Did.OURS_ENDED, Did.RESOLVED)
"""What ends an acknowledgement beside an engineer who takes it back."""


def incidents(case: Case) -> Wrong:
    """One incident an alert, on each of its services, beside those that people make.

    None is needed for an alert from before the start.
    """
    ours = sum(incident["id"] not in case.by_hand for incident in case.incidents)
    is_hidden = not any(case.is_shown(act) for act in case.acts_of("opsgenie", "create"))
    needs_none = case.was_there_before or case.by_hand or case.is_forgotten or is_hidden
    most = ours if ours > 1 and case.is_creation_beyond_the_bound else 1
    where = f" on {case.service}" if case.service else ""
    yield from compare(ours, f"incidents{where}", least=0 if needs_none else 1, most=most)


def engineers_states(case: Case) -> Wrong:
    """An engineer's act is in the alert's log, in their name, once, unless the alert was in that state already.

    Where the log has it in the automation user's name, one note names the engineer.
    """
    for did, (verb, follows, undone) in _FOLLOWS.items():
        deeds = [event for event in case.events if event.what is did and event.who]
        due = [deed for deed in deeds if not _is_excused(case, deed, follows, undone)]
        told = [copy for copy in case.told["Opsgenie"] if copy.text.startswith(marks.TOLD_INSTEAD[did])]
        for who in {deed.who: None for deed in deeds}:
            least, most = (sum(deed.who == who for deed in some) for some in (due, deeds))
            shown = len(case.own(follows, who)) + sum(marks.is_name(copy.name, who) for copy in told)
            what = f"{who}'s {verb} in the alert's log"
            yield from compare(shown, what, least=0 if case.knowledge.names_may_be_lost else least, most=most)
        done = len(case.own(follows))
        if is_by_account(case.alert) and done < len(due):
            yield Kind.LOST, f"{verb} in the alert's log: {done} of {len(due)}"


def _is_excused(case: Case, deed: Event, follows: Did, undone: Did) -> bool:
    """Whether an engineer's act need not show on the alert.

    It was in that state already or came into it by somebody else soon after, it was or was soon closed, or the
    act was soon undone.
    """
    if case.is_optional(deed.incident, deed.at) or case.is_forgotten:
        return True
    if not case.is_alone(deed, (*case.events, *case.crossing)):
        return True
    if case.is_acknowledged(deed.at) == (follows is Did.ALERT_ACKNOWLEDGED):
        return True
    soon = [event for event in case.history if event.at - deed.at < case.knowledge.doubt]
    after = [event for event in soon if event.at >= deed.at]
    is_closed = any(event.what is Did.ALERT_CLOSED for event in soon)
    is_undone = any(event.what in (undone, *_ENDS) for event in after)
    others = [event for event in after if event.what is follows and event.who != deed.who]
    if others and all(event.is_unnamed for event in others):  # whose they are, nothing tells
        first = [e for e in case.events if e.what is deed.what and e.who != deed.who and e.at <= deed.at]
        others = [event for event in first if deed.at - event.at < case.knowledge.doubt]
    return is_closed or is_undone or bool(others)


def own_acts(case: Case) -> Wrong:
    """What the product did to states: at most once for each cause."""
    ended = case.count(Did.UNACKNOWLEDGED, Did.TIMED_OUT, Did.REOPENED)
    by_customers = case.count(Did.ALERT_ACKNOWLEDGED) * (2 if case.was_unlisted_at_loss else 1)
    for did, causes, what in (
        (Did.ALERT_ACKNOWLEDGED, case.count(Did.ACKNOWLEDGED), "acknowledged in Opsgenie"),
        (Did.ALERT_UNACKNOWLEDGED, ended, "unacknowledged in Opsgenie"),
        (Did.ACKNOWLEDGED, by_customers + case.births, "acknowledged in PagerDuty"),
    ):
        times = len(case.own(did))
        if times > causes:
            yield Kind.TWICE, f"{what} {times} times for {causes} causes"


def names(case: Case) -> Wrong:
    """Acknowledgements and their ends bear the name of the engineer who acted, or that of the automation user."""
    acted = {event.who for event in case.events if event.what in _FOLLOWS}
    for did in (Did.ALERT_ACKNOWLEDGED, Did.ALERT_UNACKNOWLEDGED) if case.knowledge.is_watched else ():
        for event in case.own(did):
            if not event.is_unnamed and event.who not in acted | {_TIMEOUT}:
                yield Kind.WRONG_NAME, f"{event.who}: {did}"


def final_states(case: Case) -> Wrong:
    """The final states of both sides are those that the last act leads to."""
    if not case.knowledge.is_watched:
        return
    alert, incident = case.alert, case.incident
    events = [event for event in case.events if case.is_followed(event.incident, event.at)]
    if incident is None or not _are_open(case, incident) or not events:
        return
    last, acknowledged, status = events[-1], alert["acknowledged"], incident["status"]
    if not case.knowledge.is_remembered(last.at):
        return
    if case.is_alone(last, events):
        by_person = any(hand["acknowledger"]["id"] != BOT.id for hand in incident["acknowledgements"])
        is_right = _is_right(last.what, status, acknowledged=acknowledged, by_person=by_person)
    else:
        ends = (Did.UNACKNOWLEDGED, Did.REOPENED, *_ENDS)
        explained = ends if acknowledged else (Did.ALERT_UNACKNOWLEDGED, Did.RESOLVED)
        is_right = acknowledged == (status == "acknowledged") or any(e.what in explained for e in events)
    if not is_right:
        shown = f"alert {'' if acknowledged else 'not '}acknowledged, incident {status}"
        yield Kind.STATE, f"{shown}, last {last.what} by {last.who}"


def _is_right(last: Did, status: str, *, acknowledged: bool, by_person: bool) -> bool:
    """Whether the final states are those that the last act leads to.

    `by_person`: an engineer has acknowledged the incident, not only the automation user.
    """
    match last:
        case Did.ALERT_ACKNOWLEDGED | Did.ACKNOWLEDGED:
            return acknowledged and status == "acknowledged"
        case Did.ALERT_UNACKNOWLEDGED:
            return not acknowledged and (status == "triggered" or by_person)
        case Did.UNACKNOWLEDGED | Did.TIMED_OUT:
            return not acknowledged and status == "triggered"
        case Did.OURS_TIMED_OUT | Did.OURS_ENDED:
            return status == "triggered"
    return True


def urgency(case: Case) -> Wrong:
    """A priority that was raised over the line has raised the urgency: low urgency wakes nobody."""
    incident = case.incident
    if incident is None or not _are_open(case, incident) or case.knowledge.lost_at or case.is_baseline:
        return
    raised = any(act["text"] in _HIGH for act in case.acts_of("opsgenie", "priority"))
    if raised and case.alert["priority"] in _HIGH and incident["urgency"] == "low":
        yield Kind.STATE, f"priority {case.alert['priority']}, and the incident's urgency is still low"


def closings(case: Case) -> Wrong:
    """The product closes no alert, and resolves an incident only for a closing, where the policy says so."""
    closed = len(case.acts_of("opsgenie", "close"))
    if (case.alert["status"] == "closed" and not closed) or case.own(Did.ALERT_CLOSED):
        by = case.alert.get("report", {}).get("closedBy", "")
        yield Kind.FORBIDDEN, f"closed by {by}, which is nobody's act"
    if len(case.own(Did.RESOLVED)) > (closed if case.knowledge.may_resolve else 0):
        yield Kind.FORBIDDEN, "resolved by the automation user for no closing"


def reopenings(case: Case) -> Wrong:
    """The product reopens no incident."""
    if not all(_excused_reopenings(case)):
        yield Kind.FORBIDDEN, "reopened by the automation user"


def _excused_reopenings(case: Case) -> list[bool]:
    """Of each reopening by the product: whether it could not yet see that somebody had resolved the incident."""
    resolved = [parse_time(act["at"]) for act in case.acts_of("pagerduty", "resolve", "merge")]
    reopened = [event.at for event in case.own(Did.REOPENED)]
    return [any(abs(at - act) < case.knowledge.unseen for act in resolved) for at in reopened]


def pages(case: Case) -> Wrong:
    """Somebody is paged, and nobody is woken without a person's or a policy's cause.

    Where nobody was paged at first, being paged afterwards is right.
    """
    if case.knowledge.is_watched and not case.pages and case.alert["id"]:
        yield Kind.LOST, "page: there is an incident, and it has paged nobody"
    taken_back = min(case.knowledge.late_states, case.count(Did.UNACKNOWLEDGED))  # before ours took effect
    by_hand = len(case.acts_of("pagerduty", "reassign", "retrigger"))
    created = case.incidents if case.alert["id"] else case.by_hand  # one too many is found by `incidents`
    causes = {
        "triggered": len(created),
        "reopened": case.count(Did.REOPENED) + sum(_excused_reopenings(case)),
        "unacknowledged by hand": len(case.acts_of("pagerduty", "unacknowledge")),
        "retriggered": case.count(Did.ALERT_UNACKNOWLEDGED) + by_hand + case.births + taken_back,
        "urgency raised": len(case.acts_of("opsgenie", "priority")),
    }
    paged = Counter("retriggered" if page["cause"] in _RETRIGGERS else page["cause"] for page in case.pages)
    for cause, times in paged.items():
        if cause not in _TIMEOUTS and times > causes.get(cause, 0):
            yield Kind.PAGED, f"{times} pages ({cause}) for {causes.get(cause, 0)} causes"


def _are_open(case: Case, incident: Json) -> bool:
    is_there = not (case.is_deleted or case.was_left_behind)
    return is_there and case.alert["status"] != "closed" and incident["status"] != "resolved"
