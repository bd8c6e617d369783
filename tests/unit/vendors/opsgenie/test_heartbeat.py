"""A ping of Opsgenie's heartbeat."""

import pytest
import responses

from reconciler.errors import Misconfigured, Refused, Transient
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.vendors.ports import LONGEST_PING
from tests.support.clock import SimClock
from tests.support.wire.http import OPSGENIE, OPSGENIE_KEY, http, sent

PING = f"{OPSGENIE}/v2/heartbeats/reconciler%20prod/ping"


def ping(clock: SimClock | None = None) -> None:
    OpsgenieHeartbeat(http("Opsgenie", clock), "reconciler prod").ping()


def test_a_ping_is_made_with_the_integrations_key(wire: responses.RequestsMock) -> None:
    given = sent(Authorization=f"GenieKey {OPSGENIE_KEY}")
    wire.get(PING, json={"result": "PONG - Heartbeat received"}, status=202, match=[given])
    ping()


def test_an_unknown_heartbeat_is_an_error_that_names_the_setting(wire: responses.RequestsMock) -> None:
    wire.get(PING, json={"message": "Heartbeat not found"}, status=404)
    with pytest.raises(Misconfigured, match="OPSGENIE_HEARTBEAT: Opsgenie has no heartbeat reconciler prod"):
        ping()


def test_a_refused_key_is_an_error_of_the_account(wire: responses.RequestsMock) -> None:
    wire.get(PING, json={"message": "Could not authenticate"}, status=401)
    with pytest.raises(Refused, match="OPSGENIE_API_KEY"):
        ping()


def test_a_ping_is_tried_for_five_seconds_at_most(wire: responses.RequestsMock) -> None:
    wire.get(PING, json={"message": "busy"}, status=503)
    clock = SimClock(1000.0)
    with pytest.raises(Transient):
        ping(clock)
    assert clock.monotonic() - 1000.0 < LONGEST_PING
