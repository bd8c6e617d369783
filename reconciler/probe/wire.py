"""One vendor's API as the probe needs it: refusals are answers to look into, not errors.

It uses the product's own session, with its time limits, rate limits and redaction.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Blocked, NotExecuted, ReconcilerError
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.error_scopes import said
from reconciler.vendors.http import Answer, Http
from reconciler.vendors.json_fields import mapping
from reconciler.vendors.ports import Clock

CALL_SECONDS = 15.0
"""The longest time of one call, retries included."""
MOST_TRIES = 3
"""How often a write is sent that a rate limit has turned away."""
LONGEST_WAIT = 30.0
"""Seconds that are waited for a rate limit before the next try."""
REFUSALS = frozenset(range(400, 500)) - {401, 408, 429}
"""Statuses that are findings. 401 concerns the key, the others mean that it may work later."""
TIME_OVER = "the time of the whole run is over"
LONGEST_WORDS = 160
"""Characters of a vendor's message that a finding quotes."""

Json = dict[str, Any]
Params = Iterable[tuple[str, str]]


class NotSettled(ReconcilerError):
    """A step cannot go on: the vendor did not do what the rest of the step needs."""


class Stopped(NotExecuted):
    """The operator has asked the probe to stop, and the next request was not sent."""


class Halt:
    """Ends the steps early: when the operator wants it, or at the monotonic time `last`.

    `is_wanted` says whether the operator does. What removes the created objects ignores both.
    """

    def __init__(self, is_wanted: Callable[[], bool], clock: Clock) -> None:
        self.last = float("inf")
        self._is_wanted = is_wanted
        self._clock = clock
        self._is_ignored = False

    def check(self) -> None:
        """Stopped, or NotSettled because the time is over; nothing while it is ignored."""
        if self._is_ignored:
            return
        if self._is_wanted():
            raise Stopped("stopped by the operator")
        if self._clock.monotonic() >= self.last:
            raise NotSettled(TIME_OVER)

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """Let everything inside be done to its end."""
        self._is_ignored = True
        try:
            yield
        finally:
            self._is_ignored = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A vendor's answer. `body` is empty where it is no object; header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: Json

    @property
    def ok(self) -> bool:
        """Whether the vendor has accepted the request."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP

    @property
    def words(self) -> str:
        """The status, and the vendor's message if it refuses: `400: Arguments Caused Error (code 2002)`."""
        message = "" if self.ok else said(self.body)
        return f"{self.status}: {shortened(message)}" if message else str(self.status)

    def needed(self, what: str) -> "Reply":
        """This reply. NotSettled if it is a refusal; `what` names what was asked for."""
        if not self.ok:
            raise NotSettled(f"{what}: {self.words}")
        return self


class Api:
    """Requests to one vendor, answered or refused. `learn` is given every answer, to redact the names in it.

    `headers` are sent with every write; `halt` is asked before each request. ReconcilerError where no answer of
    the vendor comes, or the key is refused.
    """

    def __init__(
        self, http: Http, learn: Callable[[Any], None], halt: Halt, headers: Mapping[str, str] | None = None
    ) -> None:
        self.http = http
        self._halt = halt
        self.latest: Mapping[str, str] = {}
        """The headers of the last answer."""
        self._learn = learn
        self._headers = dict(headers or {})

    def get(self, path: str, params: Params = ()) -> Reply:
        """Read."""
        self._halt.check()
        with calling(CallPriority.CHANGED, CALL_SECONDS):
            return self._reply(self.http.get(path, params, accept=REFUSALS))

    def send(self, method: str, path: str, body: Any) -> Reply:
        """Write; sent again only if a rate limit has turned it away."""
        for _ in range(MOST_TRIES - 1):
            try:
                return self._sent(method, path, body)
            except NotExecuted as error:
                if error.retry_after is None or self.http.clock.wait(min(error.retry_after, LONGEST_WAIT)):
                    raise
        return self._sent(method, path, body)

    def _sent(self, method: str, path: str, body: Any) -> Reply:
        self._halt.check()
        with calling(CallPriority.CHANGED, CALL_SECONDS):
            return self._reply(self.http.write(method, path, body, self._headers, accept=REFUSALS))

    def _reply(self, answer: Answer) -> Reply:
        reply = Reply(answer.status, answer.headers, mapping(answer.json))
        if not reply.ok and answer.json is None:
            raise Blocked(f"{self.http.name}: {answer.status}, but not in its JSON: look for a proxy on the way")
        self.latest = answer.headers
        self._learn(answer.json)
        return reply


def shortened(words: str, most: int = LONGEST_WORDS) -> str:
    """The text, cut to a number of characters."""
    return words if len(words) <= most else words[: most - 1] + "…"
