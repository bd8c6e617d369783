"""Which records are read of a pair: no more than needed, and a failed read does not affect the others."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core import reads, text
from reconciler.core.model import Act, Actor, Kind, Observation, Policy, Receipt, Side, Status
from reconciler.core.read_answers import answered
from reconciler.core.read_progress import ALERT_STATES, INCIDENT_STATES, Failure, Progress, Read, What
from reconciler.core.reads import Finished
from reconciler.core.work import ReadRequest, everything
from tests.support.builders import (
    ALERT_ID,
    ANA,
    BOB,
    BOT,
    INCIDENT_ID,
    JANE,
    OG,
    PD,
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

MISSING, FORBIDDEN, UNREAD = Failure.MISSING, Failure.FORBIDDEN, Failure.UNREAD
NONE: frozenset[Side] = frozenset()
BOTH, ONLY_OG, ONLY_PD = frozenset(Side), frozenset({OG}), frozenset({PD})
Key = What | tuple[What, str]


@dataclass
class Run:
    """All reads of one pair, answered by kind, or by kind and id; without an answer a read is UNREAD."""

    request: ReadRequest
    known: Observation = field(default_factory=lambda: observation(pair=pair()))
    answers: dict[Any, Any] = field(default_factory=dict)
    now: float = 60
    policy: Policy = field(default_factory=rules)
    made: list[Read] = field(default_factory=list)

    def __post_init__(self) -> None:
        progress = self.begun
        while (read := reads.next_read(progress)) is not None:
            assert read not in self.made
            self.made.append(read)
            answer = self.answers.get(read.key, self.answers.get(read.what, UNREAD))
            progress = answered(progress, read, answer)
        self.finished: Finished = reads.finished(progress)

    @property
    def begun(self) -> Progress:
        return reads.begin(self.request, self.known, self.policy, at(self.now))

    @property
    def whats(self) -> list[What]:
        return [read.what for read in self.made]

    @property
    def seen(self) -> Observation:
        return self.finished.observation

    @property
    def unread(self) -> frozenset[Side]:
        return self.finished.unread


def ask(**more: Any) -> ReadRequest:
    return ReadRequest(**more)


# -- the alert and its row --

SENT_ACK = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT, person="Bob Ray")
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
        known=observation(pair=pair(opsgenie=replace(pair().opsgenie, missing_since=at(1)))),
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
    ("request_", "known", "failure", "missing", "unread"),
    [
        (
            ask(alert=True),
            observation(pair=pair()),
            MISSING,
            True,
            ONLY_OG,
        ),  # the list shows no other alert either
        (ask(alert=True), observation(), MISSING, True, NONE),
        (ask(alert=True, is_new=True), observation(), MISSING, True, NONE),
        (ask(alert=True, is_new=True, row=alert()), observation(), MISSING, False, ONLY_OG),
        (ask(alert=True), observation(pair=pair()), FORBIDDEN, False, ONLY_OG),
        (ask(alert=True, is_new=True, row=alert()), observation(), UNREAD, False, ONLY_OG),
    ],
)
def test_only_a_404_of_an_alert_that_no_list_shows_as_new_makes_it_missing(
    request_: ReadRequest, known: Observation, failure: Failure, missing: bool, unread: frozenset[Side]
) -> None:
    run = Run(request_, known, {What.ALERT: failure})
    assert (run.seen.missing, run.unread) == (missing, unread)
    assert run.seen.alert == request_.row
    assert not run.seen.looked & ALERT_STATES


def test_a_404_of_the_notes_alone_does_not_make_the_alert_missing() -> None:
    run = Run(ask(alert_notes=True), answers={What.ALERT_NOTES: MISSING})
    assert (run.seen.missing, run.seen.alert_notes, run.unread) == (False, None, ONLY_OG)


def test_the_notes_of_a_missing_alert_are_not_read() -> None:
    run = Run(everything([OG]), answers={What.ALERT: MISSING, What.RECENT_ALERTS: True})
    assert run.whats == [What.ALERT, What.RECENT_ALERTS]
    assert (run.seen.missing, run.seen.sees_others, run.unread) == (True, True, NONE)


@pytest.mark.parametrize(
    ("changes", "asked"), [({}, True), ({"open": False}, False), ({"deleted": True}, False)], ids=str
)
def test_other_alerts_are_listed_only_where_an_open_one_is_missing(changes: dict[str, Any], asked: bool) -> None:
    base = replace(pair().opsgenie, **changes)
    run = Run(ask(alert=True), observation(pair=pair(opsgenie=base)), {What.ALERT: MISSING})
    assert (What.RECENT_ALERTS in run.whats) is asked
    assert run.unread == ({OG} if asked else NONE)


# -- how far back the alert's notes are read --

KNOWN_NOTE = frozenset({(OG, "N1")})
BACK_TO = at(0) - timedelta(seconds=180)


@pytest.mark.parametrize(
    ("request_", "more", "until"),
    [
        (ask(alert_notes=True), {}, BACK_TO),
        (ask(alert_notes=True, all_notes=True), {}, None),
        (ask(alert_notes=True, swept=True), {}, None),
        (ask(alert_notes=True), {"known_notes": frozenset()}, None),
        (ask(alert_notes=True), {"pair": None}, None),
        (ask(alert_notes=True), {"mine": (action(Kind.OPSGENIE_NOTE, Status.SENT),)}, None),
        (ask(alert_notes=True), {"mine": (action(Kind.OPSGENIE_NOTE, Status.DONE),)}, BACK_TO),
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
    assert Kind.OPSGENIE_NOTE in run.seen.looked


def test_an_impossible_stored_time_does_not_stop_the_reading_of_notes() -> None:
    late = pair(updated_at=datetime.max.replace(tzinfo=UTC))
    run = Run(ask(alert_notes=True), observation(pair=late, known_notes=KNOWN_NOTE), {What.ALERT_NOTES: ()})
    assert run.seen.alert_notes == ()


# -- the incident --


def test_an_incident_is_read_with_its_notes() -> None:
    run = Run(everything([PD]), answers={What.INCIDENT: incident(), What.INCIDENT_NOTES: ()})
    assert run.made == [Read(What.INCIDENT, INCIDENT_ID), Read(What.INCIDENT_NOTES, INCIDENT_ID)]
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (incident(), (), NONE)
    assert run.seen.looked == INCIDENT_STATES | {Kind.PAGERDUTY_NOTE}


def test_nothing_is_read_of_an_incident_that_does_not_exist() -> None:
    run = Run(everything([PD]), observation(pair=pair(None)))
    assert (run.made, run.unread) == ([], NONE)


def test_after_a_404_of_the_incident_nothing_else_of_it_is_read() -> None:
    run = Run(everything([PD]), answers={What.INCIDENT: MISSING, What.INCIDENT_NOTES: ()})
    assert (run.whats, run.unread) == ([What.INCIDENT], ONLY_PD)


def test_an_incident_that_cannot_be_read_does_not_hide_its_notes() -> None:
    run = Run(everything([PD]), answers={What.INCIDENT: FORBIDDEN, What.INCIDENT_NOTES: ()})
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (None, (), ONLY_PD)


@pytest.mark.parametrize("failure", list(Failure))
def test_an_incident_is_read_although_its_notes_cannot_be(failure: Failure) -> None:
    run = Run(everything([PD]), answers={What.INCIDENT: incident(), What.INCIDENT_NOTES: failure})
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (incident(), None, ONLY_PD)


def test_an_incidents_notes_wait_for_the_alerts_notes_and_its_state_does_not() -> None:
    """The alert may have copies of the incident's notes already; an acknowledgement is mirrored all the same."""
    run = Run(everything(), answers={What.ALERT: alert(), What.INCIDENT: incident(), What.INCIDENT_NOTES: ()})
    assert What.INCIDENT_NOTES not in run.whats
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (incident(), None, BOTH)


def test_an_incidents_notes_do_not_wait_for_a_missing_alert() -> None:
    answers = {What.ALERT: MISSING, What.RECENT_ALERTS: True, What.INCIDENT: incident(), What.INCIDENT_NOTES: ()}
    run = Run(everything(), answers=answers)
    assert (run.seen.incident_notes, run.unread) == ((), NONE)


# -- an alert whose incident is unknown --

NEW = replace(everything(), by_key=True, is_new=True, row=alert())
READ = {What.ALERT: alert(description="all of it"), What.ALERT_NOTES: ()}


def test_an_existing_incident_is_adopted_with_its_notes() -> None:
    found = (incident("resolved", id="POLD"), incident())
    run = Run(NEW, observation(), READ | {What.INCIDENTS_BY_KEY: found, What.INCIDENT_NOTES: ()})
    assert run.whats == [What.ALERT, What.ALERT_NOTES, What.INCIDENTS_BY_KEY, What.INCIDENT_NOTES]
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (incident(), (), NONE)
    assert {Kind.CREATE_INCIDENT} | INCIDENT_STATES <= run.seen.looked


def test_an_alert_without_an_incident_is_new() -> None:
    run = Run(NEW, observation(), READ | {What.INCIDENTS_BY_KEY: ()})
    assert (run.seen.incident, run.seen.alert, run.unread) == (None, READ[What.ALERT], NONE)
    assert Kind.CREATE_INCIDENT in run.seen.looked


@pytest.mark.parametrize("failure", list(Failure))
def test_an_unknown_alert_is_not_new_until_its_lookup_by_key_succeeds(failure: Failure) -> None:
    run = Run(NEW, observation(), READ | {What.INCIDENTS_BY_KEY: failure})
    assert (run.seen.alert, run.seen.alert_notes, run.unread) == (None, None, ONLY_PD)


def test_a_failed_lookup_by_key_keeps_what_was_read_of_a_known_alert() -> None:
    run = Run(NEW, observation(pair=pair(None)), READ)
    assert (run.seen.alert, run.unread) == (READ[What.ALERT], ONLY_PD)


def test_an_incident_is_not_adopted_before_the_alerts_notes_are_read() -> None:
    run = Run(NEW, observation(), {What.ALERT: alert(), What.INCIDENTS_BY_KEY: (incident(),)})
    assert (run.seen.alert, run.seen.incident, run.unread) == (None, None, ONLY_OG)


def test_a_pair_with_an_incident_is_not_looked_up_by_key() -> None:
    assert What.INCIDENTS_BY_KEY not in Run(replace(NEW, alert=False, alert_notes=False)).whats


@pytest.mark.parametrize(
    ("known", "is_adopted"),
    [(observation(pair=pair(None)), True), (observation(), True), (observation(pair=pair()), False)],
)
def test_an_incident_from_a_list_is_adopted_as_it_is(known: Observation, is_adopted: bool) -> None:
    other = incident(id="PLISTED")
    run = Run(ask(adopt=other, incident=True), known, {What.INCIDENT_NOTES: (), What.INCIDENT: incident()})
    assert run.seen.incident == (other if is_adopted else incident())
    assert run.seen.incident_notes == ()
    assert (What.INCIDENT in run.whats) is not is_adopted


# -- who changed the incident's status --

HELD = observation(pair=pair("acknowledged", (BOB,)))
MACHINES = replace(act("unacknowledge", None), actor=Actor.MACHINE, agent="Auto-remediate")
BOBS = act("unacknowledge", BOB)


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


def test_an_empty_log_keeps_the_entries_of_the_feed() -> None:
    run = Run(ask(incident=True, acts=(MACHINES,)), HELD, {What.INCIDENT: incident(), What.INCIDENT_LOG: ()})
    assert run.seen.incident_acts == (MACHINES,)


@pytest.mark.parametrize("failure", list(Failure))
def test_without_the_incidents_own_log_only_a_persons_act_is_an_explanation(failure: Failure) -> None:
    """The incident is read all the same: a change unexplained for too long counts as a person's."""
    answers = {What.INCIDENT: incident(), What.INCIDENT_LOG: failure}
    run = Run(ask(incident=True, acts=(MACHINES,)), HELD, answers)
    assert (run.seen.incident, run.seen.incident_acts, run.unread) == (incident(), (), ONLY_PD)
    assert not run.seen.looked & INCIDENT_STATES


@pytest.mark.parametrize(("failure", "unread"), [(MISSING, ONLY_PD), (FORBIDDEN, NONE), (UNREAD, NONE)])
def test_an_unreadable_log_that_only_a_write_in_doubt_needs_leaves_nothing_unread(
    failure: Failure, unread: frozenset[Side]
) -> None:
    mine = action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.SENT)
    run = Run(
        ask(incident=True),
        observation(pair=pair(), mine=(mine,)),
        {What.INCIDENT: incident(), What.INCIDENT_LOG: failure},
    )
    assert What.INCIDENT_LOG in run.whats
    assert run.unread == unread


# -- marks and the notes that they refer to --

FROM_PD = note("N1", ANA, f"{text.note_mark(PD, note('PN1', JANE, 'x'))} x")
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
        known=observation(pair=pair(), mine=(action(Kind.OPSGENIE_NOTE, Status.DONE, text=FROM_PD.text),)),
    ),
    MarkCase(
        "not where it has our signature in Opsgenie",
        OF_ALERT,
        needed=False,
        alert_note=replace(FROM_PD, author=replace(ANA, name=text.signature("Jane Doe"))),
    ),
    MarkCase(
        "unless that guard is off",
        OF_ALERT,
        needed=True,
        alert_note=replace(FROM_PD, author=replace(ANA, name=text.signature("Jane Doe"))),
        policy=rules(guards=frozenset({"mark"})),
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


# -- requests that Opsgenie accepted --

ACCEPTED = action(Kind.OPSGENIE_ACKNOWLEDGE, Status.SENT, request_id="r-1", person="Bob Ray", sent_at=at(1))
UNACKED = replace(ACCEPTED, kind=Kind.OPSGENIE_UNACKNOWLEDGE)
PENDING = Receipt(7, None)


def test_an_accepted_request_without_a_visible_effect_is_checked_once() -> None:
    known = observation(pair=pair(), mine=(ACCEPTED,))
    run = Run(ask(alert=True), known, {What.ALERT: alert(), What.REQUEST: PENDING})
    assert run.made == [Read(What.ALERT, ALERT_ID), Read(What.REQUEST, "r-1", action_id=7)]
    assert run.seen.receipts == (PENDING,)


def test_a_request_unknown_to_opsgenie_leaves_no_receipt() -> None:
    known = observation(pair=pair(), mine=(ACCEPTED,))
    assert Run(ask(alert=True), known, {What.ALERT: alert(), What.REQUEST: None}).seen.receipts == ()


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


# -- the alert's log --


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


@pytest.mark.parametrize("case", LOGS, ids=lambda case: case.name)
def test_the_alerts_log_is_read_only_where_it_must_name_a_person(case: LogCase) -> None:
    answers = {What.ALERT: case.shown, What.ALERT_LOG: (act("acknowledge", ANA, 15),)} | CARRIED_OUT
    run = Run(ask(alert=True), case.known, answers)
    assert (What.ALERT_LOG in run.whats) is case.needed
    assert len(run.seen.alert_acts) == case.needed


@pytest.mark.parametrize("failure", list(Failure))
def test_an_alert_whose_log_cannot_be_read_counts_as_unread(failure: Failure) -> None:
    """Otherwise its change would be mirrored without a name."""
    answers = {What.ALERT: alert(), What.ALERT_LOG: failure}
    run = Run(ask(alert=True), observation(pair=pair(acknowledged=True)), answers)
    assert (run.seen.alert, run.seen.missing, run.unread) == (None, False, ONLY_OG)
    assert not run.seen.looked & ALERT_STATES


# -- which incident to follow --

OURS = incident("resolved", merged_into="PINC2")
TARGET = incident("triggered", id="PINC2", number=4712, key="another")
TWIN = incident(id="PINC2", number=4712)
OURS_READ = {(What.INCIDENT, INCIDENT_ID): OURS, (What.INCIDENT_NOTES, INCIDENT_ID): ()}
TARGET_READ = OURS_READ | {(What.INCIDENT, "PINC2"): TARGET, (What.INCIDENT_NOTES, "PINC2"): ()}


def test_the_last_target_of_a_chain_of_merges_is_read_with_its_notes() -> None:
    between, last = replace(TARGET, status="resolved", merged_into="PINC3"), replace(TARGET, id="PINC3")
    notes = (note("PN1", JANE, "x"),)
    answers = OURS_READ | {
        (What.INCIDENT, "PINC2"): between,
        (What.INCIDENT, "PINC3"): last,
        (What.INCIDENT_NOTES, "PINC3"): notes,
    }
    run = Run(ask(incident=True), answers=answers)
    assert (run.seen.incident, run.seen.successor, run.seen.successor_notes) == (OURS, last, notes)
    assert run.seen.incident_notes == ()  # a last read, which found none
    assert run.unread == {PD}  # the acts on the other incident are read next


@pytest.mark.parametrize("unanswered", [(What.INCIDENT, "PINC2"), (What.INCIDENT_NOTES, "PINC2"), None])
def test_our_incident_is_not_over_while_its_merge_target_cannot_be_read(
    unanswered: tuple[What, str] | None,
) -> None:
    left_out = unanswered or (What.INCIDENT_NOTES, INCIDENT_ID)
    run = Run(ask(incident=True), answers={key: a for key, a in TARGET_READ.items() if key != left_out})
    assert (run.seen.incident, run.seen.successor, run.unread) == (None, None, ONLY_PD)
    assert not run.seen.looked & INCIDENT_STATES


def test_our_incident_stays_followed_where_the_targets_notes_are_forbidden() -> None:
    run = Run(ask(incident=True), answers=TARGET_READ | {(What.INCIDENT_NOTES, "PINC2"): FORBIDDEN})
    assert (run.seen.successor, run.unread) == (None, ONLY_PD)


@pytest.mark.parametrize("failure", [MISSING, FORBIDDEN])
def test_our_incident_is_left_without_its_last_notes_where_these_are_forbidden(failure: Failure) -> None:
    run = Run(ask(incident=True), answers=TARGET_READ | {(What.INCIDENT_NOTES, INCIDENT_ID): failure})
    assert (run.seen.successor, run.seen.incident_notes) == (TARGET, None)


@pytest.mark.parametrize("failure", [MISSING, FORBIDDEN])
def test_a_forbidden_merge_target_leaves_ours_resolved_and_is_reported_as_such(
    failure: Failure,
) -> None:
    run = Run(ask(incident=True), answers=OURS_READ | {(What.INCIDENT, "PINC2"): failure})
    assert (run.seen.incident, run.seen.successor, run.unread) == (OURS, None, NONE)
    assert run.made[-1].about == "; this is the incident PINC2 that the alert's was merged into"


def test_a_chain_of_merges_ends_at_a_forbidden_incident() -> None:
    between = replace(TARGET, status="resolved", merged_into="PINC3")
    answers = TARGET_READ | {(What.INCIDENT, "PINC2"): between, (What.INCIDENT, "PINC3"): FORBIDDEN}
    assert Run(ask(incident=True), answers=answers).seen.successor == between


def test_circular_and_endless_merges_are_followed_a_few_steps_only() -> None:
    circle = replace(OURS, id="PINC2", merged_into=INCIDENT_ID)
    run = Run(ask(incident=True), answers=TARGET_READ | {(What.INCIDENT, "PINC2"): circle})
    assert run.seen.successor == circle

    class Endless(dict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            if isinstance(key, tuple) and key[0] is What.INCIDENT and key[1] != INCIDENT_ID:
                return replace(OURS, id=key[1], merged_into=f"{key[1]}x")
            return super().get(key, default)

    endless = Run(ask(incident=True), answers=Endless(OURS_READ))
    assert endless.whats.count(What.INCIDENT) == 1 + 5


LATE = action(
    Kind.PAGERDUTY_NOTE, Status.SENT, mark="[Opsgenie · Ana Ruiz · x]", text="[Opsgenie · Ana Ruiz · x] y"
)


@pytest.mark.parametrize(("landed", "seconds"), [(True, 60), (False, 60), (False, 600)])
def test_the_merge_target_is_not_followed_while_a_note_to_ours_is_in_doubt(landed: bool, seconds: float) -> None:
    """The note would not be found on the target and would be written a second time."""
    known = observation(pair=pair(), mine=(replace(LATE, sent_at=at(50)),))
    notes = (note("PN1", BOT, LATE.text),) if landed else ()
    run = Run(ask(incident=True), known, TARGET_READ | {(What.INCIDENT_NOTES, INCIDENT_ID): notes}, now=seconds)
    waits = not landed and seconds < rules().staleness.total_seconds()
    assert (run.seen.successor is None, run.seen.incident is None) == (waits, waits)
    assert Kind.PAGERDUTY_NOTE in run.seen.looked
    assert run.unread == {PD}


def test_an_open_twin_is_named_while_ours_is_open_and_followed_once_ours_is_resolved() -> None:
    answers = {
        (What.INCIDENT, "PINC2"): TWIN,
        (What.INCIDENT_NOTES, INCIDENT_ID): (),
        (What.INCIDENT_NOTES, "PINC2"): (),
    }
    named = Run(ask(twins=(TWIN, incident())), answers=answers)
    assert (named.seen.twins, named.seen.successor, named.made) == ((TWIN,), None, [])
    followed = Run(ask(twins=(TWIN,)), observation(pair=pair("resolved")), answers)
    assert (followed.seen.twins, followed.seen.successor) == ((), TWIN)


def test_the_oldest_open_twin_is_followed() -> None:
    old, gone = incident(id="P0", created_at=at(-9)), incident(id="P1", created_at=at(-8))
    answers = {
        (What.INCIDENT, "P0"): replace(old, status="resolved"),
        (What.INCIDENT, "P1"): MISSING,
        (What.INCIDENT, "PINC2"): TWIN,
        What.INCIDENT_NOTES: (),
    }
    run = Run(ask(twins=(TWIN, gone, old)), observation(pair=pair("resolved")), answers)
    assert run.seen.successor == TWIN
    assert [twin.id for twin in run.seen.twins] == ["P1", "P0"]


def test_a_resolved_incident_without_a_successor_is_over() -> None:
    run = Run(ask(incident=True), answers={What.INCIDENT: incident("resolved")})
    assert (run.seen.incident, run.unread) == (incident("resolved"), NONE)
    unknown = Run(ask(incident=True), observation(pair=replace(pair(), pagerduty=None)))
    assert (unknown.whats, unknown.unread) == ([What.INCIDENT], ONLY_PD)


# -- the vendors that a pair needs, and the probe of a vendor --

ROW = alert(updated_at=at(20))


@pytest.mark.parametrize(
    ("request_", "known", "needed"),
    [
        (everything(), observation(pair=pair()), BOTH),
        (everything(), observation(pair=pair(None)), ONLY_OG),
        (everything([PD]), observation(pair=pair()), ONLY_PD),
        (ask(incident_notes=True), observation(pair=pair()), ONLY_PD),
        (ask(alert=True, row=ROW), observation(pair=pair()), NONE),
        (ask(alert=True, alert_notes=True, row=ROW), observation(pair=pair()), ONLY_OG),
        (ask(by_key=True), observation(pair=pair(None)), ONLY_PD),
        (ask(), observation(pair=pair()), NONE),
        (replace(everything(), is_new=True, row=ROW), observation(), NONE),
        (replace(everything(), is_new=True), observation(), ONLY_OG),
        (NEW, observation(), ONLY_PD),
        (NEW, observation(pair=pair(None)), NONE),
    ],
)
def test_a_request_needs_the_sides_without_which_nothing_can_be_decided(
    request_: ReadRequest, known: Observation, needed: set[Side]
) -> None:
    assert reads.sides_needed(reads.begin(request_, known, rules(), at(60))) == needed


@pytest.mark.parametrize(
    ("side", "known", "read"),
    [
        (OG, observation(), Read(What.ALERT, ALERT_ID)),
        (PD, observation(pair=pair()), Read(What.INCIDENT, INCIDENT_ID)),
        (PD, observation(), Read(What.INCIDENTS_BY_KEY, ALERT_ID)),
    ],
)
def test_a_half_open_breaker_is_probed_by_a_read_of_the_pairs_own_record(
    side: Side, known: Observation, read: Read
) -> None:
    assert reads.own_object(side, reads.begin(ask(), known, rules(), at(60))) == read
    assert read.what.side is side


def test_an_alert_paged_since_it_was_listed_as_new_is_read_like_any_other() -> None:
    request = replace(everything(), is_new=True, row=alert())
    run = Run(request, answers={What.INCIDENT: incident()})
    assert run.finished.unread == {OG, PD}  # the incident's notes wait for the alert's
