"""What each answer adds to an observation, and what a failed read leaves unknown."""

from dataclasses import replace

import pytest

from reconciler.core.model import Actor, Kind, Observation, Side, Status
from reconciler.core.read_progress import ALERT_STATES, INCIDENT_STATES, Failure, What
from reconciler.core.work import ReadRequest, everything
from tests.support.builders import BOB, PD, account, act, action, alert, at, incident, observation, pair
from tests.support.pair_reads import FORBIDDEN, MISSING, NONE, ONLY_OG, ONLY_PD, UNREAD, Run, ask

NEW = replace(everything(), by_key=True, is_new=True, row=alert())
READ = {What.ALERT: alert(description="all of it"), What.ALERT_NOTES: ()}
HELD = observation(pair=pair("acknowledged", (BOB,)))
MACHINES = replace(act("unacknowledge", None), actor=Actor.MACHINE, agent="Auto-remediate")
ACCEPTED = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, request_id="r-1", person="Bob Ray", sent_at=at(1))


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


@pytest.mark.parametrize("failure", list(Failure))
def test_an_unknown_alert_is_not_new_until_its_lookup_by_key_succeeds(failure: Failure) -> None:
    run = Run(NEW, observation(), READ | {What.INCIDENTS_BY_KEY: failure})
    assert (run.seen.alert, run.seen.alert_notes, run.unread) == (None, None, ONLY_PD)


def test_a_failed_lookup_by_key_keeps_what_was_read_of_a_known_alert() -> None:
    run = Run(NEW, observation(pair=pair(None)), READ)
    assert (run.seen.alert, run.unread) == (READ[What.ALERT], ONLY_PD)


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


def test_a_request_unknown_to_opsgenie_leaves_no_receipt() -> None:
    known = observation(pair=pair(), mine=(ACCEPTED,))
    assert Run(ask(alert=True), known, {What.ALERT: alert(), What.REQUEST: None}).seen.receipts == ()


@pytest.mark.parametrize("failure", list(Failure))
def test_an_alert_whose_log_cannot_be_read_counts_as_unread(failure: Failure) -> None:
    """Otherwise its change would be mirrored without a name."""
    answers = {What.ALERT: alert(), What.ALERT_LOG: failure}
    run = Run(ask(alert=True), observation(pair=pair(acknowledged=True)), answers)
    assert (run.seen.alert, run.seen.missing, run.unread) == (None, False, ONLY_OG)
    assert not run.seen.looked & ALERT_STATES


@pytest.mark.parametrize("failure", list(Failure))
def test_a_new_alert_is_paged_although_the_log_that_names_who_acknowledged_it_cannot_be_read(
    failure: Failure,
) -> None:
    acked = alert(acknowledged=True)
    answers = READ | {What.ALERT: acked, What.INCIDENTS_BY_KEY: (), What.ALERT_LOG: failure}
    run = Run(NEW, observation(), answers, policy=account())
    assert What.ALERT_LOG in run.whats
    assert (run.seen.alert, run.unread) == (acked, NONE)
