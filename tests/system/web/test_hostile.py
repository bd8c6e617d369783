"""Hostile requests: each is refused, breaks nothing, and leaves honest requests served.

Run with `-s` to see the table: the attack, its answers, the latency of honest requests, the process's memory.
"""

import json
import socket
import time
from contextlib import ExitStack, closing

import pytest
import requests

from reconciler.web.app import HEADERS
from reconciler.web.server import CLEANUP, CONNECTIONS, LARGEST_HEAD, READ_AT_MOST, SILENCE
from tests.support.harness.listener import SHARED, Listener, pagerduty_body
from tests.support.honest import MIB, honest_meanwhile


def head(path: str = "/pd-webhook", method: str = "POST", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def as_bytes(answer: requests.Response) -> bytes:
    lines = [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*lines, "", answer.text]).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def assert_says_nothing(answer: bytes, *sent: bytes) -> None:
    """An answer of the application has its headers, and no traceback, server name or part of the request."""
    assert_hides(answer, *sent)
    lowered = answer.lower()
    for name, value in HEADERS:
        assert f"{name}: {value}".lower().encode() in lowered, (name, answer)


def assert_hides(answer: bytes, *sent: bytes) -> None:
    """Any answer, including waitress' own, has no traceback, server name or part of the request."""
    for word in (b"Traceback", b'File "', b"waitress", b"werkzeug", b"Flask", b"Python", *sent):
        assert word not in answer, (word, answer)


# -- one request at a time --

CLOSED = 0
"""No answer: the connection is closed."""
SMUGGLED = (
    b"POST /pd-webhook HTTP/1.1\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
)
OTHER = "wrong types inside"
MALFORMED = {
    "no JSON": b'{"event": ',
    "another type": b'["event"]',
    "a number": b"17",
    "not UTF-8": b"\xff\xfe\xfd",
    OTHER: b'{"event": {"event_type": ["x"], "data": 7}}',
    "deep nesting": b'{"event":' * 60_000,
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
    "a number of many digits": b'{"event": ' + b"9" * 100_000 + b"}",
    "nothing": b"",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_refused_and_nothing_of_it_disclosed(listener: Listener, name: str) -> None:
    body, wrong = MALFORMED[name], {"X-Webhook-Secret": "wrong-secret-1b2c"}
    with honest_meanwhile(listener, f"malformed: {name}") as attack:
        signed = listener.deliver("", body=body)
        genuine = requests.post(
            f"{listener.url}/ops-webhook", data=body, headers={"X-Webhook-Secret": SHARED}, timeout=10
        )
        turned_away = requests.post(f"{listener.url}/ops-webhook", data=body, headers=wrong, timeout=10)
        answers = (signed, genuine, turned_away)
        attack.came_back(*(answer.status_code for answer in answers))
    assert [answer.status_code for answer in answers] == [400, 403 if name == OTHER else 400, 401]
    for answer in answers:
        assert_says_nothing(as_bytes(answer), b"wrong-secret-1b2c")


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
READS = ("/healthz", "/readyz", "/metrics")
WEBHOOKS = ("/pd-webhook", "/ops-webhook")


@pytest.mark.parametrize("path", [*READS, *WEBHOOKS, "/", "/marker-7c1d/../metrics", "/metrics/"])
def test_webhooks_accept_only_post_and_other_endpoints_only_get_and_head(listener: Listener, path: str) -> None:
    with honest_meanwhile(listener, f"nine methods upon {path}") as attack:
        answers = {method: _asked(listener, path, method) for method in METHODS}
        attack.came_back(*(status_of(answer) for answer in answers.values()))
    for method, answer in answers.items():
        assert status_of(answer) == _status_due(path, method), method
        assert_says_nothing(answer, b"marker-7c1d", b"BREW", b"Location")


def _asked(listener: Listener, path: str, method: str) -> bytes:
    body = b"" if method in ("GET", "HEAD") else b"{}"
    return listener.raw(head(path, method, Content_Length=str(len(body)), Connection="close") + body)


def _status_due(path: str, method: str) -> int:
    if path in READS:
        return 200 if method in ("GET", "HEAD") else 405
    if path in WEBHOOKS:
        return 401 if method == "POST" else 405
    return 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nX-Flood: ".ljust(LARGEST_HEAD, b"a"), 431),
        (b"GET /".ljust(LARGEST_HEAD, b"a"), 431),
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nBad Header: x\r\n\r\n", 400),
        (b"POST /pd-webhook HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /pd-webhook HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n", 400),
        (b"POST /pd-webhook HTTP/1.1\r\nContent-Length: " + b"9" * 4301 + b"\r\n\r\n", CLOSED),
        (b"GET http://[bad/healthz HTTP/1.1\r\nHost: x\r\n\r\n", CLOSED),
        (b"POST /pd-webhook HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /pd-webhook HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (SMUGGLED, 401),
    ],
    ids=["a header of 16 KiB", "a path of 16 KiB", "no HTTP", "TLS", "a bad header",
         "a negative length", "two lengths", "a length of 4,301 digits", "an address that is none",
         "an unknown coding", "a bad chunk", "a length and chunks"],
)  # fmt: skip
def test_a_malformed_request_is_refused_or_its_connection_closed(
    listener: Listener, request: pytest.FixtureRequest, sent: bytes, status: int
) -> None:
    with honest_meanwhile(listener, f"no proper request: {request.node.callspec.id}") as attack:
        answer = listener.raw(sent)
        attack.came_back(status_of(answer))
    assert status_of(answer) == status, answer
    assert_hides(answer, b"X-Flood", b"GARBAGE")
    errors = [event["event"] for event in listener.events() if event["level"] == "error"]
    assert set(errors) <= {"a webhook is turned away"}


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["5,000 headers", "a path of 1 MB"],
)
def test_a_request_head_far_beyond_the_limit_is_not_read_to_its_end(listener: Listener, sent: bytes) -> None:
    """The client sees 431, or a connection that is closed while it still sends."""
    with honest_meanwhile(listener, "an endless head") as attack:
        try:
            status = status_of(listener.raw(sent))
        except ConnectionError:
            status = CLOSED
        attack.came_back(status)
    assert status in (431, CLOSED)


@pytest.mark.parametrize("words", ["close", "Close"])
def test_a_client_that_asks_to_close_the_connection_has_it_closed(listener: Listener, words: str) -> None:
    assert status_of(listener.raw(head("/healthz", "GET", Connection=words), timeout=2)) == 200


@pytest.mark.parametrize("size", [MIB + 1, READ_AT_MOST - 1])
def test_a_body_over_one_mebibyte_is_answered_with_413(listener: Listener, size: int) -> None:
    """Up to twice the limit the body is read, so that the client sees the answer."""
    body = b"x" * size
    chunks = (body[start : start + 65536] for start in range(0, size, 65536))
    with honest_meanwhile(listener, f"bodies of {size:,} bytes, their length told and in chunks") as attack:
        told = requests.post(f"{listener.url}/pd-webhook", data=body, timeout=10)
        chunked = requests.post(f"{listener.url}/ops-webhook", data=chunks, timeout=10)
        attack.came_back(told.status_code, chunked.status_code)
    assert (told.status_code, chunked.status_code) == (413, 413)


def test_a_large_body_sent_to_its_end_is_answered(listener: Listener) -> None:
    """A client that reads only after it has sent everything does not find the connection reset."""
    size = READ_AT_MOST - 1
    with honest_meanwhile(listener, f"{size:,} bytes sent to their end") as attack:
        answer = listener.raw(head(Content_Length=str(size), Connection="close") + b"x" * size)
        attack.came_back(status_of(answer))
    assert status_of(answer) == 413


def test_a_body_of_one_mebibyte_is_accepted(listener: Listener) -> None:
    body = pagerduty_body("PNOTOURS")
    body += b" " * (MIB - len(body))
    assert listener.deliver("", body=body).status_code == 202


def test_a_content_length_of_terabytes_is_refused_before_any_body_arrives(listener: Listener) -> None:
    with honest_meanwhile(listener, "a head that tells of terabytes") as attack:
        answer = listener.raw(head(Content_Length="9999999999999"))
        attack.came_back(status_of(answer))
    assert status_of(answer) == 413
    assert_hides(answer, b"9999999999999")


def test_a_request_that_is_refused_unread_is_counted(listener: Listener) -> None:
    def counted(vendor: str, outcome: str) -> float:
        return listener.metric("reconciler_webhooks_total", vendor=vendor, outcome=outcome) or 0

    before = {row: counted(*row[:2]) for row in UNREAD}
    for (_, outcome, path), sent in UNREAD.items():
        assert status_of(listener.raw(sent.replace(b"PATH", path))) in (405, 413), outcome
    assert {row: counted(*row[:2]) - before[row] for row in UNREAD} == dict.fromkeys(UNREAD, 1)


UNREAD = {
    ("pagerduty", "too_large", b"/pd-webhook"): head("PATH", Content_Length="1200000", Connection="close")
    + b"x" * 1_200_000,
    ("opsgenie", "too_large", b"/ops-webhook?x"): head("PATH", Content_Length="1200000", Connection="close")
    + b"x" * 1_200_000,
    ("pagerduty", "wrong_method", b"/pd-webhook"): head("PATH", "GET", Connection="close"),
}
"""By vendor, outcome and path. A request that waitress refuses by its head never reaches the application."""


def test_no_part_of_a_request_appears_in_an_answer_a_metric_or_the_log(listener: Listener) -> None:
    marker = "marker-53ab"
    body = json.dumps({"event": {"event_type": marker}, marker: marker, "integrationId": marker}).encode()
    names = ("X-PagerDuty-Signature", "X-Webhook-Secret", "X-Webhook-Id", "User-Agent", "Cookie")
    headers = dict.fromkeys(names, marker)
    for path in ("/pd-webhook", "/ops-webhook", f"/{marker}", f"/healthz?{marker}={marker}", f"/healthz/{marker}"):
        for method in ("GET", "POST", "PUT"):
            answer = requests.request(method, f"{listener.url}{path}", data=body, headers=headers, timeout=10)
            assert_says_nothing(as_bytes(answer), marker.encode())
    assert marker not in listener.get("/metrics").text
    assert marker not in listener.log()


# -- many at the same time --


def stall(listener: Listener, number: int, stack: ExitStack) -> list[socket.socket]:
    """Connections that send nothing, half a line, or a head whose body never arrives."""
    stalled = [stack.enter_context(closing(listener.connect())) for _ in range(number)]
    for turn, connection in enumerate(stalled):
        _takes(connection, (b"", b"GET /hea", head(Content_Length="1000") + b"{")[turn % 3])
    return stalled


def test_300_stalled_connections_are_closed_and_delay_no_honest_request(listener: Listener) -> None:
    with ExitStack() as stack:
        with honest_meanwhile(listener, "300 stalled connections") as attack:
            stalled = stall(listener, 300, stack)
            attack.came_back(*["held"] * 300)
        last = time.monotonic() + SILENCE + 2 * CLEANUP
        while not all(map(_has_ended, stalled)):
            assert time.monotonic() < last, "silent connections are not closed"
            time.sleep(0.1)
    with honest_meanwhile(listener, "300 connections gone") as attack:
        attack.came_back("nothing")


def test_stalled_connections_beyond_the_limit_delay_honest_requests_only_until_they_are_closed(
    listener: Listener,
) -> None:
    """The process must also stay far below its limit of file descriptors."""
    with ExitStack() as stack:
        stall(listener, CONNECTIONS + 400, stack)
        began = time.monotonic()
        assert listener.get("/healthz", timeout=30).status_code == 200
        assert time.monotonic() - began < 2 * (SILENCE + CLEANUP)
        assert listener.descriptors() < CONNECTIONS + 50


def _has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_slow_bodies_delay_no_honest_request(listener: Listener) -> None:
    """A byte every tenth of a second keeps a connection open, but occupies no thread."""
    with ExitStack() as stack, honest_meanwhile(listener, "100 slow bodies") as attack:
        slow = [stack.enter_context(closing(listener.connect())) for _ in range(100)]
        for connection in slow:
            connection.sendall(head(Content_Length="100000"))
        last = time.monotonic() + 3
        while time.monotonic() < last:
            slow = [connection for connection in slow if _takes(connection, b"x")]
            time.sleep(0.1)
        attack.came_back(*["held"] * len(slow))


def _takes(connection: socket.socket, sent: bytes) -> bool:
    try:
        connection.sendall(sent)
    except OSError:
        return False
    return True


def test_large_unfinished_bodies_do_not_fill_the_memory(listener: Listener) -> None:
    """A hundred bodies, each one byte short of the limit and of its announced length."""
    whole = head(Content_Length=str(MIB)) + b"x" * (MIB - 1)
    with ExitStack() as stack, honest_meanwhile(listener, "100 bodies of 1 MiB held back") as attack:
        for _ in range(100):
            connection = stack.enter_context(closing(listener.connect()))
            connection.settimeout(2)
            attack.came_back("taken" if _takes(connection, whole) else "closed")
        time.sleep(0.5)


def test_a_flood_of_forged_webhooks_is_refused_without_flooding_the_log(listener: Listener) -> None:
    errors = [event for event in listener.events() if event["level"] == "error"]
    with honest_meanwhile(listener, "1,000 forged webhooks") as attack, requests.Session() as session:
        body = pagerduty_body("PFORGED") + b" " * 10_000
        session.headers["X-PagerDuty-Signature"] = "v1=" + "0" * 64
        for number in range(1000):
            path = WEBHOOKS[number % 2]
            answer = session.post(listener.url + path, data=body, timeout=10)
            attack.came_back(answer.status_code)
            assert answer.status_code == 401
    assert "PFORGED" not in listener.log()
    new = [event for event in listener.events() if event["level"] == "error"][len(errors) :]
    assert all(event["event"] == "a webhook is turned away" for event in new)


def test_pipelines_that_end_in_a_reset_delay_no_honest_request(listener: Listener) -> None:
    with honest_meanwhile(listener, "200 pipelines of 20 requests, cut off") as attack:
        for _ in range(200):
            with closing(listener.connect()) as connection:
                connection.sendall(head("/metrics", "GET") * 20)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset
                attack.came_back("unread")


def test_pipelines_whose_answers_are_not_read_delay_no_honest_request(listener: Listener) -> None:
    """20,000 scrapes at once: the server takes one request of each connection in turn."""
    pipeline = head("/metrics", "GET") * 200
    with ExitStack() as stack, honest_meanwhile(listener, "100 pipelines of 200 requests, unread") as attack:
        for _ in range(100):
            connection = stack.enter_context(closing(listener.connect()))
            attack.came_back("taken" if _takes(connection, pipeline) else "closed")
