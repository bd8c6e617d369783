"""PAGERDUTY_PRIORITIES over the sandbox: whatever is wrong with a priority, the page is made."""

import json

from tests.support.harness import World


def _priority(world: World, alert: str) -> str:
    shown = world.incident(alert)["priority"]
    return str(shown["summary"]) if shown else ""


def _page(world: World, priority: str) -> tuple[str, str]:
    """The id of a new alert of this priority, and the priority of the incident that pages for it."""
    alert = world.raise_alert(f"of {priority}", priority=priority)
    world.until(lambda: world.is_paged(alert), f"the page of {priority}")
    return alert, _priority(world, alert)


def test_a_page_has_its_priority_and_is_made_without_one_that_pagerduty_does_not_take(world: World) -> None:
    world.open_ready(
        PAGERDUTY_PRIORITIES="P1=sev-1,P2=SEV-2,P3=SEV-9",
        INCIDENT_TITLE="[{priority}] {message}",
        INCIDENT_DETAILS="none",
        SWEEP_INTERVAL_SECONDS="1",
    )
    known, first = _page(world, "P2")
    assert first == "SEV-2"
    assert world.incident(known)["title"] == "[P2] of P2"
    _, unknown = _page(world, "P3")
    assert unknown == ""
    world.until(lambda: world.told('PagerDuty has no priority "SEV-9"') > 0, "the unknown name")
    world.until(lambda: world.metric("reconciler_troubles", subject="priorities") == 1, "it is counted")
    assert world.get("/readyz").status_code == 200, "pages are made"

    world.customer(known, "priority", priority="P1")
    world.until(lambda: _priority(world, known) == "SEV-1", "the incident follows")
    assert [call["status"] for call in world.writes() if call["method"] == "PUT"] == [200]

    world.settings(priorities="not_in_plan")
    _, refused = _page(world, "P1")
    assert refused == ""
    explained = json.loads(world.run("status", "--json").stdout)
    assert "priorities" in str(explained["troubles"])
    world.assert_good()


def test_once_says_what_is_wrong_and_pages_all_the_same(world: World) -> None:
    alert = world.raise_alert(priority="P1")
    given = {"PAGERDUTY_PRIORITIES": "P1=SEV-9"}
    planned = world.run("once", "--dry-run", **given)
    assert "high urgency, priority SEV-9: the alert was raised in" in planned.stdout
    done = world.run("once", **given)
    assert (done.returncode, world.is_paged(alert)) == (0, True)
    assert 'PAGERDUTY_PRIORITIES: PagerDuty has no priority "SEV-9"' in done.stderr
    assert "without the priority SEV-9" in world.run("explain", alert).stdout
