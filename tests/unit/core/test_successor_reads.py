"""The incident that succeeds a resolved one is searched for, and ours is not over until that is done."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Kind, Status
from reconciler.core.plan import decide
from reconciler.core.read_progress import INCIDENT_STATES, Failure, What
from tests.support.builders import (
    BOT,
    INCIDENT_ID,
    JANE,
    PD,
    action,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
)
from tests.support.builders import policy as rules
from tests.support.pair_reads import FORBIDDEN, MISSING, NONE, ONLY_PD, Run, ask

OURS = incident("resolved", merged_into="PINC2")
TARGET = incident("triggered", id="PINC2", number=4712, key="another")
TWIN = incident(id="PINC2", number=4712)
OURS_READ = {(What.INCIDENT, INCIDENT_ID): OURS, (What.INCIDENT_NOTES, INCIDENT_ID): ()}
TARGET_READ = OURS_READ | {(What.INCIDENT, "PINC2"): TARGET, (What.INCIDENT_NOTES, "PINC2"): ()}
LATE = action(
    Kind.PAGERDUTY_NOTE, Status.SENT, mark="[Opsgenie · Ana Ruiz · x]", text="[Opsgenie · Ana Ruiz · x] y"
)


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


def test_the_merge_target_is_followed_at_once_where_a_note_in_doubt_is_on_it_already() -> None:
    """An earlier life, whose database was lost, has written the note there."""
    known = observation(pair=pair(), mine=(replace(LATE, sent_at=at(50)),))
    answers = TARGET_READ | {(What.INCIDENT_NOTES, "PINC2"): (note("PN1", BOT, LATE.text),)}
    run = Run(ask(incident=True), known, answers, now=60)
    assert run.seen.successor == TARGET
    (settled,) = decide(inputs(run.seen)).settlements
    assert (settled.status, settled.result_id) == (Status.DONE, "PN1")


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
