"""What an observation leaves open, so that more has to be read."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core import text
from reconciler.core.model import Act, Actor, Alert, Kind, Observation, Person, Receipt, Status
from reconciler.core.policy import Policy
from reconciler.core.read_progress import ALERT_STATES, Read, What
from reconciler.core.work import ReadRequest
from tests.support.builders import (
    ALERT_ID,
    ANA,
    BOB,
    BOT,
    JANE,
    OG,
    PD,
    ROBOT,
    account,
    act,
    action,
    alert,
    at,
    incident,
    note,
    observation,
    pair,
)
from tests.support.builders import policy as rules
from tests.support.pair_reads import Run, ask

SENT_ACK = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, person="Bob Ray")
LATER = alert(updated_at=at(20))


@dataclass
class RowCase:
    name: str
    row: Any
    suffices: bool
    known: Observation = field(default_factory=lambda: observation(pair=pair()))


ROWS = (
    RowCase("a later row replaces a read of the alert", LATER, suffices=True),
    RowCase("without a row the alert is read", None, suffices=False),
    RowCase("a row no later than the baseline is not enough", alert(updated_at=at(0)), suffices=False),
    RowCase("an older row is not enough", alert(updated_at=at(-5)), suffices=False),
    RowCase("a row with an unreadable state is not enough", replace(LATER, open=None), suffices=False),
    RowCase(
        "a row with an unreadable acknowledgement is not enough", replace(LATER, acknowledged=None), suffices=False
    ),
    RowCase("any row of an unknown alert is enough", LATER, suffices=False, known=observation()),
    RowCase(
        "an alert that was missing is read by its id",
        LATER,
        suffices=False,
        known=observation(pair=pair(alerts=replace(pair().alerts, missing_since=at(1)))),
    ),
    RowCase(
        "a later row without our acknowledgement is not enough",
        LATER,
        suffices=False,
        known=observation(pair=pair(), mine=(SENT_ACK,)),
    ),
    RowCase(
        "a row that shows our write is enough",
        replace(LATER, acknowledged=True),
        suffices=True,
        known=observation(pair=pair(), mine=(SENT_ACK,)),
    ),
    RowCase(
        "a settled write needs no more than the row",
        LATER,
        suffices=True,
        known=observation(pair=pair(), mine=(replace(SENT_ACK, status=Status.DONE),)),
    ),
)

KNOWN_NOTE = frozenset({(OG, "N1")})
BACK_TO = at(0) - timedelta(seconds=180)
HELD = observation(pair=pair("acknowledged", (BOB,)))
MACHINES = replace(act("unacknowledge", None), actor=Actor.MACHINE, agent="Auto-remediate")
BOBS = act("unacknowledge", BOB)
FROM_PD = note("N1", ANA, f"{text.note_mark(PD, note('PN1', JANE, 'x'))} x")
SIGNED, OF_ROBOT = replace(FROM_PD, author=Person("", text.signature("Jane Doe"))), replace(FROM_PD, author=ROBOT)
FROM_OG = note("PN1", JANE, f"{text.act_mark(OG, 'Ana Ruiz', at(3))} x")


@dataclass
class MarkCase:
    name: str
    request: ReadRequest
    needed: bool
    known: Observation = field(default_factory=lambda: observation(pair=pair()))
    alert_note: Any = FROM_PD
    incident_note: Any = FROM_OG
    policy: Policy = field(default_factory=rules)


OF_ALERT, OF_INCIDENT = ask(alert_notes=True), ask(incident_notes=True)
MARKS = (
    MarkCase("a mark of PagerDuty's makes the incident's notes be read", OF_ALERT, needed=True),
    MarkCase("a mark of Opsgenie's makes the alert's notes be read", OF_INCIDENT, needed=True),
    MarkCase(
        "not where the note is known",
        OF_ALERT,
        needed=False,
        known=observation(pair=pair(), known_notes=frozenset({(OG, "N1")})),
    ),
    MarkCase(
        "not where our own action wrote it",
        OF_ALERT,
        needed=False,
        known=observation(pair=pair(), mine=(action(Kind.ALERT_NOTE, Status.DONE, text=FROM_PD.text),)),
    ),
    MarkCase("also where it has our signature, which may be a person's name", OF_ALERT, True, alert_note=SIGNED),
    MarkCase("not where our own account wrote it", OF_ALERT, False, alert_note=OF_ROBOT, policy=account()),
    MarkCase(
        "unless that guard is off",
        OF_ALERT,
        needed=True,
        alert_note=OF_ROBOT,
        policy=account(guards=frozenset({"mark"})),
    ),
    MarkCase(
        "not where the automation user wrote it",
        OF_INCIDENT,
        needed=False,
        incident_note=replace(FROM_OG, author=BOT),
    ),
    MarkCase("not where there is no incident", OF_ALERT, needed=False, known=observation(pair=pair(None))),
    MarkCase("not where the alert is unknown", OF_ALERT, needed=False, known=observation()),
    MarkCase("not for a mark of its own side", OF_ALERT, needed=False, alert_note=replace(FROM_OG, id="N1")),
)

ACCEPTED = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, request_id="r-1", person="Bob Ray", sent_at=at(1))
UNACKED = replace(ACCEPTED, kind=Kind.ALERT_UNACKNOWLEDGE)
PENDING = Receipt(7, None)


@dataclass
class LogCase:
    name: str
    shown: Any
    needed: bool
    known: Observation


CARRIED_OUT = {What.REQUEST: Receipt(7, carried_out=True, at=at(5))}
LOGS = (
    LogCase(
        "an acknowledgement was taken back", alert(), needed=True, known=observation(pair=pair(acknowledged=True))
    ),
    LogCase("nothing has changed", alert(), needed=False, known=observation(pair=pair())),
    LogCase("it is closed", alert(open=False), needed=False, known=observation(pair=pair(acknowledged=True))),
    LogCase(
        "our write was carried out and is not visible",
        alert(),
        needed=True,
        known=observation(pair=pair(), mine=(ACCEPTED,)),
    ),
    LogCase(
        "another person acknowledged the alert",
        alert(acknowledged=True, acknowledged_by="Ana Ruiz"),
        needed=True,
        known=observation(pair=pair(), mine=(SENT_ACK,)),
    ),
    LogCase(
        "without a write of ours in doubt, an acknowledgement names its person itself",
        alert(acknowledged=True, acknowledged_by="Ana Ruiz"),
        needed=False,
        known=observation(pair=pair()),
    ),
    LogCase(
        "a person may have reversed a write without a request status",
        alert(acknowledged=True, updated_at=at(20)),
        needed=True,
        known=observation(pair=pair(acknowledged=True), mine=(replace(UNACKED, request_id=""),)),
    ),
    LogCase(
        "the alert has not changed since that write",
        alert(acknowledged=True),
        needed=False,
        known=observation(pair=pair(acknowledged=True), mine=(replace(UNACKED, request_id=""),)),
    ),
)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_an_alert_is_read_only_where_its_list_row_is_not_enough(case: RowCase) -> None:
    run = Run(ask(alert=True, row=case.row), case.known, {What.ALERT: LATER, What.ALERT_LOG: ()})
    assert (What.ALERT in run.whats) is not case.suffices
    assert run.seen.looked >= ALERT_STATES
    assert run.seen.alert is not None


@pytest.mark.parametrize("known", [observation(), observation(pair=pair())], ids=["unknown", "known"])
def test_the_row_stands_for_an_alert_that_is_not_read(known: Observation) -> None:
    run = Run(ask(row=alert(updated_at=at(0))), known)
    assert (run.seen.alert, run.made) == (alert(updated_at=at(0)), [])


@pytest.mark.parametrize(
    ("request_", "more", "until"),
    [
        (ask(alert_notes=True), {}, BACK_TO),
        (ask(alert_notes=True, all_notes=True), {}, None),
        (ask(alert_notes=True, swept=True), {}, None),
        (ask(alert_notes=True), {"known_notes": frozenset()}, None),
        (ask(alert_notes=True), {"pair": None}, None),
        (ask(alert_notes=True), {"mine": (action(Kind.ALERT_NOTE, Status.SENT),)}, None),
        (ask(alert_notes=True), {"mine": (action(Kind.ALERT_NOTE, Status.DONE),)}, BACK_TO),
        (ask(alert_notes=True, alert=True), {}, None),  # the alert could not be read
        (ask(alert_notes=True), {"pair": pair(updated_at=datetime.min.replace(tzinfo=UTC))}, None),
    ],
)
def test_notes_are_read_back_to_the_last_certain_read_or_completely(
    request_: ReadRequest, more: dict[str, Any], until: datetime | None
) -> None:
    run = Run(request_, replace(observation(pair=pair(), known_notes=KNOWN_NOTE), **more), {What.ALERT_NOTES: ()})
    assert [read.until for read in run.made if read.what is What.ALERT_NOTES] == [until]
    assert run.seen.alert_notes == ()
    assert Kind.ALERT_NOTE in run.seen.looked


def test_an_impossible_stored_time_does_not_stop_the_reading_of_notes() -> None:
    late = pair(updated_at=datetime.max.replace(tzinfo=UTC))
    run = Run(ask(alert_notes=True), observation(pair=late, known_notes=KNOWN_NOTE), {What.ALERT_NOTES: ()})
    assert run.seen.alert_notes == ()


@pytest.mark.parametrize(
    ("known", "shown", "acts", "needed"),
    [
        (HELD, "triggered", (BOBS,), False),
        (HELD, "triggered", (MACHINES,), True),
        (HELD, "triggered", (), True),
        (HELD, "acknowledged", (), False),
        (observation(pair=pair("resolved")), "acknowledged", (), True),
        (observation(pair=replace(pair(), pagerduty=None)), "triggered", (), False),
    ],
)
def test_the_incidents_own_log_is_read_unless_the_feed_names_a_person(
    known: Observation, shown: str, acts: tuple[Act, ...], needed: bool
) -> None:
    answers = {What.INCIDENT: incident(shown), What.INCIDENT_LOG: (BOBS,)}
    run = Run(ask(incident=True, acts=acts), known, answers)
    assert (What.INCIDENT_LOG in run.whats) is needed
    assert run.seen.incident_acts == ((BOBS,) if needed else acts)


@pytest.mark.parametrize("case", MARKS, ids=lambda case: case.name)
def test_a_mark_of_the_other_side_makes_its_source_be_read(case: MarkCase) -> None:
    other = What.INCIDENT_NOTES if case.request.alert_notes else What.ALERT_NOTES
    answers = {What.ALERT_NOTES: (case.alert_note,), What.INCIDENT_NOTES: (case.incident_note,)}
    run = Run(case.request, case.known, answers, policy=case.policy)
    assert (other in run.whats) is case.needed


def test_all_notes_of_the_alert_are_read_to_find_a_source() -> None:
    known = observation(pair=pair(), known_notes=KNOWN_NOTE)
    run = Run(OF_INCIDENT, known, {What.INCIDENT_NOTES: (FROM_OG,), What.ALERT_NOTES: ()})
    assert run.made[-1] == Read(What.ALERT_NOTES, ALERT_ID)


def test_an_accepted_request_without_a_visible_effect_is_checked_once() -> None:
    known = observation(pair=pair(), mine=(ACCEPTED,))
    run = Run(ask(alert=True), known, {What.ALERT: alert(), What.REQUEST: PENDING})
    assert run.made == [Read(What.ALERT, ALERT_ID), Read(What.REQUEST, "r-1", action_id=7)]
    assert run.seen.receipts == (PENDING,)


def test_a_request_whose_effect_was_not_read_is_not_checked() -> None:
    assert Run(ask(alert_notes=True), observation(pair=pair(), mine=(ACCEPTED,))).whats == [What.ALERT_NOTES]


@pytest.mark.parametrize(
    ("shown", "mine", "asked"),
    [
        ("Bob Ray", ACCEPTED, False),
        ("Alert API", ACCEPTED, True),
        ("Ana Ruiz", ACCEPTED, True),
        ("", ACCEPTED, False),
        ("Ana Ruiz", replace(ACCEPTED, request_id=""), False),
        ("Ana Ruiz", replace(ACCEPTED, status=Status.DONE), False),
    ],
)
def test_our_acknowledgement_under_another_name_is_checked(shown: str, mine: Any, asked: bool) -> None:
    answers = {
        What.ALERT: alert(acknowledged=True, acknowledged_by=shown),
        What.REQUEST: Receipt(7, carried_out=True, at=at(5)),
        What.ALERT_LOG: (),
    }
    run = Run(ask(alert=True), observation(pair=pair(), mine=(mine,)), answers)
    assert (What.REQUEST in run.whats) is asked


@pytest.mark.parametrize(
    ("acts", "asked"),
    [
        ((act("unacknowledge", ANA, 15),), True),
        ((act("unacknowledge", replace(BOB, name="Bob Ray"), 15),), False),
        ((), False),
    ],
)
def test_our_unacknowledgement_that_the_log_attributes_to_another_is_checked(acts: Any, asked: bool) -> None:
    answers = {
        What.ALERT: alert(updated_at=at(20)),
        What.ALERT_LOG: acts,
        What.REQUEST: Receipt(7, carried_out=True, at=at(16)),
    }
    known = observation(pair=pair(acknowledged=True), mine=(UNACKED,))
    run = Run(ask(alert=True), known, answers)
    assert (What.REQUEST in run.whats) is asked
    assert run.whats[1] is What.ALERT_LOG


@pytest.mark.parametrize("case", LOGS, ids=lambda case: case.name)
def test_the_alerts_log_is_read_only_where_it_must_name_a_person(case: LogCase) -> None:
    answers = {What.ALERT: case.shown, What.ALERT_LOG: (act("acknowledge", ANA, 15),)} | CARRIED_OUT
    run = Run(ask(alert=True), case.known, answers)
    assert (What.ALERT_LOG in run.whats) is case.needed
    assert len(run.seen.alert_acts) == case.needed


# -- JSM, where the alert does not say who acted --

ACKED_BY_NOBODY = alert(acknowledged=True, updated_at=at(15))
CLOSED_BY_NOBODY = alert(open=False, updated_at=at(15))


@pytest.mark.parametrize(
    ("shown", "known", "logs"),
    [
        pytest.param(ACKED_BY_NOBODY, observation(pair=pair()), 1, id="acknowledged"),
        pytest.param(CLOSED_BY_NOBODY, observation(pair=pair()), 1, id="closed"),
        pytest.param(alert(updated_at=at(15)), observation(pair=pair()), 0, id="as it was"),
        pytest.param(ACKED_BY_NOBODY, observation(pair=pair(acknowledged=True)), 0, id="acknowledged as before"),
        pytest.param(CLOSED_BY_NOBODY, observation(pair=pair(is_open=False)), 0, id="closed as before"),
        pytest.param(ACKED_BY_NOBODY, observation(), 1, id="new and acknowledged already"),
        pytest.param(alert(), observation(), 0, id="new"),
        pytest.param(ACKED_BY_NOBODY, observation(tracked=False), 0, id="a baseline"),
        pytest.param(ACKED_BY_NOBODY, observation(pair=pair(None, tracked=False)), 0, id="of a known baseline"),
        pytest.param(
            ACKED_BY_NOBODY, observation(pair=pair(tracked=False)), 1, id="of a baseline with an incident"
        ),
        pytest.param(replace(ACKED_BY_NOBODY, acknowledged=None), observation(pair=pair()), 0, id="unreadable"),
    ],
)
def test_in_jsm_the_log_is_read_once_for_who_acknowledged_or_closed(
    shown: Alert, known: Observation, logs: int
) -> None:
    answers = {What.ALERT: shown, What.ALERT_LOG: (act("acknowledge", ANA, 15),)}
    run = Run(ask(alert=True), known, answers, policy=account())
    assert run.whats.count(What.ALERT_LOG) == logs
    assert What.ALERT_LOG not in Run(ask(alert=True), known, answers).whats


def test_in_jsm_an_incident_that_is_adopted_with_a_new_alert_needs_no_name() -> None:
    """Its past is not mirrored."""
    run = Run(
        ask(alert=True, by_key=True),
        observation(),
        {What.ALERT: ACKED_BY_NOBODY, What.INCIDENTS_BY_KEY: (incident(),)},
        policy=account(),
    )
    assert What.ALERT_LOG not in run.whats


@pytest.mark.parametrize(("owner", "asked"), [(ROBOT.name, False), ("Bob Ray", True), ("Ana Ruiz", True)])
def test_in_account_mode_our_acknowledgement_bears_the_name_of_our_account(owner: str, asked: bool) -> None:
    answers = {
        What.ALERT: replace(ACKED_BY_NOBODY, acknowledged_by=owner),
        What.REQUEST: Receipt(7, carried_out=True, at=at(5)),
        What.ALERT_LOG: (act("acknowledge", ROBOT, 14),),
    }
    run = Run(ask(alert=True), observation(pair=pair(), mine=(ACCEPTED,)), answers, policy=account())
    assert (What.REQUEST in run.whats) is asked
    assert run.whats.count(What.ALERT_LOG) == 1


@pytest.mark.parametrize(("first", "asked"), [(ROBOT, False), (ANA, True)])
def test_in_account_mode_our_unacknowledgement_is_that_of_our_account(first: Person, asked: bool) -> None:
    answers = {
        What.ALERT: alert(updated_at=at(20)),
        What.ALERT_LOG: (act("unacknowledge", first, 15),),
        What.REQUEST: Receipt(7, carried_out=True, at=at(16)),
    }
    known = observation(pair=pair(acknowledged=True), mine=(UNACKED,))
    run = Run(ask(alert=True), known, answers, policy=account())
    assert (What.REQUEST in run.whats) is asked


def test_in_jsm_a_note_of_our_account_needs_no_source() -> None:
    answers = {What.ALERT_NOTES: (replace(FROM_PD, author=ROBOT),), What.INCIDENT_NOTES: ()}
    for guards, is_read in ((frozenset({"author"}), False), (frozenset({"outbox", "mark"}), True)):
        run = Run(OF_ALERT, answers=answers, policy=account(guards=guards))
        assert (What.INCIDENT_NOTES in run.whats) is is_read
