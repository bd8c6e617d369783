"""Liveness: the daemon's loop turns. Readiness: the process works as configured, or is a standby."""

from dataclasses import dataclass

import pytest

from reconciler.core.model import Side
from reconciler.errors import Misconfigured, ReconcilerError, Refused, Transient
from reconciler.observability.health import SHORTEST_GRACE, Health
from tests.support.clock import SimClock


@dataclass(frozen=True)
class Problem:
    """A problem as `reconcile.problems` reports it."""

    side: Side
    error: ReconcilerError
    alert_id: str = ""


STUCK = "the daemon's loop has not turned for three intervals: restart if that lasts"


def working(clock: SimClock, interval: float = 10.0) -> Health:
    """A leader whose first polls have succeeded."""
    health = Health(interval, clock.monotonic)
    health.led()
    for side in Side:
        health.polled(side, ok=True)
    return health


# -- liveness --


def test_liveness_fails_once_the_loop_stops_turning() -> None:
    clock = SimClock(0.0)
    health = Health(10.0, clock.monotonic)
    clock.passed = 30
    assert health.alive()
    clock.passed = 30.1
    assert not health.alive()
    health.turned()
    assert health.alive()
    clock.passed = 60.2
    assert not health.alive()


def test_liveness_allows_at_least_two_seconds_with_short_intervals() -> None:
    clock = SimClock(0.0)
    health = Health(0.05, clock.monotonic)
    clock.passed = SHORTEST_GRACE
    assert health.alive()
    clock.passed += 0.01
    assert not health.alive()


def test_an_unreachable_vendor_or_database_does_not_fail_liveness() -> None:
    clock = SimClock(0.0)
    health = Health(10.0, clock.monotonic)
    for _ in range(100):
        clock.passed += 29
        health.turned()
        health.failed("DATABASE_URL: locked")
        health.answered(Side.ALERTS, None)
        health.polled(Side.PAGERDUTY, ok=False)
        assert health.alive()
    assert health.unready() == "DATABASE_URL: locked"


def test_liveness_fails_for_a_stopped_loop_although_workers_are_busy() -> None:
    clock = SimClock(0.0)
    health = working(clock)
    for _ in range(4):
        clock.passed += 9
        health.answered(Side.ALERTS, 200)
        health.polled(Side.ALERTS, ok=True)
        health.problems(())
    assert not health.alive()
    assert health.unready() == STUCK


# -- readiness --


@pytest.mark.parametrize(
    ("problems", "reason"),
    [
        ((), ""),
        ((Problem(Side.ALERTS, Transient("away")),), ""),
        ((Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401")),), "PAGERDUTY_API_KEY: 401"),
        (
            (
                Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401")),
                Problem(Side.ALERTS, Refused("OPSGENIE_API_KEY: 401")),
            ),
            "PAGERDUTY_API_KEY: 401; OPSGENIE_API_KEY: 401",
        ),
        (
            (
                Problem(Side.ALERTS, Refused("OPSGENIE_API_KEY: 402"), "alert-1"),
                Problem(Side.ALERTS, Refused("OPSGENIE_API_KEY: 402"), "alert-2"),
            ),
            "OPSGENIE_API_KEY: 402",
        ),
        ((Problem(Side.PAGERDUTY, Transient("one of them"), "alert-1"),), ""),
        ((Problem(Side.PAGERDUTY, Misconfigured("one of them"), "alert-1"),), ""),
    ],
)
def test_readiness_reports_why_the_process_is_not_ready(problems: tuple[Problem, ...], reason: str) -> None:
    health = working(SimClock(0.0))
    health.problems(problems)
    assert health.unready() == reason
    health.problems(())
    assert health.unready() == ""


def test_readiness_reports_what_the_first_poll_waits_for() -> None:
    health = Health(10.0, SimClock(0.0).monotonic)
    begins = "the first poll of Opsgenie and PagerDuty is not over yet"
    assert health.unready() == f"{begins}: Opsgenie has not answered yet, PagerDuty has not answered yet"
    health.answered(Side.ALERTS, None)
    health.answered(Side.PAGERDUTY, 503)
    assert health.unready() == f"{begins}: Opsgenie gives no answer, PagerDuty answers 503"
    health.answered(Side.ALERTS, 200)
    assert health.unready() == f"{begins}: PagerDuty answers 503"
    health.answered(Side.PAGERDUTY, 200)
    assert health.unready() == begins
    health.polled(Side.ALERTS, ok=False)
    assert health.unready() == "Opsgenie could not be polled yet; the first poll of PagerDuty is not over yet"
    health.polled(Side.PAGERDUTY, ok=False)
    assert health.unready() == "Opsgenie and PagerDuty could not be polled yet"


def test_a_successful_first_poll_keeps_the_process_ready() -> None:
    health = working(SimClock(0.0))
    for side in Side:
        health.polled(side, ok=False)
    assert health.unready() == ""


def test_a_page_that_cannot_be_created_makes_the_process_unready() -> None:
    health = working(SimClock(0.0))
    health.pages("nobody is paged for #17")
    assert health.unready() == "nobody is paged for #17"
    health.pages("")
    assert health.unready() == ""


def test_an_unreachable_database_makes_the_process_unready() -> None:
    health = working(SimClock(0.0))
    health.failed("DATABASE_URL: locked")
    assert health.unready() == "DATABASE_URL: locked"
    health.failed("")
    assert health.unready() == ""


def test_a_standby_is_ready_as_long_as_its_loop_turns() -> None:
    clock = SimClock(0.0)
    health = Health(10.0, clock.monotonic)
    health.pages("of an earlier lead")
    health.failed("of an earlier lead")
    health.stood_by()
    assert (health.unready(), health.role()) == ("", "standby")
    clock.passed = 30.1
    assert health.unready() == STUCK
    health.turned()
    health.led()
    assert health.role() == "leader"
    assert health.unready().startswith("the first poll of Opsgenie and PagerDuty is not over yet")


def test_a_process_has_no_role_before_the_database_gives_it_one_and_while_that_is_away() -> None:
    health = Health(10.0, SimClock(0.0).monotonic)
    assert health.role() == "none"
    for note, role in ((health.led, "leader"), (health.stood_by, "standby")):
        note()
        assert health.role() == role
        health.failed("DATABASE_URL: away")
        assert (health.role(), health.unready()) == ("none", "DATABASE_URL: away")
