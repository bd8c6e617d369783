"""Story: is it dead? A process that is killed says nothing more, and each of three things notices that."""

import pytest
import requests

from tests.support.harness import World
from tests.support.harness.beats import a_switch
from tests.support.harness.vendors import never

NAME = "reconciler prod"


def test_after_kill_9_the_heartbeats_stop_and_metrics_are_absent_until_it_is_started_again(world: World) -> None:
    with a_switch() as switch:
        world.environment |= {
            "HEARTBEAT_URL": switch.url,
            "OPSGENIE_HEARTBEAT": NAME,
            "HEARTBEAT_INTERVAL_SECONDS": "0.3",
        }

        def pings() -> int:
            return len(world.state()["opsgenie"]["heartbeats"].get(NAME, []))

        world.open_ready()
        world.until(lambda: switch.beats() >= 2 and pings() >= 2, "heartbeats")
        assert (world.metric("reconciler_last_good_poll_timestamp_seconds", source="opsgenie_feed") or 0) > 0
        started = world.metric("process_start_time_seconds") or 0

        world.kill()
        before = switch.beats(), pings()
        never(lambda: (switch.beats(), pings()) != before, 2, "a heartbeat of a dead process")
        with pytest.raises(requests.ConnectionError):
            world.get("/metrics")  # the rules fire where a series is absent

        missed = world.raise_alert()
        world.open_ready()
        world.until(lambda: world.is_paged(missed), "the page")
        world.until(lambda: switch.beats() > before[0], "heartbeats again")
        assert (world.metric("process_start_time_seconds") or 0) > started
    world.assert_good()
