"""What happens to an alert."""

import pytest

from tests.support.sandbox import OpsgenieBench


def test_acknowledging_makes_the_owner_and_reports_a_duration() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    world.clock.advance(11.751)
    world.post(f"/v2/alerts/{alert}/acknowledge")
    shown = world.detail(alert)
    assert shown["owner"] == "Alert API"
    assert shown["report"] == {"ackTime": 11751, "acknowledgedBy": "Alert API"}


def test_a_closed_alert_stays_acknowledged_and_takes_notes() -> None:
    world = OpsgenieBench()
    alert = world.alert()
    world.api.acknowledge(alert, "Ana Ruiz")
    world.api.close(alert, "Ana Ruiz")
    assert world.outcome(world.post(f"/v2/alerts/{alert}/notes", {"note": "late"}))["status"] == "Added note"
    shown = world.detail(alert)
    assert (shown["status"], shown["acknowledged"]) == ("closed", True)


@pytest.mark.parametrize("bumps", [True, False])
def test_a_note_may_or_may_not_move_updated_at(bumps: bool) -> None:
    world = OpsgenieBench(notes_bump_updated_at=bumps)
    alert = world.alert()
    before = world.detail(alert)["updatedAt"]
    world.clock.advance(1)
    world.api.add_note(alert, "Ana Ruiz", "hello")
    assert (world.detail(alert)["updatedAt"] != before) == bumps


def test_an_escalation_step_moves_updated_at_of_an_acknowledged_alert_and_nothing_else() -> None:
    world = OpsgenieBench(noise_after=600.2)
    alert = world.alert()
    world.api.acknowledge(alert, "Ana Ruiz")
    before = world.detail(alert)
    world.clock.advance(700)
    after = world.detail(alert)
    assert after["updatedAt"] == "2026-11-23T09:10:00.2Z"
    assert after | {"updatedAt": before["updatedAt"]} == before


def test_a_snooze_that_ends_unacknowledges_without_a_person() -> None:
    world = OpsgenieBench(noise=False)
    alert = world.alert()
    world.api.acknowledge(alert, "Ana Ruiz")
    world.api.snooze(alert, "Ana Ruiz", 60)
    assert world.detail(alert)["snoozed"]
    world.clock.advance(61)
    shown = world.detail(alert)
    assert (shown["snoozed"], shown["acknowledged"], "report" in shown) == (False, False, False)
    assert [act.verb for act in world.api.journal.acts] == ["create", "acknowledge", "snooze"]


def test_acknowledging_ends_a_snooze() -> None:
    world = OpsgenieBench(noise=False)
    alert = world.alert()
    world.api.snooze(alert, "Ana Ruiz", 60)
    world.api.acknowledge(alert, "Ana Ruiz")
    world.clock.advance(61)
    assert world.detail(alert)["acknowledged"]
