"""Heartbeats: sent after good rounds alone, never in the way, and reported where they fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.sandbox.wire import json_response
from tests.support.harness import NO_KEYS, World
from tests.support.harness.beats import SECRET, Switch, a_switch
from tests.support.harness.vendors import never

NAME = "reconciler prod"


@pytest.fixture
def switch(world: World) -> Iterator[Switch]:
    """A switch that every reconciler of this world is to ask, five times a second at most."""
    with a_switch() as switch:
        world.environment |= {"HEARTBEAT_URL": switch.url, "HEARTBEAT_INTERVAL_SECONDS": "0.2"}
        yield switch


@contextmanager
def without_beats(world: World, switch: Switch) -> Iterator[None]:
    """Inside, no further beat comes once the present round is over; afterwards they come again."""
    world.pass_cycles(2)
    before = switch.beats()
    yield
    assert switch.beats() == before


def pings(world: World) -> list[str]:
    """The last pings of Opsgenie's heartbeat."""
    found: list[str] = world.state()["opsgenie"]["heartbeats"].get(NAME, [])
    return found


def troubles(world: World) -> list[str]:
    """The subjects of lasting troubles, as `status` shows them."""
    shown = json.loads(world.run("status", "--json", **NO_KEYS).stdout)
    return [trouble["subject"] for trouble in shown["troubles"]]


def test_both_heartbeats_are_sent_after_good_rounds_and_never_logged(world: World, switch: Switch) -> None:
    world.open_ready(OPSGENIE_HEARTBEAT=NAME, LOG_LEVEL="DEBUG")
    world.until(lambda: switch.beats() >= 3 and len(pings(world)) >= 3, "heartbeats")
    gaps = [later - earlier for earlier, later in zip(switch.asked, switch.asked[1:], strict=False)]
    assert min(gaps) >= 0.15, "at most one an interval"
    for name in ("url", "opsgenie"):
        assert (world.metric("reconciler_heartbeat_last_success_timestamp_seconds", heartbeat=name) or 0) > 1e9
        assert world.metric("reconciler_heartbeat_failures_total", heartbeat=name) == 0
    assert SECRET not in world.log() + world.get("/metrics").text + world.run("status").stdout
    assert SECRET.encode() not in b"".join(world.files().values())


@pytest.mark.parametrize("vendor", ["opsgenie", "pagerduty"])
def test_none_is_sent_while_one_side_cannot_be_polled(world: World, switch: Switch, vendor: str) -> None:
    world.begin()
    world.until(lambda: switch.beats() > 0, "a heartbeat")
    world.faults({"do": "503", "vendor": vendor, "times": 0})
    world.until(lambda: world.told("503") > 0, "the outage")
    before = switch.beats()
    never(lambda: switch.beats() > before, 2, "a heartbeat")
    world.no_faults()
    world.until(lambda: switch.beats() > before, "heartbeats again")


def test_none_is_sent_while_a_page_is_not_made(world: World, switch: Switch) -> None:
    """Polls are good, and nobody is paged."""
    world.open_ready()
    world.until(lambda: switch.beats() > 0, "a heartbeat")
    refused = json_response(401, {"error": {"message": "Unauthorized", "code": 2006}})
    end = world.answers(lambda vendor, request: vendor == "pagerduty" and request.method == "POST", refused)
    alert = world.raise_alert()
    world.until(lambda: world.get("/readyz").status_code == 503, "not ready")
    with without_beats(world, switch):
        world.pass_cycles(10)
    end()
    world.until(lambda: world.is_paged(alert), "the page")
    before = switch.beats()
    world.until(lambda: switch.beats() > before, "heartbeats again")


@pytest.mark.parametrize("how", ["refused", "hangs"])
def test_a_heartbeat_that_fails_is_a_trouble_of_its_own_and_stops_nothing(
    world: World, switch: Switch, how: str
) -> None:
    switch.status, switch.hangs = 404, how == "hangs"
    world.open_ready()
    words = "HEARTBEAT_URL: no answer within 5 s" if how == "hangs" else "HEARTBEAT_URL: it answers 404"
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "the page", patience=4)
    assert world.get("/readyz").status_code == 200
    world.until(lambda: world.told(words) == 1, "it is reported")
    world.until(lambda: troubles(world) == ["heartbeat"], "status")
    assert world.metric("reconciler_troubles", subject="heartbeat") == 1
    assert (world.metric("reconciler_heartbeat_failures_total", heartbeat="url") or 0) >= 1
    switch.status, switch.hangs = 200, False
    switch.ending.set()
    world.until(lambda: world.told("works again") == 1, "it works again")
    world.until(lambda: troubles(world) == [], "status")
    assert world.told(words) == 1
    assert SECRET not in world.log()
    assert world.stop() == 0


def test_only_the_leader_sends_one(world: World, switch: Switch) -> None:
    world.begin()
    world.until(lambda: switch.beats() > 0, "a heartbeat")
    world.start(OPSGENIE_HEARTBEAT=NAME)
    world.until(lambda: world.told("standing by") == 1, "the second stands by")
    never(lambda: bool(pings(world)), 1.5, "a heartbeat of the second")
    world.daemons[0].kill()
    world.until(lambda: bool(pings(world)), "heartbeats of the second, which leads now")


def test_once_sends_one_after_a_good_run_only(world: World, switch: Switch) -> None:
    world.raise_alert()
    world.once(OPSGENIE_HEARTBEAT=NAME)
    assert (switch.beats(), len(pings(world))) == (1, 1)
    world.faults({"do": "503", "vendor": "opsgenie", "path": "/v2/alerts", "times": 0})
    assert world.run("once").returncode == 1
    world.no_faults()
    assert world.run("once", "--dry-run").returncode == 0
    assert switch.beats() == 1
    switch.status = 503
    done = world.run("once")
    assert (done.returncode, switch.beats()) == (0, 2)
    assert "reconciler: HEARTBEAT_URL: it answers 503" in done.stderr
    assert SECRET not in done.stderr
