"""`reconciler demo`: one incident from alert to resolution, by the real daemon against the sandbox over HTTP."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.cli.demo_stage import NARROWEST, Stage, State, columns
from reconciler.sandbox.server import environment, serve
from reconciler.sandbox.settings import SandboxSettings

MIN_COLUMN = 50


def play() -> int:
    """Run the demo; exit status 0 when nothing was lost and nothing was done twice."""
    settings = SandboxSettings(list_lag=0.4, write_lag=0.3, latency=0.01)
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, serve(settings=settings) as sandbox:
        stage = Stage(sandbox.url, Path(folder), environment(sandbox.url))
        try:
            _story(stage)
            late = stage.late_writes()
        finally:
            stage.kill()
        click.echo()
        _timelines(stage.state())
        click.echo()
        return stage.verdict(late)


def _story(stage: Stage) -> None:
    say, act, until = stage.say, stage.act, stage.until
    say("demo", "both vendors are simulated on loopback; the daemon is the real one, polling every 0.4 s")
    stage.start()
    raised = {
        "message": "db-primary is down", "priority": "P1", "alias": "db-primary", "user": "Grafana",
        "source": "grafana", "description": "replication stopped 4 minutes ago", "tags": ["database", "prod"],
        "details": {"host": "db-1", "region": "eu-central-1"},
    }  # fmt: skip
    alert = act("Opsgenie", 'Grafana raises the alert "db-primary is down" (P1)', "opsgenie/alerts", **raised)
    alert_id = alert["id"]
    on_alert, on_incident = f"opsgenie/alerts/{alert_id}", f"pagerduty/incidents/{alert_id}"
    until("the page", lambda s: bool(s["pagerduty"]["incidents"]))
    say("PagerDuty", "the engineer on call is paged")

    act("Opsgenie", "Grafana delivers the same alert a second time (same alias)", "opsgenie/alerts", **raised)
    words = "it began after the 09:10 deploy"
    act("Opsgenie", f'Ana Ruiz adds a note: "{words}"', f"{on_alert}/notes", user="Ana Ruiz", text=words)
    until("Ana's note", lambda s: words in _incident_notes(s))
    words = "failing over to db-2 now"
    act("PagerDuty", f'Jane Doe adds a note: "{words}"', f"{on_incident}/notes", user="Jane Doe", text=words)
    until("Jane's note", lambda s: words in _alert_notes(s))

    act("PagerDuty", "Jane Doe acknowledges", f"{on_incident}/acknowledge", user="Jane Doe")
    until("Jane's acknowledgement", lambda s: _alert(s)["acknowledged"])
    act("PagerDuty", "Jane Doe un-acknowledges", f"{on_incident}/unacknowledge", user="Jane Doe")
    until("Jane's un-acknowledgement", lambda s: not _alert(s)["acknowledged"])
    act("Opsgenie", "Ana Ruiz acknowledges", f"{on_alert}/acknowledge", user="Ana Ruiz")
    until("Ana's acknowledgement", lambda s: _incident(s)["status"] == "acknowledged")

    words = "standby is catching up"
    act("Opsgenie", f'Ana Ruiz adds a note: "{words}"', f"{on_alert}/notes", user="Ana Ruiz", text=words)
    stage.kill()
    say("demo", "kill -9 of the daemon; people go on meanwhile")
    act("Opsgenie", "Ana Ruiz un-acknowledges: it is not over", f"{on_alert}/unacknowledge", user="Ana Ruiz")
    words = "second failover attempt"
    act("PagerDuty", f'Omar Haddad adds a note: "{words}"', f"{on_incident}/notes", user="Omar Haddad", text=words)
    stage.start()
    say("demo", "the daemon is started again")
    until("Ana's un-acknowledgement", lambda s: _incident(s)["status"] == "triggered")
    until("Omar's note", lambda s: words in _alert_notes(s))
    until("Ana's second note", lambda s: "standby is catching up" in _incident_notes(s))

    act("PagerDuty", "Omar Haddad acknowledges", f"{on_incident}/acknowledge", user="Omar Haddad")
    until("Omar's acknowledgement", lambda s: _alert(s)["acknowledged"])
    act("PagerDuty", "Omar Haddad resolves", f"{on_incident}/resolve", user="Omar Haddad")
    until("Omar's resolution", lambda s: "resolved" in _alert_notes(s))
    act("Opsgenie", "Ana Ruiz closes the alert", f"{on_alert}/close", user="Ana Ruiz")
    until("Ana's closing", lambda s: "closed the alert" in _incident_notes(s))


def _timelines(state: State) -> None:
    """The logs and notes of both sides in one timeline."""
    alert, incident = _alert(state), _incident(state)
    left = [(log["createdAt"], f"{log['log']} ({log['owner']})") for log in alert["logs"]]
    left += [(note["createdAt"], f"note: {note['note']}") for note in alert["notes"]]
    right = [(entry["created_at"], entry["summary"]) for entry in incident["log_entries"] if _is_told(entry)]
    right += [(note["created_at"], f"note: {note['content']}") for note in incident["notes"]]
    events = [(datetime.fromisoformat(at), True, words) for at, words in left]
    events += [(datetime.fromisoformat(at), False, words) for at, words in right]
    lines = [
        (on_left, f"{at.astimezone(UTC):%H:%M:%S}  {' '.join(words.split())}")
        for at, on_left, words in sorted(events, key=lambda event: event[0])
    ]
    click.echo("\n".join(_laid_out(lines, columns())))


def _laid_out(lines: list[tuple[bool, str]], room: int) -> list[str]:
    """Lines of the left and of the right side: in two columns, or one below the other where two do not fit."""
    width = room // 2 - 2
    if width < MIN_COLUMN:
        sides = {True: "Opsgenie ", False: "PagerDuty"}
        return [_cell(f"{sides[on_left]}  {line}", max(NARROWEST, room)) for on_left, line in lines]
    shown = [_cell(line, width) if on_left else f"{'':<{width}}   {_cell(line, width)}" for on_left, line in lines]
    return [f"{'Opsgenie':<{width}}   PagerDuty", f"{'-' * width}   {'-' * width}", *shown]


def _is_told(entry: State) -> bool:
    kinds = ("trigger", "acknowledge", "unacknowledge", "resolve", "escalate", "assign")
    return entry["type"] in {f"{kind}_log_entry" for kind in kinds}


def _cell(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _alert(state: State) -> State:
    found: State = state["opsgenie"]["alerts"][0]
    return found


def _incident(state: State) -> State:
    found: State = state["pagerduty"]["incidents"][0]
    return found


def _alert_notes(state: State) -> str:
    return "\n".join(note["note"] for note in _alert(state)["notes"])


def _incident_notes(state: State) -> str:
    return "\n".join(note["content"] for note in _incident(state)["notes"])
