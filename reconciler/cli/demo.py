"""`reconciler demo`: one incident from alert to resolution, by the real daemon against the sandbox over HTTP.

The people's acts go through the sandbox's control API. What the reconciler does is taken from its log. What was
lost and what was done twice is computed at the end from the sandbox's state by `reconciler.sandbox.audit`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import requests

from reconciler.cli.manners import colour as wants_colour
from reconciler.sandbox.server import RunningSandbox, environment, serve
from reconciler.sandbox.settings import SandboxSettings

SEEN_WITHIN = 8.0
"""Seconds within which a change must show on the other side, or the demo fails."""
QUIET = 2.5
"""Seconds at the end during which nothing more may be written."""
MIN_COLUMN = 50
NARROWEST = 20
INDENT = 21
"""Characters before the words of a line: the time and who acts."""

State = dict[str, Any]


def play() -> int:
    """Run the demo; exit status 0 when nothing was lost and nothing was done twice."""
    settings = SandboxSettings(list_lag=0.4, write_lag=0.3, latency=0.01)
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, serve(settings=settings) as sandbox:
        stage = Stage(sandbox, Path(folder))
        try:
            _story(stage)
        finally:
            stage.kill()
        return _conclusion(stage)


class Stage:
    """The sandbox, the daemon, and the narration printed as things happen."""

    def __init__(self, sandbox: RunningSandbox, folder: Path) -> None:
        self.url = sandbox.url
        self.folder = folder
        self.environment = environment(sandbox.url) | {
            "DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
            "POLL_INTERVAL_SECONDS": "0.4",
            "STALENESS_SECONDS": "3",
            "LOG_FORMAT": "json",
        }
        self.daemon: subprocess.Popen[str] | None = None
        self.started = time.monotonic()
        self.missed: list[str] = []

    def say(self, who: str, words: str) -> None:
        """Print one line of the narration."""
        colour = {"Opsgenie": "yellow", "PagerDuty": "green", "reconciler": "cyan"}.get(who, "white")
        at = f"{time.monotonic() - self.started:5.1f} s"
        head = f"{click.style(at, dim=True)}  {click.style(f'{who:<10}', fg=colour)}  "
        room = max(NARROWEST, columns() - INDENT)
        first, *rest = textwrap.wrap(words, room) or [""]
        click.echo("\n".join([head + first, *(" " * INDENT + line for line in rest)]), color=wants_colour())

    def start(self) -> None:
        """Start the real daemon, as a process of its own."""
        self.daemon = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "run"],
            env=_inherited() | self.environment,
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.daemon,), daemon=True).start()

    def kill(self) -> None:
        """Kill the daemon with SIGKILL, so that it cannot clean up."""
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGKILL)
            self.daemon.wait()

    def act(self, side: str, words: str, path: str, **body: Any) -> State:
        """Have a person act through the sandbox's control interface."""
        self.say(side, words)
        answer = requests.post(f"{self.url}/control/{path}", json=body, timeout=10)
        answer.raise_for_status()
        found: State = answer.json()
        return found

    def state(self) -> State:
        """The complete state of both sides."""
        found: State = requests.get(f"{self.url}/control/state", timeout=10).json()
        return found

    def until(self, what: str, shown: Callable[[State], bool]) -> None:
        """Wait until the other side shows the change."""
        last = time.monotonic() + SEEN_WITHIN
        while time.monotonic() < last:
            if shown(self.state()):
                return
            time.sleep(0.05)
        self.missed.append(what)
        self.say("demo", f"not seen within {SEEN_WITHIN:.0f} s: {what}")

    def writes(self) -> int:
        """The number of API writes that both vendors have accepted so far."""
        calls = requests.get(f"{self.url}/control/requests", timeout=10).json()["requests"]
        return sum(1 for call in calls if call["write"])

    def _listen(self, daemon: "subprocess.Popen[str]") -> None:
        for line in daemon.stderr or ():
            try:
                event = json.loads(line)
            except ValueError:
                self.say("reconciler", line.rstrip())
                continue
            self._tell(event)

    def _tell(self, event: State) -> None:
        kind, state = event.get("event", ""), event.get("state")
        if state in ("done", "in flight", "dropped") and "reason" in event:
            if state == "in flight":
                return  # accepted by Opsgenie: said once it is seen to be done
            why = f" [{event['error']}]" if event.get("error") else ""
            self.say("reconciler", f"{event['kind']}: {event['reason']}{why}")
        elif event.get("level") in ("error", "warning"):
            self.say("reconciler", f"{kind} {event.get('exception', '')}".rstrip())


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


def _conclusion(stage: Stage) -> int:
    stage.start()
    time.sleep(QUIET / 2)
    before = stage.writes()
    time.sleep(QUIET)
    late = stage.writes() - before
    stage.kill()
    state = stage.state()
    audit = requests.get(f"{stage.url}/control/audit", timeout=10).json()
    click.echo()
    _timelines(state)
    click.echo()
    acts = sum(1 for entry in state["journal"] if entry["verb"] != "escalate")
    click.echo(f"People's acts: {acts}. API writes made for them: {stage.writes()}. Pages: {_pages(state)}.")
    bad = {name: found for name, found in audit.items() if found}
    for name in ("lost", "twice", "looped", "forbidden"):
        if name in audit:
            click.echo(f"{name.capitalize():<10} {len(audit[name])}")
    for name, found in bad.items():
        for finding in found:
            click.echo(f"  {name}: {finding}")
    click.echo(f"Written while nobody did anything, after the end: {late}")
    return 1 if bad or late or stage.missed else 0


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


def columns() -> int:
    """The width of the terminal, or the one that COLUMNS gives."""
    return shutil.get_terminal_size((140, 24)).columns


def _is_told(entry: State) -> bool:
    kinds = ("trigger", "acknowledge", "unacknowledge", "resolve", "escalate", "assign")
    return entry["type"] in {f"{kind}_log_entry" for kind in kinds}


def _cell(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _pages(state: State) -> str:
    pages = state["pagerduty"]["pages"]
    return f"{len(pages)} ({', '.join(page['cause'] for page in pages)})"


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


def _inherited() -> dict[str, str]:
    """The environment without the operator's configuration, so that the demo never leaves loopback."""
    ours = ("OPSGENIE_", "PAGERDUTY_", "ON_", "HTTP_LISTEN", "STATUS_", "DATABASE_URL", "LOG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
