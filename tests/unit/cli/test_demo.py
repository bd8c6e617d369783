"""How the demo tells what happens, and what of the environment its daemon is given."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import demo
from reconciler.cli.demo import Stage, _inherited, _timelines


class Sandbox:
    """One that is never asked."""

    url = "http://127.0.0.1:9"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    sandbox: Any = Sandbox()
    return Stage(sandbox, tmp_path)


def test_no_setting_of_the_operators_reaches_the_demos_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
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


def test_both_sides_are_told_in_one_order_of_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    alert = {
        "logs": [{"createdAt": "2026-11-23T09:00:00Z", "log": "Alert created", "owner": "Grafana"}],
        "notes": [{"createdAt": "2026-11-23T09:00:20Z", "note": "any\nnews?"}],
    }
    incident = {
        "log_entries": [
            {"created_at": "2026-11-23T10:00:10+01:00", "type": "trigger_log_entry", "summary": "Triggered"},
            {"created_at": "2026-11-23T09:00:11Z", "type": "notify_log_entry", "summary": "Notified"},
        ],
        "notes": [{"created_at": "2026-11-23T09:00:30Z", "content": "x" * 200}],
    }
    _timelines({"opsgenie": {"alerts": [alert]}, "pagerduty": {"incidents": [incident]}})
    _, _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["09:00:00", "09:00:10", "09:00:20", "09:00:30"]
    assert [line[0] == " " for line in lines] == [False, True, False, True]
    assert "note: any news?" in lines[2]
    assert lines[3].endswith("…")


def test_what_is_not_seen_in_time_fails_the_demo(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SEEN_WITHIN", 0.0)
    stage.until("the page", lambda _state: True)
    assert stage.missed == ["the page"]


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


def test_two_columns_become_one_where_they_do_not_fit() -> None:
    lines = [(True, "09:00:00  " + "left " * 20), (False, "09:00:01  right")]
    wide = demo._laid_out(lines, 140)
    assert wide[0].split() == ["Opsgenie", "PagerDuty"]
    assert max(map(len, wide)) <= 140
    first, second = demo._laid_out(lines, 60)
    assert first.startswith("Opsgenie   09:00:00  left")
    assert len(first) == 60
    assert second == "PagerDuty  09:00:01  right"
