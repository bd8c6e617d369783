from datetime import UTC, datetime

import pytest

from reconciler.probe.incidents import ahead, just_before, kind_of, stamp, telling
from reconciler.probe.objects import PREFIX, Kind
from reconciler.probe.wire import NotSettled
from tests.support.probing import bench


def test_a_new_incident_has_low_urgency_a_title_of_the_run_and_is_recorded() -> None:
    made = bench()
    incident = made.probe.trial.incidents.created()
    assert (incident["urgency"], incident["title"].startswith(PREFIX)) == ("low", True)
    (one,) = made.probe.objects.left()
    assert (one.kind, one.id) == (Kind.INCIDENT, incident["id"])
    assert one.url.startswith("https://")


def test_a_refused_creation_leaves_nothing_to_remove() -> None:
    made = bench(service_status="disabled")
    assert made.probe.trial.incidents.create().status == 400
    assert made.probe.objects.left() == ()


def test_an_urgency_that_is_not_taken_is_left_out_from_then_on() -> None:
    made = bench(urgency_refused=True)
    incidents = made.probe.trial.incidents
    assert incidents.created()["status"] == "triggered"
    assert incidents.create().ok


def test_an_acknowledgement_that_is_there_already_is_as_good_as_a_new_one() -> None:
    incidents = bench(reacknowledge_refused=True).probe.trial.incidents
    incident_id = str(incidents.created()["id"])
    for _ in range(2):
        assert incidents.acknowledged(incident_id)["status"] == "acknowledged"


def test_an_account_that_may_create_none_ends_the_step() -> None:
    with pytest.raises(NotSettled, match="a new incident: 403"):
        bench(bot_role="observer").probe.trial.incidents.created()


def test_open_incidents_of_earlier_runs_are_found_by_their_titles_alone() -> None:
    made = bench()
    made.sandbox.pagerduty.create_incident(f"{PREFIX} 0a1b incident 1: may be removed")
    made.sandbox.pagerduty.create_incident(f"{PREFIX} does not answer: disk full")  # somebody's own
    made.sandbox.pagerduty.create_incident("database is down")
    assert made.probe.trial.incidents.adopt_leftovers() == 1
    assert made.probe.trial.incidents.adopt_leftovers() == 0
    (one,) = made.probe.objects.left()
    assert made.probe.trial.incidents.remove(one)
    assert sorted(made.open()) == ["database is down", f"{PREFIX} does not answer: disk full"]


def test_an_incident_whose_creation_was_not_answered_is_found_and_gets_its_id() -> None:
    made = bench()
    one = made.probe.objects.plan(Kind.INCIDENT)
    made.sandbox.pagerduty.create_incident(one.title)
    made.probe.trial.incidents.find()
    (found,) = made.probe.objects.left()
    assert (found.title, bool(found.id)) == (one.title, True)


def test_entries_that_say_nothing_of_an_act_are_left_out_and_the_oldest_come_first() -> None:
    def entry(number: int, kind: str) -> dict[str, str]:
        return {"id": str(number), "type": f"{kind}_log_entry", "created_at": f"2026-01-01T00:00:0{number}Z"}

    listed = [entry(4, "acknowledge"), entry(3, "notify"), entry(2, "escalate"), entry(1, "trigger")]
    assert [kind_of(each) for each in telling(listed, [entry(1, "trigger")])] == ["escalate", "acknowledge"]


def test_times_are_whole_seconds_with_their_zone() -> None:
    at = datetime(2026, 1, 1, 12, 0, 0, 900_000, tzinfo=UTC)
    assert stamp(at) == "2026-01-01T12:00:00Z"
    assert ahead(at) == ("until", "2026-01-01T13:00:00Z")
    assert stamp(just_before({"created_at": stamp(at)})) == "2026-01-01T11:59:00Z"
    with pytest.raises(NotSettled):
        just_before({})
