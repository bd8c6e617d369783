"""The listener on loopback: it is bound before it serves, and is closed at the end."""

import gc
import logging
import socket
from contextlib import closing

import pytest
import requests

from reconciler.errors import Misconfigured
from reconciler.settings import Address
from reconciler.web.server import Server
from tests.support.door import Door

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    with closing(socket.create_server((LOOPBACK, 0))) as taken:
        return int(taken.getsockname()[1])


def test_it_answers_while_it_serves_and_refuses_connections_afterwards() -> None:
    address = Address(LOOPBACK, free_port())
    with Server(Door().client.application, address):
        assert requests.get(f"http://{address}/healthz", timeout=10).json() == {"alive": True}
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{address}/healthz", timeout=10)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # waitress leaves its socket open
def test_a_port_in_use_is_named_with_its_setting() -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as taken:
        address = Address(LOOPBACK, taken.getsockname()[1])
        with pytest.raises(Misconfigured, match=rf"^HTTP_LISTEN: cannot listen on {address}: Address already in"):
            Server(Door().client.application, address)
    gc.collect()


def test_no_client_can_make_the_server_log() -> None:
    with Server(Door().client.application, Address(LOOPBACK, free_port())):
        for name in ("waitress", "waitress.queue"):
            assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
