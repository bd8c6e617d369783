"""A call ends in time, whichever part of the connection or of the answer is slow."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from reconciler.errors import NotExecuted, Unknown
from reconciler.vendors.http import Http
from tests.support.servers import Serve, read_request, server
from tests.support.wire.http import real_http


def test_a_slowly_dripping_answer_is_bounded_in_total_time() -> None:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)

    with server(drip) as (url, _):
        started = time.monotonic()
        with pytest.raises(Unknown, match=r"not complete within 0\.6 s"):
            real_http(url, timeout=0.6).write("POST", "/incidents", {})
        assert 0.5 < time.monotonic() - started < 1.0


OK = b"HTTP/1.1 200 OK\r\n"


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


GZIP = b"Content-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\x03"  # and a file name


DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (OK + b"X-Slow: ", b"x"),
    "header lines": (OK, b"X-Slow: 1\r\n"),
    "chunk size": (CHUNKED, b"0"),
    "chunk extension": (CHUNKED + b"2;", b"x"),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nX-Slow: ", b"x"),
    "trailer lines": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-Slow: 1\r\n"),
    "interim answers": (b"", CONTINUE),
    "headers of an interim answer": (b"HTTP/1.1 100 Continue\r\n", b"X-Slow: 1\r\n"),
    "a body without a length": (OK + b"\r\n", b" "),
    "a compressed body": (OK + GZIP, b"x"),
}


def dripping(start: bytes, drop: bytes, pause: float, *, first: bytes = b"") -> Serve:
    """Answers the first request with `first`, if given; then sends `start`, and `drop` after every `pause`."""

    def drip(connection: socket.socket) -> None:
        if first:
            read_request(connection)
            connection.sendall(first)
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(pause)

    return drip


def bounded(call: Callable[[], object], seconds: float) -> Exception:
    """The error that the call raises; asserts that it takes about `seconds`."""
    started = time.monotonic()
    with pytest.raises((Unknown, NotExecuted)) as caught:
        call()
    assert seconds * 0.8 <= time.monotonic() - started < seconds + 1
    return caught.value


@pytest.mark.parametrize("part", DRIPS)
def test_a_call_ends_in_time_whichever_part_of_the_answer_drips(part: str) -> None:
    with server(dripping(*DRIPS[part], pause=0.02)) as (url, _):
        vendor = real_http(url, timeout=0.6)
        told = bounded(lambda: vendor.write("POST", "/incidents", {}), 0.6)
    assert isinstance(told, Unknown)
    assert "within 0.6 s" in str(told)
    assert "it may have been carried out" in str(told)


def test_interim_answers_without_a_pause_end_in_time() -> None:
    with server(dripping(b"", CONTINUE, pause=0)) as (url, _):
        assert isinstance(bounded(lambda: real_http(url, timeout=0.6).get("/incidents"), 0.6), Unknown)


def test_a_dripping_kept_connection_is_replaced_for_the_next_call() -> None:
    whole = OK + b"Content-Length: 2\r\n\r\n{}"
    with server(dripping(OK, b"X-Slow: 1\r\n", 0.02, first=whole)) as (url, accepted):
        vendor = real_http(url, timeout=0.6)
        vendor.write("POST", "/incidents", {})
        bounded(lambda: vendor.write("POST", "/incidents", {}), 0.6)
        assert len(accepted) == 1
        vendor.write("POST", "/incidents", {})
        assert len(accepted) == 2
        vendor.close()


def test_many_calls_at_once_each_end_in_time() -> None:
    with server(dripping(OK, b"X-Slow: 1\r\n", 0.05)) as (url, _):
        vendors = [real_http(url, timeout=0.5 + 0.1 * number) for number in range(8)]
        ended: list[float] = []

        def call(vendor: Http) -> None:
            with suppress(Unknown):
                vendor.write("POST", "/incidents", {})
            ended.append(time.monotonic() - started)

        threads = [threading.Thread(target=call, args=(vendor,)) for vendor in reversed(vendors)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert sorted(ended) == pytest.approx([0.5 + 0.1 * number for number in range(8)], abs=0.4)


def test_unresponsive_addresses_of_one_name_share_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def many(host: str, *more: Any, **named: Any) -> Any:
        hosts = [f"127.0.0.{number}" for number in range(1, 7)] if host == "many.invalid" else [host]
        return [row for one in hosts for row in resolve(one, *more, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", many)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=0))  # noqa: S104 - six addresses
        port = listener.getsockname()[1]
        for _ in range(8):  # never accepted, so that any further connection gets no answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        secure = real_http(f"http://many.invalid:{port}", timeout=1.2)
        assert isinstance(bounded(lambda: secure.write("POST", "/incidents", {}), 1.2), NotExecuted)


def test_a_refusing_address_is_skipped_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    two = ["127.0.0.9", "127.0.0.1"]

    def both(host: str, *more: Any, **named: Any) -> Any:
        hosts = two if host == "many.invalid" else [host]
        return [row for one in hosts for row in resolve(one, *more, **named)]

    def answer_normally(connection: socket.socket) -> None:
        assert b"Host: many.invalid" in read_request(connection)
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with server(answer_normally) as (url, _):
        assert real_http(url.replace("127.0.0.1", "many.invalid")).write("POST", "/incidents", {}).status == 200


def test_a_dripping_tls_handshake_ends_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # a long ServerHello begins
        while True:
            connection.sendall(b"\0")
            time.sleep(0.02)

    with server(drip) as (url, _):
        secure = real_http(url.replace("http:", "https:"), timeout=1.5)
        told = bounded(lambda: secure.write("POST", "/incidents", {}), 1.5)
    assert isinstance(told, NotExecuted)


def test_a_dripping_answer_of_a_proxy_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(dripping(OK, b"X-Slow: 1\r\n", 0.02)) as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url)
        secure = real_http("https://api.pagerduty.invalid", timeout=0.6)
        bounded(lambda: secure.write("POST", "/incidents", {}), 0.6)


def test_the_deadline_of_a_finished_call_does_not_end_the_next_one() -> None:
    def answer_normally(connection: socket.socket) -> None:
        while True:
            read_request(connection)
            time.sleep(0.25)
            connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with server(answer_normally) as (url, accepted):
        vendor = real_http(url, timeout=0.5)
        for _ in range(4):  # longer than the deadline of the first call
            assert vendor.write("POST", "/incidents", {}).status == 200
        assert len(accepted) == 1
        vendor.close()


def test_an_answer_that_stalls_midway_is_bounded_in_total_time() -> None:
    def stall(connection: socket.socket) -> None:
        read_request(connection)
        time.sleep(0.3)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
        time.sleep(1.2)

    with server(stall) as (url, _):
        started = time.monotonic()
        with pytest.raises(Unknown):
            real_http(url, timeout=0.6).write("POST", "/incidents", {})
        assert time.monotonic() - started < 0.9
