"""How a demo tells what happens, and what of the environment its daemon is given."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import demo_stage
from reconciler.cli.demo_stage import NotSeen, Stage, _inherited


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage whose sandbox is never asked."""
    return Stage("http://127.0.0.1:9", tmp_path, {})


def test_no_setting_of_the_operators_reaches_the_demos_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "ALERT_SOURCE",
        "JSM_API_TOKEN",
        "HEARTBEAT_URL",
        "OPSGENIE_API_KEY",
        "PAGERDUTY_API_KEY_FILE",
        "DATABASE_URL",
        "HTTP_LISTEN",
        "STATUS_LISTEN",
        "LOG_LEVEL",
    ):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("LANG", "C")
    assert "mine" not in _inherited().values()
    assert _inherited()["LANG"] == "C"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            {"kind": "opsgenie.add_note", "state": "done", "reason": "Jane Doe added a note"},
            "Jane Doe added a note",
        ),
        ({"kind": "opsgenie.acknowledge", "state": "in flight", "reason": "Jane acknowledged"}, ""),
        ({"event": "the database is away", "level": "error"}, "the database is away"),
        ({"event": "started", "level": "info"}, ""),
    ],
)
def test_writes_are_told_once_done_and_troubles_at_once(
    stage: Stage, capsys: pytest.CaptureFixture[str], event: dict[str, Any], said: str
) -> None:
    stage._tell(event)
    out = capsys.readouterr().out
    assert said in out
    assert bool(out) is bool(said)


def test_what_is_not_seen_in_time_fails_the_demo(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_stage, "SEEN_WITHIN", 0.0)
    stage.until("the page", lambda _state: True)
    assert stage.missed == ["the page"]
    stage.stops_when_missed = True
    with pytest.raises(NotSeen):
        stage.until("another page", lambda _state: True)


def test_what_is_told_fits_the_terminal_and_its_colours(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    stage.say("Opsgenie", "word " * 30)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 60 and "\x1b" not in line for line in lines)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    stage.say("Opsgenie", "word")
    assert "\x1b" in capsys.readouterr().out


def test_a_daemon_that_runs_is_not_started_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    class Running:
        stderr = ("{}",)

        def __init__(self, *_: object, **__: object) -> None:
            started.append(self)

        def poll(self) -> int | None:
            return None

    monkeypatch.setattr(subprocess, "Popen", Running)
    stage.start()
    stage.start()
    assert len(started) == 1


def test_pages_are_counted_by_their_causes() -> None:
    pages = [{"cause": cause} for cause in ("triggered", "reopened", "triggered")]
    assert demo_stage._pages({"pagerduty": {"pages": pages}}) == "3 (2 triggered, reopened)"
