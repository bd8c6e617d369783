"""Story: a vendor accepts connections and never answers. Nothing of ours hangs with it."""

import time

from tests.support.harness import World
from tests.support.harness.beats import a_switch
from tests.support.harness.vendors import never

KEY = "reconciler outage default"


def test_opsgenie_hangs_and_everything_else_answers(world: World) -> None:
    alert = world.raise_alert()
    with a_switch() as switch:
        world.open_ready(HEARTBEAT_URL=switch.url, HEARTBEAT_INTERVAL_SECONDS="0.3", OUTAGE_PAGE_SECONDS="4")
        world.until(lambda: world.is_paged(alert) and switch.beats() > 0, "a page and a heartbeat")
        world.faults({"do": "hang", "vendor": "opsgenie", "times": 0, "seconds": 3})
        world.until(lambda: world.metric("reconciler_vendor_up", vendor="opsgenie") == 0, "Opsgenie is down")
        before = switch.beats()

        # The probe and the metrics answer at once, PagerDuty is polled as before, and no heartbeat is sent.
        began = time.monotonic()
        assert world.get("/healthz", timeout=1).status_code == 200
        assert world.get("/metrics", timeout=1).status_code == 200
        assert time.monotonic() - began < 1
        since = world.seq()
        never(lambda: switch.beats() > before, 2, "a heartbeat")
        assert sum(call["path"].endswith("/log_entries") for call in world.calls(since)) > 2

        # Engineers are told, and it ends with the outage.
        world.until(lambda: bool(world.incidents(KEY)), "the incident about the outage")
        world.no_faults()
        world.until(lambda: world.incident(KEY)["status"] == "resolved", "its end")
        world.until(lambda: switch.beats() > before, "heartbeats again")
    world.assert_good()


def test_pagerduty_hangs_and_opsgenie_is_read_on(world: World) -> None:
    world.open_ready()
    world.faults({"do": "hang", "vendor": "pagerduty", "times": 0, "seconds": 3})
    alert = world.raise_alert()
    world.until(lambda: world.metric("reconciler_vendor_up", vendor="pagerduty") == 0, "PagerDuty is down")
    assert world.metric("reconciler_vendor_up", vendor="opsgenie") == 1
    assert world.get("/healthz", timeout=1).status_code == 200
    since = world.seq()
    world.until(lambda: world.polls(since) > 2, "Opsgenie is polled")
    world.no_faults()
    world.until(lambda: world.is_paged(alert), "the page")
    assert not world.incidents(KEY), "Opsgenie's alerts could be read"
