"""Story: Opsgenie is down for long. Engineers are paged because of that, once, and it ends by itself."""

import re

from tests.support.harness import World
from tests.support.harness.vendors import never

KEY = "reconciler outage default"


def test_engineers_learn_that_nobody_is_paged_and_everything_is_made_up_for_afterwards(world: World) -> None:
    before = world.raise_alert("before the outage")
    world.open_ready(OUTAGE_PAGE_SECONDS="3", SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: world.is_paged(before), "the page")

    # Opsgenie answers 503. A customer raises an alert there: nobody is paged.
    world.faults({"do": "503", "vendor": "opsgenie", "times": 0})
    missed = world.raise_alert("during the outage")

    # After OUTAGE_PAGE_SECONDS one incident says so, and pages.
    world.until(lambda: bool(world.incidents(KEY)), "the incident")
    incident = world.incident(KEY)
    title = (
        r"Opsgenie's alerts cannot be read since \d\d:\d\d UTC: GET /v2/alerts.*: 503.*; new alerts page nobody.*"
    )
    assert re.fullmatch(title, incident["title"]), incident["title"]
    assert [p["cause"] for p in world.state()["pagerduty"]["pages"] if p["incident_id"] == incident["id"]] == [
        "triggered"
    ]
    told = f"incident #{incident['incident_number']} says that Opsgenie's alerts cannot be read"
    world.until(lambda: world.told(told) == 1, "that it is logged")

    # It stays one, however long the outage lasts, and an engineer may acknowledge it.
    world.engineer(KEY, "acknowledge")
    never(lambda: len(world.incidents(KEY)) > 1, 3, "a second incident")
    assert not world.is_paged(missed)
    assert world.metric("reconciler_vendor_up", vendor="opsgenie") == 0

    # Opsgenie is back: what was missed pages at once, the incident gets a note and is resolved.
    world.no_faults()
    world.until(lambda: world.is_paged(missed), "the page of the missed alert", patience=10)
    world.until(lambda: world.incident(KEY)["status"] == "resolved", "its end")
    (note,) = world.incident_notes(KEY)
    assert note.startswith("[reconciler] Opsgenie's alerts can be read again since ")
    world.until(lambda: world.metric("reconciler_vendor_up", vendor="opsgenie") == 1, "Opsgenie is up")
    world.assert_good()
