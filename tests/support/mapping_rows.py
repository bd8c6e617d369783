"""The mapping as a table: what is observed, what is stored, and exactly which actions follow."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.core.model import SOMEBODY, Actor, Kind, Observation, Pair, Status
from reconciler.core.policy import Policy
from tests.support.builders import (
    ANA,
    BOB,
    BOT,
    JANE,
    NOBODY,
    SERVICE,
    act,
    action,
    alert,
    at,
    incident,
    note,
    observation,
    pair,
    policy,
)

Expected = tuple[Kind, str, str]


@dataclass(frozen=True)
class Row:
    """One row; its name reads as a sentence."""

    name: str
    seen: Observation
    expected: tuple[Expected, ...] = ()
    rules: Policy = field(default_factory=policy)


ACKED = alert(acknowledged=True, acknowledged_by="Ana Ruiz", acknowledged_at=at(10.25), updated_at=at(10.25))
UNACKED = alert(updated_at=at(20))
CLOSED = alert(open=False, closed_by="Ana Ruiz", closed_at=at(30), updated_at=at(30))
HELD_BY_US = incident("acknowledged", acknowledgers=(BOT,), changed_by=BOT, changed_at=at(11))
HELD_BY_JANE = incident("acknowledged", acknowledgers=(JANE,), changed_by=JANE, changed_at=at(12))
HELD_BY_BOTH = incident("acknowledged", acknowledgers=(BOT, JANE), changed_by=JANE, changed_at=at(12))
TRIGGERED = incident(changed_by=SERVICE, changed_at=at(20))
RESOLVED = incident("resolved", changed_by=JANE, changed_at=at(40))

CREATE = (Kind.CREATE_INCIDENT, "the alert was raised in Opsgenie", "Disk full")
ACK_REASON = "Ana Ruiz acknowledged the alert in Opsgenie"
ACK_NOTE = (
    Kind.PAGERDUTY_NOTE,
    ACK_REASON,
    "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:10.250Z] acknowledged the alert",
)
ACK = (Kind.PAGERDUTY_ACKNOWLEDGE, ACK_REASON, "")
UNACK_NOTE = (
    Kind.PAGERDUTY_NOTE,
    "somebody unacknowledged the alert in Opsgenie",
    "[Opsgenie · somebody · 2026-11-23 09:00:20.000Z] unacknowledged the alert",
)
ANAS_UNACK_NOTE = (
    Kind.PAGERDUTY_NOTE,
    "Ana Ruiz unacknowledged the alert in Opsgenie",
    "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:19.000Z] unacknowledged the alert",
)
CLOSE_NOTE = (
    Kind.PAGERDUTY_NOTE,
    "Ana Ruiz closed the alert in Opsgenie",
    "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:30.000Z] closed the alert",
)
RESOLVE = (Kind.PAGERDUTY_RESOLVE, "Ana Ruiz closed the alert in Opsgenie, and ON_OPSGENIE_CLOSE is resolve", "")
DELETE_NOTE = (
    Kind.PAGERDUTY_NOTE,
    "the alert was deleted in Opsgenie",
    "[Opsgenie · Opsgenie · 2026-11-23 09:00:00.000Z] no longer has the alert: it was deleted",
)
ANAS_NOTE = (
    Kind.PAGERDUTY_NOTE,
    "Ana Ruiz added a note in Opsgenie",
    "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z] any news?",
)
JANES_ACK = (Kind.ALERT_ACKNOWLEDGE, "Jane Doe acknowledged the incident in PagerDuty", "")
JANES_NOTE = (
    Kind.ALERT_NOTE,
    "Jane Doe added a note in PagerDuty",
    "[PagerDuty · Jane Doe · note PN1] on it",
)
RESOLVE_NOTE = (
    Kind.ALERT_NOTE,
    "Jane Doe resolved the incident in PagerDuty",
    "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] resolved the incident",
)


def retrigger(who: str) -> Expected:
    reason = f"{who} unacknowledged the alert in Opsgenie, and only the automation user holds the incident"
    return (Kind.PAGERDUTY_UNACKNOWLEDGE, reason, "")


def unacknowledge(who: str) -> Expected:
    return (Kind.ALERT_UNACKNOWLEDGE, f"{who} unacknowledged the incident in PagerDuty", "")


def reopened(who: str, clock: str) -> Expected:
    return (
        Kind.ALERT_NOTE,
        f"{who} reopened the incident in PagerDuty",
        f"[PagerDuty · {who} · 2026-11-23 {clock}Z] reopened the incident",
    )


OPSGENIE_CREATE = (
    Row("a new alert is paged", observation(alert=alert()), (CREATE,)),
    Row(
        "a new alert that is old already is a baseline and pages nobody", observation(alert=alert(), tracked=False)
    ),
    Row("a new alert that has an incident is adopted", observation(alert=alert(), incident=incident())),
    Row(
        "a new alert that was acknowledged before we looked is paged, told and acknowledged",
        observation(alert=ACKED),
        (CREATE, ACK_NOTE, ACK),
    ),
    Row(
        "a new alert that was closed before we looked is paged, and the close is told",
        observation(alert=CLOSED),
        (CREATE, CLOSE_NOTE),
    ),
    Row(
        "a new alert with a note is paged, and the note follows",
        observation(alert=alert(), alert_notes=(note("o1", ANA, "any news?"),)),
        (CREATE, ANAS_NOTE),
    ),
    Row("an alert that was not looked at is no news", observation(pair=pair())),
    Row("an alert that shows what it showed before is no news", observation(pair=pair(), alert=alert())),
    Row("nothing seen and nothing remembered is no news", observation()),
)

OPSGENIE_NOTE = (
    Row(
        "a note in Opsgenie is copied, naming its author",
        observation(pair=pair(), alert=alert(), alert_notes=(note("o1", ANA, "any news?"),)),
        (ANAS_NOTE,),
    ),
    Row(
        "a note of a closed alert is still copied",
        observation(pair=pair(is_open=False), alert=CLOSED, alert_notes=(note("o1", ANA, "any news?"),)),
        (ANAS_NOTE,),
    ),
    Row(
        "a note in Opsgenie is still copied to a resolved incident",
        observation(pair=pair("resolved"), incident=RESOLVED, alert_notes=(note("o1", ANA, "any news?"),)),
        (ANAS_NOTE,),
    ),
    Row(
        "a note of nobody is somebody's",
        observation(pair=pair(), alert_notes=(note("o1", NOBODY, "any news?"),)),
        (
            (
                Kind.PAGERDUTY_NOTE,
                "somebody added a note in Opsgenie",
                "[Opsgenie · somebody · 2026-11-23 09:00:05.000Z] any news?",
            ),
        ),
    ),
    Row(
        "a note of an untracked baseline is told to nobody",
        observation(pair=pair(None, tracked=False), alert=alert(), alert_notes=(note("o1", ANA, "any news?"),)),
    ),
)

OPSGENIE_ACKNOWLEDGE = (
    Row(
        "acknowledged in Opsgenie: told and acknowledged",
        observation(pair=pair(), alert=ACKED, incident=incident()),
        (ACK_NOTE, ACK),
    ),
    Row(
        "acknowledged in Opsgenie while the incident is still to be created: told and acknowledged",
        observation(pair=pair(None), alert=ACKED),
        (ACK_NOTE, ACK),
    ),
    Row(
        "acknowledged in Opsgenie when an engineer holds the incident already: told only",
        observation(pair=pair("acknowledged", (JANE,)), alert=ACKED, incident=HELD_BY_JANE),
        (ACK_NOTE,),
    ),
    Row(
        "acknowledged in Opsgenie when the incident is resolved: told, never reopened",
        observation(pair=pair("resolved"), alert=ACKED, incident=RESOLVED),
        (ACK_NOTE,),
    ),
    Row(
        "acknowledged in Opsgenie while our un-acknowledgement is on the wire: told and acknowledged again",
        observation(
            pair=pair("acknowledged", (BOT,)),
            alert=ACKED,
            mine=(action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.SENT),),
        ),
        (ACK_NOTE, ACK),
    ),
    Row(
        "acknowledged on both sides in one cycle: told only",
        observation(pair=pair(), alert=ACKED, incident=HELD_BY_JANE),
        (ACK_NOTE,),
    ),
    Row(
        "an acknowledgement without a name is somebody's",
        observation(pair=pair(), alert=replace(ACKED, acknowledged_by="")),
        (
            (
                Kind.PAGERDUTY_NOTE,
                "somebody acknowledged the alert in Opsgenie",
                "[Opsgenie · somebody · 2026-11-23 09:00:10.250Z] acknowledged the alert",
            ),
            (Kind.PAGERDUTY_ACKNOWLEDGE, "somebody acknowledged the alert in Opsgenie", ""),
        ),
    ),
    Row(
        "an acknowledgement whose stamp is older than the baseline is dated by the alert's last change",
        observation(pair=pair(updated_at=at(15)), alert=replace(ACKED, updated_at=at(20))),
        (
            (
                Kind.PAGERDUTY_NOTE,
                ACK_REASON,
                "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:20.000Z] acknowledged the alert",
            ),
            ACK,
        ),
    ),
    Row(
        "an acknowledgement whose stamp is older by less than the clocks' grain keeps it",
        observation(pair=pair(updated_at=at(11)), alert=replace(ACKED, updated_at=at(20))),
        (ACK_NOTE, ACK),
    ),
    Row(
        "an acknowledgement without a stamp is dated by the alert's last change",
        observation(pair=pair(), alert=replace(ACKED, acknowledged_at=None)),
        (ACK_NOTE, ACK),
    ),
    Row(
        "acknowledged before and now: nothing",
        observation(pair=pair("acknowledged", (BOT,), acknowledged=True), alert=ACKED, incident=HELD_BY_US),
    ),
    Row(
        "an untracked baseline that is acknowledged pages and tells nobody",
        observation(pair=pair(None, tracked=False), alert=ACKED),
    ),
)

_HELD = pair("acknowledged", (BOT,), acknowledged=True)
_NOTE_ONLY = policy(on_alert_unacknowledge="note")
_SNOOZE_NOTE = (
    Kind.PAGERDUTY_NOTE,
    "Opsgenie (snooze ended) unacknowledged the alert in Opsgenie",
    "[Opsgenie · Opsgenie (snooze ended) · 2026-11-23 09:00:18.000Z] unacknowledged the alert",
)

OPSGENIE_UNACKNOWLEDGE = (
    Row(
        "unacknowledged in Opsgenie under retrigger, mirrored acknowledgement: told and triggered again",
        observation(pair=_HELD, alert=UNACKED, incident=HELD_BY_US),
        (UNACK_NOTE, retrigger("somebody")),
    ),
    Row(
        "unacknowledged in Opsgenie under note, mirrored acknowledgement: told only",
        observation(pair=_HELD, alert=UNACKED, incident=HELD_BY_US),
        (UNACK_NOTE,),
        _NOTE_ONLY,
    ),
    Row(
        "unacknowledged in Opsgenie under retrigger, an engineer holds the incident: told only",
        observation(
            pair=pair("acknowledged", (JANE,), acknowledged=True),
            alert=UNACKED,
            incident=HELD_BY_JANE,
        ),
        (UNACK_NOTE,),
    ),
    Row(
        "unacknowledged in Opsgenie under retrigger, an engineer holds it beside us: told only",
        observation(
            pair=pair("acknowledged", (BOT, JANE), acknowledged=True),
            alert=UNACKED,
            incident=HELD_BY_BOTH,
        ),
        (UNACK_NOTE,),
    ),
    Row(
        "unacknowledged in Opsgenie when the incident is triggered already: told only",
        observation(pair=pair(acknowledged=True), alert=UNACKED, incident=incident()),
        (UNACK_NOTE,),
    ),
    Row(
        "unacknowledged in Opsgenie when the incident is resolved: told, never reopened",
        observation(pair=pair("resolved", acknowledged=True), alert=UNACKED, incident=RESOLVED),
        (UNACK_NOTE,),
    ),
    Row(
        "unacknowledged in Opsgenie while our acknowledgement is on the wire: told and triggered again",
        observation(
            pair=pair(acknowledged=True),
            alert=UNACKED,
            mine=(action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.SENT),),
        ),
        (UNACK_NOTE, retrigger("somebody")),
    ),
    Row(
        "unacknowledged in Opsgenie when nobody is known to hold the incident: told only",
        observation(pair=pair("acknowledged", (), acknowledged=True), alert=UNACKED),
        (UNACK_NOTE,),
    ),
    Row(
        "unacknowledged in Opsgenie before there is an incident: told only",
        observation(pair=pair(None, acknowledged=True), alert=UNACKED),
        (UNACK_NOTE,),
    ),
    Row(
        "who unacknowledged in Opsgenie is told by the log",
        observation(pair=_HELD, alert=UNACKED, alert_acts=(act("unacknowledge", ANA, 19),)),
        (ANAS_UNACK_NOTE, retrigger("Ana Ruiz")),
    ),
    Row(
        "a log that names nobody makes it somebody",
        observation(pair=_HELD, alert=UNACKED, alert_acts=(act("unacknowledge", None, 20),)),
        (UNACK_NOTE, retrigger("somebody")),
    ),
    Row(
        "a snooze that ended is told as such and pages again",
        observation(pair=replace(_HELD, alerts=replace(_HELD.alerts, snoozed_until=at(18))), alert=UNACKED),
        (_SNOOZE_NOTE, retrigger("Opsgenie (snooze ended)")),
    ),
    Row(
        "a snooze that ended is told only, under note",
        observation(pair=replace(_HELD, alerts=replace(_HELD.alerts, snoozed_until=at(18))), alert=UNACKED),
        (_SNOOZE_NOTE,),
        _NOTE_ONLY,
    ),
    Row(
        "a snooze that a machine ended in the log is still the snooze's end",
        observation(
            pair=replace(_HELD, alerts=replace(_HELD.alerts, snoozed_until=at(18))),
            alert=UNACKED,
            alert_acts=(act("unacknowledge", None, 19, Actor.MACHINE),),
        ),
        (_SNOOZE_NOTE, retrigger("Opsgenie (snooze ended)")),
    ),
    Row(
        "a snooze whose end is still to come was ended early: dated by the alert's last change",
        observation(pair=replace(_HELD, alerts=replace(_HELD.alerts, snoozed_until=at(900))), alert=UNACKED),
        (
            (
                Kind.PAGERDUTY_NOTE,
                "Opsgenie (snooze ended) unacknowledged the alert in Opsgenie",
                "[Opsgenie · Opsgenie (snooze ended) · 2026-11-23 09:00:20.000Z] unacknowledged the alert",
            ),
            retrigger("Opsgenie (snooze ended)"),
        ),
    ),
    Row(
        "a person who ends a snooze by unacknowledging is named",
        observation(
            pair=replace(_HELD, alerts=replace(_HELD.alerts, snoozed_until=at(900))),
            alert=UNACKED,
            alert_acts=(act("unacknowledge", ANA, 19),),
        ),
        (ANAS_UNACK_NOTE, retrigger("Ana Ruiz")),
    ),
)

_CLOSE_RESOLVES, _CLOSE_IGNORED = policy(on_alert_close="resolve"), policy(on_alert_close="ignore")


_AN_HOUR_AGO = at(-3_600)


def _lost(since: datetime = _AN_HOUR_AGO, *, is_open: bool = True) -> Pair:
    """An object that was missing when it was last read; the bound is two minutes."""
    known = pair(is_open=is_open)
    return replace(known, alerts=replace(known.alerts, missing_since=since))


_LOST = _lost()

OPSGENIE_CLOSE = (
    Row(
        "closed in Opsgenie under note: told, and the incident stays the engineers' to resolve",
        observation(pair=pair(), alert=CLOSED, incident=incident()),
        (CLOSE_NOTE,),
    ),
    Row(
        "closed in Opsgenie under resolve: told and resolved",
        observation(pair=pair(), alert=CLOSED, incident=incident()),
        (CLOSE_NOTE, RESOLVE),
        _CLOSE_RESOLVES,
    ),
    Row(
        "closed in Opsgenie under resolve, the incident acknowledged: told and resolved",
        observation(pair=pair("acknowledged", (JANE,)), alert=CLOSED, incident=HELD_BY_JANE),
        (CLOSE_NOTE, RESOLVE),
        _CLOSE_RESOLVES,
    ),
    Row(
        "closed in Opsgenie under resolve, the incident resolved already: told only",
        observation(pair=pair("resolved"), alert=CLOSED, incident=RESOLVED),
        (CLOSE_NOTE,),
        _CLOSE_RESOLVES,
    ),
    Row(
        "closed in Opsgenie under ignore: nothing",
        observation(pair=pair(), alert=CLOSED, incident=incident()),
        (),
        _CLOSE_IGNORED,
    ),
    Row(
        "closed in Opsgenie under ignore: its last note is still copied",
        observation(pair=pair(), alert=CLOSED, alert_notes=(note("o1", ANA, "any news?"),)),
        (ANAS_NOTE,),
        _CLOSE_IGNORED,
    ),
    Row(
        "closed by nobody without a stamp: somebody, dated by the alert's last change",
        observation(pair=pair(), alert=replace(CLOSED, closed_by="", closed_at=None, updated_at=at(31))),
        (
            (
                Kind.PAGERDUTY_NOTE,
                "somebody closed the alert in Opsgenie",
                "[Opsgenie · somebody · 2026-11-23 09:00:31.000Z] closed the alert",
            ),
        ),
    ),
    Row(
        "acknowledged and closed between two looks: the close is told",
        observation(pair=pair(), alert=replace(CLOSED, acknowledged=True, acknowledged_by="Ana Ruiz")),
        (CLOSE_NOTE,),
    ),
    Row("closed before and now: nothing", observation(pair=pair(is_open=False), alert=CLOSED)),
    Row(
        "an acknowledgement that a closed alert shows is not mirrored",
        observation(
            pair=pair(is_open=False), alert=replace(CLOSED, acknowledged=True, acknowledged_by="Ana Ruiz"),
            incident=incident(),
        ),
    ),
    Row(
        "deleted in Opsgenie: told once it has been missing for longer than an answer may be late",
        observation(pair=_LOST, missing=True, sees_others=True),
        (DELETE_NOTE,),
    ),
    Row(
        "deleted in Opsgenie is told whatever ON_OPSGENIE_CLOSE says of closing",
        observation(pair=_LOST, missing=True, sees_others=True),
        (DELETE_NOTE,),
        _CLOSE_IGNORED,
    ),
    Row("missing for the first time: nothing yet", observation(pair=pair(), missing=True, sees_others=True)),
    Row(
        "missing for a shorter time than an answer may be late: nothing yet",
        observation(pair=_lost(at(0)), missing=True, sees_others=True),
    ),
    Row(
        "missing for long, and the key sees no other alert either: nothing is concluded",
        observation(pair=_LOST, missing=True),
    ),
    Row("missing for long and seen again: nothing", observation(pair=_LOST, alert=alert())),
    Row(
        "deleted in Opsgenie after it was closed: nothing",
        observation(pair=_lost(is_open=False), missing=True, sees_others=True),
    ),
    Row("deleted in Opsgenie before we ever saw it: nothing", observation(missing=True, sees_others=True)),
    Row(
        "deleted in Opsgenie, an untracked baseline: nothing",
        observation(
            pair=pair(None, tracked=False, alerts=_LOST.alerts), missing=True, sees_others=True
        ),
    ),
)  # fmt: skip

PAGERDUTY_ACKNOWLEDGE = (
    Row(
        "acknowledged in PagerDuty: the alert acknowledged in the engineer's name",
        observation(pair=pair(), incident=HELD_BY_JANE, alert=alert()),
        (JANES_ACK,),
    ),
    Row(
        "acknowledged in PagerDuty, the alert not looked at: acknowledged by what was last seen",
        observation(pair=pair(), incident=HELD_BY_JANE),
        (JANES_ACK,),
    ),
    Row(
        "acknowledged in PagerDuty when the alert is acknowledged already: nothing, its owner stays",
        observation(pair=pair(acknowledged=True), incident=HELD_BY_JANE, alert=ACKED),
    ),
    Row(
        "acknowledged in PagerDuty when the alert is closed: nothing",
        observation(pair=pair(is_open=False), incident=HELD_BY_JANE, alert=CLOSED),
    ),
    Row(
        "acknowledged in PagerDuty by the automation user: nothing",
        observation(pair=pair(), incident=HELD_BY_US, alert=alert()),
    ),
    Row(
        "an engineer joins the automation user: acknowledged in the engineer's name",
        observation(pair=pair("acknowledged", (BOT,)), incident=HELD_BY_BOTH, alert=alert()),
        (JANES_ACK,),
    ),
    Row(
        "a second engineer acknowledges while our acknowledgement of the alert is on the wire: nothing",
        observation(
            pair=pair("acknowledged", (JANE,)),
            incident=replace(HELD_BY_JANE, acknowledgers=(JANE, BOB)),
            mine=(action(Kind.ALERT_ACKNOWLEDGE, Status.SENT),),
        ),
    ),
    Row(
        "of two engineers the last is named, at the time that the log gives",
        observation(
            pair=pair(),
            incident=replace(HELD_BY_JANE, acknowledgers=(BOB, JANE)),
            incident_acts=(act("acknowledge", JANE, 12), act("acknowledge", BOB, 9)),
        ),
        (JANES_ACK,),
    ),
    Row(
        "acknowledged in PagerDuty while our un-acknowledgement of the alert is on the wire: acknowledged again",
        observation(
            pair=pair(acknowledged=True),
            incident=HELD_BY_JANE,
            mine=(action(Kind.ALERT_UNACKNOWLEDGE, Status.SENT),),
        ),
        (JANES_ACK,),
    ),
    Row(
        "acknowledged before and now: nothing for the incident",
        observation(pair=pair("acknowledged", (JANE,), acknowledged=True), incident=HELD_BY_JANE, alert=ACKED),
    ),
)

_BY_JANE = pair("acknowledged", (JANE,), acknowledged=True)
_IGNORE_TIMEOUT = policy(on_pagerduty_ack_timeout="ignore")
_TIMED_OUT = act("unacknowledge", None, 20, Actor.TIMEOUT)
_REMEDIATED = replace(act("unacknowledge", None, 20, Actor.MACHINE), agent="Auto-remediate")


def _waited(known: Pair) -> Pair:
    """A change that has been unexplained for as long as PagerDuty's log may lag."""
    return replace(known, unexplained_since=at(-60))


def _with(known: Pair, **changed: Any) -> Pair:
    assert known.pagerduty is not None
    return replace(known, pagerduty=replace(known.pagerduty, **changed))


def _expiring(known: Pair, seconds: float) -> Pair:
    """PagerDuty has announced when the acknowledgement ends."""
    return _with(known, expires_at=at(seconds))


def _known_at(known: Pair, seconds: float) -> Pair:
    """The time of the incident's last known state, by PagerDuty's clock."""
    return _with(known, as_of=at(seconds))


PAGERDUTY_UNACKNOWLEDGE = (
    Row(
        "unacknowledged in PagerDuty by a person: the alert unacknowledged",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(act("unacknowledge", JANE),)),
        (unacknowledge("Jane Doe"),),
    ),
    Row(
        "unacknowledged in PagerDuty by a person is mirrored whatever the policy says of timeouts",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(act("unacknowledge", JANE),)),
        (unacknowledge("Jane Doe"),),
        _IGNORE_TIMEOUT,
    ),
    Row(
        "a mirrored acknowledgement that a person takes back: the alert unacknowledged",
        observation(pair=_HELD, incident=TRIGGERED, incident_acts=(act("unacknowledge", BOB),)),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "a reassignment that takes the acknowledgement away is that person's act",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(act("notify", None), act("assign", BOB))),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "unacknowledged in PagerDuty by the automation user: nothing",
        observation(pair=_HELD, incident=TRIGGERED, incident_acts=(act("unacknowledge", BOT),)),
    ),
    Row(
        "an engineer's acknowledgement that timed out, under mirror: the alert unacknowledged",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(_TIMED_OUT,)),
        (unacknowledge("PagerDuty (acknowledgement timed out)"),),
    ),
    Row(
        "an engineer's acknowledgement that timed out, under ignore: nothing",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(_TIMED_OUT,)),
        (),
        _IGNORE_TIMEOUT,
    ),
    Row(
        "an acknowledgement of an engineer and of ours that timed out, under mirror: the alert unacknowledged",
        observation(
            pair=pair("acknowledged", (BOT, JANE), acknowledged=True),
            incident=TRIGGERED,
            incident_acts=(_TIMED_OUT,),
        ),
        (unacknowledge("PagerDuty (acknowledgement timed out)"),),
    ),
    Row(
        "a mirrored acknowledgement that timed out, under mirror: nothing",
        observation(pair=_HELD, incident=TRIGGERED, incident_acts=(_TIMED_OUT,)),
    ),
    Row(
        "a mirrored acknowledgement that timed out, under ignore: nothing",
        observation(pair=_HELD, incident=TRIGGERED, incident_acts=(_TIMED_OUT,)),
        (),
        _IGNORE_TIMEOUT,
    ),
    Row(
        "without a word in the log it is waited for",
        observation(pair=_BY_JANE, incident=TRIGGERED),
    ),
    Row(
        "without a word in the log for longer than it may be late: somebody's, whatever the policy of timeouts",
        observation(pair=_waited(_BY_JANE), incident=TRIGGERED),
        (unacknowledge("somebody"),),
        _IGNORE_TIMEOUT,
    ),
    Row(
        "a mirrored acknowledgement that is gone without a word in the log for so long: somebody's as well",
        observation(pair=_waited(_HELD), incident=TRIGGERED),
        (unacknowledge("somebody"),),
    ),
    Row(
        "without a word in the log, after the moment that PagerDuty announced: timed out, under mirror",
        observation(pair=_expiring(_BY_JANE, 21), incident=TRIGGERED),
        (unacknowledge("PagerDuty (acknowledgement timed out)"),),
    ),
    Row(
        "without a word in the log, after the moment that PagerDuty announced: timed out, under ignore",
        observation(pair=_expiring(_BY_JANE, 20), incident=TRIGGERED),
        (),
        _IGNORE_TIMEOUT,
    ),
    Row(
        "a time-out before the moment that PagerDuty announced explains nothing",
        observation(pair=_expiring(_BY_JANE, 25), incident=TRIGGERED, incident_acts=(_TIMED_OUT,)),
    ),
    Row(
        "a time-out of which PagerDuty announced no moment is believed",
        observation(pair=_expiring(_BY_JANE, 21), incident=TRIGGERED, incident_acts=(_TIMED_OUT,)),
        (unacknowledge("PagerDuty (acknowledgement timed out)"),),
    ),
    Row(
        "a time-out before that moment is believed after a snooze, which has announced another",
        observation(
            pair=_expiring(_BY_JANE, 25),
            incident=TRIGGERED,
            incident_acts=(_TIMED_OUT, act("snooze", BOB, 14)),
        ),
        (unacknowledge("PagerDuty (acknowledgement timed out)"),),
    ),
    Row(
        "a time-out that the log has as a service's is one after the moment that PagerDuty announced",
        observation(
            pair=_expiring(_BY_JANE, 21),
            incident=TRIGGERED,
            incident_acts=(act("unacknowledge", None, 20, Actor.MACHINE),),
        ),
        (unacknowledge("PagerDuty (acknowledgement timed out)"),),
    ),
    Row(
        "an automation that takes an engineer's acknowledgement away is named, and the alert unacknowledged",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(_REMEDIATED,)),
        (unacknowledge("Auto-remediate (automation)"),),
        _IGNORE_TIMEOUT,
    ),
    Row(
        "an automation that takes a mirrored acknowledgement away is named, and the alert unacknowledged",
        observation(pair=_expiring(_HELD, 30), incident=TRIGGERED, incident_acts=(_REMEDIATED,)),
        (unacknowledge("Auto-remediate (automation)"),),
    ),
    Row(
        "an engineer who reassigns is named, though the log has the un-acknowledgement as a service's",
        observation(
            pair=_HELD,
            incident=TRIGGERED,
            incident_acts=(act("unacknowledge", None, 20, Actor.MACHINE), act("reassign", BOB, 19)),
        ),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "a snooze that ended is told as such, under mirror",
        observation(
            pair=_BY_JANE,
            incident=TRIGGERED,
            incident_acts=(act("unsnooze", None, 20, Actor.MACHINE), act("snooze", BOB, 14)),
        ),
        (unacknowledge("PagerDuty (snooze ended)"),),
    ),
    Row(
        "a snooze that ended is nobody's doing, under ignore",
        observation(
            pair=_BY_JANE,
            incident=TRIGGERED,
            incident_acts=(act("unsnooze", None, 20, Actor.TIMEOUT), act("snooze", BOB, 14)),
        ),
        (),
        _IGNORE_TIMEOUT,
    ),
    *(
        Row(
            f"an engineer's {verb} at the moment of the change took the acknowledgement away",
            observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(act(verb, BOB, 21),)),
            (unacknowledge("Bob Ray"),),
        )
        for verb in ("snooze", "urgency_change", "delegate", "escalate")
    ),
    *(
        Row(
            f"an engineer's {verb} {why} explains nothing",
            observation(pair=_known_at(_BY_JANE, 12), incident=shown, incident_acts=(act(verb, JANE, seconds),)),
        )
        for verb, seconds, shown, why in (
            ("snooze", 15, TRIGGERED, "long before the change"),
            ("urgency_change", 15, TRIGGERED, "long before the change"),
            ("snooze", 15, incident(), "without the time of the change"),
            ("assign", 13, TRIGGERED, "together with the acknowledgement"),
            ("unacknowledge", 11, TRIGGERED, "before the status that was known"),
            ("assign", 11, TRIGGERED, "before the status that was known"),
        )
    ),
    Row(
        "resolved and reopened between two looks: who reopened took the acknowledgement away",
        observation(
            pair=_known_at(_BY_JANE, 12),
            incident=TRIGGERED,
            incident_acts=(act("reopen", BOB, 20), act("resolve", JANE, 15), act("acknowledge", JANE, 12)),
        ),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "an engineer's reassignment without the time of the change took the acknowledgement away",
        observation(pair=_known_at(_BY_JANE, 12), incident=incident(), incident_acts=(act("assign", BOB, 12),)),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "an act without a readable name is somebody's",
        observation(pair=_BY_JANE, incident=TRIGGERED, incident_acts=(act("unacknowledge", None),)),
        (unacknowledge("somebody"),),
    ),
    *(
        Row(
            f"our own {verb}, by which an incident is triggered again, is nobody's",
            observation(
                pair=_HELD,
                incident=TRIGGERED,
                incident_acts=(act(verb, BOT, 20),),
                mine=(action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.DONE),),
            ),
        )
        for verb in ("escalate", "assign", "urgency_change")
    ),
    Row(
        "our own raised urgency explains more than a snooze in the same second",
        observation(
            pair=_HELD,
            incident=TRIGGERED,
            incident_acts=(act("snooze", BOB, 20), act("urgency_change", BOT, 20)),
            mine=(action(Kind.PAGERDUTY_SET_URGENCY, Status.DONE),),
        ),
    ),
    *(
        Row(
            f"our own raised urgency and an engineer's assignment: {who} first has ended the acknowledgement",
            observation(
                pair=_known_at(_BY_JANE, 10),
                incident=incident("triggered", changed_at=at(20)),
                incident_acts=(act("assign", BOB, 20), act("urgency_change", BOT, seconds)),
                mine=(action(Kind.PAGERDUTY_SET_URGENCY, Status.DONE),),
            ),
            expected,
        )
        for who, seconds, expected in (
            ("the former", 11, ()),
            ("the latter, where both have the same second,", 20, (unacknowledge("Bob Ray"),)),
        )
    ),
    Row(
        "our own assignment from when we acknowledged again does not explain what a person has ended since",
        observation(
            pair=_known_at(_HELD, 11),
            incident=incident("triggered", changed_at=at(20)),
            incident_acts=(act("assign", BOB, 20), act("assign", BOT, 11)),
            mine=(action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.DONE),),
        ),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "our own assignment from when we acknowledged explains nothing",
        observation(pair=_known_at(_HELD, 11), incident=TRIGGERED, incident_acts=(act("assign", BOT, 12),)),
    ),
    Row(
        "an un-acknowledgement of a time that cannot be is compared by the log alone",
        observation(
            pair=_known_at(_BY_JANE, 9_999), incident=TRIGGERED, incident_acts=(act("unacknowledge", BOB),)
        ),
        (unacknowledge("Bob Ray"),),
    ),
    Row(
        "unacknowledged in PagerDuty when the alert is unacknowledged already: nothing",
        observation(
            pair=pair("acknowledged", (JANE,)),
            incident=TRIGGERED,
            alert=alert(),
            incident_acts=(act("unacknowledge", JANE),),
        ),
    ),
    Row(
        "unacknowledged in PagerDuty when the alert is closed: nothing",
        observation(
            pair=pair("acknowledged", (JANE,), acknowledged=True, is_open=False),
            incident=TRIGGERED,
            incident_acts=(act("unacknowledge", JANE),),
        ),
    ),
    Row(
        "unacknowledged in PagerDuty while our acknowledgement of the alert is on the wire: unacknowledged",
        observation(
            pair=pair("acknowledged", (JANE,)),
            incident=TRIGGERED,
            incident_acts=(act("unacknowledge", JANE),),
            mine=(action(Kind.ALERT_ACKNOWLEDGE, Status.SENT),),
        ),
        (unacknowledge("Jane Doe"),),
    ),
    Row("triggered before and now: nothing", observation(pair=pair(), incident=TRIGGERED, alert=alert())),
)

PAGERDUTY_NOTE = (
    Row(
        "a note in PagerDuty is copied, naming its author",
        observation(pair=pair(), incident=incident(), incident_notes=(note("PN1", JANE, "on it"),)),
        (JANES_NOTE,),
    ),
    Row(
        "a note in PagerDuty is still copied to a closed alert",
        observation(pair=pair(is_open=False), incident_notes=(note("PN1", JANE, "on it"),)),
        (JANES_NOTE,),
    ),
    Row(
        "a note of a resolved incident is still copied",
        observation(pair=pair("resolved"), incident=RESOLVED, incident_notes=(note("PN1", JANE, "on it"),)),
        (JANES_NOTE,),
    ),
    Row(
        "a note of the automation user is not copied",
        observation(pair=pair(), incident_notes=(note("PN1", BOT, "on it"),)),
    ),
)

_REOPENED_BY_BOB = (act("reopen", BOB, 50), act("resolve", JANE, 40), act("acknowledge", JANE, 12))

PAGERDUTY_RESOLVE = (
    Row(
        "resolved in PagerDuty: told, and the alert is never closed",
        observation(pair=pair(), incident=RESOLVED, alert=alert()),
        (RESOLVE_NOTE,),
    ),
    Row(
        "resolved in PagerDuty when the alert is closed: still told",
        observation(pair=pair(is_open=False), incident=RESOLVED, alert=CLOSED),
        (RESOLVE_NOTE,),
    ),
    Row(
        "acknowledged and resolved between two looks: the resolution is told, and nothing is acknowledged",
        observation(
            pair=pair(),
            incident=RESOLVED,
            alert=alert(),
            incident_acts=(act("resolve", JANE, 40), act("acknowledge", JANE, 30)),
        ),
        (RESOLVE_NOTE,),
    ),
    Row(
        "resolved in PagerDuty, named by the log only",
        observation(
            pair=pair(),
            incident=incident("resolved"),
            incident_acts=(act("resolve", JANE, 40),),
        ),
        (RESOLVE_NOTE,),
    ),
    Row(
        "resolved in PagerDuty by nobody known",
        observation(pair=pair(), incident=incident("resolved", created_at=at(40))),
        (
            (
                Kind.ALERT_NOTE,
                "somebody resolved the incident in PagerDuty",
                "[PagerDuty · somebody · 2026-11-23 09:00:40Z] resolved the incident",
            ),
        ),
    ),
    Row(
        "resolved by the monitoring: told in its name",
        observation(
            pair=pair(),
            incident=incident("resolved", changed_by=SERVICE, changed_at=at(40)),
            incident_acts=(act("resolve", None, 40, Actor.MACHINE),),
        ),
        (
            (
                Kind.ALERT_NOTE,
                "Customer service resolved the incident in PagerDuty",
                "[PagerDuty · Customer service · 2026-11-23 09:00:40Z] resolved the incident",
            ),
        ),
    ),
    Row(
        "merged in PagerDuty into what our key may not read: told with its id, where no more is known of it",
        observation(pair=pair(), incident=replace(RESOLVED, merged_into="PINC9")),
        (
            (
                Kind.ALERT_NOTE,
                "Jane Doe resolved the incident in PagerDuty",
                f"{RESOLVE_NOTE[2]} (merged into PINC9, which cannot be followed)",
            ),
        ),
    ),
    Row(
        "merged in PagerDuty into what our key may not read: told with its number and title",
        observation(
            pair=pair(), incident=replace(RESOLVED, merged_into="PINC9", merged_name="[#9] Disk full again")
        ),
        (
            (
                Kind.ALERT_NOTE,
                "Jane Doe resolved the incident in PagerDuty",
                f"{RESOLVE_NOTE[2]} (merged into [#9] Disk full again, which cannot be followed)",
            ),
        ),
    ),
    Row(
        "resolved by the automation user: nothing",
        observation(pair=pair(), incident=incident("resolved", changed_by=BOT, changed_at=at(40))),
    ),
    Row("resolved before and now: nothing", observation(pair=pair("resolved"), incident=RESOLVED)),
    Row(
        "acknowledgers that a resolved incident still shows are not mirrored",
        observation(pair=pair("resolved"), incident=replace(RESOLVED, acknowledgers=(JANE,)), alert=alert()),
    ),
)

PAGERDUTY_REOPEN = (
    Row(
        "reopened in PagerDuty: told",
        observation(pair=pair("resolved"), incident=incident(), incident_acts=_REOPENED_BY_BOB),
        (reopened("Bob Ray", "09:00:50"),),
    ),
    Row(
        "reopened in PagerDuty by acknowledging it: told, and the alert acknowledged",
        observation(
            pair=pair("resolved"),
            incident=incident("acknowledged", acknowledgers=(JANE,), changed_at=at(50)),
            incident_acts=(act("acknowledge", JANE, 50), act("resolve", BOB, 40)),
        ),
        (reopened("Jane Doe", "09:00:50"), JANES_ACK),
    ),
    Row(
        "reopened by one engineer and acknowledged by another: each is named",
        observation(
            pair=pair("resolved"),
            incident=incident("acknowledged", acknowledgers=(JANE,), changed_at=at(55)),
            incident_acts=(act("acknowledge", JANE, 55), act("reopen", BOB, 50), act("resolve", JANE, 40)),
        ),
        (reopened("Bob Ray", "09:00:50"), JANES_ACK),
    ),
    Row(
        "reopened by one engineer, assigned by another in the second of the resolution: the former is named",
        observation(
            pair=pair("resolved"),
            incident=incident(),
            incident_acts=(act("reopen", BOB, 50), act("assign", JANE, 40)),
        ),
        (reopened("Bob Ray", "09:00:50"),),
    ),
    Row(
        "reopened by an engineer's escalation, as far as the log tells: she is named",
        observation(
            pair=pair("resolved"),
            incident=incident(),
            incident_acts=(act("escalate", JANE, 50), act("resolve", BOB, 40)),
        ),
        (reopened("Jane Doe", "09:00:50"),),
    ),
    Row(
        "reopened in PagerDuty without a word in the log: it is waited for",
        observation(pair=pair("resolved"), incident=incident(changed_at=at(50))),
    ),
    Row(
        "reopened by acknowledging it without a word in the log: it is waited for, and so is the acknowledgement",
        observation(
            pair=pair("resolved"), incident=incident("acknowledged", acknowledgers=(JANE,), changed_at=at(50))
        ),
    ),
    Row(
        "reopened in PagerDuty, and the log only tells of the resolution: it is waited for",
        observation(
            pair=pair("resolved"),
            incident=incident(changed_at=at(50)),
            incident_acts=(act("annotate", BOB, 45), act("resolve", JANE, 40), act("acknowledge", JANE, 12)),
        ),
    ),
    Row(
        "reopened in PagerDuty, and the log ends before the resolution that was known: it is waited for",
        observation(
            pair=pair("resolved", as_of=at(40)),
            incident=incident(changed_at=at(50)),
            incident_acts=(act("acknowledge", JANE, 12), act("trigger", BOT, 1)),
        ),
    ),
    Row(
        "reopened in PagerDuty, and nothing dates the acts in the log: it is waited for",
        observation(
            pair=pair("resolved"),
            incident=incident(changed_at=at(50)),
            incident_acts=(act("acknowledge", JANE, 12), act("trigger", BOT, 1)),
        ),
    ),
    Row(
        "reopened without a word in the log for longer than it may be late: somebody, at its last change",
        observation(pair=_waited(pair("resolved")), incident=incident(changed_at=at(50))),
        (reopened("somebody", "09:00:50"),),
    ),
    Row(
        "reopened without a word in the log for so long, without any stamp: dated by the creation",
        observation(pair=_waited(pair("resolved")), incident=incident(created_at=at(2))),
        (reopened("somebody", "09:00:02"),),
    ),
    Row(
        "reopened by an automation: it is named",
        observation(
            pair=pair("resolved", as_of=at(40)),
            incident=incident(changed_at=at(50)),
            incident_acts=(act("reopen", None, 50, Actor.MACHINE),),
        ),
        (reopened("PagerDuty (automation)", "09:00:50"),),
    ),
    Row(
        "reopened by an engineer after what we did in the second of the resolution: she is named",
        observation(
            pair=pair("resolved", as_of=at(40)),
            incident=incident(changed_at=at(50)),
            incident_acts=(act("assign", JANE, 50), act("acknowledge", BOT, 40)),
        ),
        (reopened("Jane Doe", "09:00:50"),),
    ),
    Row(
        "reopened by the automation user: nothing",
        observation(pair=pair("resolved"), incident=incident(), incident_acts=(act("reopen", BOT, 50),)),
    ),
    Row(
        "reopened in PagerDuty when the alert is closed: still told",
        observation(pair=pair("resolved", is_open=False), incident=incident(), incident_acts=_REOPENED_BY_BOB),
        (reopened("Bob Ray", "09:00:50"),),
    ),
)

BOTH = (
    Row(
        "a developer's act and an engineer's note go in the order in which people acted",
        observation(
            pair=pair(),
            alert=ACKED,
            incident=incident(),
            alert_notes=(note("o1", ANA, "any news?", 5),),
            incident_notes=(note("PN1", JANE, "on it", 7),),
        ),
        (ANAS_NOTE, JANES_NOTE, ACK_NOTE, ACK),
    ),
    Row(
        "unacknowledged on both sides in one cycle: told, and nothing is undone twice",
        observation(
            pair=_BY_JANE,
            alert=UNACKED,
            incident=TRIGGERED,
            incident_acts=(act("unacknowledge", JANE),),
        ),
        (UNACK_NOTE,),
    ),
    Row(
        "closed there and resolved here in one cycle: each is told to the other",
        observation(pair=pair(), alert=CLOSED, incident=RESOLVED),
        (CLOSE_NOTE, RESOLVE_NOTE),
    ),
)

_P4 = pair(alerts=replace(pair().alerts, priority="P4"))
_RAISED = alert(priority="P1", updated_at=at(20))


def _priority(said: str, who: str = "somebody") -> Expected:
    return (
        Kind.PAGERDUTY_NOTE,
        f"{who} changed the alert's priority in Opsgenie",
        f"[Opsgenie · {who} · 2026-11-23 09:00:20.000Z] changed the priority {said}",
    )


RAISE = (
    Kind.PAGERDUTY_SET_URGENCY,
    "somebody changed the alert's priority in Opsgenie from P4 to P1",
    "",
)


def _priority_rules(what: str) -> Policy:
    return policy(on_alert_priority=what)


def _old_at_first_start(priority: str) -> Pair:
    """An alert that was old at the first start and pages nobody."""
    known = pair(None, tracked=False)
    return replace(known, alerts=replace(known.alerts, priority=priority))


OPSGENIE_PRIORITY = (
    Row(
        "a priority raised over the line is told, and raises the urgency",
        observation(pair=_P4, alert=_RAISED, incident=incident(urgency="low")),
        (_priority("from P4 to P1"), RAISE),
    ),
    Row(
        "a priority raised over the line, under note: told only",
        observation(pair=_P4, alert=_RAISED, incident=incident(urgency="low")),
        (_priority("from P4 to P1"),),
        _priority_rules("note"),
    ),
    Row(
        "a priority raised over the line, under ignore: nothing",
        observation(pair=_P4, alert=_RAISED, incident=incident(urgency="low")),
        (),
        _priority_rules("ignore"),
    ),
    Row(
        "a priority raised over the line of an alert whose incident is resolved: told only",
        observation(pair=replace(pair("resolved"), alerts=_P4.alerts), alert=_RAISED, incident=RESOLVED),
        (_priority("from P4 to P1"),),
    ),
    Row(
        "where the line lies is a setting",
        observation(pair=_P4, alert=replace(_RAISED, priority="P2"), incident=incident(urgency="low")),
        (_priority("from P4 to P2"),),
        policy(high_urgency=frozenset({"P1"})),
    ),
    Row(
        "an unknown priority counts as high",
        observation(pair=_P4, alert=replace(_RAISED, priority="P1-CRITICAL"), incident=incident(urgency="low")),
        (
            _priority("from P4 to P1-CRITICAL"),
            (RAISE[0], "somebody changed the alert's priority in Opsgenie from P4 to P1-CRITICAL", ""),
        ),
    ),
    *(
        Row(
            f"a priority that changes from {old} to {new} is told only",
            observation(
                pair=pair(alerts=replace(pair().alerts, priority=old)),
                alert=replace(_RAISED, priority=new),
                incident=incident(),
            ),
            (_priority(f"from {old} to {new}"),),
        )
        for old, new in (("P4", "P3"), ("P3", "P5"), ("P1", "P4"), ("P2", "P1"))
    ),
    Row(
        "who changed a priority is told where the log names a person",
        observation(pair=_P4, alert=replace(_RAISED, priority="P5"), alert_acts=(act("priority", ANA, 20),)),
        (_priority("from P4 to P5", "Ana Ruiz"),),
    ),
    Row(
        "a priority that was never read is a baseline",
        observation(pair=pair(alerts=replace(pair().alerts, priority="")), alert=_RAISED),
    ),
    Row("a priority that cannot be read is no news", observation(pair=_P4, alert=alert(priority=""))),
    Row(
        "a priority of a closed alert is no news",
        observation(pair=replace(_P4, alerts=replace(_P4.alerts, open=False)), alert=replace(_RAISED, open=False)),
    ),
    Row(
        "an alert that was old at the first start and rises over the line is paged",
        observation(pair=_old_at_first_start("P4"), alert=_RAISED),
        (CREATE,),
    ),
    Row(
        "an alert that was old at the first start and rises over the line, under ignore: nothing",
        observation(pair=_old_at_first_start("P4"), alert=_RAISED),
        (),
        _priority_rules("ignore"),
    ),
    Row(
        "an alert that was old at the first start and changes below the line: nothing",
        observation(pair=_old_at_first_start("P4"), alert=replace(_RAISED, priority="P3")),
    ),
    Row(
        "an alert that was old at the first start and whose priority is read for the first time: nothing",
        observation(pair=_old_at_first_start(""), alert=_RAISED),
    ),
    Row(
        "an alert that was old at the first start and is closed when it rises: nothing",
        observation(pair=_old_at_first_start("P4"), alert=replace(_RAISED, open=False)),
    ),
)

_CREATED = action(Kind.CREATE_INCIDENT, Status.DONE, result_id=incident().id)
_BORN = "nobody is paged: incident #4711 was created acknowledged by the automation user"
_LEFT = "nobody is paged: incident #4711 is assigned to the automation user alone"
_LEFT_TO_US = incident(assignees=(BOT,))

UNPAGED = (
    Row(
        "an incident that was born acknowledged by us is made to page",
        observation(pair=pair(), incident=HELD_BY_US, mine=(_CREATED,)),
        ((Kind.PAGERDUTY_UNACKNOWLEDGE, _BORN, ""),),
    ),
    Row(
        "an incident that is assigned to us alone is made to page",
        observation(pair=pair(), incident=_LEFT_TO_US, mine=(_CREATED,)),
        ((Kind.PAGERDUTY_UNACKNOWLEDGE, _LEFT, ""),),
    ),
    Row(
        "an incident that was left to us alone when an acknowledgement was taken back is made to page",
        observation(pair=pair(), incident=_LEFT_TO_US, mine=(action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.DONE),)),
        ((Kind.PAGERDUTY_UNACKNOWLEDGE, _LEFT, ""),),
    ),
    *(
        Row(f"an incident that {why} is left as it is", observation(pair=known, incident=shown, mine=mine))
        for why, known, shown, mine in (
            ("we were about to acknowledge", pair(), HELD_BY_US, (_CREATED, action(Kind.PAGERDUTY_ACKNOWLEDGE))),
            (
                "we have acknowledged",
                pair(),
                HELD_BY_US,
                (_CREATED, action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.DONE)),
            ),
            ("is held by us as the alert is by a developer", pair(acknowledged=True), HELD_BY_US, (_CREATED,)),
            ("nobody is known to hold", pair(), incident("acknowledged"), (_CREATED,)),
            ("is assigned to an engineer as well", pair(), incident(assignees=(BOT, JANE)), (_CREATED,)),
            ("is assigned to nobody that we know of", pair(), incident(assignees=()), (_CREATED,)),
            ("is resolved", pair("resolved"), replace(RESOLVED, assignees=(BOT,)), (_CREATED,)),
            ("was acknowledged by us in an earlier life", pair(), HELD_BY_US, ()),
            ("was left to us in an earlier life", pair(), _LEFT_TO_US, ()),
            (
                "is not the one that we created",
                pair(),
                _LEFT_TO_US,
                (replace(_CREATED, result_id="PINC0"),),
            ),
            (
                "is just being made to page",
                pair(),
                HELD_BY_US,
                (_CREATED, action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.SENT)),
            ),
            (
                "was made to page once already",
                pair(),
                _LEFT_TO_US,
                (
                    _CREATED,
                    action(
                        Kind.PAGERDUTY_UNACKNOWLEDGE,
                        Status.DEAD,
                        key=f"pagerduty.unacknowledge a-1 unpaged {incident().id}",
                    ),
                ),
            ),
        )
    ),
)

_TWIN = incident(id="PINC9", number=9, created_at=at(30), title="Disk full again")
_SECOND = "the alert has a second incident, #9 (PINC9), which is not followed"
_TOLD_TWIN = "incident #9 (PINC9) bears this alert's key, too: it is not followed"
_TOLD_NEXT = 'incident #9 (PINC9) "Disk full again" is followed from now on'


def _said(kind: Kind, reason: str, said: str, clock: str) -> Expected:
    mark = f"[Opsgenie · {BOT.name} · 2026-11-23 {clock}.000Z]"
    if kind is Kind.ALERT_NOTE:
        mark = f"[PagerDuty · {BOT.name} · 2026-11-23 {clock}Z]"
    return (kind, reason, f"{mark} {said}")


MORE_INCIDENTS = (
    Row(
        "a second incident with the alert's key is named on both sides",
        observation(pair=pair(), incident=incident(), twins=(_TWIN,)),
        (
            _said(Kind.PAGERDUTY_NOTE, _SECOND, _TOLD_TWIN, "09:00:30"),
            _said(Kind.ALERT_NOTE, _SECOND, _TOLD_TWIN, "09:00:30"),
        ),
    ),
    Row(
        "an open incident with the alert's key is followed once ours is resolved: first the resolution is told",
        observation(pair=pair(), incident=RESOLVED, successor=_TWIN),
        (
            RESOLVE_NOTE,
            _said(Kind.PAGERDUTY_NOTE, "the alert's earlier incident is resolved", _TOLD_NEXT, "09:00:40"),
            _said(Kind.ALERT_NOTE, "the alert's earlier incident is resolved", _TOLD_NEXT, "09:00:40"),
        ),
    ),
    Row(
        "an open incident with the alert's key is followed though ours is not read",
        observation(pair=pair("resolved"), successor=_TWIN),
        (
            _said(Kind.PAGERDUTY_NOTE, "the alert's earlier incident is resolved", _TOLD_NEXT, "09:00:30"),
            _said(Kind.ALERT_NOTE, "the alert's earlier incident is resolved", _TOLD_NEXT, "09:00:30"),
        ),
    ),
    Row("no other incident is followed while ours is open", observation(pair=pair(), successor=_TWIN)),
    Row(
        "merged in PagerDuty: told with the incident that is followed from now on",
        observation(pair=pair(), incident=replace(RESOLVED, merged_into="PINC9"), successor=_TWIN),
        (
            (
                Kind.ALERT_NOTE,
                "Jane Doe resolved the incident in PagerDuty",
                f'{RESOLVE_NOTE[2]} (merged into #9 "Disk full again", which is followed from now on)',
            ),
        ),
    ),
    Row(
        "merged in PagerDuty into one that was merged on: the one that is followed is named",
        observation(
            pair=pair(),
            incident=replace(RESOLVED, merged_into="PINC8", merged_name="[#8] Disk full"),
            successor=_TWIN,
        ),
        (
            (
                Kind.ALERT_NOTE,
                "Jane Doe resolved the incident in PagerDuty",
                f'{RESOLVE_NOTE[2]} (merged into [#8] Disk full; #9 "Disk full again" is followed from now on)',
            ),
        ),
    ),
    Row(
        "merged in PagerDuty, and the resolution was told before: the incident is named",
        observation(pair=pair("resolved"), incident=replace(RESOLVED, merged_into="PINC9"), successor=_TWIN),
        (
            _said(Kind.PAGERDUTY_NOTE, "the alert's earlier incident is resolved", _TOLD_NEXT, "09:00:30"),
            _said(Kind.ALERT_NOTE, "the alert's earlier incident is resolved", _TOLD_NEXT, "09:00:30"),
        ),
    ),
    Row(
        "an engineer's incident that nobody is named to hold is acknowledged by somebody",
        observation(pair=pair(), incident=replace(HELD_BY_JANE, acknowledgers=(SOMEBODY,), changed_by=None)),
        ((Kind.ALERT_ACKNOWLEDGE, "somebody acknowledged the incident in PagerDuty", ""),),
    ),
)

ROWS = (
    *OPSGENIE_CREATE,
    *OPSGENIE_NOTE,
    *OPSGENIE_ACKNOWLEDGE,
    *OPSGENIE_UNACKNOWLEDGE,
    *OPSGENIE_CLOSE,
    *PAGERDUTY_ACKNOWLEDGE,
    *PAGERDUTY_UNACKNOWLEDGE,
    *PAGERDUTY_NOTE,
    *PAGERDUTY_RESOLVE,
    *PAGERDUTY_REOPEN,
    *BOTH,
    *OPSGENIE_PRIORITY,
    *UNPAGED,
    *MORE_INCIDENTS,
)
assert len({row.name for row in ROWS}) == len(ROWS)
