"""A failing or slow feed, page of results or object delays no other read and no page."""

import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World, a_world

SOON = 5.0
TRIES = 4
"""How many attempts the client makes at one read."""


def _is(vendor: str, path: str) -> Callable[[str, Request], bool]:
    return lambda asked, request: (asked, request.method, request.path) == (vendor, "GET", path)


def _refusal(status: int) -> Response:
    return json_response(status, {"error": {"message": "Out of order", "code": 2001 if status == 400 else 2010}})


def _goes_on(world: World, alert: str) -> None:
    """An engineer's acts are mirrored, and a new alert pages."""
    world.engineer(alert, "acknowledge")
    world.engineer(alert, "notes", text="on it")
    fresh = world.raise_alert("fresh")
    world.until(lambda: bool(world.incidents(fresh)), "the fresh page", SOON)
    world.until(lambda: bool(world.alert(alert)["acknowledged"]), "the acknowledgement")
    world.until(lambda: any("on it" in note for note in world.alert_notes(alert)), "the note")


@pytest.mark.parametrize("status", [400, 500])
def test_without_the_log_states_come_from_the_open_set_and_notes_from_the_sweep(world: World, status: int) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.answers(_is("pagerduty", "/log_entries"), _refusal(status))
    _goes_on(world, alert)


@pytest.mark.parametrize("status", [403])
def test_a_listing_that_fails_stops_neither_the_log_nor_single_reads(world: World, status: int) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="0.5")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.answers(_is("pagerduty", "/incidents"), _refusal(status))
    world.pass_cycles(3)
    _goes_on(world, alert)


def test_without_the_log_and_the_listing_each_open_pair_is_read_by_its_id(world: World) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="0.5")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    for path in ("/incidents", "/log_entries"):
        world.answers(_is("pagerduty", path), _refusal(403))
    world.pass_cycles(3)
    _goes_on(world, alert)


def test_without_any_log_an_unacknowledgement_is_mirrored_without_a_name(world: World) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="1", STALENESS_SECONDS="1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "acknowledge")
    world.until(lambda: bool(world.alert(alert)["acknowledged"]), "the acknowledgement")
    world.answers(
        lambda vendor, request: vendor == "pagerduty" and request.path.endswith("/log_entries"), _refusal(500)
    )
    world.engineer(alert, "unacknowledge")
    world.until(lambda: not world.alert(alert)["acknowledged"], "the un-acknowledgement")
    assert "somebody" in [line["owner"] for line in world.alert(alert)["logs"]]


def test_a_log_cursor_that_stays_refused_is_replaced(world: World) -> None:
    """The sweep finds the entries of the skipped time; the log alone finds later ones."""
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="3600", STALENESS_SECONDS="0.5")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    end = world.answers(_is("pagerduty", "/log_entries"), _refusal(500))
    time.sleep(4)
    end()
    asked = len(world.calls())
    began = time.time()

    def is_old(vendor: str, request: Request) -> bool:
        since = request.first("since")
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began - 3))
        return _is("pagerduty", "/log_entries")(vendor, request) and since < stamp

    world.answers(is_old, _refusal(400))
    since = world.seq()
    world.until(
        lambda: any((c["path"], c["status"]) == ("/log_entries", 200) for c in world.calls(since)), "a new cursor"
    )
    world.engineer(alert, "notes", text="by the log")
    world.until(lambda: any("by the log" in note for note in world.alert_notes(alert)), "the note")
    assert len(world.calls()) > asked


def _is_paged(world: World, alert: str) -> bool:
    return bool(world.incidents(alert))


def test_a_log_that_hangs_delays_no_page(world: World) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="3600")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.faults({"do": "hang", "vendor": "pagerduty", "path": "/log_entries", "seconds": 30, "times": 1000})
    world.pass_cycles(3)
    for number in range(3):
        fresh = world.raise_alert(f"fresh {number}")
        world.until(partial(_is_paged, world, fresh), "the page", SOON)
        time.sleep(1)


@pytest.mark.parametrize("status", [404, 500])
def test_an_unreadable_incident_is_retried_with_back_off_and_delays_no_other_pair(
    world: World, status: int
) -> None:
    bad, good = world.raise_alert("bad"), world.raise_alert("good")
    world.start(SWEEP_INTERVAL_SECONDS="3600")
    world.until(lambda: bool(world.incidents(bad) and world.incidents(good)), "the pages")
    path = f"/incidents/{world.incident(bad)['id']}"
    end = world.answers(_is("pagerduty", path), _refusal(status))
    world.engineer(bad, "acknowledge")
    since, began = world.seq(), time.monotonic()
    _goes_on(world, good)
    world.pass_cycles(30)
    asked = [call for call in world.calls(since) if call["path"] == path and not call["write"]]
    looks = 2 + math.log2(1 + time.monotonic() - began)  # with a back-off of 1, 2, 4 … seconds
    assert 1 <= len(asked) <= looks * TRIES
    end()
    world.until(lambda: bool(world.alert(bad)["acknowledged"]), "made up for")


def test_an_outage_of_one_vendor_adds_no_reads_of_the_other(tmp_path: Path) -> None:
    with a_world(tmp_path / "away") as world:
        alerts = [world.raise_alert(f"alert {number}") for number in range(8)]
        world.start(SWEEP_INTERVAL_SECONDS="0.5")
        world.until(lambda: all(world.incidents(alert) for alert in alerts), "the pages")
        world.faults({"do": "refuse_before", "vendor": "pagerduty", "times": 100_000})
        world.pass_cycles(10)
        calls = [call for call in world.pass_cycles(10) if call["path"].startswith("/v2/alerts/")]
        sweeps = 10  # each cycle takes a few seconds at the most, with one sweep of eight pairs in each
        assert len(calls) <= len(alerts) * sweeps
        world.no_faults()
        world.engineer(alerts[0], "acknowledge")
        world.until(lambda: bool(world.alert(alerts[0])["acknowledged"]), "made up for")


@pytest.mark.parametrize("value", ["broken", '["9999-12-31T00:00:00+00:00", 5, 7]'])
def test_unusable_stored_cursors_do_not_stop_mirroring(world: World, value: str) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    assert world.stop() == 0
    with closing(sqlite3.connect(world.database)) as connection, connection:
        connection.execute("UPDATE cursors SET value = ? WHERE name != 'query'", (value,))
    world.start(SWEEP_INTERVAL_SECONDS="1")
    world.pass_cycles(1)
    _goes_on(world, alert)


def test_an_alert_with_a_timestamp_in_the_future_hides_no_later_alert(world: World) -> None:
    alert = world.raise_alert()
    world.start(SWEEP_INTERVAL_SECONDS="3600")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    sandbox = world.sandbox
    with sandbox.lock:
        ahead = sandbox.clock.now() + timedelta(minutes=50)
        sandbox.opsgenie.alerts.change(sandbox.opsgenie.find(alert), sandbox.clock.now(), updated_at=ahead)
    world.pass_cycles(3)
    fresh = world.raise_alert("fresh")
    world.until(lambda: bool(world.incidents(fresh)), "the fresh page", SOON)
