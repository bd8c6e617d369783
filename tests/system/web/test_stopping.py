"""A daemon that is stopped while webhooks keep arriving exits soon, and no webhook waits for that."""

import signal
import time

import requests

from tests.support.harness import World
from tests.support.harness.listener import RARELY, opsgenie_body

TIMES = 3


def test_waiting_hints_do_not_delay_the_stop(world: World) -> None:
    """The signal arrives during a read, with other hints waiting and webhooks arriving."""
    world.open_ready(POLL_INTERVAL_SECONDS=RARELY)
    alerts = [world.paired(f"alert {number}")[0] for number in range(3)]
    for _ in range(TIMES):
        if world.daemons[-1].poll() is not None:
            world.open_ready(POLL_INTERVAL_SECONDS=RARELY)
        world.settings(latency=0.5)
        world.report(opsgenie_body(alerts[0]))
        time.sleep(0.2)
        for alert in alerts[1:]:
            world.report(opsgenie_body(alert))
        told = time.monotonic()
        world.daemons[-1].send_signal(signal.SIGTERM)
        time.sleep(0.1)
        while world.daemons[-1].poll() is None:
            assert time.monotonic() - told < 5, "it does not end"
            _knock(world, alerts[0])
            time.sleep(0.02)
        assert world.daemons[-1].returncode == 0
        assert [event["event"] for event in world.events() if event["level"] == "error"] == []
        world.settings(latency=0.0)


def _knock(world: World, alert: str) -> None:
    """A webhook during the shutdown is answered at once, or its connection is refused."""
    asked = time.monotonic()
    try:
        assert world.report(opsgenie_body(alert)).status_code == 202
    except requests.ConnectionError:
        return
    assert time.monotonic() - asked < 1
