"""`probe` as a command: what it refuses before any vendor is asked, and how it ends."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.probe.findings import Finding, as_assumed, differs
from reconciler.probe.objects import Created, Kind
from reconciler.probe.run import Result
from reconciler.probe.steps import STEPS
from tests.support.command import Command
from tests.support.configured import REQUIRED
from tests.support.routes import TWO, environ_of

FLAG = "--i-understand-this-writes"
LEFT = Created(Kind.ALERT, "reconciler probe 1 alert 1", "", "a-1", "https://there")


def ends_with(monkeypatch: pytest.MonkeyPatch, *findings: Finding, left: tuple[Created, ...] = ()) -> None:
    """Have a run end so, without any vendor."""
    result = Result(findings, left, 0, 1.0, {})
    made = SimpleNamespace(run=lambda _steps, _told: result, objects=None)
    monkeypatch.setattr("reconciler.runtime.probing.assemble_probe", lambda *_: made)


def never(*_: Any) -> None:
    pytest.fail("a vendor is asked")


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--even-in-production",), ("--only", "rates")])
def test_without_the_flag_it_says_what_it_would_create_and_where(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("reconciler.runtime.probing.assemble_probe", never)
    done = command("probe", *arguments, **REQUIRED)
    assert (done.status, done.out) == (2, "")
    for words in (FLAG, "Opsgenie", "the service PSERV01", "people on call there may be paged", "trial account"):
        assert words in done.err


def test_steps_that_there_are_not_are_wrong_usage(command: Command) -> None:
    done = command("probe", FLAG, "--only", "nothing", **REQUIRED)
    assert (done.status, "no such step: nothing" in done.err) == (2, True)
    done = command("probe", FLAG, "--only", "jsm-sort", **REQUIRED)
    assert (done.status, "no such step with ALERT_SOURCE=opsgenie" in done.err) == (2, True)


def test_the_list_needs_no_configuration(command: Command) -> None:
    done = command("probe", "--list")
    assert (done.status, done.err) == (0, "")
    assert all(step.name in done.out for step in STEPS)


def test_a_configuration_that_cannot_be_read_is_named(command: Command) -> None:
    done = command("probe", FLAG)
    assert (done.status, "PAGERDUTY_API_KEY: is missing" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("findings", "left", "status"),
    [
        ((as_assumed("q", "yes"),), (), 0),
        ((differs("q", "no", "set X"),), (), 1),
        ((as_assumed("q", "yes"),), (LEFT,), 1),
    ],
)
def test_the_exit_status_tells_whether_anything_differs_or_is_left(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    findings: tuple[Finding, ...],
    left: tuple[Created, ...],
    status: int,
) -> None:
    ends_with(monkeypatch, *findings, left=left)
    done = command("probe", FLAG, **REQUIRED)
    assert done.status == status
    assert ("close it: https://there" in done.err) is bool(left)
    data = command("probe", FLAG, "--json", **REQUIRED)
    assert data.status == status
    assert json.loads(data.out)["findings"][0]["verdict"] == findings[0].verdict.value


def test_the_estimate_is_printed_before_anything_is_written(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_with(monkeypatch, as_assumed("q", "yes"))
    done = command("probe", FLAG, "--only", "rates", **REQUIRED)
    assert done.err.startswith("1 step, about 1 s; ")


def test_what_is_not_removed_in_time_after_a_signal_is_named(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SimpleNamespace(run=lambda *_: None, objects=SimpleNamespace(left=lambda: (LEFT,)))
    monkeypatch.setattr("reconciler.runtime.probing.assemble_probe", lambda *_: made)
    monkeypatch.setattr("reconciler.runtime.interruption.until_stopped", lambda *_, **__: None)
    done = command("probe", FLAG, **REQUIRED)
    assert (done.status, done.out) == (1, "")
    assert "close it: https://there" in done.err
    assert "stopped before everything was removed" in done.err


def test_one_of_several_routes_is_named_and_tried(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("reconciler.runtime.probing.assemble_probe", never)
    (tmp_path / "routes.toml").write_text(TWO)
    environ = environ_of(tmp_path / "routes.toml")
    done = command("probe", FLAG, **environ)
    assert (done.status, "choose one with --route: shop, bank" in done.err) == (2, True)
    assert "the service PBANK01" in command("probe", "--route", "bank", **environ).err
