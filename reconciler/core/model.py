"""The values that travel through the program. All are frozen; all times are aware UTC datetimes.

Alert, Incident and Note are what a vendor showed just now. A Pair is what the snapshot remembers of an alert
and its incident, with one Baseline per side. An Observation brings both together for one pair. A DecisionInput is
all that a decision depends on: observations, the configured policy and the time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Side(StrEnum):
    """Where something is."""

    OPSGENIE = "opsgenie"
    PAGERDUTY = "pagerduty"


class Kind(StrEnum):
    """What an action does, named as in the public contract: side, dot, verb."""

    CREATE_INCIDENT = "pagerduty.create_incident"
    PAGERDUTY_NOTE = "pagerduty.add_note"
    PAGERDUTY_ACKNOWLEDGE = "pagerduty.acknowledge"
    PAGERDUTY_UNACKNOWLEDGE = "pagerduty.unacknowledge"
    PAGERDUTY_RESOLVE = "pagerduty.resolve"
    PAGERDUTY_SET_URGENCY = "pagerduty.set_urgency"
    OPSGENIE_ACKNOWLEDGE = "opsgenie.acknowledge"
    OPSGENIE_UNACKNOWLEDGE = "opsgenie.unacknowledge"
    OPSGENIE_NOTE = "opsgenie.add_note"

    @property
    def side(self) -> Side:
        """The side that the action writes to."""
        return Side(self.value.partition(".")[0])

    @property
    def is_note(self) -> bool:
        """Whether it adds a note."""
        return self in (Kind.PAGERDUTY_NOTE, Kind.OPSGENIE_NOTE)

    @property
    def is_state(self) -> bool:
        """Whether it moves a status, so that the target is looked at just before."""
        return not self.is_note and self is not Kind.CREATE_INCIDENT


class Status(StrEnum):
    """Where an action stands in the outbox."""

    PLANNED = "planned"  # certain not to have happened
    SENT = "sent"  # on the wire or accepted: maybe done, to be asked
    DONE = "done"
    DROPPED = "dropped"  # no longer needed when its turn came; `error` says why
    DEAD = "dead"  # refused for good; `retry` puts it back

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be done about it."""
        return self in (Status.PLANNED, Status.SENT)


@dataclass(frozen=True, slots=True)
class Person:
    """Who acted. `id` is the vendor's (empty when it gives none); `name` is what people are shown."""

    id: str
    name: str


SOMEBODY = Person("", "somebody")
"""Who acted where nobody is named."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note. `id` is PagerDuty's note id or Opsgenie's offset token: a key within its own ticket."""

    id: str
    author: Person
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """An Opsgenie alert. List rows carry neither description nor details: `description` is None there.

    `open` and `acknowledged` are None where the row does not say it readably: then nothing is known of it.
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


@dataclass(frozen=True, slots=True)
class Incident:
    """A PagerDuty incident. `status` is triggered, acknowledged or resolved.

    `changed_by` and `changed_at` tell of the last status change; while triggered PagerDuty names the service
    there, so that who un-acknowledged must be asked of the log (see Act). `assignees` is None where the answer
    does not name them. `expires_at` is the moment that PagerDuty announces for the end of the acknowledgement
    (`pending_actions`, type unacknowledge). An acknowledged incident whose holder is not readable is held by
    Person("", "somebody"). `merged_into` is the id of the incident that it was merged into, `merged_name` what
    PagerDuty calls that one: its number and title.
    """

    id: str
    number: int
    status: str
    key: str
    title: str
    service_id: str
    created_at: datetime
    urgency: str = "high"
    acknowledgers: tuple[Person, ...] = ()
    escalation_policy_id: str = ""
    changed_by: Person | None = None
    changed_at: datetime | None = None
    merged_into: str = ""
    merged_name: str = ""
    assignees: tuple[Person, ...] | None = None
    expires_at: datetime | None = None


class Actor(StrEnum):
    """What kind of hand did it."""

    PERSON = "person"
    TIMEOUT = "timeout"  # an acknowledgement that ran out
    MACHINE = "machine"  # a snooze that ended, an automation


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what, from a vendor's log.

    It names people, and tells whether a write of ours in doubt had landed; state never comes from here.
    `verb` is acknowledge, unacknowledge, resolve, annotate, or the vendor's own word for anything else.
    `person` is None unless a person acted; `agent` is then the name of the service, workflow or integration.
    """

    id: str
    verb: str
    at: datetime
    actor: Actor
    person: Person | None
    incident_id: str = ""
    agent: str = ""


def since_last(verb: str, acts: tuple[Act, ...]) -> list[Act]:
    """The acts of a log, newest first, without those from before the last of this verb: they are told already."""
    last = next((act.at for act in acts if act.verb == verb), None)
    return [act for act in acts if last is None or act.at >= last]


@dataclass(frozen=True, slots=True)
class AlertBaseline:
    """What Opsgenie last showed of the alert, as far as acted upon.

    `priority` is empty where it was never read. `missing_since`: since when Opsgenie answers 404 for it.
    `deleted`: that was confirmed; whoever is seen again is open again.
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
    """What PagerDuty last showed of the incident, as far as acted upon.

    `actor` is the name of the person who last changed its status, to recognise the act on its way back. `as_of`
    is the newest stamp of a status that was known, by PagerDuty's own clock: a write of ours that was sent on the
    strength of this baseline stands in PagerDuty's log from there on. `expires_at` is when PagerDuty announced
    that the acknowledgement would time out.
    """

    status: str
    acknowledgers: tuple[Person, ...] = ()
    actor: str = ""
    as_of: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """An alert and its incident, as the snapshot remembers them.

    `incident` is None while there is no incident: because its creation is still open in the outbox, or, when
    `tracked` is false, because the alert was there before us and pages nobody. `unexplained_since`: since when
    the incident stands where no log entry explains it; the old baseline stays meanwhile. `unpaged` says why
    nobody is paged although there is an incident; empty when somebody is. `next_look_at` is when the sweep reads
    the pair although nothing is known to have happened; None: never again.
    """

    alert_id: str
    tiny_id: str
    tracked: bool
    opsgenie: AlertBaseline
    incident_id: str | None = None
    incident_number: int | None = None
    pagerduty: IncidentBaseline | None = None
    swept_at: datetime | None = None
    next_look_at: datetime | None = None
    title: str = ""
    unexplained_since: datetime | None = None
    unpaged: str = ""
    route: str = "default"

    @property
    def is_open(self) -> bool:
        """Whether either side may still change state; notes are mirrored even after."""
        resolved = self.pagerduty is not None and self.pagerduty.status == "resolved"
        return self.opsgenie.open or (self.incident_id is not None and not resolved)


@dataclass(frozen=True, slots=True)
class Action:
    """One write to be made, and all that is needed to make it, to recognise it and to explain it.

    `key` is unique and derived from the cause, so that nothing is planned twice. `person` did what causes it,
    at `at`. `text` is the note, or the incident's title; `body` the incident's details. `mark` is the part of
    the text that makes the write recognisable on its target. `attempts` counts how often it was tried in vain.
    `failing_since` is when that began. `plain` asks for the plainest form after a refusal.
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
    route: str = "default"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is configured about the mapping, and who we are in PagerDuty.

    `guards` are the echo guards at work. For notes any one suffices, for states outbox or author: tests switch off
    two at a time to prove it. `sweep_interval` is how often the sweep reads an open pair, and `retention` for how
    long a finished one is remembered.
    """

    on_opsgenie_unacknowledge: str = "retrigger"
    on_opsgenie_close: str = "note"
    on_opsgenie_priority: str = "urgency"
    high_urgency: frozenset[str] = frozenset({"P1", "P2"})
    on_pagerduty_ack_timeout: str = "mirror"
    staleness: timedelta = timedelta(seconds=120)
    automation: Person = Person("", "")
    guards: frozenset[str] = frozenset({"outbox", "author", "mark"})
    sweep_interval: timedelta = timedelta(seconds=300)
    retention: timedelta = timedelta(days=30)

    def is_automation(self, person: Person) -> bool:
        """Whether it is us: by id; by name only where one of the two has no id.

        Until PagerDuty has confirmed who we are, what is configured stands for both: it may be an id or a name.
        """
        us = self.automation
        if person == SOMEBODY:
            return False
        if person.id and us.id and (person.id == us.id or us.id != us.name):
            return person.id == us.id
        return bool(person.name) and person.name == us.name

    def is_echo_of_us(self, person: Person) -> bool:
        """The author guard for PagerDuty, where it is at work."""
        return "author" in self.guards and self.is_automation(person)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Opsgenie says of a write that it had accepted, and when it was done by its clock.

    `carried_out` is None while it waits in Opsgenie's queue; False when it failed, and `detail` is why.
    """

    action_id: int
    carried_out: bool | None
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """All that this cycle knows of one pair. What was not looked at is None, and means: no news.

    `pair` is None for an alert never seen before; `tracked` then says whether it is to be paged. `since`
    bounds what is mirrored when an incident is adopted: older notes are history. `known_notes` holds the ids
    that the snapshot has, per side. Acts are newest first. `mine` are this pair's actions, open or not: they
    tell our own doings from people's. `receipts` tell what became of writes that Opsgenie had accepted.
    `looked` says whose writes in doubt this observation can answer for.

    `missing`: Opsgenie answered 404 for the alert itself. `sees_others`: the same key has seen other alerts that
    the snapshot knows, so that a confirmed `missing` means deleted. `successor` is the incident to follow from
    now on, with its notes: what ours was merged into, or an open one with the alert's key
    once ours is resolved. `twins` are other open incidents with the alert's key: named, not followed.
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


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """All that a plan is computed from."""

    now: datetime
    policy: Policy
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that somebody did, echoes already removed. `verb` is the mapping's first column.

    `ref` tells one such act from another: a note's id, or the time of a status change. `raises`: the priority asks
    for high urgency, and the incident's may be low.
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


@dataclass(frozen=True, slots=True)
class Echo:
    """Something seen that is our own doing, and the guard that recognised it: outbox, author or mark."""

    side: Side
    alert_id: str
    guard: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """A new standing for an action in the outbox, and why. PLANNED puts it back in the queue.

    `attempts`, when given, is how often it has been sent and proved undone by now; `failing_since` is when the
    first of these attempts was made, to be kept until the action succeeds.
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
    """What is to be written down and done: committed in one transaction before anything is sent.

    `pairs` are new snapshots; `notes` are (alert id, side, note id) now known; `actions` are new, in order;
    `settlements` tell what became of earlier actions: seen to be done, to be tried again, no longer needed.
    """

    actions: tuple[Action, ...] = ()
    pairs: tuple[Pair, ...] = ()
    notes: tuple[tuple[str, Side, str], ...] = ()
    settlements: tuple[Settlement, ...] = ()
    echoes: tuple[Echo, ...] = ()
