"""The HTTP client of one vendor: every call ends in time, with an answer or one error of `reconciler.errors`.

Priority and time of a call come from `call_context`. Reads are retried here, writes never. No key leaves this
module: no exception of `requests` is passed on, and our keys are removed from vendors' messages.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, ReadTimeoutError

from reconciler.errors import Blocked, Misconfigured, NotExecuted, ReconcilerError, Transient, Unknown
from reconciler.vendors import call_context
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.deadline import Exchange, WatchedAdapter, exchange
from reconciler.vendors.endpoints import route_of
from reconciler.vendors.error_scopes import refusal, reply_of, said
from reconciler.vendors.json_fields import clean
from reconciler.vendors.ports import Clock as Clock  # noqa: PLC0414 - offered from here too
from reconciler.vendors.rate_limiter import RateLimiter, retry_after
from reconciler.vendors.unsent import never_sent

READ_ATTEMPTS = 5
CONNECT_TIMEOUT = 10.0
WIRE_SHARE = 1 / 3
"""The share of a call's time that is left for the exchange after waiting for the rate limit."""
LONGEST_WRITE_WAIT = 2.0
"""Seconds that a write waits for the rate limit before it is put back, so that other kinds of call may go.

A page is not put back: it keeps its place ahead of everything else.
"""
NOT_JSON = "the answer is not JSON"
MAX_BODY = 32 * 1024 * 1024
CHUNK = 65536
POOL = 32
_ANY = {"User-Agent": "reconciler", "Accept-Encoding": "gzip, deflate"}
_BLANK = b" \t\r\n\xef\xbb\xbf"
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""A NUL or half of a surrogate pair: only answers that contain one are searched for unstorable text."""
_ALWAYS = {
    "Opsgenie": {"Accept": "application/json"},
    "PagerDuty": {
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json",  # documented as required for reads, too
    },
}
"""The headers of every request to a vendor, besides the caller's."""
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
class _Time:
    """The time of one call: its length in seconds, and its end `last` by the monotonic clock."""

    seconds: float
    last: float


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request, for metrics and logs. `route` is the path without ids; `status` None: no answer."""

    vendor: str
    method: str
    route: str
    status: int | None
    outcome: str
    seconds: float
    request_id: str = ""


class _Keys(AuthBase):
    """Sets the headers last, so that neither ~/.netrc nor a session default replaces them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __repr__(self) -> str:
        return "_Keys(…)"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class Http:
    """The session with one vendor (Opsgenie or PagerDuty), shared by all threads."""

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
        self.clock = clock
        self.timeout = timeout
        self._limiter = limiter
        self._on_request = on_request or (lambda _record: None)
        self._secrets = _secrets(headers.get("Authorization", ""))
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # none is stored or sent back
        self._keys = _Keys({**_ANY, **_ALWAYS.get(name, {}), **headers})
        pool = adapter or WatchedAdapter(pool_connections=2, pool_maxsize=POOL, max_retries=0)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, pool)
        _take_environment(self._session, self.base_url)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def get(self, path: str, params: Params = (), *, accept: frozenset[int] = frozenset()) -> Answer:
        """Read, with retries after transient failures, within the time of one call. `accept`: other good statuses.

        No retry if something else answered in the vendor's place: it would answer the same a moment later.
        """
        time_ = self._time()
        params = list(params)
        for attempt in range(READ_ATTEMPTS):
            try:
                return self._call("GET", path, time_, params=params, accept=accept)
            except Blocked:
                raise
            except Transient as error:
                pause = random.uniform(0, min(8.0, 0.5 * 2**attempt))  # noqa: S311 - jitter is no secret
                pause += error.retry_after or 0.0
                hopeless = attempt + 1 == READ_ATTEMPTS or self.clock.monotonic() + pause >= time_.last
                if hopeless or self.clock.wait(pause):
                    raise
        raise AssertionError("unreachable")

    def write(self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Write, once: after Unknown, the caller reads the target to learn the outcome.

        RateLimited at once if the rate limit leaves no room for a while, so that other calls can be made.
        """
        sent = {"Content-Type": "application/json", **(headers or {})}
        body = json.dumps(body).encode()
        is_page = call_context.current().priority is CallPriority.PAGE
        wait = float("inf") if is_page else LONGEST_WRITE_WAIT
        return self._call(method, path, self._time(), longest_wait=wait, data=body, headers=sent)

    def _time(self) -> _Time:
        within = call_context.current().within
        seconds = self.timeout if within is None else min(self.timeout, max(0.0, within))
        return _Time(seconds, self.clock.monotonic() + seconds)

    def _call(
        self,
        method: str,
        path: str,
        time_: _Time,
        *,
        longest_wait: float = float("inf"),
        accept: frozenset[int] = frozenset(),
        **sent: Any,
    ) -> Answer:
        route = route_of(path)
        started = self.clock.monotonic()
        within = min(longest_wait, (time_.last - started) * (1 - WIRE_SHARE))
        scope, priority = f"{method} {route}", call_context.current().priority
        try:
            turn = self._limiter.acquire(scope, write=method != "GET", within=within, priority=priority)
        except NotExecuted as error:
            raise type(error)(f"{self.name}: {error}", error.retry_after) from None
        started = self.clock.monotonic()
        headers: Mapping[str, str] = {}
        status, outcome = None, "done"
        try:
            if started >= time_.last:  # a process that was suspended here must not send a write this late
                raise NotExecuted(f"{self.name}: {method} {route}: its time was over before it was sent")
            status, headers, content = self._exchange(method, path, time_, **sent)
            return self._answer(method, route, status, headers, content, accept)
        except ReconcilerError as error:
            outcome = type(error).__name__.lower()
            raise
        finally:
            self._limiter.release(turn, status, headers)
            seconds = self.clock.monotonic() - started
            request_id = headers.get("x-request-id", "")
            self._on_request(RequestRecord(self.name, method, route, status, outcome, seconds, request_id))

    def _exchange(
        self, method: str, path: str, time_: _Time, **sent: Any
    ) -> tuple[int, Mapping[str, str], bytes | str]:
        """Status, headers, and the body, or the reason why there is none."""
        left = max(0.05, time_.last - self.clock.monotonic())
        timeout = (min(CONNECT_TIMEOUT, left), left)
        failure: ReconcilerError
        with exchange(left) as one:
            try:
                response = self._session.send(
                    self._prepared(method, path, **sent), stream=True, allow_redirects=False, timeout=timeout
                )
            except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, ValueError):
                upper = self.name.upper()
                failure = Misconfigured(
                    f"{upper}_API_URL, {upper}_API_KEY: no request can be made of them; "
                    "look for a missing https:// and for stray characters or line ends"
                )
            except (requests.exceptions.RequestException, HTTPError, OSError) as error:
                failure = self._failure(method, path, error, time_, expired=one.expired)
            else:
                with closing(response):
                    return response.status_code, response.headers, self._body(response, time_, one)
        raise failure  # outside the handler, so that the original, which may hold the key, is not even its context

    def _prepared(self, method: str, path: str, **sent: Any) -> requests.PreparedRequest:
        """The request by itself: no session defaults are merged in, and no cookie of the vendor is sent back."""
        request = requests.PreparedRequest()
        request.prepare(method, self.base_url + path, auth=self._keys, **({"headers": {}} | sent))
        return request

    def _failure(self, method: str, path: str, error: Exception, time_: _Time, *, expired: bool) -> Transient:
        what = f"{self.name}: {method} {route_of(path)}"
        before = never_sent(error)
        if before:
            return NotExecuted(
                f"{what}: {before}; not sent. Check the network, any proxy, and {self.name.upper()}_API_URL"
            )
        late = expired or isinstance(error, requests.exceptions.Timeout)
        why = f"no answer within {time_.seconds:g} s" if late else "the connection broke before the answer"
        return Unknown(f"{what}: {why}{_doubt(method)}")

    def _body(self, response: requests.Response, time_: _Time, one: Exchange) -> bytes | str:
        raw = response.raw
        content = bytearray()
        late = f"the answer was not complete within {time_.seconds:g} s"
        try:
            while True:
                left = time_.last - self.clock.monotonic()
                if left <= 0 or one.expired:
                    return late
                sock = getattr(getattr(raw, "connection", None), "sock", None)
                if sock is not None:
                    sock.settimeout(left)
                chunk = raw.read1(CHUNK, decode_content=True)
                if not chunk:
                    return late if one.expired else bytes(content)
                content += chunk
                if len(content) > MAX_BODY:
                    return f"the answer is longer than {MAX_BODY // 1024 // 1024} MiB"
        except (ReadTimeoutError, TimeoutError):
            return late
        except (HTTPError, OSError, ValueError):
            return late if one.expired else "the answer broke off"

    def _answer(
        self,
        method: str,
        route: str,
        status: int,
        headers: Mapping[str, str],
        content: bytes | str,
        accept: frozenset[int],
    ) -> Answer:
        body, problem = _parsed(content)
        html = isinstance(content, bytes) and content.lstrip(_BLANK)[:1] == b"<"
        request_id = headers.get("x-request-id", "")
        where = f"{self.name}: {method} {route}" + (f" (request {self._clean(request_id)})" if request_id else "")
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP
            if problem:
                raise Unknown(f"{where}: {status}, but {problem}{_doubt(method)}{self._elsewhere(problem)}")
            return Answer(status, headers, body)
        if status in accept:
            return Answer(status, headers, body)
        words = self._clean(said(body))
        reply = reply_of(self.name, method, route, status, body, html=html)
        raise refusal(reply, f"{where}: {status}" + (f": {words}" if words else ""), retry_after(headers))

    def _elsewhere(self, problem: str) -> str:
        """A hint for a 200 without JSON: a web application answers with a page."""
        return f". Check that {self.name.upper()}_API_URL is the address of the API" if problem == NOT_JSON else ""

    def _clean(self, found: str) -> str:
        """The text as one printable line without our keys."""
        for secret in self._secrets:
            found = found.replace(secret, "•••")
        line = " ".join("".join(c if c.isprintable() else " " for c in found).split())
        return line if len(line) <= 300 else line[:299] + "…"  # noqa: PLR2004 - as long as a log line may be


def _take_environment(session: requests.Session, url: str) -> None:
    """Read the proxies and certificates that the environment names for this address, once for all requests."""
    with suppress(ValueError):  # the first request reports an invalid address
        found = session.merge_environment_settings(url, {}, None, None, None)
        session.proxies = found["proxies"]
        session.verify, session.cert = found["verify"], found["cert"]
        session.trust_env = False


def _doubt(method: str) -> str:
    return "" if method == "GET" else "; it may have been carried out"


def _secrets(authorization: str) -> list[str]:
    """The parts of a header that must never be shown: all of it, and the key alone, the longest first."""
    _, _, credentials = authorization.partition(" ")
    key = credentials.removeprefix("token=")
    return list(filter(None, (authorization, credentials, key)))


def _parsed(content: bytes | str) -> tuple[Any, str]:
    """The document, and an error if it is not valid JSON. Only texts that cannot be stored are changed."""
    if isinstance(content, str):
        return None, content
    try:
        found = content.decode("utf-8-sig", "replace")
        return clean(json.loads(found)) if _ESCAPED.search(found) else json.loads(found), ""
    except (ValueError, RecursionError):
        return None, NOT_JSON
