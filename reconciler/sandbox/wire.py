"""Requests and responses of the simulated APIs, without sockets; their clocks; their forms of time."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode

Json = dict[str, Any]
"""A JSON object, as the vendors send it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` has no query; header names are lower-case; `prefix` precedes `path` in the URL."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    prefix: str = ""

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter, or the default."""
        values = self.query.get(name, ())
        return values[0] if values else default

    def json(self) -> Any:
        """The body as JSON, `{}` when it is empty. ValueError when it is not JSON."""
        return json.loads(self.body) if self.body.strip() else {}

    @property
    def base(self) -> str:
        """The address of this API as its client has it: a proxy with TLS in front says so in X-Forwarded-Proto."""
        scheme, host = self.headers.get("x-forwarded-proto", "http"), self.headers.get("host", "localhost")
        return f"{scheme}://{host}{self.prefix}"

    def url(self, **query: str) -> str:
        """The absolute URL of this request with another query."""
        encoded = f"?{urlencode(query)}" if query else ""
        return f"{self.base}{self.path}{encoded}"


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Answer(Exception):
    """Raised inside a simulated API to answer the request with a refusal."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Refused(Exception):
    """A person's act is not possible. The message is one line; `status` is the control API's HTTP status."""

    def __init__(self, message: str, status: int = 409) -> None:
        super().__init__(message)
        self.status = status


def json_response(status: int, obj: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A response with `obj` as JSON. Lone surrogates (half a character of a text that was cut) are escaped."""
    body = json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})


def request(method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Request:
    """A Request from `/path?query`, a body (bytes, or anything that JSON can express) and headers."""
    path, _, query = target.partition("?")
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Request(method, path, parse_query(query), lower, raw)


def parse_query(query: str) -> dict[str, tuple[str, ...]]:
    """All values of a query string by name."""
    return {name: tuple(values) for name, values in parse_qs(query, keep_blank_values=True).items()}


class Clock(Protocol):
    """A source of the time."""

    def now(self) -> datetime:
        """The time, aware, UTC."""


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that tests set and advance."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time it was last set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Set the time, also to an earlier one."""
        self._now = now

    def advance(self, seconds: float) -> datetime:
        """Advance by seconds; returns the new time."""
        self._now += timedelta(seconds=seconds)
        return self._now


class StampClock:
    """A clock that can be held at a past time, so that what takes effect late is stamped with its due time."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._held: datetime | None = None

    def now(self) -> datetime:
        """The time at which it is held, else the base clock's."""
        return self._held or self._base.now()

    @contextmanager
    def held(self, at: datetime) -> Iterator[None]:
        """Hold the clock during a `with` block."""
        self._held = at
        try:
            yield
        finally:
            self._held = None


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def whole_milliseconds(at: datetime) -> datetime:
    """The time, cut to milliseconds."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def whole_seconds(at: datetime) -> datetime:
    """The time, cut to seconds."""
    return at.replace(microsecond=0)


def iso_short(at: datetime) -> str:
    """Opsgenie's form of a time: UTC, 0 to 3 decimals without trailing zeros ("…:02Z", "…:09.16Z"; observed)."""
    fraction = f".{at.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def iso_seconds(at: datetime) -> str:
    """PagerDuty's form of a time: UTC, whole seconds (observed)."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def parse_time(text: str) -> datetime:
    """A time from ISO 8601, in UTC when it has no offset. ValueError when it is not ISO 8601."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
