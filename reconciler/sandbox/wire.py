"""What goes in and out of the simulated APIs, and the clock they live by. No sockets here.

A machine answers a Request with a Response. A vendor's refusal is raised as `Answer`.
"""

import json
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode

Json = dict[str, Any]
"""A JSON object, as the vendors send it."""

_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Request:
    """One API call. `path` has no query; header names are lower-case; `prefix` is what was cut off the path."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    prefix: str = ""

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name, ())
        return values[0] if values else default

    def json(self) -> Any:
        """The body parsed, `{}` when empty. ValueError when it is no JSON."""
        return json.loads(self.body) if self.body.strip() else {}

    def url(self, **query: str) -> str:
        """An absolute URL of this path on the host that was asked, with another query."""
        host = self.headers.get("host", "localhost")
        encoded = f"?{urlencode(query)}" if query else ""
        return f"http://{host}{self.prefix}{self.path}{encoded}"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body parsed."""
        return json.loads(self.body)


class Answer(Exception):
    """A vendor's refusal, raised from anywhere inside a machine and sent as it is."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Refused(Exception):
    """A person's act that is not possible now; the message is one line for whoever tried."""

    def __init__(self, message: str, status: int = 409) -> None:
        super().__init__(message)
        self.status = status


def json_response(status: int, obj: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is `obj` as JSON; half a character is escaped, as whoever cut a text would send it."""
    body = json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})


def request(method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Request:
    """A Request from `/path?query`, a JSON-able body (bytes are taken as they are) and headers."""
    path, _, query = target.partition("?")
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Request(method, path, parse_query(query), lower, raw)


def parse_query(query: str) -> dict[str, tuple[str, ...]]:
    """A query string as a mapping of all values by name."""
    return {name: tuple(values) for name, values in parse_qs(query, keep_blank_values=True).items()}


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The time, aware, UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that only moves when told to, for tests in-process."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time it was last set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Jump to a time."""
        self._now = now

    def advance(self, seconds: float) -> datetime:
        """Move on by seconds; returns the new time."""
        self._now += timedelta(seconds=seconds)
        return self._now


class StampClock:
    """A clock that can be held at a past moment while something late is applied with that moment's stamp."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._held: datetime | None = None

    def now(self) -> datetime:
        """The base clock's time, or the moment it is held at."""
        return self._held or self._base.now()

    @contextmanager
    def held(self, at: datetime) -> Iterator[None]:
        """Hold at a moment for the length of a block."""
        self._held = at
        try:
            yield
        finally:
            self._held = None


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def whole_milliseconds(at: datetime) -> datetime:
    """The time without anything finer than a millisecond."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def whole_seconds(at: datetime) -> datetime:
    """The time without a fraction."""
    return at.replace(microsecond=0)


def iso_short(at: datetime) -> str:
    """Opsgenie's form: UTC, up to three decimals, trailing zeros dropped ("…:02Z", "…:09.16Z")."""
    fraction = f".{at.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def iso_seconds(at: datetime) -> str:
    """PagerDuty's form: UTC, whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def parse_time(text: str) -> datetime:
    """An ISO time; UTC when it names no offset. ValueError when it is none."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def token(random: Random, prefix: str, length: int) -> str:
    """An id in PagerDuty's style: a prefix and random capitals and digits."""
    return prefix + "".join(random.choices(_LETTERS, k=length))
