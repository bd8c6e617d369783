"""The reads of one pair: what a failure costs the rest of its side, and how little time a new alert has."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from reconciler.core.model import Kind, Side, Status
from reconciler.core.work import ReadRequest, everything
from reconciler.errors import (
    Blocked,
    Forbidden,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    ReconcilerError,
    Refused,
)
from reconciler.reconcile.fetch import Fetched, Stopping
from reconciler.reconcile.read_breakers import FAILURES
from reconciler.reconcile.work_queue import Hold, Passage
from reconciler.vendors.call_context import CallPriority, current
from tests.support.builders import (
    ALERT_ID,
    INCIDENT_ID,
    OG,
    PD,
    action,
    alert,
    at,
    incident,
    observation,
    pair,
    policy,
)
from tests.support.reading import INCIDENT, NONE, ONLY_OG, ONLY_PD, SILENT, Scene, Vendors, other

ROW = alert(updated_at=at(1))
NEW = replace(everything(), is_new=True, row=ROW)


def new(scene: Scene, alert_id: str = ALERT_ID, request: ReadRequest = NEW) -> Fetched:
    return scene.fetch(request, observation(alert_id=alert_id))


OWN = (Missing("404"), Forbidden("403"), Permanent("400", 400), Blocked("302"))


@pytest.mark.parametrize("error", OWN, ids=lambda error: type(error).__name__)
def test_a_refused_object_backs_off_without_affecting_others(
    error: ReconcilerError,
) -> None:
    scene = Scene(pagerduty=Vendors(incident=lambda own: error if own == "bad" else incident(id=own)))
    bad = observation(pair=pair(incident_id="bad"))
    for _ in range(2 * FAILURES):
        fetched = scene.fetch(INCIDENT, bad)
        assert (fetched.observation.incident, fetched.unread, fetched.read_at) == (None, ONLY_PD, at(61))
        assert [problem.error for problem in fetched.problems] == [error]
    assert scene.pagerduty.asked["incident"] == 1
    assert scene.fetch(INCIDENT, other(1)).observation.incident is not None


def test_one_side_is_read_while_the_other_backs_off() -> None:
    scene = Scene(pagerduty=Vendors(incident=Forbidden("403"), notes=Forbidden("403")))
    for _ in range(2):
        fetched = scene.fetch(everything())
        assert (fetched.observation.alert, fetched.unread) == (alert(), ONLY_PD)
    assert (scene.pagerduty.asked.total(), scene.opsgenie.asked.total()) == (2, 4)
    assert scene.breakers.back_off_left(PD, ALERT_ID) == 1  # two failures at the same time count once


@pytest.mark.parametrize(("error", "read"), [(Forbidden("403"), ((), ())), (SILENT, (None, None))], ids=str)
def test_a_refused_object_leaves_the_rest_of_its_side_readable_and_a_missing_answer_does_not(
    error: ReconcilerError, read: object
) -> None:
    scene = Scene(opsgenie=Vendors(alert=error, notes=[], acts=[]), pagerduty=Vendors(incident=error, notes=[]))
    fetched = scene.fetch(everything())
    assert (fetched.observation.alert_notes, fetched.observation.incident_notes) == read
    assert fetched.unread == {OG, PD}


def test_an_unexpected_exception_affects_one_side_only() -> None:
    scene = Scene(opsgenie=Vendors(alert=KeyError("x")))
    fetched = scene.fetch(replace(everything([OG]), incident=True))
    assert (fetched.observation.incident, fetched.unread) == (incident(), ONLY_OG)
    assert "this is a defect" in str(fetched.problems[0].error)
    assert not scene.breakers.open(frozenset(Side))


def test_a_stopping_program_reads_nothing_more() -> None:
    scene = Scene(stopping=True)
    with pytest.raises(Stopping):
        scene.fetch(everything())
    assert scene.asked == 0


def test_a_refused_merge_target_is_reported_as_such() -> None:
    ours = incident("resolved", merged_into="PINC2")
    scene = Scene(pagerduty=Vendors(incident=lambda own: ours if own == INCIDENT_ID else Forbidden("403")))
    (problem,) = scene.fetch(INCIDENT).problems
    assert str(problem.error) == "403; this is the incident PINC2 that the alert's was merged into"
    assert isinstance(problem.error, Forbidden)


def test_an_unanswered_read_of_a_successor_backs_off_like_the_incident_itself() -> None:
    ours = incident("resolved", merged_into="PINC2")
    scene = Scene(pagerduty=Vendors(incident=lambda own: ours if own == INCIDENT_ID else SILENT))
    assert (scene.fetch(INCIDENT).unread, scene.breakers.back_off_left(PD, ALERT_ID)) == (ONLY_PD, 1)


def test_the_half_open_probe_is_the_pairs_own_read_and_is_made_once() -> None:
    scene = Scene(pagerduty=Vendors(incident=Refused("401"), notes=[]))
    scene.fetch(INCIDENT)
    scene.clock.passed += 1
    scene.pagerduty.answers["incident"] = incident()
    fetched = scene.fetch(everything())
    assert (fetched.observation.incident, fetched.unread, fetched.blocked) == (incident(), NONE, frozenset())
    assert scene.pagerduty.asked == {"incident": 2, "notes": 1}
    assert scene.breakers.passage(Hold.READ_PAGERDUTY) is Passage.ALL


def test_a_pair_cut_short_by_a_breaker_has_no_back_off_of_its_own() -> None:
    scene = Scene(pagerduty=Vendors(incident=Refused("401")))
    scene.fetch(INCIDENT)
    assert scene.breakers.back_off_left(PD, ALERT_ID) == 0


def test_a_breaker_opened_by_another_pair_stops_the_remaining_reads() -> None:
    scene = Scene()
    scene.opsgenie.takes = lambda: scene.breakers.failed(PD, "a-9", Refused("401"))
    fetched = scene.fetch(everything())
    assert (fetched.blocked, scene.pagerduty.asked.total()) == (frozenset({Hold.READ_PAGERDUTY}), 0)


def test_a_read_found_necessary_later_waits_for_its_breaker_and_the_rest_is_read() -> None:
    scene = Scene()
    scene.breakers.failed(OG, "a-9", Refused("401"))
    mine = action(Kind.ALERT_NOTE, Status.DONE)
    copy = SimpleNamespace(id="PN", text="[Opsgenie · Ana · 2026-11-23 09:00:03.000Z] x", author=mine, at=at(3))
    copy.author = policy().automation.__class__("PX", "X")
    scene.pagerduty.answers["notes"] = [copy]
    fetched = scene.fetch(ReadRequest(incident_notes=True))
    assert (len(fetched.observation.incident_notes or ()), fetched.unread) == (1, ONLY_OG)
    assert (fetched.read_at, scene.opsgenie.asked.total()) == (at(61), 0)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (RateLimited("no room", 3), 3),
        (RateLimited("no room"), 1),
        (NotExecuted("429", 7), 7),
        (NotExecuted("429", 1e9), 60),
    ],
    ids=str,
)
def test_a_rate_limit_is_waited_for_without_a_back_off_of_the_pair(error: NotExecuted, wait: float) -> None:
    scene = Scene(pagerduty=Vendors(incident=error))
    for _ in range(3):
        fetched = scene.fetch(INCIDENT)
        assert (fetched.unread, fetched.read_at) == (ONLY_PD, scene.clock.now() + timedelta(seconds=wait))
    assert scene.breakers.back_off_left(PD, ALERT_ID) == 0


def test_our_own_rate_limit_opens_no_breaker() -> None:
    scene = Scene(pagerduty=Vendors(incident=RateLimited("no room", 3)))
    for number in range(2 * FAILURES):
        assert not scene.fetch(INCIDENT, other(number)).blocked


def test_a_new_alerts_details_are_read_at_page_priority_within_a_second_each() -> None:
    scene = Scene()
    assert new(scene).unread == NONE
    assert scene.opsgenie.contexts == [("alert", CallPriority.PAGE, 1.0), ("notes", CallPriority.PAGE, 1.0)]


def test_all_details_of_a_new_alert_together_may_take_two_seconds() -> None:
    scene = Scene()

    def take() -> None:
        scene.clock.passed += 1.5

    scene.opsgenie.takes = take
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.observation.alert_notes) == (alert(), None)
    assert (scene.opsgenie.asked.total(), fetched.unread) == (1, ONLY_OG)


def test_a_new_alert_whose_details_cannot_be_read_pages_from_its_row_and_is_read_again() -> None:
    scene = Scene(opsgenie=Vendors(alert=SILENT, notes=SILENT))
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.unread, fetched.read_at) == (ROW, ONLY_OG, at(61))
    assert scene.opsgenie.asked.total() == 1


def test_a_listed_new_alert_pages_although_it_is_not_found_by_its_id() -> None:
    scene = Scene(opsgenie=Vendors(alert=Missing("404"), notes=Missing("404")))
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.observation.missing, fetched.unread) == (ROW, False, ONLY_OG)


def test_after_late_details_the_next_pages_do_not_wait_for_theirs() -> None:
    scene = Scene(opsgenie=Vendors(alert=NotExecuted("its time was over"), notes=[]))
    for number in range(50):
        fetched = new(scene, f"a-{number}")
        assert (fetched.observation.alert, fetched.unread, fetched.blocked) == (ROW, ONLY_OG, frozenset())
        scene.clock.passed += 0.01
    assert scene.opsgenie.asked.total() == 1
    assert not scene.breakers.open({OG})  # other reads have no short time limit


def test_details_are_tried_again_some_time_after_they_were_late() -> None:
    scene = Scene(opsgenie=Vendors(alert=SILENT, notes=[]))
    new(scene, "a-1")
    scene.clock.passed += 1
    scene.opsgenie.answers["alert"] = alert()
    assert new(scene, "a-2").unread == NONE


def test_an_open_breaker_does_not_keep_a_new_alert_with_a_row_waiting() -> None:
    scene = Scene()
    for side in Side:
        scene.breakers.failed(side, "a-9", Refused("401"))
    fetched = new(scene)
    assert (fetched.observation.alert, fetched.unread, fetched.blocked) == (ROW, ONLY_OG, frozenset())
    assert scene.asked == 0


def test_a_key_refused_for_a_new_alert_opens_the_breaker() -> None:
    scene = Scene(opsgenie=Vendors(alert=Refused("401")))
    assert new(scene).observation.alert == ROW
    assert scene.breakers.open({OG})


def test_a_new_alert_is_read_despite_its_back_off() -> None:
    scene = Scene(opsgenie=Vendors(alert=Missing("404")))
    new(scene)
    new(scene)
    assert scene.opsgenie.asked["alert"] == 2


def test_a_new_alert_without_a_row_has_no_short_time_limit() -> None:
    scene = Scene()
    assert new(scene, request=replace(NEW, row=None)).unread == NONE
    assert scene.opsgenie.contexts[0] == ("alert", CallPriority.PAGE, None)
    scene.breakers.failed(OG, "a-9", Refused("401"))
    assert new(scene, request=replace(NEW, row=None)).blocked == {Hold.READ_ALERTS}


def test_a_new_alert_that_may_have_an_incident_waits_for_the_lookup_by_key() -> None:
    scene = Scene(pagerduty=Vendors(incidents_by_key=SILENT))
    fetched = new(scene, request=replace(NEW, by_key=True))
    assert (fetched.observation.alert, fetched.unread) == (None, ONLY_PD)
    assert scene.pagerduty.contexts == [("incidents_by_key", CallPriority.PAGE, None)]


def test_other_reads_keep_the_priority_of_their_work_item() -> None:
    scene = Scene()
    scene.fetch(everything())
    assert scene.opsgenie.contexts[0][1:] == (current().priority, current().within)
