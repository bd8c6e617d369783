"""The HTTP listener alone, as a process of its own: no vendor, no database, and the hints go nowhere."""

import sys
import threading
import time

from reconciler.core.model import Side
from reconciler.observability.health import Health
from reconciler.observability.logs import configure
from reconciler.observability.metrics import Metrics
from reconciler.settings import load
from reconciler.vendors.http import SystemClock
from reconciler.web.app import create
from reconciler.web.server import Server


def main() -> None:
    """Serve until stdin ends."""
    settings = load(dotenv=None)
    assert settings.http_listen is not None
    configure("json", "INFO", settings.secret_values())
    health = Health(1.0)
    for side in Side:
        health.polled(side, ok=True)
    with Server(create(settings, Metrics(health, SystemClock()), lambda _hint: None), settings.http_listen):
        threading.Thread(target=_turn, args=(health,), daemon=True).start()
        sys.stdin.read()


def _turn(health: Health) -> None:
    while True:
        health.turned()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
