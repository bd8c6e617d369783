"""The most memory that the daemon ever takes, under hostile webhooks and hostile or enormous answers of vendors.

Each attack meets a daemon of its own, the installed command over the sandbox. The figure is the kernel's own: the
largest resident set since the start (VmHWM). While it is attacked, the daemon must stay alive and page.
"""

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import lru_cache
from pathlib import Path

import psutil
import requests

from benchmarks.figures import Figure, Finding, at_most
from benchmarks.process import clean, daemon
from benchmarks.scale import Scale
from reconciler.sandbox.server import RunningSandbox, environment, serve
from reconciler.sandbox.wire import Request, Response
from reconciler.vendors.session import MAX_STRUCTURE
from reconciler.web.webhooks import MOST_STRUCTURE
from tests.support.harness.listener import INTEGRATION, NEW, opsgenie_body, signature

SECTION = "Hostile"
LIMIT = 128
MIB = 1024 * 1024
CONNECTIONS = 10
HELD = 450
"""Connections that hold an unfinished body: as many as the listener admits."""
PAGED_WITHIN = 60.0
"""Seconds within which an alert that is raised after the attack must have paged."""
Attack = Callable[["Target", Scale], None]
Hostile = Callable[[Request], Response | None]


class Target:
    """One daemon under attack, with both webhooks and no secret for the alert side's."""

    def __init__(self, sandbox: RunningSandbox, process: psutil.Process, port: int) -> None:
        self.sandbox = sandbox
        self.process = process
        self.port = port

    @property
    def peak(self) -> float:
        """The largest resident set so far in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def post(self, path: str, body: bytes, times: int, **headers: str) -> None:
        """Send a body so many times over each of the connections at the same time."""

        def send() -> None:
            with requests.Session() as session:
                for _ in range(times):
                    session.post(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers, timeout=30)

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for done in [pool.submit(send) for _ in range(CONNECTIONS)]:
                done.result()

    def raise_alerts(self, number: int) -> None:
        """Raise alerts."""
        for one in range(number):
            self._control("opsgenie/alerts", message=f"disk {one}", user="Ana Ruiz")

    def until_paged(self) -> None:
        """Raise an alert, and wait until there is an incident for it."""
        alert = self._control("opsgenie/alerts", message="after the attack", user="Ana Ruiz")["id"]
        last = time.monotonic() + PAGED_WITHIN
        incidents = self.sandbox.sandbox.pagerduty.incidents
        while not incidents.by_key(alert):
            assert time.monotonic() < last, "an alert was not paged after the attack"
            time.sleep(0.05)

    def _control(self, path: str, **body: str) -> dict[str, str]:
        answer = self.sandbox.sandbox.handle(Request("POST", f"/control/{path}", body=json.dumps(body).encode()))
        assert isinstance(answer, Response)
        found: dict[str, str] = answer.json()
        return found


# -- webhooks --


def padded(one: bytes, body: bytes = b"{}", size: int = MIB) -> bytes:
    """A JSON object of this size whose last value is a list of equal items."""
    head, tail = body[:-1] + (b', "a": [' if len(body) > 2 else b'"a": ['), b"0]}"
    return head + one * ((size - len(head) - len(tail)) // len(one)) + tail


ALERT = json.dumps(opsgenie_body("a-1")).encode()
EVENT = b'{"event": {"event_type": "incident.acknowledged", "data": {"id": "P1", "type": "incident"}}}'
NAMES = ALERT[:-1] + b"".join(b', "k%06d": 0' % number for number in range(80_000)) + b"}"
DEEP = ALERT[:-1] + b', "a": ' + b"[" * 400_000 + b"]" * 400_000 + b"}"
TEXT = json.dumps(opsgenie_body("a-1", note="\U0001f600" * 250_000), ensure_ascii=False).encode()


def webhooks(body: bytes) -> Attack:
    """This body to the alert side's webhook."""
    return lambda target, scale: target.post("/ops-webhook", body, scale.of(25, 2))


def signed(target: Target, scale: Scale) -> None:
    """Bodies of objects that are truly PagerDuty's."""
    body = padded(b"{},", EVENT)
    target.post("/pd-webhook", body, scale.of(25, 2), **{"X-PagerDuty-Signature": signature(body, NEW)})


def unfinished(target: Target, scale: Scale) -> None:
    """As many connections as there may be, each with a body that lacks its last byte."""
    del scale
    size = 127 * 1024
    head = f"POST /ops-webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {size + 1}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(HELD):
            with suppress(OSError):  # it is refused, which is as good
                held = stack.enter_context(
                    closing(socket.create_connection(("127.0.0.1", target.port), timeout=2))
                )
                held.sendall(head + b"x" * size)
        time.sleep(2)


# -- answers --


def answers(hostile: Hostile, alerts: int = 20) -> Attack:
    """The vendors answer reads in this way for a while."""

    def attack(target: Target, scale: Scale) -> None:
        target.raise_alerts(alerts)
        time.sleep(2)
        vendors = target.sandbox.sandbox
        genuine = vendors.answer

        def answer(vendor: str, request: Request) -> Response:
            return (hostile(request) if request.method == "GET" else None) or genuine(vendor, request)

        vendors.answer = answer  # type: ignore[method-assign]
        target.raise_alerts(alerts)
        time.sleep(scale.of(20, 4))
        vendors.answer = genuine  # type: ignore[method-assign]

    return attack


def packed(body: bytes) -> Response:
    """A compressed answer."""
    return Response(200, gzip.compress(body), {"Content-Type": "application/json", "Content-Encoding": "gzip"})


ARRAYS = {
    "alerts": "data",
    "notes": "data",
    "logs": "data",
    "incidents": "incidents",
    "log_entries": "log_entries",
}


@lru_cache(16)
def _bomb(array: str, one: bytes, count: int) -> Response:
    return packed(b'{"' + array.encode() + b'": [' + one * count + b"0]}")


def bombs(one: bytes, count: int) -> Hostile:
    """Every list consists of so many of this."""

    def answer(request: Request) -> Response | None:
        array = ARRAYS.get(request.path.rpartition("/")[2])
        if array is not None and request.path.startswith("/incidents/"):
            array = request.path.rpartition("/")[2]
        return _bomb(array, one, count) if array else None

    return answer


@lru_cache(4)
def _notes(array: str, text: str) -> Response:
    rows = [
        {
            "id": f"N{number}", "offset": f"{number}_{number}", "note": text, "content": text, "owner": "ana",
            "createdAt": "2026-01-01T00:00:00Z", "created_at": "2026-01-01T00:00:00Z",
            "user": {"id": "PJANE", "summary": "Jane", "type": "user_reference"},
        }
        for number in range(100)
    ]  # fmt: skip
    body = json.dumps({array: rows, "paging": {}}, ensure_ascii=False).encode()
    return Response(200, body, {"Content-Type": "application/json"})


def enormous(last: str) -> Hostile:
    """Notes of both sides are a hundred texts of 25,000 characters that end in this one."""

    def answer(request: Request) -> Response | None:
        if not request.path.endswith("/notes"):
            return None
        return _notes("notes" if request.path.startswith("/incidents") else "data", "é" * 24_999 + last)

    return answer


def large_texts(request: Request) -> Response | None:
    """Lists and notes are one text of 16 MiB."""
    array = ARRAYS.get(request.path.rpartition("/")[2])
    return _bomb(array, b'"' + b"x" * (16 * MIB - 100) + b'",', 1) if array else None


LARGEST = MAX_STRUCTURE // 4 - 10
ATTACKS: dict[str, Attack] = {
    "at rest": lambda _target, _scale: None,
    "webhooks of 1 MiB: objects, from anybody": webhooks(padded(b"{},")),
    "the same by one who knows the integration's id": webhooks(padded(b"{},", ALERT)),
    "as many objects as are parsed": webhooks(padded(b"{},", ALERT, 3 * MOST_STRUCTURE // 2 - 100)),
    "80,000 names": webhooks(NAMES),
    "lists 400,000 deep": webhooks(DEEP),
    "1 MiB of text": webhooks(TEXT),
    "objects, signed by PagerDuty": signed,
    f"{HELD} unfinished bodies of 127 KiB": unfinished,
    "answers of 46 KiB that are 32 MiB of objects": answers(bombs(b'{"":0},', 32 * MIB // 7)),
    "answers with as many objects as are parsed": answers(bombs(b'{"":0},', LARGEST)),
    "answers of one text of 16 MiB": answers(large_texts),
    "100 notes of 25,000 characters on each side of 4 pairs": answers(enormous("é"), alerts=2),
    "the same with an emoji in each, which takes four times as much": answers(enormous("\U0001f600"), alerts=2),
}


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """One daemon for each attack."""
    for number, (name, attack) in enumerate(ATTACKS.items()):
        peak = _under(attack, scale, folder, number)
        if attack is ATTACKS["at rest"]:
            yield Figure(SECTION, f"largest resident memory, {name}", peak, "MiB")
        else:
            yield at_most(SECTION, f"largest resident memory, {name}", peak, LIMIT, "MiB")


def _under(attack: Attack, scale: Scale, folder: Path, number: int) -> float:
    with serve() as sandbox, closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
        one.close()
        given = environment(sandbox.url) | {
            "DATABASE_URL": f"sqlite:///{folder / f'{number}.db'}",
            "POLL_INTERVAL_SECONDS": "1",
            "SWEEP_INTERVAL_SECONDS": "5",
            "HTTP_LISTEN": f"127.0.0.1:{port}",
            "PAGERDUTY_WEBHOOK_SECRET": NEW,
            "OPSGENIE_INTEGRATION_ID": INTEGRATION,
            "LOG_FORMAT": "json",
        }
        with daemon(clean(given), folder) as process:
            target = Target(sandbox, process, port)
            target.until_paged()
            attack(target, scale)
            target.until_paged()
            return target.peak
