"""The stage of a demo: the sandbox over HTTP, the real daemon and commands, and the narration.

People's acts go through the sandbox's control API. What the reconciler does is taken from its log. What was lost
and what was done twice is computed at the end from the sandbox's state by `reconciler.sandbox.audit`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import requests

from reconciler.cli.manners import colour as wants_colour

SEEN_WITHIN = 8.0
"""Seconds within which a change must show on the other side, or the demo fails."""
STARTS_WITHIN = 30.0
"""Seconds for the daemon's program to be loaded."""
QUIET = 2.5
"""Seconds at the end during which nothing more may be written."""
NARROWEST = 20
INDENT = 21
"""Characters before the words of a line: the time and who acts."""

_COLOURS = {"Opsgenie": "yellow", "JSM": "yellow", "PagerDuty": "green", "reconciler": "cyan"}

State = dict[str, Any]


class NotSeen(Exception):
    """An expected change was not seen in time, and the rest of the story depends on it."""


class Stage:
    """The sandbox, the daemon, and the narration printed as things happen. `keys` are the product's settings."""

    def __init__(self, url: str, folder: Path, keys: dict[str, str]) -> None:
        self.url = url
        self.folder = folder
        self.environment = keys | {
            "DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
            "POLL_INTERVAL_SECONDS": "0.4",
            "STALENESS_SECONDS": "3",
            "LOG_FORMAT": "json",
        }
        self.daemon: subprocess.Popen[str] | None = None
        self.stops_when_missed = False
        self.started = time.monotonic()
        self.missed: list[str] = []

    def say(self, who: str, words: str) -> None:
        """Print one line of the narration."""
        colour = _COLOURS.get(who, "white")
        at = f"{time.monotonic() - self.started:5.1f} s"
        head = f"{click.style(at, dim=True)}  {click.style(f'{who:<10}', fg=colour)}  "
        room = max(NARROWEST, columns() - INDENT)
        first, *rest = textwrap.wrap(words, room) or [""]
        click.echo("\n".join([head + first, *(" " * INDENT + line for line in rest)]), color=wants_colour())

    def start(self) -> None:
        """Start the real daemon, as a process of its own, unless it runs; return once it has logged something."""
        if self.daemon is not None and self.daemon.poll() is None:
            return
        self.daemon = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "run"],
            env=_inherited() | self.environment,
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        logs = threading.Event()
        threading.Thread(target=self._listen, args=(self.daemon, logs), daemon=True).start()
        logs.wait(STARTS_WITHIN)

    def kill(self) -> None:
        """Kill the daemon with SIGKILL, so that it cannot clean up."""
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGKILL)
            self.daemon.wait()

    def stop(self) -> None:
        """End the daemon as a platform does, with SIGTERM."""
        if self.daemon is not None:
            self.daemon.terminate()
            self.daemon.wait()

    def command(self, *words: str) -> None:
        """Run the real command to its end, and print what it prints."""
        self.say("reconciler", f"$ reconciler {' '.join(words)}")
        done = subprocess.run(  # noqa: S603 - this program
            [sys.executable, "-m", "reconciler", *words],
            env=_inherited() | self.environment, cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        for line in (done.stdout + done.stderr).splitlines():
            self.say("", line)

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
        if self.stops_when_missed:
            raise NotSeen

    def writes(self) -> int:
        """The number of API writes that both vendors have accepted so far."""
        calls = requests.get(f"{self.url}/control/requests", timeout=10).json()["requests"]
        return sum(1 for call in calls if call["write"])

    def late_writes(self) -> int:
        """The number of writes while nobody does anything, which ends with the daemon's."""
        self.start()
        time.sleep(QUIET / 2)
        before = self.writes()
        time.sleep(QUIET)
        late = self.writes() - before
        self.kill()
        return late

    def verdict(self, late: int) -> int:
        """Print what was done, lost and done twice; exit status 0 when nothing was lost or done twice."""
        state = self.state()
        audit = requests.get(f"{self.url}/control/audit", timeout=10).json()
        acts = sum(1 for entry in state["journal"] if entry["verb"] != "escalate")
        click.echo(f"People's acts: {acts}. API writes made for them: {self.writes()}. Pages: {_pages(state)}.")
        bad = {name: found for name, found in audit.items() if found}
        for name in ("lost", "twice", "looped", "forbidden", "misrouted"):
            if name in audit:
                click.echo(f"{name.capitalize():<10} {len(audit[name])}")
        for name, found in bad.items():
            for finding in found:
                click.echo(f"  {name}: {finding}")
        click.echo(f"Written while nobody did anything, after the end: {late}")
        return 1 if bad or late or self.missed else 0

    def _listen(self, daemon: "subprocess.Popen[str]", logs: threading.Event) -> None:
        for line in daemon.stderr or ():
            logs.set()
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
            self.say("reconciler", f"{_of(event)}{event['kind']}: {event['reason']}{why}")
        elif event.get("level") in ("error", "warning"):
            self.say("reconciler", f"{_of(event)}{kind} {event.get('exception', '')}".rstrip())


def _of(event: State) -> str:
    """The route that an event is about, where there are several."""
    return f"{event['route']}: " if event.get("route") else ""


def columns() -> int:
    """The width of the terminal, or the one that COLUMNS gives."""
    return shutil.get_terminal_size((140, 24)).columns


def _pages(state: State) -> str:
    pages = state["pagerduty"]["pages"]
    causes = Counter(page["cause"] for page in pages)
    told = (f"{times} {cause}" if times > 1 else cause for cause, times in causes.items())
    return f"{len(pages)} ({', '.join(told)})"


def _inherited() -> dict[str, str]:
    """The environment without the operator's configuration, so that the demo never leaves loopback."""
    ours = (
        "ALERT_", "JSM_", "OPSGENIE_", "PAGERDUTY_", "ON_", "HTTP_LISTEN", "STATUS_", "DATABASE_URL", "LOG_",
        "HEARTBEAT_", "ROUTES_FILE",
    )  # fmt: skip
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
