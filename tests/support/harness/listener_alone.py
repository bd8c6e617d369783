"""The HTTP listener alone, as a process of its own: no vendor, no database, and hints are only logged."""

import sys
import threading
import time

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.observability.health import Health
from reconciler.observability.logs import configure, get_logger
from reconciler.observability.metrics import Metrics
from reconciler.settings import load
from reconciler.vendors.http import SystemClock
from reconciler.web.app import create
from reconciler.web.server import Server


def main() -> None:
    """Serve until stdin ends. The argument `unpolled` makes it unready, without a role; `stuck` stops its loop."""
    settings = load(dotenv=None)
    assert settings.http_listen is not None
    configure("json", "INFO", settings.secret_values())
    health = Health(0.5)
    if "unpolled" not in sys.argv:
        health.led()
        for side in Side:
            health.polled(side, ok=True)
    with Server(create(settings, Metrics(health, SystemClock()), _log_hint), settings.http_listen):
        if "stuck" not in sys.argv:
            threading.Thread(target=_turn, args=(health,), daemon=True).start()
        sys.stdin.read()


def _log_hint(hint: Hint) -> None:
    get_logger(__name__).warning("hint", id=hint.id)


def _turn(health: Health) -> None:
    while True:
        health.turned()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
