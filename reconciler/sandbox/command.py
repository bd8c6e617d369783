"""`reconciler sandbox`: serves until it is stopped, and prints how to use it."""

import signal
import time

from reconciler.sandbox.pagerduty.directory import SERVICES
from reconciler.sandbox.server import environment, serve
from reconciler.sandbox.settings import SandboxSettings

CHECK = 0.2
"""Seconds between two checks for a signal."""
_OPSGENIE = (("OPSGENIE_API_URL", "OPSGENIE_API_KEY"),)
_JSM = (("ALERT_SOURCE", "JSM_SITE_URL", "JSM_API_URL"), ("JSM_EMAIL", "JSM_API_TOKEN"))
"""The variables of each alert source, a line each."""


def serve_until_stopped(host: str, port: int, settings: SandboxSettings) -> None:
    """Serve the vendors' APIs until SIGINT or SIGTERM."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # A handler that takes a lock, as Event.set does, can deadlock with the thread that it interrupts.
        signal.signal(number, lambda number, _: signals.append(number))
    with serve(host, port, settings) as running:
        print(introduction(running.url, settings), flush=True)  # noqa: T201 - this is the command's output
        while not signals:
            time.sleep(CHECK)


def introduction(url: str, settings: SandboxSettings) -> str:
    """The commands to try next: the environment for the product, and some acts."""
    env = environment(url, settings)
    product, prefix = ("JSM", "jsm") if settings.jsm_only else ("Opsgenie", "opsgenie")
    key = f"\n# acknowledgements and notes in the engineer's name: export JSM_INTEGRATION_KEY={settings.jsm_key}"
    exports = "\n".join(
        "export " + " ".join(f"{name}={env[name]}" for name in names)
        for names in (
            *(_JSM if settings.jsm_only else _OPSGENIE),
            ("PAGERDUTY_API_URL", "PAGERDUTY_API_KEY"),
            ("PAGERDUTY_SERVICE_ID", "PAGERDUTY_EMAIL", "PAGERDUTY_USER"),
        )
    )
    last = list(SERVICES)[settings.services - 1]
    services = f"\n# further services, for a routes file: up to {last}" if settings.services > 1 else ""
    alert = '{"message": "db-primary is down", "priority": "P1", "user": "Ana Ruiz"}'
    return f"""{product} and PagerDuty, simulated, on {url} (Ctrl-C ends it).

In another terminal:

{exports}{key if settings.jsm_only else ""}{services}
export DATABASE_URL=sqlite:///sandbox.db POLL_INTERVAL_SECONDS=1

reconciler run

Then act as a customer or an engineer (POST to /control; all calls: reconciler/sandbox/control.py):

curl -s {url}/control/{prefix}/alerts -d '{alert}'
curl -s {url}/control/pagerduty/incidents/1/notes -d '{{"user": "Jane Doe", "text": "failing over now"}}'
curl -s {url}/control/state"""
