"""The reconciler was away for a night: ON_LATE_ALERT says whether what was raised meanwhile pages people now."""

import json
import time

import pytest

from tests.support.harness import World

LATE = {"LATE_SECONDS": "2"}
AWAY = 3.0
"""Seconds, longer than LATE_SECONDS, for which nothing runs."""


def with_alerts_raised_meanwhile(world: World) -> tuple[str, str, list[str]]:
    """An alert of before with its page, one closed meanwhile, and three that were raised while nothing ran."""
    before = world.raise_alert("before")
    world.start(**LATE)
    world.until(lambda: world.is_paged(before) and world.is_settled(), "the page")
    assert world.stop() == 0
    closed, *late = (world.raise_alert(f"late {number}", priority="P1") for number in range(3))
    world.customer(before, "notes", text="written meanwhile")
    world.customer(closed, "close")
    time.sleep(AWAY)
    return before, closed, late


def test_late_alerts_are_skipped_as_baselines_and_nothing_else_is_lost(world: World) -> None:
    before, closed, late = with_alerts_raised_meanwhile(world)
    plan = world.run("once", "--dry-run", **LATE, ON_LATE_ALERT="skip")
    assert "3 late alerts: recorded as baselines\nPlan: 1 pagerduty.add_note for 1 pair." in plan.stdout
    world.start(**LATE, ON_LATE_ALERT="skip")
    fresh = world.raise_alert("fresh")
    world.until(lambda: world.is_paged(fresh) and world.is_told(before, "written meanwhile"), "the rest goes on")
    world.until(lambda: world.told("3 late alerts: recorded as baselines") == 1, "it is said")
    assert not any(map(world.is_paged, (closed, *late)))
    rows = world.ask("SELECT alert_id, words FROM journal WHERE event = 'baseline'")
    assert {alert_id for alert_id, _ in rows} == {closed, *late}
    assert all("ON_LATE_ALERT=skip" in words for _, words in rows)
    world.assert_quiet(10)


@pytest.mark.parametrize(("setting", "urgency"), [("note", "low"), ("page", "high")])
def test_late_alerts_are_raised_with_low_urgency_or_paged_as_ever(
    world: World, setting: str, urgency: str
) -> None:
    _, closed, late = with_alerts_raised_meanwhile(world)
    world.start(**LATE, ON_LATE_ALERT=setting)
    world.until(lambda: all(map(world.is_paged, (closed, *late))) and world.is_settled(), "their incidents")
    assert {world.incident(alert)["urgency"] for alert in (closed, *late)} == {urgency}
    fresh = world.raise_alert("fresh", priority="P1")
    world.until(lambda: world.is_paged(fresh), "a new page")
    assert world.incident(fresh)["urgency"] == "high"
    world.pass_cycles(10)
    assert world.told("3 late alerts: incidents of low urgency") == (setting == "note")
    world.assert_good()


def test_an_alert_that_enters_the_query_late_is_paged(world: World) -> None:
    """It was raised while the reconciler ran, which only did not see it."""
    query = {"OPSGENIE_QUERY": "priority: P1", "ON_LATE_ALERT": "skip"}
    world.begin(**LATE, **query)
    alert = world.raise_alert("raised to P1 late", priority="P3")
    time.sleep(AWAY)
    world.customer(alert, "priority", priority="P1")
    world.until(lambda: world.is_paged(alert), "the page")


def test_a_first_start_and_a_changed_query_have_their_own_rule(world: World) -> None:
    first = world.raise_alert("before the first start", tags=["a"])
    other = world.raise_alert("of the other query", tags=["b"])
    time.sleep(AWAY)
    skip = LATE | {"ON_LATE_ALERT": "skip"}
    report = world.once(**skip, OPSGENIE_QUERY="tag: a")
    assert [action["alert_id"] for action in report["actions"]] == [first]
    assert report["late_alerts"] == {"note": 0, "skip": 0}
    time.sleep(AWAY)
    report = world.once(**skip, OPSGENIE_QUERY="")
    assert [action["alert_id"] for action in report["actions"]] == [other], json.dumps(report)
