"""The session with one vendor: one exchange at a time, which ends when the time of its call is over.

No key leaves this module: no exception of `requests` is passed on, since it may hold the request's headers.
"""

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, ReadTimeoutError

from reconciler import __version__
from reconciler.errors import Misconfigured, NotExecuted, Occupied, ReconcilerError, Transient, Unknown
from reconciler.vendors import call_context
from reconciler.vendors.bounded_json import Structure
from reconciler.vendors.deadline import Exchange, WatchedAdapter, exchange
from reconciler.vendors.endpoints import route_of
from reconciler.vendors.ports import Clock
from reconciler.vendors.surroundings import check_proxy, trusted
from reconciler.vendors.unsent import never_sent
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE, variables_of

CONNECT_TIMEOUT = 10.0
MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer. The largest legal page is JSM's: 100 alerts of 24,000 characters, six bytes each at most."""
MAX_WIDE = 8 * 1024 * 1024
"""The same of one that is not all ASCII, whose characters may take four times as much once they are read."""
MAX_STRUCTURE = 1_000_000
"""Structural characters of an answer: see `bounded_json`. A page of 100 rows has about ten thousand.

They may take 90 MiB once they are read. The largest legal page is JSM's: 100 alerts with details of 8,000
characters, which are 3,900 empty details with names of two letters at most.
"""
LARGE, PATIENCE = 1024 * 1024, 1.0
"""Bytes of a large answer, and the seconds that it waits for another pair's to be done with; then it is put off.

Large answers of all workers at a time would take more memory than there is. A full page of a list is smaller, so
that an ordinary answer waits for none.
"""
AGAIN = 5.0
"""Seconds after which an answer that was put off should be asked for again."""
CHUNK = 65536
POOL = 32
AGENT = f"reconciler/{__version__}"
"""The User-Agent of every request."""
_ANY = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"}
_JSON = {"Accept": "application/json"}
_ALWAYS = {
    "Opsgenie": _JSON,
    "JSM": _JSON,
    JSM_KEYED: _JSON,
    JSM_SITE: _JSON,
    "PagerDuty": {
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json",  # documented as required for reads, too
    },
}
"""The headers of every request to a vendor, besides the caller's."""


@dataclass(frozen=True, slots=True)
class CallTime:
    """The time of one call: its length in seconds, and its end `last` by the monotonic clock."""

    seconds: float
    last: float


class _Keys(AuthBase):
    """Sets the headers last, so that neither ~/.netrc nor a session default replaces them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __repr__(self) -> str:
        return "_Keys(…)"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class Session:
    """Connections to one vendor, shared by all threads. `name` is what errors call it."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], name: str, clock: Clock, adapter: BaseAdapter | None
    ) -> None:
        self._base_url = base_url
        self._name = name
        self._variables = variables_of(name)
        self._clock = clock
        self.requests = cookieless()
        self.use(headers)
        pool = adapter or WatchedAdapter(pool_connections=2, pool_maxsize=POOL, max_retries=0)
        for scheme in ("https://", "http://"):
            self.requests.mount(scheme, pool)
        take_environment(self.requests, base_url)

    def use(self, headers: Mapping[str, str]) -> None:
        """Send these headers from now on, besides those of every request."""
        self._keys = _Keys({**_ANY, **_ALWAYS.get(self._name, {}), **headers})

    def close(self) -> None:
        """Close all connections."""
        self.requests.close()

    def exchange(
        self, method: str, path: str, time_: CallTime, **sent: Any
    ) -> tuple[int, Mapping[str, str], bytearray | str]:
        """Status, headers, and the body, or the reason why there is none."""
        left = max(0.05, time_.last - self._clock.monotonic())
        timeout = (min(CONNECT_TIMEOUT, left), left)
        failure: ReconcilerError
        with exchange(left) as one:
            try:
                response = self.requests.send(
                    self._prepared(method, path, **sent), stream=True, allow_redirects=False, timeout=timeout
                )
            except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, ValueError):
                names = ", ".join(filter(None, (self._variables.address, self._variables.key)))
                failure = Misconfigured(
                    f"{names}: no request can be made of them; "
                    "look for a missing https:// and for stray characters or line ends"
                )
            except (requests.exceptions.RequestException, HTTPError, OSError) as error:
                failure = self._failure(method, path, error, time_, expired=one.expired)
            else:
                with closing(response):
                    # A write's answer is never put off: it shows whether the write was made.
                    is_read = method == "GET"
                    return response.status_code, response.headers, self._body(response, time_, one, is_read)
        raise failure  # outside the handler, so that the original, which may hold the key, is not even its context

    def _prepared(self, method: str, path: str, **sent: Any) -> requests.PreparedRequest:
        """The request by itself: no session defaults are merged in, and no cookie of the vendor is sent back."""
        request = requests.PreparedRequest()
        request.prepare(method, self._base_url + path, auth=self._keys, **({"headers": {}} | sent))
        return request

    def _failure(self, method: str, path: str, error: Exception, time_: CallTime, *, expired: bool) -> Transient:
        what = f"{self._name}: {method} {route_of(path)}"
        before = never_sent(error)
        if before:
            return NotExecuted(
                f"{what}: {before}; not sent. Check the network, any proxy, and {self._variables.address}"
            )
        late = expired or isinstance(error, requests.exceptions.Timeout)
        why = f"no answer within {time_.seconds:g} s" if late else "the connection broke before the answer"
        return Unknown(f"{what}: {why}{doubt(method)}")

    def _body(self, response: requests.Response, time_: CallTime, one: Exchange, is_read: bool) -> bytearray | str:
        raw = response.raw
        content, structure = bytearray(), Structure(MAX_STRUCTURE)
        late = f"the answer was not complete within {time_.seconds:g} s"
        try:
            while True:
                left = time_.last - self._clock.monotonic()
                if left <= 0 or one.expired:
                    return late
                sock = getattr(getattr(raw, "connection", None), "sock", None)
                if sock is not None:
                    sock.settimeout(left)
                chunk = raw.read1(CHUNK, decode_content=True)
                if not chunk:
                    return late if one.expired else _as_a_whole(content)
                content += chunk
                if len(content) > MAX_BODY:
                    return _too_long(MAX_BODY)
                if is_read and len(content) > LARGE and not call_context.may_be_large(PATIENCE):
                    raise Occupied(f"{self._name}: another large answer is being worked on", AGAIN)
                if structure.is_too_much(content):
                    return f"the answer has more than {MAX_STRUCTURE:,} values"
        except (ReadTimeoutError, TimeoutError):
            return late
        except (HTTPError, OSError, ValueError):
            return late if one.expired else "the answer broke off"


def _as_a_whole(content: bytearray) -> bytearray | str:
    return content if len(content) <= MAX_WIDE or content.isascii() else _too_long(MAX_WIDE)


def _too_long(most: int) -> str:
    return f"the answer is longer than {most // 1024 // 1024} MiB"


def cookieless() -> requests.Session:
    """Connections over which no cookie is stored or sent back."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return session


def take_environment(session: requests.Session, url: str) -> None:
    """Read the proxies and certificates that the environment names for this address, once for all requests.

    Misconfigured if they cannot be used.
    """
    with suppress(ValueError):  # the first request reports an invalid address
        found = session.merge_environment_settings(url, {}, None, None, None)
        session.proxies, session.cert = found["proxies"], found["cert"]
        session.verify = trusted(url)
        session.trust_env = False
        check_proxy(url, session.proxies)


def doubt(method: str) -> str:
    """What an error adds where the request may have had an effect."""
    return "" if method == "GET" else "; it may have been carried out"
