"""Causes of an incident's status changes, found in its log, whose entries may be late.

Only an entry that is later than the known status explains a change. None means that nothing explains it yet; the
incident is then read again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import (
    SOMEBODY,
    Act,
    Actor,
    Incident,
    IncidentBaseline,
    Kind,
    Observation,
    Person,
    Status,
    since_last,
)
from reconciler.core.policy import Policy
from reconciler.core.readings import GRAIN, usable

TIMED_OUT = Person("", "PagerDuty (acknowledgement timed out)")
SNOOZE_ENDED = Person("", "PagerDuty (snooze ended)")
_ENDS = frozenset({"unacknowledge", "unsnooze"})
_REMOVING_ACTS = frozenset({"assign", "delegate", "escalate", "reassign", "reopen"})
"""Acts by which a person removes an acknowledgement."""
_AT_ONCE = frozenset({"snooze", "urgency_change"})
"""Acts that remove it only if they have the time of the status change; earlier ones had no such effect."""
_OUR_RETRIGGERS = frozenset({Kind.PAGERDUTY_UNACKNOWLEDGE, Kind.PAGERDUTY_SET_URGENCY})
_REOPENS = ("reopen", "acknowledge")
_NO_REOPENING = frozenset({
    "resolve", "annotate", "notify", "snooze", "unsnooze", "urgency_change", "priority_change", "link", "unlink",
    "field_value_change", "custom_field_value_change", "responder_request", "event_rule_action",
    "exhaust_escalation_path", "repeat_escalation_path", "reach_ack_limit", "reach_trigger_limit",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """Who caused a status change, and when; `act` is its log entry, if there is one."""

    actor: Actor
    person: Person
    at: datetime
    act: Act | None = None


def somebody(incident: Incident) -> Cause:
    """The default cause of a change that stays unexplained: a person's act, so that somebody is paged."""
    return Cause(Actor.PERSON, SOMEBODY, incident.changed_at or incident.created_at)


def unacknowledged(
    observation: Observation, base: IncidentBaseline, policy: Policy, now: datetime
) -> Cause | None:
    """Cause of a lost acknowledgement; None while nothing explains it."""
    incident = observation.incident
    assert incident is not None  # noqa: S101 - asked of incidents that were read
    acts = _since(observation, "acknowledge", base, now)
    later = [act for act in acts if not _is_with_acknowledgement(act, incident, base)]
    retriggers = [act for act in later if _is_retrigger(act, observation, policy)]
    # The first one ended the acknowledgement; in doubt, within a second, a person's, so that somebody is woken.
    retriggers.sort(key=lambda act: (act.at, _is_ours(act, policy)))
    found = (
        *(cause for act in acts if act.verb in _ENDS for cause in _ended(act, acts, incident, base)),
        *(_by_person(act) for act in retriggers),
        *(_by_person(act) for act in acts if _ends_at_once(act, incident) and not _is_ours(act, policy)),
    )
    at = incident.changed_at
    if found:
        return found[0]
    if at is not None and base.expires_at is not None and at >= base.expires_at - GRAIN:
        return Cause(Actor.TIMEOUT, TIMED_OUT, at)
    return None


def reopened(observation: Observation, base: IncidentBaseline, policy: Policy, now: datetime) -> Cause | None:
    """Cause of a reopening: the reopen entry, else an acknowledgement (reopens, too), else the first other act."""
    as_of = usable(base.as_of, now)
    is_dated = as_of is not None or any(act.verb == "resolve" for act in observation.incident_acts)
    acts = [
        act
        for act in reversed(_since(observation, "resolve", base, now))
        if act.verb == "reopen" or (is_dated and act.actor is Actor.PERSON and act.verb not in _NO_REOPENING)
    ]
    people = [act for act in acts if not _is_ours(act, policy)]
    acts = people or [act for act in acts if act.verb == "reopen" or as_of is None or act.at > as_of]
    act = next((act for verb in _REOPENS for act in acts if act.verb == verb), acts[0] if acts else None)
    if act is None:
        return None
    return _by_person(act) if act.actor is Actor.PERSON else _by_machine(act)


def _since(observation: Observation, verb: str, base: IncidentBaseline, now: datetime) -> list[Act]:
    """Acts since the last one of this verb and since the known status, newest first."""
    as_of = usable(base.as_of, now)
    first = as_of.replace(microsecond=0) if as_of else None
    return [act for act in since_last(verb, observation.incident_acts) if first is None or act.at >= first]


def _ended(act: Act, acts: list[Act], incident: Incident, base: IncidentBaseline) -> Iterator[Cause]:
    """Cause given by an entry that records the end of an acknowledgement or of a snooze."""
    expires = base.expires_at
    if act.actor is Actor.PERSON:
        yield _by_person(act)
    elif act.verb == "unsnooze":
        yield Cause(Actor.TIMEOUT, SNOOZE_ENDED, act.at, act)
    elif act.actor is Actor.TIMEOUT:
        snoozed = any(one.verb == "snooze" and one.at <= act.at for one in acts)  # to another moment
        if snoozed or expires is None or act.at >= expires - GRAIN:
            yield Cause(Actor.TIMEOUT, TIMED_OUT, act.at, act)
    elif expires is not None and max(act.at, incident.changed_at or act.at) >= expires - GRAIN:
        yield Cause(Actor.TIMEOUT, TIMED_OUT, act.at, act)
    else:
        people = (
            a for a in acts if a.verb in _REMOVING_ACTS and a.actor is Actor.PERSON and _is_near(a.at, act.at)
        )
        yield next((_by_person(one) for one in people), _by_machine(act))


def _is_retrigger(act: Act, observation: Observation, policy: Policy) -> bool:
    """Whether this act makes an acknowledged incident triggered.

    It is a person's, or may be the log's form of our own un-acknowledgement or raised urgency.
    """
    if _is_ours(act, policy):
        written = (mine.kind for mine in observation.mine if mine.status in (Status.SENT, Status.DONE))
        return act.verb in _REMOVING_ACTS | _AT_ONCE and not _OUR_RETRIGGERS.isdisjoint(written)
    return act.actor is Actor.PERSON and act.verb in _REMOVING_ACTS


def _is_with_acknowledgement(act: Act, incident: Incident, base: IncidentBaseline) -> bool:
    """Whether the entry belongs to the acknowledgement: acknowledging assigns the incident."""
    at = incident.changed_at
    if at is None or base.as_of is None or _is_near(act.at, at):
        return False
    return act.verb in _REMOVING_ACTS and _is_near(act.at, base.as_of)


def _ends_at_once(act: Act, incident: Incident) -> bool:
    """Whether this is a person's act that ends an acknowledgement only in the second of the status change."""
    at = incident.changed_at
    return act.actor is Actor.PERSON and act.verb in _AT_ONCE and at is not None and _is_near(act.at, at)


def _is_ours(act: Act, policy: Policy) -> bool:
    return act.person is not None and policy.is_echo_of_us(act.person)


def _is_near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= GRAIN


def _by_person(act: Act) -> Cause:
    return Cause(act.actor, act.person or SOMEBODY, act.at, act)


def _by_machine(act: Act) -> Cause:
    return Cause(Actor.MACHINE, Person("", f"{act.agent or 'PagerDuty'} (automation)"), act.at, act)
