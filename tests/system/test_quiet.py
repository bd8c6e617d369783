"""Nothing more is written once a story is over: all stories run in one world, followed by fifty cycles.

A story is a list of steps. The stories run side by side, each step once the effect of the one before shows.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.support.harness import World, a_world

Shown = Callable[[World, str], bool]


@dataclass(frozen=True)
class Step:
    """An act (`by` and `verb`) and the condition that shows its effect."""

    by: str
    verb: str
    shown: Shown
    text: str = ""
    more: tuple[tuple[str, object], ...] = ()


def incident_is(status: str) -> Shown:
    return lambda world, alert: bool(world.incidents(alert)) and world.incident(alert)["status"] == status


def acknowledged(world: World, alert: str) -> bool:
    return bool(world.alert(alert)["acknowledged"])


def unacknowledged(world: World, alert: str) -> bool:
    return not world.alert(alert)["acknowledged"]


def logged(vendor: str, words: str) -> Shown:
    """Whether the vendor's own log has an entry with these words, which even a momentary state leaves."""

    def shown(world: World, alert: str) -> bool:
        if vendor == "opsgenie":
            return any(words in line["log"] for line in world.alert(alert)["logs"])
        return any(words in entry["summary"] for entry in world.incident(alert)["log_entries"])

    return shown


def told_engineers(words: str, times: int = 1) -> Shown:
    return lambda world, alert: sum(note.endswith(words) for note in world.incident_notes(alert)) == times


def told_customers(words: str, times: int = 1) -> Shown:
    return lambda world, alert: sum(note.endswith(words) for note in world.alert_notes(alert)) == times


def at_once(_world: World, _alert: str) -> bool:
    return True


def both(one: Shown, other: Shown) -> Shown:
    return lambda world, alert: one(world, alert) and other(world, alert)


def customer(verb: str, shown: Shown, text: str = "", **more: object) -> Step:
    return Step("customer", verb, shown, text, tuple(more.items()))


def engineer(verb: str, shown: Shown, text: str = "", **more: object) -> Step:
    return Step("engineer", verb, shown, text, tuple(more.items()))


triggered, held, resolved = incident_is("triggered"), incident_is("acknowledged"), incident_is("resolved")
mirrored_ack = customer("acknowledge", both(held, told_engineers("] acknowledged the alert")))
mirrored_unack = customer("unacknowledge", both(triggered, told_engineers("] unacknowledged the alert")))
engineers_ack = engineer("acknowledge", acknowledged)
RESOLVED, REOPENED = told_customers("] resolved the incident"), told_customers("] reopened the incident")

TIMEOUTS: dict[str, list[Step]] = {
    "an engineer's acknowledgement times out": [engineer("acknowledge", logged("opsgenie", "Alert acknowledged")),
                                                Step("", "", both(triggered, unacknowledged))],
    "a mirrored acknowledgement times out": [
        customer("acknowledge", logged("pagerduty", "Acknowledged by Reconciler Bot")),
        Step("", "", both(triggered, acknowledged))],
    "a mirrored acknowledgement of low urgency times out": [
        customer("acknowledge", logged("pagerduty", "Acknowledged by Reconciler Bot")),
        Step("", "", both(triggered, acknowledged))],
}  # fmt: skip
"""Stories with an acknowledgement timeout of two seconds."""

STORIES: dict[str, list[Step]] = {
    "raised": [],
    "customer notes": [customer("notes", told_engineers("] one"), "one"),
                       customer("notes", told_engineers("] two"), "two")],
    "customer acknowledges": [mirrored_ack],
    "customer acknowledges and unacknowledges": [mirrored_ack, mirrored_unack],
    "low urgency: customer acknowledges and unacknowledges": [mirrored_ack, mirrored_unack],
    "customer acknowledges twice over": [
        mirrored_ack, mirrored_unack,
        customer("acknowledge", both(held, told_engineers("] acknowledged the alert", 2)))],
    "customer unacknowledges what the engineer holds": [
        engineers_ack, customer("unacknowledge", both(held, told_engineers("] unacknowledged the alert")))],
    "engineer joins a mirrored acknowledgement, customer unacknowledges": [
        mirrored_ack, engineer("acknowledge", at_once),
        customer("unacknowledge", both(held, told_engineers("] unacknowledged the alert")))],
    "a snooze ends": [mirrored_ack, customer("snooze", at_once, seconds=1),
                      Step("", "", both(triggered, told_engineers("] unacknowledged the alert")))],
    "low urgency: a snooze ends": [mirrored_ack, customer("snooze", at_once, seconds=1),
                      Step("", "", both(triggered, told_engineers("] unacknowledged the alert")))],
    "a snooze ends that nobody had acknowledged": [customer("snooze", at_once, seconds=1)],
    "customer closes": [customer("close", told_engineers("] closed the alert"))],
    "customer acknowledges and closes": [mirrored_ack, customer("close", told_engineers("] closed the alert"))],
    "customer closes, engineer acknowledges": [
        customer("close", told_engineers("] closed the alert")), engineer("acknowledge", held)],
    "engineer notes": [engineer("notes", told_customers("] three"), "three"),
                       engineer("notes", told_customers("] four"), "four")],
    "engineer acknowledges": [engineers_ack],
    "engineer acknowledges and unacknowledges": [engineers_ack, engineer("unacknowledge", unacknowledged)],
    "engineer unacknowledges a mirrored acknowledgement": [
        mirrored_ack, engineer("unacknowledge", unacknowledged)],
    "engineer acknowledges, snoozes, the snooze ends": [
        engineers_ack, engineer("snooze", at_once, seconds=1), Step("", "", both(triggered, unacknowledged))],
    "engineer acknowledges and reassigns": [engineers_ack, engineer("reassign", unacknowledged)],
    "two engineers acknowledge": [engineers_ack, engineer("acknowledge", held, user="Omar Haddad")],
    "engineer resolves": [engineer("resolve", RESOLVED)],
    "engineer resolves and reopens": [engineer("resolve", RESOLVED), engineer("reopen", REOPENED)],
    "engineer acknowledges, resolves, reopens, acknowledges": [
        engineers_ack, engineer("resolve", RESOLVED), engineer("reopen", REOPENED),
        engineer("acknowledge", held)],
    "engineer resolves and reopens twice over": [
        engineer("resolve", RESOLVED), engineer("reopen", REOPENED),
        engineer("resolve", told_customers("] resolved the incident", 2)),
        engineer("reopen", told_customers("] reopened the incident", 2))],
    "customer acknowledges what is resolved": [
        engineer("resolve", RESOLVED),
        customer("acknowledge", both(resolved, told_engineers("] acknowledged the alert")))],
    "both acknowledge at once": [customer("acknowledge", at_once),
                                 engineer("acknowledge", both(held, acknowledged))],
    "both end, then notes both ways": [
        customer("close", told_engineers("] closed the alert")), engineer("resolve", RESOLVED),
        customer("notes", told_engineers("] thanks"), "thanks"),
        engineer("notes", told_customers("] post mortem"), "post mortem")],
    "a routing step moves the alert's time": [customer("escalate", at_once), customer("escalate", at_once)],
}  # fmt: skip


def play(world: World, stories: dict[str, list[Step]]) -> dict[str, str]:
    """Run all stories side by side; returns the alert ids by story."""
    alerts = {name: world.raise_alert(name, priority="P3" if "low urgency" in name else "P1") for name in stories}
    world.until(lambda: all(world.incidents(alert) for alert in alerts.values()), "all are paged")
    for number in range(max(map(len, stories.values()))):
        if number:  # PagerDuty's timestamps are whole seconds: two equal acts in one second count as one
            time.sleep(1 - time.time() % 1)
        now = {name: steps[number] for name, steps in stories.items() if number < len(steps)}
        for name, step in now.items():
            text = {"text": step.text} if step.text else {}
            if step.by:
                act = world.customer if step.by == "customer" else world.engineer
                act(alerts[name], step.verb, **text, **dict(step.more))
        for name, step in now.items():
            world.until(partial(step.shown, world, alerts[name]), f"{name}, step {number + 1}")
    return alerts


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[str, str]]]:
    """The world and alert ids after all stories and fifty cycles without a write."""
    with a_world(tmp_path_factory.mktemp("quiet"), acknowledgement_timeout=2.0) as world:
        world.start(POLL_INTERVAL_SECONDS="0.05", SWEEP_INTERVAL_SECONDS="1")
        world.until_ready()
        alerts = play(world, TIMEOUTS)
        world.settings(acknowledgement_timeout=None)
        alerts |= play(world, STORIES)
        world.until(world.is_settled, "all settled")
        world.assert_quiet(50)
        yield world, alerts


@pytest.mark.parametrize("story", [*TIMEOUTS, *STORIES])
def test_each_story_ends_in_its_expected_state_with_one_incident(
    played: tuple[World, dict[str, str]], story: str
) -> None:
    world, alerts = played
    for step in (TIMEOUTS | STORIES)[story][-1:]:
        assert step.shown(world, alerts[story])
    assert len(world.incidents(alerts[story])) == 1


def test_nothing_was_lost_or_done_twice(played: tuple[World, dict[str, str]]) -> None:
    world, _ = played
    world.assert_good()
    assert world.stop() == 0
    assert {status for _, status in world.ledger()} <= {"done", "dropped"}
    ours = [event for event in world.events() if event["logger"].startswith("reconciler")]
    assert [event for event in ours if event["level"] in ("error", "warning")] == []
