"""`reconciler sandbox`: serve until stopped, and tell how to use it."""

import signal
import time

from reconciler.sandbox.server import environment, serve
from reconciler.sandbox.settings import SandboxSettings

CHECK = 0.2
"""Seconds between two checks whether a signal has come."""


def serve_until_stopped(host: str, port: int, settings: SandboxSettings) -> None:
    """Serve both vendors' APIs until SIGINT or SIGTERM."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # A handler that took a lock, as Event.set does, could deadlock with the thread that it interrupts.
        signal.signal(number, lambda number, _: signals.append(number))
    with serve(host, port, settings) as running:
        print(introduction(running.url, settings), flush=True)  # noqa: T201 - this is the command's output
        while not signals:
            time.sleep(CHECK)


def introduction(url: str, settings: SandboxSettings) -> str:
    """What to type next: four lines of environment, then acts of people."""
    env = environment(url, settings)
    groups = (
        ("OPSGENIE_API_URL", "OPSGENIE_API_KEY"),
        ("PAGERDUTY_API_URL", "PAGERDUTY_API_KEY"),
        ("PAGERDUTY_SERVICE_ID", "PAGERDUTY_EMAIL", "PAGERDUTY_USER"),
    )
    lines = [f"Opsgenie and PagerDuty, simulated, on {url} (Ctrl-C ends it).", "", "In another terminal:", ""]
    lines += ["export " + " ".join(f"{name}={env[name]}" for name in group) for group in groups]
    lines += ["export DATABASE_URL=sqlite:///sandbox.db POLL_INTERVAL_SECONDS=1", "", "reconciler run", ""]
    lines += [
        "Then act as a customer or an engineer (POST to /control; all calls: reconciler/sandbox/control.py):",
        "",
    ]
    alert = '{"message": "db-primary is down", "priority": "P1", "user": "Ana Ruiz"}'
    note = '{"user": "Jane Doe", "text": "failing over now"}'
    lines += [
        f"curl -s {url}/control/opsgenie/alerts -d '{alert}'",
        f"curl -s {url}/control/pagerduty/incidents/1/notes -d '{note}'",
        f"curl -s {url}/control/state",
    ]
    return "\n".join(lines)
