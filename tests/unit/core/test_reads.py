"""Which records are read of a pair: no more than needed, and a failed read does not affect the others."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import reads
from reconciler.core.model import Kind, Observation, Person, Side
from reconciler.core.moved_notes import key_mark
from reconciler.core.read_progress import INCIDENT_STATES, Read, What
from reconciler.core.work import ReadRequest, everything
from tests.support.builders import ALERT_ID, ANA, INCIDENT_ID, OG, PD, alert, at, incident, note, observation, pair
from tests.support.builders import policy as rules
from tests.support.pair_reads import BOTH, MISSING, NONE, ONLY_OG, ONLY_PD, Run, ask

# -- missing alerts --


def test_the_notes_of_a_missing_alert_are_not_read() -> None:
    run = Run(everything([OG]), answers={What.ALERT: MISSING, What.RECENT_ALERTS: True})
    assert run.whats == [What.ALERT, What.RECENT_ALERTS]
    assert (run.seen.missing, run.seen.sees_others, run.unread) == (True, True, NONE)


@pytest.mark.parametrize(
    ("changes", "asked"), [({}, True), ({"open": False}, False), ({"deleted": True}, False)], ids=str
)
def test_other_alerts_are_listed_only_where_an_open_one_is_missing(changes: dict[str, Any], asked: bool) -> None:
    base = replace(pair().alerts, **changes)
    run = Run(ask(alert=True), observation(pair=pair(alerts=base)), {What.ALERT: MISSING})
    assert (What.RECENT_ALERTS in run.whats) is asked
    assert run.unread == ({OG} if asked else NONE)


# -- the incident --


def test_an_incident_is_read_with_its_notes() -> None:
    run = Run(everything([PD]), answers={What.INCIDENT: incident(), What.INCIDENT_NOTES: ()})
    assert run.made == [Read(What.INCIDENT, INCIDENT_ID), Read(What.INCIDENT_NOTES, INCIDENT_ID)]
    assert (run.seen.incident, run.seen.incident_notes, run.unread) == (incident(), (), NONE)
    assert run.seen.looked == INCIDENT_STATES | {Kind.PAGERDUTY_NOTE}


def test_nothing_is_read_of_an_incident_that_does_not_exist() -> None:
    run = Run(everything([PD]), observation(pair=pair(None)))
    assert (run.made, run.unread) == ([], NONE)


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


@pytest.mark.parametrize(("author", "key"), [(Person("", "reconciler (PagerDuty)"), "old-id"), (ANA, ALERT_ID)])
def test_an_incident_is_looked_up_by_the_key_that_our_note_on_a_moved_alert_names(
    author: Person, key: str
) -> None:
    """Anybody can paste such a note to another alert, whose incident must not be taken for this one's."""
    mark = note("n1", author, key_mark("POLD", "old-id"))
    answers = READ | {What.ALERT_NOTES: (mark,), What.INCIDENTS_BY_KEY: ()}
    assert Read(What.INCIDENTS_BY_KEY, key) in Run(NEW, observation(), answers).made


def test_an_alert_without_an_incident_is_new() -> None:
    run = Run(NEW, observation(), READ | {What.INCIDENTS_BY_KEY: ()})
    assert (run.seen.incident, run.seen.alert, run.unread) == (None, READ[What.ALERT], NONE)
    assert Kind.CREATE_INCIDENT in run.seen.looked


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
