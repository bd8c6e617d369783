"""Behaviour that only a real socket shows: resets, truncation, kept connections."""

import socket
import time

import pytest

from reconciler.errors import Unknown
from tests.support.servers import read_request, reset, server
from tests.support.wire.http import real_http


def test_no_answer_at_all_leaves_a_write_in_doubt_and_is_sent_once() -> None:
    requests: list[bytes] = []

    def never_answer(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        time.sleep(0.8)

    with server(never_answer) as (url, _):
        with pytest.raises(Unknown, match="it may have been carried out"):
            real_http(url, timeout=0.3).write("PUT", "/incidents/P1", {"a": 1})
        time.sleep(0.2)
    assert len(requests) == 1


def test_a_reset_after_sending_leaves_a_write_in_doubt() -> None:
    def cut(connection: socket.socket) -> None:
        read_request(connection)
        reset(connection)

    with server(cut) as (url, accepted):
        with pytest.raises(Unknown, match="the connection broke before the answer; it may have been carried out"):
            real_http(url).write("POST", "/incidents", {})
        assert len(accepted) == 1


def test_a_connection_closed_without_an_answer_leaves_a_write_in_doubt() -> None:
    def close_unanswered(connection: socket.socket) -> None:
        read_request(connection)

    with server(close_unanswered) as (url, accepted):
        with pytest.raises(Unknown):
            real_http(url).write("POST", "/incidents", {})
        assert len(accepted) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{"incident": {}}',
        b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"incident"',
        b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"incident": {}}\r\n',
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 201 Cre",
        b"not HTTP at all\r\n\r\n",
    ],
)
def test_a_truncated_or_garbled_answer_leaves_a_write_in_doubt(answer: bytes) -> None:
    def cut(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with server(cut) as (url, accepted):
        with pytest.raises(Unknown):
            real_http(url).write("POST", "/incidents", {})
        assert len(accepted) == 1


def test_a_connection_is_kept_for_the_next_call() -> None:
    def answer_normally(connection: socket.socket) -> None:
        while True:
            read_request(connection)
            connection.sendall(
                b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"a": \r\n2\r\n1}\r\n0\r\n\r\n'
            )
            read_request(connection)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")

    with server(answer_normally) as (url, accepted):
        vendor = real_http(url)
        for _ in range(5):
            assert vendor.get("/incidents").json == {"a": 1}
            assert vendor.get("/incidents/P1", accept=frozenset({404})).status == 404
        assert len(accepted) == 1
        vendor.close()


def test_a_kept_connection_closed_by_the_vendor_is_not_reused() -> None:
    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with server(once) as (url, accepted):
        vendor = real_http(url)
        for _ in range(3):
            vendor.write("POST", "/incidents", {})
            time.sleep(0.05)
        assert len(accepted) == 3
        vendor.close()


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.vendors.session.MAX_BODY", 100_000)

    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with server(flood) as (url, _), pytest.raises(Unknown, match="longer than"):
        real_http(url).write("POST", "/incidents", {})


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(200)),
        b"X-Long: " + b"y" * 70_000 + b"\r\n",
        b"Set-Cookie: " + b"y" * 70_000,
    ],
    ids=["many headers", "a long header", "an endless header"],
)
def test_a_head_is_bounded(head: bytes) -> None:
    """http.client reads 100 headers of 64 KiB at most; a longer head is a broken answer."""

    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 2\r\n\r\n{}")

    with server(flood) as (url, _), pytest.raises(Unknown, match="the connection broke before the answer"):
        real_http(url).write("POST", "/incidents", {})
