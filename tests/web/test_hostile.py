"""What nobody honest sends: the right refusal, nothing broken, and honest requests served meanwhile.

Run with `-s` to see what the honest requests saw.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
import requests
from web.front import INTEGRATION, Front, opsgenie_body, pagerduty_body, signature

from reconciler.web.app import HEADERS
from reconciler.web.server import WHOLE_REQUEST

LIMIT = 5.0
"""Seconds after which PagerDuty gives a delivery up."""
MIB = 1024 * 1024


class Honest:
    """Somebody who asks for health and delivers webhooks all the while."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._over = threading.Event()
        self.seen: list[tuple[int, float]] = []
        asks = (self._health, self._webhook)
        self._threads = [threading.Thread(target=self._go_on, args=(ask,)) for ask in asks]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _health(self) -> int:
        return self._front.get("/healthz", timeout=LIMIT).status_code

    def _webhook(self) -> int:
        return self._front.deliver("PNOTOURS").status_code

    def _go_on(self, ask: Callable[[], int]) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                status = ask()
            except requests.RequestException:
                status = 0
            self.seen.append((status, time.monotonic() - began))
            self._over.wait(0.02)


@contextmanager
def honest_meanwhile(front: Front, name: str) -> Iterator[None]:
    """During this, and for a moment after, honest requests are answered; and the daemon is whole after it."""
    pid, honest = front.daemons[-1].pid, Honest(front)
    try:
        yield
        time.sleep(0.3)
    finally:
        honest.end()
    slowest = max(seconds for _, seconds in honest.seen)
    figures = f"{len(honest.seen)} honest requests, slowest {slowest:.3f} s, {front.memory() // MIB} MiB"
    print(f"\n{name}: {figures}")  # noqa: T201 - figures for who asks for them
    assert {status for status, _ in honest.seen} <= {200, 202}, name
    assert slowest < LIMIT
    assert front.daemons[-1].poll() is None
    assert front.daemons[-1].pid == pid


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
    """Neither a traceback, nor the server's name, nor anything that was sent."""
    for word in (b"Traceback", b'File "', b"waitress", b"werkzeug", b"Flask", b"Python", *sent):
        assert word not in answer, (word, answer)
    lowered = answer.lower()
    for name, value in HEADERS:
        assert f"{name}: {value}".lower().encode() in lowered, (name, answer)


# -- one request at a time --

SMUGGLED = (
    b"POST /pd-webhook HTTP/1.1\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
)
MALFORMED = {
    "no JSON": b'{"event": ',
    "another type": b'["event"]',
    "a number": b"17",
    "not UTF-8": b"\xff\xfe\xfd",
    "wrong types inside": b'{"event": {"event_type": ["x"], "data": 7}}',
    "deep nesting": b'{"event":' * 60_000,
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
    "a number of many digits": b'{"event": ' + b"9" * 100_000 + b"}",
    "nothing": b"",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body(front: Front, name: str) -> None:
    body = MALFORMED[name]
    signed = front.deliver("", body=body)
    assert signed.status_code == 400
    headers = {"X-Webhook-Secret": "wrong-secret-1b2c"}
    turned_away = requests.post(f"{front.url}/ops-webhook", data=body, headers=headers, timeout=10)
    assert turned_away.status_code == 401
    for answer in (signed, turned_away):
        assert_says_nothing(as_bytes(answer), b"wrong-secret-1b2c")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/metrics",
        "/pd-webhook",
        "/ops-webhook",
        "/",
        "/marker-7c1d/../metrics",
        "/metrics/",
    ],
)
def test_only_webhooks_are_posted_and_the_rest_is_only_read(front: Front, path: str, method: str) -> None:
    body = b"" if method in ("GET", "HEAD") else b"{}"
    answer = front.raw(head(path, method, Content_Length=str(len(body)), Connection="close") + body)
    known = path in ("/healthz", "/readyz", "/metrics", "/pd-webhook", "/ops-webhook")
    reads = known and not path.endswith("webhook")
    if not known:
        assert status_of(answer) == 404
    elif reads:
        assert status_of(answer) == (200 if method in ("GET", "HEAD") else 405)
    else:
        assert status_of(answer) == (401 if method == "POST" else 405)
    assert_says_nothing(answer, b"marker-7c1d", b"BREW", b"Location")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Flood: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n", 431),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nBad Header: x\r\n\r\n", 400),
        (b"POST /pd-webhook HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /pd-webhook HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n", 400),
        (b"POST /pd-webhook HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /pd-webhook HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (SMUGGLED, 401),
    ],
    ids=["one header of 40 kB", "5,000 headers", "a path of 100 kB", "no HTTP", "TLS", "a bad header",
         "a negative length", "two lengths", "an unknown coding", "a bad chunk", "a length and chunks"],
)  # fmt: skip
def test_what_is_no_proper_request(front: Front, sent: bytes, status: int) -> None:
    answer = front.raw(sent)
    assert status_of(answer) == status, answer
    assert_says_nothing(answer, b"Bad Header", b"X-Flood", b"GARBAGE")


@pytest.mark.parametrize("size", [MIB + 1, 2 * MIB, 20 * MIB])
def test_a_body_over_one_mebibyte(front: Front, size: int) -> None:
    """With a length told, also far beyond what fits into the sockets' buffers: the sender sees the answer."""
    body = b"x" * size
    assert requests.post(f"{front.url}/pd-webhook", data=body, timeout=10).status_code == 413
    chunks = (body[start : start + 65536] for start in range(0, size, 65536))
    assert requests.post(f"{front.url}/ops-webhook", data=chunks, timeout=10).status_code == 413


def test_whoever_sends_a_large_body_to_its_end_sees_the_answer(front: Front) -> None:
    """A client that only reads once all is sent must not find the connection reset."""
    answer = front.raw(head(Content_Length=str(20 * MIB)) + b"x" * 20 * MIB)
    assert status_of(answer) == 413


def test_a_body_of_one_mebibyte_is_read(front: Front) -> None:
    body = pagerduty_body("PNOTOURS")
    body += b" " * (MIB - len(body))
    assert front.deliver("", body=body).status_code == 202


def test_a_body_of_terabytes_is_refused_by_its_head(front: Front) -> None:
    answer = front.raw(head(Content_Length="9999999999999"))
    assert status_of(answer) == 413
    assert_says_nothing(answer, b"9999999999999")


def test_nothing_of_a_request_is_sent_back(front: Front) -> None:
    marker = "marker-53ab"
    body = json.dumps({"event": {"event_type": marker}, marker: marker, "integrationId": marker}).encode()
    names = ("X-PagerDuty-Signature", "X-Webhook-Secret", "X-Webhook-Id", "User-Agent", "Cookie")
    headers = dict.fromkeys(names, marker)
    for path in ("/pd-webhook", "/ops-webhook", f"/{marker}", f"/healthz?{marker}={marker}", f"/healthz/{marker}"):
        for method in ("GET", "POST", "PUT"):
            answer = requests.request(method, f"{front.url}{path}", data=body, headers=headers, timeout=10)
            assert_says_nothing(as_bytes(answer), marker.encode())
    assert marker not in front.get("/metrics").text
    assert marker not in front.log()


# -- many at the same time --


def test_three_hundred_stalled_connections(front: Front) -> None:
    with ExitStack() as stack:
        stalled = [stack.enter_context(closing(front.connect())) for _ in range(300)]
        for number, connection in enumerate(stalled):
            connection.sendall((b"", b"GET /hea", head(Content_Length="1000") + b"{")[number % 3])
        with honest_meanwhile(front, "300 stalled connections"):
            time.sleep(2)
    with honest_meanwhile(front, "300 connections gone"):
        pass


def test_slow_bodies_are_not_waited_for_without_end(front: Front) -> None:
    """One byte every tenth of a second keeps a connection busy, and does not keep it."""
    with ExitStack() as stack, honest_meanwhile(front, "100 slow bodies"):
        slow = [stack.enter_context(closing(front.connect())) for _ in range(100)]
        for connection in slow:
            connection.sendall(head(Content_Length="100000"))
        last = time.monotonic() + WHOLE_REQUEST + 4
        while slow and time.monotonic() < last:
            slow = [connection for connection in slow if _takes(connection, b"x")]
            time.sleep(0.1)
        assert slow == []


def _takes(connection: socket.socket, sent: bytes) -> bool:
    try:
        connection.sendall(sent)
    except OSError:
        return False
    return True


def test_large_bodies_held_back_fill_no_memory(front: Front) -> None:
    """A hundred times one byte less than what would be refused, or read."""
    before = front.memory()
    whole = head(Content_Length=str(MIB)) + b"x" * (MIB - 1)
    with ExitStack() as stack, honest_meanwhile(front, "100 bodies of 1 MiB held back"):
        for _ in range(100):
            connection = stack.enter_context(closing(front.connect()))
            connection.settimeout(2)
            _takes(connection, whole)
        time.sleep(0.5)
        assert front.memory() - before < 80 * MIB


def test_a_flood_of_forged_webhooks(front: Front) -> None:
    errors = [event for event in front.events() if event["level"] == "error"]
    with honest_meanwhile(front, "1,000 forged webhooks"):
        body = pagerduty_body("PNOTOURS") + b" " * 10_000
        with requests.Session() as session:
            session.headers["X-PagerDuty-Signature"] = "v1=" + "0" * 64
            for number in range(1000):
                path = "/pd-webhook" if number % 2 else "/ops-webhook"
                answer = session.post(front.url + path, data=body, timeout=10)
                assert answer.status_code == 401
    calls = [call for call in front.calls() if "PNOTOURS" in call["path"]]
    assert calls == []
    new = [event for event in front.events() if event["level"] == "error"][len(errors) :]
    assert all(event["event"] == "a webhook is turned away" for event in new)


def test_pipelined_requests_and_sudden_ends(front: Front) -> None:
    with honest_meanwhile(front, "200 pipelines cut off"):
        for _ in range(200):
            with closing(front.connect()) as connection:
                connection.sendall(head("/metrics", "GET") * 20)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset


def test_after_all_that_the_fast_path_works_as_before(front: Front) -> None:
    alert, incident = front.paired()
    front.engineer(alert, "acknowledge")
    assert front.deliver(incident).status_code == 202
    front.until(lambda: front.alert(alert)["acknowledged"], "the acknowledgement")
    front.customer(alert, "notes", text="thanks")
    assert front.report(opsgenie_body(alert, "AddNote")).status_code == 202
    front.until(lambda: len(front.incident_notes(alert)) == 1, "the note")
    assert [event for event in front.events() if "defect" in event["event"]] == []
    assert INTEGRATION not in front.log()
    assert signature(b"") not in front.log()
    assert front.audit() == {}
    assert front.stop() == 0
