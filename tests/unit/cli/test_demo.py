"""How the demo shows both sides at its end."""

import pytest

from reconciler.cli import demo
from reconciler.cli.demo import _timelines


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


def test_two_columns_become_one_where_they_do_not_fit() -> None:
    lines = [(True, "09:00:00  " + "left " * 20), (False, "09:00:01  right")]
    wide = demo._laid_out(lines, 140)
    assert wide[0].split() == ["Opsgenie", "PagerDuty"]
    assert max(map(len, wide)) <= 140
    first, second = demo._laid_out(lines, 60)
    assert first.startswith("Opsgenie   09:00:00  left")
    assert len(first) == 60
    assert second == "PagerDuty  09:00:01  right"
