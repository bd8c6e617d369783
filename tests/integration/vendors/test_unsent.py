"""A request that never left this machine is known not to be executed."""

import socket
import time

import pytest

from reconciler.errors import NotExecuted
from tests.support.servers import Serve, read_request, reset, server
from tests.support.wire.http import real_http


def test_a_refused_connection_is_not_executed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotExecuted, match=r"no connection could be made .*; not sent"):
        real_http(f"http://127.0.0.1:{port}").write("POST", "/incidents", {})


def test_an_unknown_name_is_not_executed() -> None:
    with pytest.raises(NotExecuted, match="no connection could be made"):
        real_http("http://nowhere.invalid").write("POST", "/incidents", {})


@pytest.mark.parametrize("close", [reset, lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")])
def test_a_failed_tls_handshake_is_not_executed(close: Serve) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        close(connection)

    with (
        server(refuse) as (url, _),
        pytest.raises(NotExecuted, match="the TLS handshake failed; not sent"),
    ):
        real_http(url.replace("http:", "https:")).write("POST", "/incidents", {})


def test_a_tls_handshake_that_never_ends_is_not_executed() -> None:
    with (
        server(lambda _connection: time.sleep(0.6)) as (url, _),
        pytest.raises(NotExecuted, match="not sent"),
    ):
        real_http(url.replace("http:", "https:"), timeout=0.3).write("POST", "/incidents", {})


@pytest.mark.parametrize(
    ("status", "told"),
    [("403 Forbidden", "403: it forbids"), ("407 Login", "407: it wants a login"), ("502 No", "502")],
)
def test_a_proxy_that_refuses_is_not_executed(monkeypatch: pytest.MonkeyPatch, status: str, told: str) -> None:
    def refuse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    with server(refuse) as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(NotExecuted, match=r"the proxy made no connection \(.*; not sent") as caught:
            real_http("https://api.pagerduty.invalid").write("POST", "/incidents", {})
    assert told in str(caught.value)
