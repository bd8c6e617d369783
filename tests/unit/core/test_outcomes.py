"""The outcome of a write in doubt is decided by what an observation shows, and never guessed."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.model import (
    Act,
    Action,
    Actor,
    Alert,
    Incident,
    Kind,
    Observation,
    Person,
    Receipt,
    Settlement,
    Status,
)
from reconciler.core.outcomes import UNKNOWN_GIVE_UP, backoff, settle
from reconciler.core.product import JSM, OPSGENIE, Product
from tests.support.builders import (
    ANA,
    BOT,
    INCIDENT_ID,
    JANE,
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
    policy,
)

MARK = "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z]"
SENT_AT, BOUND = at(11), timedelta(seconds=120)
INSIDE, OUTSIDE = SENT_AT + BOUND, SENT_AT + BOUND + timedelta(microseconds=1)

UNSEEN = "not seen on its target for longer than STALENESS_SECONDS"
UNDONE = "Opsgenie accepted it and did not carry it out"
OVERTAKEN = "carried out; somebody has chosen otherwise since"
NOT_YET = "carried out; its effect does not show yet"
NO_SUCH_KEY = "PagerDuty has no incident with this key"


def sent(kind: Kind, attempts: int = 0, **changed: object) -> Action:
    return action(kind, Status.SENT, attempts=attempts, **({"mark": MARK if kind.is_note else ""} | changed))


def observed(kind: Kind, **changed: object) -> Observation:
    return observation(pair=pair(), looked=frozenset({kind}), **changed)


def done(result_id: str = "", why: str = "") -> Settlement:
    return Settlement(7, Status.DONE, why, result_id)


def retried(why: str, attempts: int, not_before: datetime, failing_since: datetime = SENT_AT) -> Settlement:
    return Settlement(
        7, Status.PLANNED, why, not_before=not_before, attempts=attempts, failing_since=failing_since
    )


def dead(why: str, attempts: int, failing_since: datetime = SENT_AT) -> Settlement:
    return Settlement(7, Status.DEAD, why, attempts=attempts, failing_since=failing_since)


@dataclass(frozen=True)
class Case:
    name: str
    action: Action
    seen: Observation
    expected: Settlement | None
    now: datetime = field(default=INSIDE)


EARLIER = at(-100)
SIX_HOURS = EARLIER + UNKNOWN_GIVE_UP
ALMOST = SIX_HOURS - timedelta(microseconds=1)
DUPLICATE = "PagerDuty: POST /incidents: 400: Open incident with matching dedup key already exists on this service"
PD_NOTE, OG_NOTE, CREATE = Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE, Kind.CREATE_INCIDENT
HELD = incident("acknowledged", acknowledgers=(BOT,))
TAKEN, FREE = alert(acknowledged=True), alert()
COPY = note("PN1", BOT, f"{MARK} any news?")
OTHER = note("PN2", JANE, "on it")
ACKNOWLEDGED = note("PN3", BOT, f"{MARK} acknowledged the alert")

BEN = Person("", "Ben Okafor")
TOLD_BEN = Settlement(7, Status.DROPPED, "not needed: Ben Okafor has done it before us")

WAYS = (
    (Kind.PAGERDUTY_ACKNOWLEDGE, "acknowledge", incident()),
    (Kind.PAGERDUTY_UNACKNOWLEDGE, "unacknowledge", HELD),
    (Kind.PAGERDUTY_UNACKNOWLEDGE, "escalate", HELD),
    (Kind.PAGERDUTY_UNACKNOWLEDGE, "assign", HELD),
    (Kind.PAGERDUTY_UNACKNOWLEDGE, "reassign", HELD),
    (Kind.PAGERDUTY_RESOLVE, "resolve", incident()),
    (Kind.PAGERDUTY_SET_URGENCY, "urgency_change", incident(urgency="low")),
)


OG_ACK, OG_UNACK = Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE


def observed_with_log(kind: Kind, shown: Alert, *acts: Act, **changed: object) -> Observation:
    """An alert in the state that our write in doubt should have caused, and its log, newest first."""
    return observed(kind, alert=shown, alert_acts=acts, **changed)


REVERSED = (
    (OG_ACK, "acknowledge", "unacknowledge", alert(updated_at=at(13))),
    (OG_UNACK, "unacknowledge", "acknowledge", alert(acknowledged=True, updated_at=at(13))),
)


def logged(kind: Kind, shown: Incident, *acts: Act) -> Observation:
    """An incident last known to have changed at 09:00:10, and its log."""
    return replace(observed(kind, incident=shown), pair=pair(as_of=at(10)), incident_acts=acts)


CASES = (
    # -- a creation --
    Case(
        "a creation is done when its incident shows",
        sent(CREATE),
        observation(incident=incident()),
        done(INCIDENT_ID),
    ),
    Case(
        "a creation that was never sent is done when another incident has the key",
        action(CREATE),
        observation(incident=incident()),
        done(INCIDENT_ID),
    ),
    Case("a creation whose target was not read stays in doubt", sent(CREATE), observation(), None, OUTSIDE),
    Case("a waiting creation is not settled", action(CREATE), observed(CREATE), None, OUTSIDE),
    Case(
        "a creation without a visible incident is tried again at once",
        sent(CREATE),
        observed(CREATE),
        retried(NO_SUCH_KEY, 1, at(11)),
        at(11),
    ),
    Case(
        "a creation is never dead, however often it failed",
        sent(CREATE, 1_000),
        observed(CREATE),
        retried(NO_SUCH_KEY, 1_001, INSIDE + timedelta(minutes=5)),
    ),
    # -- notes --
    Case(
        "a note is done when the incident shows its mark",
        sent(PD_NOTE),
        observed(PD_NOTE, incident_notes=(OTHER, COPY)),
        done("PN1"),
    ),
    Case(
        "a note is done when the alert shows its mark",
        sent(OG_NOTE),
        observed(OG_NOTE, alert_notes=(note("o9", ANA, f"{MARK} on it"),)),
        done("o9"),
    ),
    Case(
        "a mark on the other side does not make a note done",
        sent(PD_NOTE),
        observed(PD_NOTE, alert_notes=(COPY,), incident_notes=()),
        None,
    ),
    Case(
        "an act of the same author and millisecond does not make a note done",
        sent(PD_NOTE, text=f"{MARK} any news?"),
        observed(PD_NOTE, incident_notes=(ACKNOWLEDGED,)),
        None,
    ),
    Case(
        "a note with the same mark and text as an act is done",
        sent(PD_NOTE, text=f"{MARK} acknowledged the alert"),
        observed(PD_NOTE, incident_notes=(ACKNOWLEDGED,)),
        done("PN3"),
    ),
    Case(
        "the note of another act in the same second does not make an act done",
        sent(OG_NOTE, text=f"{MARK} resolved the incident", mark=f"{MARK} resolved the incident"),
        observed(OG_NOTE, alert_notes=(note("n-3", BOT, f"{MARK} resolved the incident (merged into #9)"),)),
        None,
    ),
    Case(
        "an act is done when the incident shows its mark and text",
        sent(PD_NOTE, text=f"{MARK} acknowledged the alert", mark=f"{MARK} acknowledged the alert"),
        observed(PD_NOTE, incident_notes=(COPY, ACKNOWLEDGED)),
        done("PN3"),
    ),
    Case("a note whose target was not read stays in doubt", sent(PD_NOTE), observed(OG_NOTE), None, OUTSIDE),
    Case("a waiting note is not settled", action(PD_NOTE), observed(PD_NOTE), None, OUTSIDE),
    Case(
        "a waiting note is done when the incident shows its mark from before a database loss",
        action(PD_NOTE, mark=MARK),
        observed(PD_NOTE, incident_notes=(OTHER, COPY)),
        done("PN1"),
    ),
    Case(
        "a waiting note is done when the alert shows its mark",
        action(OG_NOTE, mark=MARK),
        observed(OG_NOTE, alert_notes=(note("o9", ANA, f"{MARK} on it"),)),
        done("o9"),
    ),
    Case(
        "a waiting state is not settled by an observation but by its precondition",
        action(Kind.PAGERDUTY_ACKNOWLEDGE),
        observed(Kind.PAGERDUTY_ACKNOWLEDGE, incident=HELD),
        None,
        OUTSIDE,
    ),
    Case(
        "a note that is not visible stays in doubt up to the bound",
        sent(PD_NOTE),
        observed(PD_NOTE, incident_notes=(OTHER,)),
        None,
        INSIDE,
    ),
    Case(
        "a note that is not visible past the bound is sent again",
        sent(PD_NOTE),
        observed(PD_NOTE, incident_notes=(OTHER,)),
        retried(UNSEEN, 1, OUTSIDE),
        OUTSIDE,
    ),
    Case(
        "a note without a time of sending is sent again at once",
        sent(PD_NOTE, sent_at=None),
        observed(PD_NOTE),
        retried(UNSEEN, 1, at(11), at(11)),
        at(11),
    ),
    Case(
        "the back-off after three failures is four seconds",
        sent(PD_NOTE, 3),
        observed(PD_NOTE),
        retried(UNSEEN, 4, OUTSIDE + timedelta(seconds=4)),
        OUTSIDE,
    ),
    Case(
        "an action failing for nearly six hours is tried again, however often it failed",
        sent(PD_NOTE, 500, failing_since=EARLIER),
        observed(PD_NOTE),
        retried(UNSEEN, 501, ALMOST + timedelta(minutes=5), EARLIER),
        ALMOST,
    ),
    Case(
        "an action failing for six hours is dead",
        sent(PD_NOTE, 2, failing_since=EARLIER),
        observed(PD_NOTE),
        dead(UNSEEN, 3, EARLIER),
        SIX_HOURS,
    ),
    Case(
        "a creation is not dead after six hours",
        sent(CREATE, 2, failing_since=EARLIER),
        observed(CREATE),
        retried(NO_SUCH_KEY, 3, SIX_HOURS + timedelta(seconds=2), EARLIER),
        SIX_HOURS,
    ),
    Case(
        "a creation refused as a duplicate that cannot be found backs off with that reason",
        sent(CREATE, error=DUPLICATE),
        observed(CREATE),
        retried(DUPLICATE, 1, at(12)),
        at(11),
    ),
    Case(
        "its back-off grows",
        sent(CREATE, 3, error=DUPLICATE),
        observed(CREATE),
        retried(DUPLICATE, 4, at(11) + timedelta(seconds=8)),
        at(11),
    ),
    # -- the request status of a write that Opsgenie accepted --
    Case(
        "accepted and not carried out: sent again without waiting for the bound",
        sent(OG_NOTE),
        observed(OG_NOTE, receipts=(Receipt(7, False),)),
        retried(UNDONE, 1, at(12)),
        at(12),
    ),
    Case(
        "accepted and not carried out: the reason is kept",
        sent(OG_NOTE, 3),
        observed(OG_NOTE, receipts=(Receipt(7, False, detail="Alert does not exist"),)),
        retried(f"{UNDONE}: Alert does not exist", 4, at(16)),
        at(12),
    ),
    Case(
        "accepted and not carried out for six hours: dead",
        sent(OG_NOTE, 40, failing_since=EARLIER),
        observed(OG_NOTE, receipts=(Receipt(7, False),)),
        dead(UNDONE, 41, EARLIER),
        SIX_HOURS,
    ),
    *(
        Case(
            f"{kind.value} that waits in Opsgenie's queue is waited for, however long, and never sent again",
            sent(kind, failing_since=EARLIER),
            replace(observed(kind, alert=shown, alert_notes=()), receipts=(Receipt(7, None),)),
            None,
            SIX_HOURS + timedelta(days=1),
        )
        for kind, shown in ((OG_NOTE, FREE), (OG_ACK, FREE), (OG_ACK, TAKEN), (OG_UNACK, TAKEN))
    ),
    Case(
        "a visible note is done although its request is pending",
        sent(OG_NOTE),
        observed(OG_NOTE, alert_notes=(note("o9", ANA, f"{MARK} on it"),), receipts=(Receipt(7, None),)),
        done("o9"),
    ),
    Case(
        "a note that was carried out is done although it is not visible yet",
        sent(OG_NOTE),
        observed(OG_NOTE, receipts=(Receipt(7, True),)),
        done(why=NOT_YET),
        INSIDE,
    ),
    Case(
        "the request status counts although the alert was not read",
        sent(OG_ACK),
        observation(pair=pair(), receipts=(Receipt(7, True, at(12)),)),
        done(why=NOT_YET),
        at(14),
    ),
    Case(
        "the request status of a write that is to be sent again does not count",
        action(OG_ACK),
        observed(OG_ACK, alert=FREE, receipts=(Receipt(7, True, at(12)),)),
        None,
        at(14),
    ),
    Case(
        "a state carried out at an unknown time and not visible past the bound: done, not sent again",
        sent(OG_ACK, 30),
        observed(OG_ACK, alert=FREE, receipts=(Receipt(7, True),)),
        done("", "carried out, though its effect was not seen"),
        OUTSIDE,
    ),
    *(
        Case(
            f"carried out and the alert bears {shown.acknowledged_by}: ours, whatever form the name has",
            sent(OG_ACK, person="Jane Doe"),
            observed(OG_ACK, alert=shown, alert_acts=acts, receipts=(Receipt(7, True, at(12)),)),
            done(),
        )
        for shown, acts in (
            (
                replace(TAKEN, acknowledged_by="Reconciler API"),
                (act("acknowledge", Person("", "Reconciler API"), 12),),
            ),
            (replace(TAKEN, acknowledged_by="Alert API"), ()),
        )
    ),
    Case(
        "carried out more than two seconds after another person did the same: that person did it",
        sent(OG_ACK, person="Jane Doe"),
        observed(
            OG_ACK, alert=TAKEN, alert_acts=(act("acknowledge", BEN, 9.9),), receipts=(Receipt(7, True, at(12)),)
        ),
        TOLD_BEN,
    ),
    Case(
        "carried out, with another name in the log two seconds before: it may be ours",
        sent(OG_ACK, person="Jane Doe"),
        observed(
            OG_ACK, alert=TAKEN, alert_acts=(act("acknowledge", BEN, 10),), receipts=(Receipt(7, True, at(12)),)
        ),
        done(),
    ),
    Case(
        "carried out at an unknown time, and the alert shows the state: ours",
        sent(OG_ACK, person="Jane Doe"),
        observed(OG_ACK, alert=TAKEN, alert_acts=(act("acknowledge", BEN, 2),), receipts=(Receipt(7, True),)),
        done(),
    ),
    Case(
        "carried out, and the alert changed later: done, since a person reversed it",
        sent(Kind.ALERT_ACKNOWLEDGE),
        observed(Kind.ALERT_ACKNOWLEDGE, alert=alert(updated_at=at(13)), receipts=(Receipt(7, True, at(12)),)),
        done("", OVERTAKEN),
        at(14),
    ),
    Case(
        "carried out, and the alert last changed before it: done, since the read is outdated",
        sent(Kind.ALERT_ACKNOWLEDGE),
        observed(Kind.ALERT_ACKNOWLEDGE, alert=alert(updated_at=at(12)), receipts=(Receipt(7, True, at(12)),)),
        done(why=NOT_YET),
        at(14),
    ),
    Case(
        "carried out at an unknown time: its effect may still appear",
        sent(Kind.ALERT_ACKNOWLEDGE),
        observed(Kind.ALERT_ACKNOWLEDGE, alert=alert(updated_at=at(13)), receipts=(Receipt(7, True),)),
        None,
        at(14),
    ),
    Case(
        "not carried out is sent again although the alert changed later",
        sent(Kind.ALERT_ACKNOWLEDGE),
        observed(Kind.ALERT_ACKNOWLEDGE, alert=alert(updated_at=at(13)), receipts=(Receipt(7, False, at(12)),)),
        retried(UNDONE, 1, at(14)),
        at(14),
    ),
    Case(
        "the request status of another write does not count",
        sent(OG_NOTE),
        observed(OG_NOTE, receipts=(Receipt(8, True), Receipt(9, False))),
        retried(UNSEEN, 1, OUTSIDE),
        OUTSIDE,
    ),
    # -- PagerDuty's log shows a state that a person has since reversed --
    *(
        Case(
            f"{kind.value} of ours is done when the log has it as {verb} since the state it was planned for",
            sent(kind),
            logged(kind, shown, act(verb, BOT, 10)),
            done(why=OVERTAKEN),
        )
        for kind, verb, shown in WAYS
    ),
    *(
        Case(
            f"{kind.value} of ours does not show, and the log {why}", sent(kind), logged(kind, shown, *acts), None
        )
        for kind, verb, shown in WAYS
        for why, acts in (
            ("has nothing", ()),
            ("has it from before", (act(verb, BOT, 9),)),
            ("has it as an engineer's", (act(verb, JANE),)),
            ("has it as a machine's", (act(verb, None, actor=Actor.MACHINE),)),
            ("has something else of ours", (act("snooze", BOT), act("annotate", BOT))),
        )
    ),
    Case(
        "without a time of PagerDuty's, its log proves nothing about our write",
        sent(Kind.PAGERDUTY_ACKNOWLEDGE),
        replace(logged(Kind.PAGERDUTY_ACKNOWLEDGE, incident(), act("acknowledge", BOT)), pair=pair()),
        None,
    ),
    # -- Opsgenie's log alone shows a state that a person has since reversed --
    *(
        Case(
            f"{kind.value} of ours, reversed since, is done when the alert's log has it since it was last seen",
            sent(kind, person="Jane Doe"),
            observed(kind, alert=shown, alert_acts=(act(then, ANA, 13), act(verb, JANE, 12))),
            done(why=OVERTAKEN),
        )
        for kind, verb, then, shown in REVERSED
    ),
    *(
        Case(
            f"{kind.value} of ours does not show, and the alert's log {why}",
            sent(kind, person="Jane Doe"),
            observed(kind, alert=shown, alert_acts=acts),
            None,
        )
        for kind, verb, _, shown in REVERSED
        for why, acts in (
            ("has nothing", ()),
            ("has it from before", (act(verb, JANE, 0),)),
            ("is ahead of the alert", (act(verb, JANE, 13),)),
            ("has it as a machine's", (act(verb, None, 12, actor=Actor.MACHINE),)),
        )
    ),
    Case(
        "for an unknown alert, its log proves nothing about our write",
        sent(OG_UNACK, person="Jane Doe"),
        replace(observed(OG_UNACK, alert=TAKEN, alert_acts=(act("unacknowledge", JANE, 12),)), pair=None),
        None,
    ),
    Case(
        "the log counts past the bound as well: nothing is sent again",
        sent(Kind.PAGERDUTY_ACKNOWLEDGE),
        logged(Kind.PAGERDUTY_ACKNOWLEDGE, incident(), act("unacknowledge", JANE, 30), act("acknowledge", BOT)),
        done(why=OVERTAKEN),
        OUTSIDE,
    ),
    # -- Opsgenie's log shows that a person did the same while our write was in doubt --
    *(
        Case(
            f"{kind.value} shows, and the log {why}",
            sent(kind, person="Jane Doe"),
            observed_with_log(kind, shown, *acts),
            to,
        )
        for kind, verb, opposite, shown in (
            (OG_ACK, "acknowledge", "unacknowledge", TAKEN),
            (OG_UNACK, "unacknowledge", "acknowledge", FREE),
        )
        for why, to, acts in (
            ("is silent: ours", done(), ()),
            ("has something else: ours", done(), (act("annotate", BEN),)),
            ("has it in the name that we gave: ours", done(), (act(verb, Person("", "Jane  Doe ")),)),
            ("has it as a machine's: ours", done(), (act(verb, None, actor=Actor.MACHINE),)),
            ("has it from before the opposite: ours", done(), (act(opposite, ANA, 9), act(verb, BEN, 8))),
            ("has it as another person's: not ours", TOLD_BEN, (act(verb, BEN, 9), act(opposite, ANA, 8))),
            ("has ours first: ours", done(), (act(verb, BEN, 9), act(verb, JANE, 8))),
            ("has another's first: not ours", TOLD_BEN, (act(verb, JANE, 9), act(verb, BEN, 8))),
        )
    ),
    Case(
        "another person's acknowledgement of an alert closed since does not matter",
        sent(OG_ACK, person="Jane Doe"),
        observed_with_log(OG_ACK, replace(TAKEN, open=False), act("acknowledge", BEN)),
        done(),
    ),
    Case(
        "not carried out, and the alert shows the state: another person did it",
        sent(OG_ACK),
        observed(OG_ACK, alert=TAKEN, receipts=(Receipt(7, False),)),
        Settlement(7, Status.DROPPED, "not needed: somebody has done it meanwhile"),
    ),
    Case(
        "not carried out, and the alert shows the state: the person is named",
        sent(OG_UNACK, person="Jane Doe"),
        observed_with_log(OG_UNACK, FREE, act("unacknowledge", BEN), receipts=(Receipt(7, False),)),
        Settlement(7, Status.DROPPED, "not needed: Ben Okafor has done it meanwhile"),
    ),
)


@pytest.mark.parametrize(
    ("notes", "ours"),
    [
        ((("o1", "on it\nno!", 9), ("o2", "on  it", 10)), "o2"),
        ((("o1", "on it\nno!", 11), ("o2", "on it, as it was changed", 10)), "o2"),
    ],
    ids=["the one with its words", "the oldest where none has them"],
)
def test_of_several_notes_with_our_mark_one_is_ours_and_the_others_quote_it(
    notes: tuple[tuple[str, str, float], ...], ours: str
) -> None:
    seen = observed(
        OG_NOTE, alert_notes=tuple(note(key, ANA, f"{MARK} {words}", when) for key, words, when in notes)
    )
    write = sent(OG_NOTE, text=f"{MARK} on it")
    assert settle(write, seen, policy(), INSIDE) == done(ours)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_an_observation_settles_a_write_in_doubt_by_what_it_shows(case: Case) -> None:
    assert settle(case.action, case.seen, policy(), case.now) == case.expected


@pytest.mark.parametrize(
    ("kind", "alert_seen", "incident_seen", "shows"),
    [
        pytest.param(Kind.ALERT_ACKNOWLEDGE, TAKEN, None, True, id="the alert is acknowledged"),
        pytest.param(Kind.ALERT_ACKNOWLEDGE, FREE, None, False, id="the alert is not acknowledged"),
        pytest.param(Kind.ALERT_ACKNOWLEDGE, None, None, False, id="the alert to acknowledge was not read"),
        pytest.param(Kind.ALERT_UNACKNOWLEDGE, FREE, None, True, id="the alert is unacknowledged"),
        pytest.param(Kind.ALERT_UNACKNOWLEDGE, TAKEN, None, False, id="the alert is still acknowledged"),
        pytest.param(Kind.ALERT_UNACKNOWLEDGE, None, None, False, id="the alert to unacknowledge was not read"),
        pytest.param(Kind.PAGERDUTY_ACKNOWLEDGE, None, HELD, True, id="the incident is acknowledged"),
        pytest.param(Kind.PAGERDUTY_ACKNOWLEDGE, None, incident(), False, id="the incident is not acknowledged"),
        pytest.param(Kind.PAGERDUTY_ACKNOWLEDGE, None, None, False, id="the incident to acknowledge was not read"),
        pytest.param(Kind.PAGERDUTY_UNACKNOWLEDGE, None, incident(), True, id="the incident is triggered again"),
        pytest.param(Kind.PAGERDUTY_UNACKNOWLEDGE, None, HELD, False, id="the incident is still acknowledged"),
        pytest.param(Kind.PAGERDUTY_UNACKNOWLEDGE, None, None, False, id="the incident to trigger was not read"),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            None,
            incident(assignees=(BOT,)),
            False,
            id="the incident is assigned to us alone",
        ),
        pytest.param(
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            None,
            incident(assignees=(BOT, JANE)),
            True,
            id="the incident is assigned to an engineer as well",
        ),
        pytest.param(
            Kind.PAGERDUTY_SET_URGENCY, None, incident(urgency="high"), True, id="the incident's urgency is high"
        ),
        pytest.param(
            Kind.PAGERDUTY_SET_URGENCY, None, incident(urgency="low"), False, id="the incident's urgency is low"
        ),
        pytest.param(Kind.PAGERDUTY_SET_URGENCY, None, None, False, id="the incident to raise was not read"),
        pytest.param(Kind.PAGERDUTY_RESOLVE, None, incident("resolved"), True, id="the incident is resolved"),
        pytest.param(Kind.PAGERDUTY_RESOLVE, None, HELD, False, id="the incident is not resolved"),
        pytest.param(Kind.PAGERDUTY_RESOLVE, None, None, False, id="the incident to resolve was not read"),
    ],
)
def test_a_state_is_done_when_its_target_shows_it(
    kind: Kind, alert_seen: Alert | None, incident_seen: Incident | None, shows: bool
) -> None:
    seen = observed(kind, alert=alert_seen, incident=incident_seen)
    urgency = "high" if kind is Kind.PAGERDUTY_SET_URGENCY else ""
    assert settle(sent(kind, urgency=urgency), seen, policy(), INSIDE) == (done() if shows else None)
    expected = done() if shows else retried(UNSEEN, 1, OUTSIDE)
    assert settle(sent(kind, urgency=urgency), seen, policy(), OUTSIDE) == expected


@pytest.mark.parametrize("status", [Status.DONE, Status.DROPPED, Status.DEAD])
def test_a_settled_action_is_not_settled_again(status: Status) -> None:
    mine = action(PD_NOTE, status, mark=MARK, sent_at=at(0))
    assert settle(mine, observed(PD_NOTE, incident_notes=(COPY,)), policy(), OUTSIDE) is None


def test_the_staleness_setting_bounds_how_long_a_write_is_in_doubt() -> None:
    patient = policy(staleness=timedelta(hours=1))
    assert settle(sent(PD_NOTE), observed(PD_NOTE), patient, OUTSIDE) is None
    assert settle(sent(PD_NOTE), observed(PD_NOTE), patient, SENT_AT + timedelta(hours=2)) is not None


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(-1, 0), (0, 0), (1, 1), (2, 2), (3, 4), (4, 8), (8, 128), (9, 256), (10, 300), (20, 300), (5_000, 300)],
)
def test_the_back_off_doubles_up_to_five_minutes(failures: int, seconds: int) -> None:
    assert backoff(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("kind", "words"), [(CREATE, NO_SUCH_KEY), (PD_NOTE, UNSEEN)])
def test_an_action_that_is_sent_again_keeps_its_last_error(kind: Kind, words: str) -> None:
    given = sent(kind, error="PagerDuty: POST /incidents: 503")
    found = settle(given, observed(kind), policy(), OUTSIDE)
    assert found is not None
    assert found.why == f"PagerDuty: POST /incidents: 503; {words}"


# -- JSM without names: what we write bears the name of our account --

ROBOTS_ACK, ANAS_ACK = act("acknowledge", ROBOT, 14), act("acknowledge", ANA, 13)
CARRIED_OUT = Receipt(7, carried_out=True, at=at(14))


@pytest.mark.parametrize(
    ("acts", "receipts", "expected"),
    [
        pytest.param((ROBOTS_ACK,), (), done(), id="in the log as our account's"),
        pytest.param((), (), done(), id="without a log, as it shows"),
        pytest.param((ROBOTS_ACK, ANAS_ACK), (CARRIED_OUT,), "Ana Ruiz has done it before us", id="after Ana's"),
        pytest.param((ROBOTS_ACK, ANAS_ACK), (), "Ana Ruiz has done it before us", id="after Ana's, and unasked"),
        pytest.param((ROBOTS_ACK,), (CARRIED_OUT,), done(), id="carried out"),
        pytest.param(
            (act("acknowledge", JANE, 13),),
            (),
            "Jane Doe has done it before us",
            id="by the engineer herself there",
        ),
    ],
)
def test_in_account_mode_a_state_is_ours_if_our_account_was_the_first(
    acts: tuple[Act, ...], receipts: tuple[Receipt, ...], expected: Settlement | str
) -> None:
    seen = observed(OG_ACK, alert=replace(TAKEN, updated_at=at(14)), alert_acts=acts, receipts=receipts)
    found = settle(sent(OG_ACK, person="Jane Doe"), seen, account(), INSIDE)
    if isinstance(expected, str):
        expected = Settlement(7, Status.DROPPED, f"not needed: {expected}")
    assert found == expected


def test_in_account_mode_a_write_that_somebody_has_reversed_since_is_found_in_the_log() -> None:
    log = (act("unacknowledge", ANA, 20), ROBOTS_ACK)
    seen = observed(OG_ACK, alert=alert(updated_at=at(20)), alert_acts=log)
    mine = sent(OG_ACK, person="Jane Doe")
    assert settle(mine, seen, account(), INSIDE) == done(why=OVERTAKEN)
    assert settle(mine, seen, policy(), INSIDE) is None


@pytest.mark.parametrize("written", ["JSM", "Opsgenie"])
@pytest.mark.parametrize("product", [OPSGENIE, JSM])
def test_a_note_that_was_written_under_another_products_name_is_done(written: str, product: Product) -> None:
    mine = sent(PD_NOTE, mark=MARK.replace("Opsgenie", "JSM"), text=f"{MARK.replace('Opsgenie', 'JSM')} any news?")
    copy = note("PN1", BOT, f"{MARK.replace('Opsgenie', written)} any news?")
    seen = observed(PD_NOTE, incident_notes=(copy,))
    assert settle(mine, seen, policy(product=product), INSIDE) == done("PN1")


def test_a_request_that_jsm_has_not_carried_out_is_said_to_be_jsms() -> None:
    seen = observed(OG_ACK, alert=FREE, receipts=(Receipt(7, carried_out=False, detail="plan"),))
    found = settle(sent(OG_ACK), seen, account(), INSIDE)
    assert found is not None
    assert found.why == "JSM accepted it and did not carry it out: plan"
