"""The HTTP client of one vendor: every call ends in time, with an answer or one error of `reconciler.errors`.

Priority and time of a call come from `call_context`. Reads are retried here, writes never. Our keys are removed
from vendors' messages.
"""

import base64
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from requests.adapters import BaseAdapter

from reconciler.core.text import shortened
from reconciler.errors import Blocked, NotExecuted, Occupied, ReconcilerError, Transient, Unknown
from reconciler.vendors import call_context
from reconciler.vendors.bounded_json import PIECE, NotJson, loaded
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.endpoints import route_of
from reconciler.vendors.error_scopes import refusal, reply_of, said
from reconciler.vendors.json_fields import clean, mapping, text
from reconciler.vendors.ports import Clock as Clock  # noqa: PLC0414 - offered from here too
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.session import CallTime, Session, doubt
from reconciler.vendors.variables import variables_of
from reconciler.vendors.waits import reason, retry_after

READ_ATTEMPTS = 5
WIRE_SHARE = 1 / 3
"""The share of a call's time that is left for the exchange after waiting for the rate limit."""
LONGEST_WRITE_WAIT = 2.0
"""Seconds that a write waits for the rate limit before it is put back, so that other kinds of call may go.

A page is not put back: it keeps its place ahead of everything else.
"""
NOT_JSON = "the answer is not JSON"
LONGEST_LINE, MAX_WORDS = 300, 10_000
"""Characters of a vendor's message in an error, and of what is looked at for them: it may be spaces."""
_BLANK = b" \t\r\n\xef\xbb\xbf"
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""A NUL or half of a surrogate pair: only answers that contain one are searched for unstorable text."""
Params = Iterable[tuple[str, str]]


class SystemClock:
    """The machine's clock; setting `stop` ends every wait."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait; True as soon as the program is to stop."""
        return self.stop.wait(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's answer. Header names are found in any case; `json` is None where there is none."""

    status: int
    headers: Mapping[str, str]
    json: Any


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request, for metrics and logs.

    `route` is the path without ids, `path` the one with them, without its query; no secret is in either. `status`
    None: no answer. `attempt` counts from 1.
    """

    vendor: str
    method: str
    route: str
    status: int | None
    outcome: str
    seconds: float
    request_id: str = ""
    path: str = ""
    attempt: int = 1


class Http:
    """A session with one vendor, shared by all threads. `name` is what errors call it: see `variables`."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        name: str,
        clock: Clock,
        limiter: RateLimiter,
        timeout: float = 30.0,
        on_request: Callable[[RequestRecord], None] | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.name = name
        self.variables = variables_of(name)
        self.clock = clock
        self.timeout = timeout
        self._limiter = limiter
        self._on_request = on_request or (lambda _record: None)
        self._headers = dict(headers)
        self._secrets = _secrets(headers.get("Authorization", ""))
        self._session = Session(self.base_url, headers, name, clock, adapter)

    def use_key(self, authorization: str) -> None:
        """Send this header from now on. The key before it is still removed from what the vendor says."""
        self._secrets = list(dict.fromkeys([*_secrets(authorization), *self._secrets]))
        self._session.use(self._headers | {"Authorization": authorization})

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def get(self, path: str, params: Params = (), *, accept: frozenset[int] = frozenset()) -> Answer:
        """Read, with retries after transient failures, within the time of one call. `accept`: other good statuses.

        No retry if something else answered in the vendor's place: it would answer the same a moment later. Nor
        while another pair's large answers are in memory, so that this thread can turn to another pair.
        """
        time_ = self._time()
        params = list(params)
        for attempt in range(READ_ATTEMPTS):
            try:
                return self._call("GET", path, time_, attempt=attempt + 1, params=params, accept=accept)
            except (Blocked, Occupied):
                raise
            except Transient as error:
                pause = random.uniform(0, min(8.0, 0.5 * 2**attempt))  # noqa: S311 - jitter is no secret
                pause += error.retry_after or 0.0
                hopeless = attempt + 1 == READ_ATTEMPTS or self.clock.monotonic() + pause >= time_.last
                if hopeless or self.clock.wait(pause):
                    raise
        raise AssertionError("unreachable")

    def write(
        self,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str] | None = None,
        *,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """Write, once: after Unknown, the caller reads the target to learn the outcome. No body is sent for None.

        RateLimited at once if the rate limit leaves no room for a while, so that other calls can be made.
        `accept`: other good statuses.
        """
        sent = {**({} if body is None else {"Content-Type": "application/json"}), **(headers or {})}
        body = b"" if body is None else json.dumps(body).encode()
        is_page = call_context.current().priority is CallPriority.PAGE
        wait = float("inf") if is_page else LONGEST_WRITE_WAIT
        return self._call(method, path, self._time(), longest_wait=wait, data=body, headers=sent, accept=accept)

    def _time(self) -> CallTime:
        within = call_context.current().within
        seconds = self.timeout if within is None else min(self.timeout, max(0.0, within))
        return CallTime(seconds, self.clock.monotonic() + seconds)

    def _call(
        self,
        method: str,
        path: str,
        time_: CallTime,
        *,
        attempt: int = 1,
        longest_wait: float = float("inf"),
        accept: frozenset[int] = frozenset(),
        **sent: Any,
    ) -> Answer:
        route = route_of(path)
        started = self.clock.monotonic()
        within = min(longest_wait, (time_.last - started) * (1 - WIRE_SHARE))
        context = call_context.current()
        try:
            turn = self._limiter.acquire(
                f"{method} {route}",
                write=method != "GET",
                within=within,
                priority=context.priority,
                route=context.route,
            )
        except NotExecuted as error:
            raise type(error)(f"{self.name}: {error}", error.retry_after) from None
        started = self.clock.monotonic()
        headers: Mapping[str, str] = {}
        status, outcome = None, "done"
        try:
            if started >= time_.last:  # a process that was suspended here must not send a write this late
                raise NotExecuted(f"{self.name}: {method} {route}: its time was over before it was sent")
            status, headers, content = self._session.exchange(method, path, time_, **sent)
            return self._answer(method, route, status, headers, content, accept)
        except ReconcilerError as error:
            outcome = type(error).__name__.lower()
            error.request_id = self._clean(headers.get("x-request-id", "")) or error.request_id
            raise
        finally:
            self._limiter.release(turn, status, headers)
            seconds = self.clock.monotonic() - started
            request_id = self._clean(headers.get("x-request-id", ""))
            call_context.answered(request_id)
            self._on_request(
                RequestRecord(
                    self.variables.vendor,
                    method,
                    route,
                    status,
                    outcome,
                    seconds,
                    request_id,
                    path.partition("?")[0],
                    attempt,
                )
            )

    def _answer(
        self,
        method: str,
        route: str,
        status: int,
        headers: Mapping[str, str],
        content: bytearray | str,
        accept: frozenset[int],
    ) -> Answer:
        html = isinstance(content, bytearray) and content[:PIECE].lstrip(_BLANK)[:1] == b"<"
        body, problem = _parsed(content)
        request_id = self._clean(headers.get("x-request-id", ""))
        where = f"{self.name}: {method} {route}" + (f" (request {request_id})" if request_id else "")
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP
            if problem:
                raise Unknown(f"{where}: {status}, but {problem}{doubt(method)}{self._elsewhere(problem)}")
            return Answer(status, headers, body)
        if status in accept:
            return Answer(status, headers, body)
        words = self._clean(said(body))
        reply = reply_of(self.name, method, route, status, body, html=html)
        limit = self._clean(reason(headers))
        answer = f"{where}: {status}" + (f": {words}" if words else "") + (f" ({limit})" if limit else "")
        error = refusal(reply, answer, retry_after(headers, self.clock.now()))
        error.request_id = self._clean(text(mapping(body).get("requestId")))
        raise error

    def _elsewhere(self, problem: str) -> str:
        """A hint for a 200 without JSON: a web application answers with a page."""
        return f". Check that {self.variables.address} is the address of the API" if problem == NOT_JSON else ""

    def _clean(self, found: str) -> str:
        """The text as one printable line without our keys."""
        for secret in self._secrets:
            found = found.replace(secret, "•••")
        return shortened("".join(c if c.isprintable() else " " for c in found[:MAX_WORDS]), LONGEST_LINE)


def _secrets(authorization: str) -> list[str]:
    """The parts of a header that must never be shown: all of it, and the key alone, the longest first."""
    scheme, _, credentials = authorization.partition(" ")
    key = _password(credentials) if scheme == "Basic" else credentials.removeprefix("token=")
    return list(filter(None, (authorization, credentials, key)))


def _password(credentials: str) -> str:
    """The password of Basic authentication."""
    return base64.b64decode(credentials).decode().partition(":")[2]


def _parsed(content: bytearray | str) -> tuple[Any, str]:
    """The document, and an error if it cannot be read as JSON. Only texts that cannot be stored are changed.

    The content is emptied, since it may be large and its text is in memory as well.
    """
    if isinstance(content, str):
        return None, content
    try:
        found = content.decode("utf-8-sig", "replace")
        content.clear()
        return clean(loaded(found)) if _ESCAPED.search(found) else loaded(found), ""
    except NotJson as error:
        return None, f"the answer {error}"
