"""The values that travel through the program. All are frozen; all times are aware UTC datetimes.

Alert, Incident and Note are values that a vendor has just returned. A Pair is the snapshot's record of an alert
and its incident, with one Baseline per side. An Observation brings both together for one pair. A DecisionInput is
all that a decision depends on: observations, the configured policy and the time.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Side(StrEnum):
    """One of the two vendors."""

    ALERTS = "opsgenie"
    PAGERDUTY = "pagerduty"


class Kind(StrEnum):
    """Kind of action, named as in the public contract: side, dot, verb."""

    CREATE_INCIDENT = "pagerduty.create_incident"
    PAGERDUTY_NOTE = "pagerduty.add_note"
    PAGERDUTY_ACKNOWLEDGE = "pagerduty.acknowledge"
    PAGERDUTY_UNACKNOWLEDGE = "pagerduty.unacknowledge"
    PAGERDUTY_RESOLVE = "pagerduty.resolve"
    PAGERDUTY_SET_URGENCY = "pagerduty.set_urgency"
    ALERT_ACKNOWLEDGE = "opsgenie.acknowledge"
    ALERT_UNACKNOWLEDGE = "opsgenie.unacknowledge"
    ALERT_NOTE = "opsgenie.add_note"

    @property
    def side(self) -> Side:
        """The side that the action writes to."""
        return Side(self.value.partition(".")[0])

    @property
    def is_note(self) -> bool:
        """Whether it adds a note."""
        return self in (Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE)

    @property
    def is_state(self) -> bool:
        """Whether it changes a status, so that the target is read just before the write."""
        return not self.is_note and self is not Kind.CREATE_INCIDENT


class Status(StrEnum):
    """State of an action in the outbox."""

    PLANNED = "planned"  # certain not to have happened
    SENT = "sent"  # on the wire or accepted: its outcome is unknown
    DONE = "done"
    DROPPED = "dropped"  # no longer needed when its turn came; `error` says why
    DEAD = "dead"  # refused for good; `retry` puts it back

    @property
    def is_open(self) -> bool:
        """Whether its outcome is not final yet."""
        return self in (Status.PLANNED, Status.SENT)


@dataclass(frozen=True, slots=True)
class Person:
    """A person, or the automation user. `id` is the vendor's, empty if it gives none; `name` is for display."""

    id: str
    name: str


SOMEBODY = Person("", "somebody")
"""The actor if the vendor names nobody."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note. `id` is PagerDuty's note id or Opsgenie's offset token: a key within its own ticket."""

    id: str
    author: Person
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of Opsgenie or of JSM Operations.

    List rows carry neither description nor details: `description` is None there. `open` and `acknowledged` are
    None if the row has no readable value: then that state is not known. `alias` is the key by which the sender
    knows the alert; empty if the row has none.
    """

    id: str
    tiny_id: str
    message: str
    open: bool | None
    acknowledged: bool | None
    created_at: datetime
    updated_at: datetime
    snoozed_until: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    priority: str = "P3"
    tags: tuple[str, ...] = ()
    source: str = ""
    description: str | None = None
    details: tuple[tuple[str, str], ...] = ()
    url: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """A PagerDuty incident. `status` is triggered, acknowledged or resolved.

    `changed_by` and `changed_at` describe the last status change; for a triggered incident PagerDuty names the
    service there, so that only the log shows who un-acknowledged it (see Act). `assignees` is None if the answer
    does not name them. `acknowledged_at` is when each of the acknowledgers did so, as far as it is readable.
    `expires_at` is when PagerDuty will end the acknowledgement (`pending_actions`, type unacknowledge). If the
    holder of an acknowledgement is not readable, it is SOMEBODY. `merged_into` is the id of
    the incident that it was merged into, `merged_name` the number and title of that one. `url` is its page.
    `priority` is the name of its priority, empty if it has none.
    """

    id: str
    number: int
    status: str
    key: str
    title: str
    service_id: str
    created_at: datetime
    urgency: str = "high"
    priority: str = ""
    acknowledgers: tuple[Person, ...] = ()
    acknowledged_at: tuple[tuple[Person, datetime], ...] = ()
    escalation_policy_id: str = ""
    changed_by: Person | None = None
    changed_at: datetime | None = None
    merged_into: str = ""
    merged_name: str = ""
    assignees: tuple[Person, ...] | None = None
    expires_at: datetime | None = None
    url: str = ""


class Actor(StrEnum):
    """Kind of actor."""

    PERSON = "person"
    TIMEOUT = "timeout"  # an acknowledgement that ran out
    MACHINE = "machine"  # a snooze that ended, an automation


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of a vendor's log.

    It names people, and shows whether a write of unknown outcome has landed; a state is never taken from it.
    `verb` is acknowledge, unacknowledge, resolve, annotate, or the vendor's own word for anything else.
    `person` is None unless a person acted; `agent` is then the name of the service, workflow or integration.
    `service_id` is that of an incident's service; empty if the entry does not name it.
    """

    id: str
    verb: str
    at: datetime
    actor: Actor
    person: Person | None
    incident_id: str = ""
    agent: str = ""
    service_id: str = field(default="", compare=False)


def since_last(verb: str, acts: tuple[Act, ...]) -> list[Act]:
    """Acts of a log, newest first, since the last one of this verb: earlier ones have been mirrored."""
    last = next((act.at for act in acts if act.verb == verb), None)
    return [act for act in acts if last is None or act.at >= last]


@dataclass(frozen=True, slots=True)
class AlertBaseline:
    """Last state of the alert in Opsgenie that was acted upon.

    `priority` is empty if it was never read. `missing_since` is when Opsgenie began to answer 404 for it.
    `deleted`: that was confirmed; an alert that reappears counts as open again.
    """

    open: bool
    acknowledged: bool
    updated_at: datetime
    snoozed_until: datetime | None = None
    priority: str = ""
    missing_since: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class IncidentBaseline:
    """Last state of the incident in PagerDuty that was acted upon.

    `actor` is the name of the person who last changed its status, to recognise the act on its way back. `as_of`
    is the newest time stamp of a known status, by PagerDuty's clock: a write of ours that was planned from this
    baseline is in PagerDuty's log after it. `expires_at` is when PagerDuty announced that the acknowledgement
    would time out.
    """

    status: str
    acknowledgers: tuple[Person, ...] = ()
    actor: str = ""
    as_of: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """The snapshot's record of an alert and its incident.

    `incident_id` is None while there is no incident: its creation is still open in the outbox or, if `tracked` is
    false, the alert is older than the first start and pages nobody. `unexplained_since` is when the incident's
    status changed without a log entry that explains it; the old baseline is kept meanwhile. `unpaged` is the
    reason why nobody is paged although there is an incident; empty if somebody is. `next_look_at` is when the
    sweep reads the pair; None: never again. A pair that an operator has unlinked keeps an `incident_number` (0 if
    it had none) without an `incident_id`. `alias` and `created_at` are the alert's: by them it is found again in
    another product, where it may have another id; empty and None if they were never read.
    """

    alert_id: str
    tiny_id: str
    tracked: bool
    alerts: AlertBaseline
    incident_id: str | None = None
    incident_number: int | None = None
    pagerduty: IncidentBaseline | None = None
    swept_at: datetime | None = None
    next_look_at: datetime | None = None
    title: str = ""
    unexplained_since: datetime | None = None
    unpaged: str = ""
    alias: str = ""
    created_at: datetime | None = None

    @property
    def is_unlinked(self) -> bool:
        """Whether an operator has unlinked it: no incident is taken in for it, and none is created."""
        return self.incident_id is None and self.incident_number is not None

    @property
    def is_open(self) -> bool:
        """Whether either side may still change state; notes are mirrored even after."""
        resolved = self.pagerduty is not None and self.pagerduty.status == "resolved"
        return self.alerts.open or (self.incident_id is not None and not resolved)


@dataclass(frozen=True, slots=True)
class Action:
    """One write: the data to make it, to recognise it on its target, and to explain it.

    `key` is unique and derived from the cause, so that nothing is planned twice. `person` did what causes it,
    at `at`. `text` is the note, or the incident's title; `body` the incident's details; `priority` the name of
    PagerDuty's priority for the incident, empty for none. `mark` is the part of the text that makes the write
    recognisable on its target. `attempts` counts failed attempts, the first of which was at `failing_since`.
    `plain` asks for the plainest form after a refusal.
    """

    key: str
    kind: Kind
    alert_id: str
    reason: str
    at: datetime
    person: str = ""
    text: str = ""
    body: str = ""
    urgency: str = ""
    priority: str = ""
    mark: str = ""
    incident_id: str | None = None
    id: int = 0
    status: Status = Status.PLANNED
    attempts: int = 0
    plain: bool = False
    not_before: datetime | None = None
    failing_since: datetime | None = None
    sent_at: datetime | None = None
    request_id: str = ""
    result_id: str = ""
    error: str = ""

    @property
    def is_priority_alone(self) -> bool:
        """Whether it changes an incident's priority and not its urgency, so that nobody is notified."""
        return self.kind is Kind.PAGERDUTY_SET_URGENCY and bool(self.priority) and not self.urgency


@dataclass(frozen=True, slots=True)
class Receipt:
    """Opsgenie's status of a write that it had accepted. `at` is when it was carried out, by Opsgenie's clock.

    `carried_out` is None while it waits in Opsgenie's queue, False if it failed; `detail` is the reason.
    """

    action_id: int
    carried_out: bool | None
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An operator's order for a pair: to follow this incident; for an empty id, to follow nothing any more.

    `incident_id` may also be the incident's number.
    """

    who: str
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """All that is known of one pair: the values just read, and the snapshot's. None means not read.

    `pair` is None for an unknown alert; `tracked` is then whether it is to be paged. `since` limits what is
    mirrored of an adopted incident: older notes are history. `known_notes` are the ids in the snapshot, per side.
    Acts are newest first. `mine` are the pair's actions, open or not, by which our own writes are recognised.
    `receipts` are Opsgenie's statuses of accepted writes. `looked` are the kinds of writes of unknown outcome that
    this observation can resolve.

    `missing`: Opsgenie answered 404 for the alert itself. `sees_others`: the same key has seen other alerts of the
    snapshot, so that a confirmed `missing` means deleted. `seen_at` is when the alert was first seen, if it was
    raised while nobody polled. `successor` is the incident to follow from now on, with its notes:
    the target of a merge, or an open one with the alert's key once ours is resolved. `twins` are other open
    incidents with the alert's key: named, not followed. `order` is an operator's; `order_unknown`: PagerDuty does
    not know its incident.
    """

    alert_id: str
    pair: Pair | None = None
    tracked: bool = True
    since: datetime | None = None
    alert: Alert | None = None
    incident: Incident | None = None
    alert_notes: tuple[Note, ...] | None = None
    incident_notes: tuple[Note, ...] | None = None
    alert_acts: tuple[Act, ...] = ()
    incident_acts: tuple[Act, ...] = ()
    known_notes: frozenset[tuple[Side, str]] = frozenset()
    mine: tuple[Action, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    looked: frozenset[Kind] = frozenset()
    missing: bool = False
    sees_others: bool = False
    successor: Incident | None = None
    successor_notes: tuple[Note, ...] = ()
    twins: tuple[Incident, ...] = ()
    swept: bool = False
    seen_at: datetime | None = None
    order: Order | None = None
    order_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One act of a person or an automation, echoes excluded. `verb` is the mapping's first column.

    `ref` identifies the act among those of its verb: a note's id, or the time of a status change. `raises`: the
    priority asks for high urgency, and the incident's may be low; `priority` is the name of PagerDuty's priority
    that goes with it, empty if it stays. `was_mirrored`: what ended is an acknowledgement that only the automation
    user held.
    """

    side: Side
    verb: str
    alert_id: str
    ref: str
    at: datetime
    actor: Actor = Actor.PERSON
    person: Person = Person("", "")
    note: Note | None = None
    detail: str = ""
    raises: bool = False
    priority: str = ""
    was_mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Echo:
    """A write of our own, read back, and the guard that recognised it: outbox, author or mark.

    `what` names the act or note for display.
    """

    side: Side
    alert_id: str
    guard: str
    what: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Settlement:
    """A new status for an action in the outbox, and the reason. PLANNED makes it due again.

    `attempts`, if given, is how often it was sent and shown not to be done; `failing_since` is when the first of
    these attempts was made, kept until the action succeeds.
    """

    action_id: int
    status: Status
    why: str = ""
    result_id: str = ""
    not_before: datetime | None = None
    attempts: int | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The result of a decision: committed in one transaction before anything is sent.

    `pairs` are new records of the snapshot; `notes` are (alert id, side, note id) now known; `actions` are new, in
    order; `settlements` are outcomes of earlier actions: done, to be tried again, no longer needed. `changes` are
    the acts that it was made of.
    """

    actions: tuple[Action, ...] = ()
    pairs: tuple[Pair, ...] = ()
    notes: tuple[tuple[str, Side, str], ...] = ()
    settlements: tuple[Settlement, ...] = ()
    echoes: tuple[Echo, ...] = ()
    changes: tuple[Change, ...] = ()
