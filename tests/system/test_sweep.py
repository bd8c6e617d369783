"""The sweep mirrors what the feeds miss; an idle cycle costs two requests, however many pairs are open."""

import time
from collections import Counter

import pytest
import requests

from tests.support.harness import World

QUIET = {"POLL_INTERVAL_SECONDS": "0.1", "SWEEP_INTERVAL_SECONDS": "3600"}


def _requests(world: World, since: int = 0) -> list[dict[str, object]]:
    calls: list[dict[str, object]] = requests.get(
        f"{world.running.url}/control/requests", params={"since_seq": since}, timeout=10
    ).json()["requests"]
    return calls


@pytest.mark.parametrize("world", [{"notes_bump_updated_at": False, "log_lag": 3600.0}], indirect=True)
def test_the_sweep_mirrors_what_no_feed_shows(world: World) -> None:
    world.start(SWEEP_INTERVAL_SECONDS="1")
    alert = world.raise_alert()
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.customer(alert, "notes", text="updatedAt does not move for this")
    world.engineer(alert, "notes", text="the log is an hour behind")
    world.engineer(alert, "acknowledge")
    world.until(lambda: bool(world.incident_notes(alert)[1:]), "the customer's note")
    world.until(lambda: bool(world.alert_notes(alert)), "the engineer's note")
    world.until(lambda: bool(world.alert(alert)["acknowledged"]), "the engineer's acknowledgement")
    world.engineer(alert, "resolve")
    world.until(lambda: "resolved" in world.alert_notes(alert)[-1], "an incident that left the open set")
    world.pass_cycles(5)
    assert world.audit() == {}


@pytest.mark.parametrize("pairs", [0, 40])
def test_an_idle_cycle_costs_two_requests_however_many_pairs_are_open(world: World, pairs: int) -> None:
    alerts = [world.raise_alert(f"alert {number}") for number in range(pairs)]
    world.start(**QUIET)
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the pages")
    world.until(lambda: world.polls() > 3, "the first cycles")
    time.sleep(0.5)
    before = len(_requests(world))
    world.until(lambda: len(_requests(world)) - before >= 40, "twenty cycles")
    world.stop()
    calls = _requests(world)[before:]
    by_path = Counter(str(call["path"]).rpartition("/")[2] for call in calls)
    assert set(by_path) == {"alerts", "log_entries"}
    assert abs(by_path["alerts"] - by_path["log_entries"]) <= 4  # each is polled on a schedule of its own


@pytest.mark.parametrize("world", [{"noise": False}], indirect=True)
def test_a_sweep_costs_two_requests_a_pair_and_two_listings(world: World) -> None:
    pairs = 30
    alerts = [world.raise_alert(f"alert {number}") for number in range(pairs)]
    world.once()
    assert all(world.incidents(alert) for alert in alerts)
    world.once()  # takes in the updatedAt values that our own writes have changed
    before = len(_requests(world))
    world.once(SWEEP_INTERVAL_SECONDS="0.001")
    calls = _requests(world)[before:]
    identity, feeds, listings = 5, 2, 2
    assert len(calls) <= 2 * pairs + listings + feeds + identity
    assert not [call for call in calls if call["write"]]
