"""A rate limit that ends `once` early: it reports how many alerts are left unread, why, and what to do."""

import json
import re

import pytest

from tests.support.harness import World
from tests.support.terminal import on_a_terminal

ADVICE = "run it again, or let the daemon (`reconciler run`) go on"
PART = re.compile(
    r"([\d,]+) of ([\d,]+) alerts not looked at yet: PagerDuty: the rate limit leaves no room for .*; (.*)"
)
FEW = pytest.mark.parametrize("world", [{"pagerduty_per_minute": 40}], indirect=True)
ALERTS = 60


def raise_many(world: World) -> None:
    """More alerts than a minute's rate lets through."""
    for number in range(ALERTS):
        world.raise_alert(f"disk {number} is full", priority="P1")


def unread(lines: list[str]) -> int:
    """The number of unread alerts in the only line that reports them."""
    (found,) = [match for line in lines if (match := PART.search(line))]
    assert found[2] == str(ALERTS)
    assert found[3] == ADVICE
    return int(found[1])


@FEW
def test_a_dry_run_counts_the_alerts_that_the_rate_limit_left_unread(world: World) -> None:
    raise_many(world)
    done = world.run("once", "--dry-run")
    assert done.returncode == 1
    planned = done.stdout.count("planned  pagerduty.create_incident")
    assert unread(done.stderr.splitlines()) == ALERTS - planned
    assert planned
    left = f"Not counted: {ALERTS - planned} of {ALERTS} alerts found, which were not looked at"
    assert f"\n{planned} people will be paged ({planned} high urgency).\n{left}" in done.stdout
    assert "alerts looked at" not in done.stdout + done.stderr, "progress is for terminals"
    assert world.writes() == []


@FEW
def test_once_counts_unread_alerts_as_json_and_exits_with_1(world: World) -> None:
    raise_many(world)
    done = world.run("once", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert 0 < unread(report["errors"]) < ALERTS
    assert any(action["status"] == "done" for action in report["actions"])


@pytest.mark.parametrize("world", [{"pagerduty_per_minute": 12}], indirect=True)
def test_a_source_that_the_rate_limit_cuts_short_is_reported_with_the_same_advice(world: World) -> None:
    """Our rate limiter, set by the vendor's headers, ends the read; a 429 is reported in the vendor's words."""
    raise_many(world)
    world.run("once", "--dry-run")
    done = world.run("once", "--dry-run", "--json")
    assert done.returncode == 1
    errors = json.loads(done.stdout)["errors"]
    assert any(f"not every source was read to its end, and more alerts may be left; {ADVICE}" in e for e in errors)


@pytest.mark.parametrize("world", [{"opsgenie_per_minute": 20}], indirect=True)
def test_a_small_rate_of_opsgenie_leaves_pages_counted_and_the_rest_of_their_alerts_not(world: World) -> None:
    """A page is planned from its row in the list: its alert counts neither as read nor as not looked at."""
    raise_many(world)
    done = world.run("once", "--dry-run")
    assert done.returncode == 1
    assert done.stdout.count("planned  pagerduty.create_incident   high urgency: ") == ALERTS
    assert f"\n{ALERTS} people will be paged ({ALERTS} high urgency)." in done.stdout
    (partly,) = re.findall(r"Not counted: notes and states of (\d+) alerts read in part only\.", done.stdout)
    assert f"reconciler: {partly} of {ALERTS} alerts read in part only, and more may follow: " in done.stderr
    assert "not looked at" not in done.stdout + done.stderr


def test_progress_is_shown_on_a_terminal_and_removed_at_the_end(world: World) -> None:
    raise_many(world)
    shown = on_a_terminal(world, "once", "--dry-run", stderr_only=True)
    assert f"\r20 of {ALERTS} alerts looked at".encode() in shown
    assert shown.endswith(b"\r\x1b[K")
