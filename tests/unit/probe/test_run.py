from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.probe import run as running
from reconciler.probe.findings import Finding, Verdict, as_assumed
from reconciler.probe.objects import PREFIX
from reconciler.probe.run import LONGEST
from reconciler.probe.steps import STEPS, Step
from reconciler.probe.trial import Trial
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.wire import Request, json_response
from tests.support.in_process import SOURCES
from tests.support.probing import bench


def step(name: str, run: Any) -> Step:
    return Step(name=name, does=f"does {name}", assumptions="", seconds=1, run=run)


def ordinary(trial: Trial) -> Iterator[Finding]:
    incident = trial.new_incident()
    who = incident["assignments"][0]["assignee"]["summary"]
    yield as_assumed("q", f"assigned to {who}, by bot@example.com")


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_the_sandbox_is_as_assumed_and_nothing_is_left_open(source: str) -> None:
    made = bench(source)
    result = made.run()
    assert [each for each in result.findings if each.verdict is not Verdict.AS_ASSUMED] == []
    assert (result.left, made.open(), result.stopped) == ((), [], False)
    expected = [each.name for each in STEPS if each.product in ("", made.source)]
    names = list(dict.fromkeys(each.step for each in result.findings))
    assert names == [name for name in expected if name != "jsm-integration" or source == "jsm named"]
    assert sum(result.requests.values()) >= len(made.wire.calls)


def test_an_error_of_a_step_is_a_finding_and_the_next_one_is_made() -> None:
    def broken(trial: Trial) -> Iterator[Finding]:
        trial.new_incident()
        yield as_assumed("before", "all well")
        raise ValueError("some words")

    made = bench()
    result = made.probe.run((step("broken", broken), step("next", ordinary)), lambda *_: None)
    assert [(each.step, each.verdict.value) for each in result.findings] == [
        ("broken", "as assumed"),
        ("broken", "not settled"),
        ("next", "as assumed"),
    ]
    assert "ValueError" in result.findings[1].follows
    assert "some words" not in result.findings[1].follows
    assert made.open() == []


def test_what_a_step_has_created_is_removed_when_it_ends() -> None:
    made, still_open = bench(), list[list[str]]()

    def counting(_: Trial) -> Iterator[Finding]:
        still_open.append(made.open())
        yield as_assumed("q", "counted")

    made.probe.run((step("one", ordinary), step("two", counting)), lambda *_: None)
    assert still_open == [[]]


def test_what_must_not_be_shown_is_replaced_in_every_finding() -> None:
    result = bench().probe.run((step("one", ordinary),), lambda *_: None)
    assert result.findings[0].seen == "assigned to (a person's name), by (an e-mail address)"


def test_steps_for_which_there_is_no_time_are_not_tried() -> None:
    def slow(trial: Trial) -> Iterator[Finding]:
        trial.new_incident()
        trial.pause(LONGEST + 1)
        yield as_assumed("never", "reached")

    made = bench()
    began = made.clock.monotonic()
    result = made.probe.run((step("slow", slow), step("next", ordinary)), lambda *_: None)
    assert [(each.step, each.follows) for each in result.findings] == [
        ("slow", "the time of the whole run is over"),
        ("next", "the time of the whole run is over"),
    ]
    assert made.open() == []
    assert made.clock.monotonic() - began < 600


@pytest.mark.parametrize("at", [3, 8, 20, 60, 120, 200, 260, 300])
def test_a_run_that_is_stopped_before_any_request_leaves_nothing_open(at: int) -> None:
    asked = 0

    def vendor(request: Request, sandbox: Sandbox) -> Any:
        nonlocal asked
        asked += 1
        if asked == at + 5:  # after who we are and the leftovers
            made.stop.set()
        return sandbox.handle(request)

    made = bench(vendor=vendor)
    result = made.run()
    assert (result.stopped, result.left, made.open()) == (True, (), [])


def test_an_object_whose_creation_was_not_answered_is_removed_as_well() -> None:
    broken = 0

    def vendor(request: Request, sandbox: Sandbox) -> Any:
        nonlocal broken
        answer = sandbox.handle(request)
        is_creation = request.method == "POST" and request.path in ("/pagerduty/incidents", "/opsgenie/v2/alerts")
        if is_creation and broken < 2:
            broken += 1
            return json_response(500, {"message": "no answer"})
        return answer

    made = bench(vendor=vendor)
    result = made.run("pagerduty-log", "alert-updated")
    assert broken == 2
    assert [each.verdict for each in result.findings] == [Verdict.NOT_SETTLED, Verdict.NOT_SETTLED]
    assert (result.left, made.open()) == ((), [])


def test_leftovers_are_removed_first_and_progress_is_told() -> None:
    made, told = bench(), list[tuple[str, int, int]]()
    made.sandbox.pagerduty.create_incident(f"{PREFIX} 1 incident 2: may be removed")
    steps = (step("one", ordinary), step("two", ordinary))
    result = made.probe.run(steps, lambda *each: told.append(each))
    assert result.leftovers == 1
    assert told == [("one", 1, 2), ("two", 2, 2), ("removing what it has created", 2, 2)]
    assert running.LONGEST <= 540
