"""Opsgenie's alerts cannot be read for long: one incident says so, whatever fails or restarts meanwhile."""

import json

import pytest

from reconciler.sandbox.wire import json_response
from tests.support.harness import NO_KEYS, Json, World
from tests.support.harness.vendors import never

KEY = "reconciler outage default"
AFTER = "2"


@pytest.fixture(autouse=True)
def soon(world: World) -> None:
    """Engineers are told after two seconds."""
    world.environment["OUTAGE_PAGE_SECONDS"] = AFTER


def told(world: World) -> list[Json]:
    """The incidents about an outage."""
    return world.incidents(KEY)


def is_over(world: World) -> bool:
    """Whether there are such incidents, and every one is resolved with a note."""
    return bool(told(world)) and all(each["status"] == "resolved" and each["notes"] for each in told(world))


def away(world: World, vendor: str = "opsgenie") -> None:
    world.faults({"do": "503", "vendor": vendor, "times": 0})


def test_a_refused_key_is_told_of_too_once_and_it_names_the_setting(world: World) -> None:
    world.begin()
    world.settings(opsgenie_key="another")
    world.until(lambda: bool(told(world)), "the incident")
    (incident,) = told(world)
    assert incident["title"].startswith("Opsgenie's alerts cannot be read since ")
    assert "401" in incident["title"]
    assert "OPSGENIE_API_KEY" in incident["title"]
    assert incident["title"].endswith("; new alerts page nobody until this is over")
    assert incident["urgency"] == "high"
    world.settings(opsgenie_key="sandbox-opsgenie-key")
    world.until(lambda: is_over(world), "its end")
    world.assert_quiet(10)
    assert len(told(world)) == 1
    world.assert_good()


def test_a_key_that_never_worked_is_told_of(world: World) -> None:
    world.start(OPSGENIE_API_KEY="wrong")
    world.until(lambda: bool(told(world)), "the incident")


def test_an_outage_that_hangs_is_told_of(world: World) -> None:
    world.begin()
    world.faults({"do": "hang", "vendor": "opsgenie", "times": 0, "seconds": 1})
    world.until(lambda: bool(told(world)), "the incident")
    world.no_faults()
    world.until(lambda: is_over(world), "its end")


def test_a_kill_and_a_takeover_in_the_middle_neither_forget_nor_repeat_it(world: World) -> None:
    world.begin(OUTAGE_PAGE_SECONDS="6")
    away(world)
    world.until(lambda: world.told("503") > 0, "the outage")
    world.kill()
    world.start(OUTAGE_PAGE_SECONDS="6")
    world.until(lambda: world.told("503") > 0, "the next one leads and meets the outage, too")
    world.start(OUTAGE_PAGE_SECONDS="6")
    world.until(lambda: world.told("standing by") == 1, "a second one stands by")
    world.until(lambda: bool(told(world)), "the incident")
    world.daemons[1].kill()
    world.until(lambda: world.told("took over") == 1, "the takeover")
    world.until(lambda: world.told("503") > 0, "it meets the outage, too")
    never(lambda: len(told(world)) > 1, 2, "a second incident")
    assert told(world)[0]["status"] == "triggered"
    world.no_faults()
    world.until(lambda: is_over(world), "its end")
    assert len(told(world)[0]["notes"]) == 1


def test_while_pagerduty_is_down_too_it_is_tried_again_and_is_a_trouble_of_its_own(world: World) -> None:
    world.begin()
    away(world, "*")
    world.until(lambda: world.told("the incident about Opsgenie's outage can be neither") == 1, "it is reported")

    def subjects() -> set[str]:
        shown = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
        return {trouble["subject"] for trouble in shown["troubles"]}

    world.until(lambda: "outage" in subjects(), "status")
    world.no_faults()
    away(world)
    world.until(lambda: bool(told(world)), "the incident")
    world.until(lambda: "outage" not in subjects(), "status")
    world.no_faults()
    world.until(lambda: is_over(world), "its end")


def test_an_engineer_who_resolves_it_is_not_paged_again(world: World) -> None:
    world.begin()
    away(world)
    world.until(lambda: bool(told(world)), "the incident")
    world.engineer(KEY, "resolve")
    world.kill()
    world.start()
    world.until(lambda: world.told("503") > 0, "it meets the outage, too")
    never(lambda: len(told(world)) > 1, 3, "a second incident")
    world.no_faults()
    world.pass_cycles(5)
    assert told(world)[0]["notes"] == []


def test_a_creation_whose_answer_is_lost_is_found_by_its_key(world: World) -> None:
    world.begin()
    world.faults({"do": "drop_after", "vendor": "pagerduty", "method": "POST", "path": "/incidents"})
    away(world)
    world.until(lambda: bool(told(world)), "the incident")
    world.until(lambda: world.told("says that Opsgenie's alerts cannot be read") == 1, "it is found")
    assert len(told(world)) == 1
    world.no_faults()
    world.until(lambda: is_over(world), "its end")


def test_0_seconds_tells_nobody(world: World) -> None:
    world.begin(OUTAGE_PAGE_SECONDS="0")
    away(world)
    never(lambda: bool(told(world)), 3, "an incident")


def test_it_is_never_taken_for_an_alerts_incident(world: World) -> None:
    """Neither by the feeds, nor the sweep, nor the first start, nor the audit, whatever is done to it."""
    world.begin(SWEEP_INTERVAL_SECONDS="1")
    away(world)
    world.until(lambda: bool(told(world)), "the incident")
    world.engineer(KEY, "acknowledge")
    world.engineer(KEY, "notes", text="I know")
    world.kill()
    world.database.unlink()
    world.no_faults()
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: world.is_paged(alert), "the page")
    world.pass_cycles(15)
    assert world.ask("SELECT alert_id FROM pairs") == [(alert,)]
    world.until(lambda: is_over(world), "its end, although the database was lost")
    assert world.run("once", "--dry-run", "--exit-code").returncode == 0
    world.assert_good()


def test_once_tells_of_it_from_run_to_run_and_ends_it(world: World) -> None:
    world.once()
    refused = json_response(401, {"message": "Could not authenticate"})
    end = world.answers(lambda vendor, _request: vendor == "opsgenie", refused)
    assert world.run("once").returncode == 2
    assert told(world) == []
    world.until(lambda: world.run("once").returncode == 2 and bool(told(world)), "the incident")
    world.run("once")
    assert len(told(world)) == 1
    end()
    world.once()
    assert is_over(world)
