"""Opsgenie's Alert API v2 over HTTP: the table of routes, the key and the rate limit."""

from collections import defaultdict
from collections.abc import Callable

from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.answers import THROTTLED, throttled_headers
from reconciler.sandbox.opsgenie.reads import Reads
from reconciler.sandbox.opsgenie.rules import Rules
from reconciler.sandbox.opsgenie.write_queue import WriteQueue
from reconciler.sandbox.opsgenie.writes import Writes
from reconciler.sandbox.rate_limit import SlidingMinute
from reconciler.sandbox.routes import Routes
from reconciler.sandbox.settings import accepted
from reconciler.sandbox.wire import Answer, Request, Response

_SUSPENDED = "Your account is suspended. Alerts are managed in Jira Service Management."
"""The message of a refusal after the move (uncertain)."""


class OpsgenieRoutes:
    """Answers HTTP requests. Refusals are answers too; nothing is raised."""

    def __init__(self, account: Account, rules: Rules, queue: WriteQueue) -> None:
        self._account = account
        self._calls = defaultdict[str, SlidingMinute](SlidingMinute)
        """By the value of the header Authorization: each key has a limit of its own."""
        reads, writes = Reads(account, queue), Writes(account, rules, queue)
        self._routes = Routes[Callable[..., Response]](
            [
                ("GET", "/v2/alerts", reads.alerts),
                ("POST", "/v2/alerts", writes.create),
                ("GET", "/v2/alerts/count", reads.count),
                ("GET", "/v2/alerts/requests/{id}", reads.request_status),
                ("GET", "/v2/alerts/{id}", reads.alert),
                ("GET", "/v2/alerts/{id}/notes", reads.notes),
                ("GET", "/v2/alerts/{id}/logs", reads.logs),
                ("GET", "/v2/heartbeats/{name}/ping", writes.ping),
                ("POST", "/v2/alerts/{id}/acknowledge", writes.acknowledge),
                ("POST", "/v2/alerts/{id}/unacknowledge", writes.unacknowledge),
                ("POST", "/v2/alerts/{id}/close", writes.close),
                ("POST", "/v2/alerts/{id}/notes", writes.add_note),
            ]
        )

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return self._answer(request)
        except Answer as answer:
            return answer.response

    def _answer(self, request: Request) -> Response:
        settings, answers = self._account.settings, self._account.answers
        self._account.copies.choose(request, settings.step_back)
        is_customer = not self._account.is_jsm and self._mode() != "off"
        keys = accepted(settings.opsgenie_key, settings.opsgenie_keys)
        given = request.headers.get("authorization", "")
        if not is_customer or given not in {f"GenieKey {key}" for key in keys}:
            raise answers.error(401, "Could not authenticate")
        if not self._calls[given].admit(self._account.clock.now(), settings.opsgenie_per_minute):
            raise answers.error(429, THROTTLED, throttled_headers(60))
        self._check_mode(request)
        route = self._routes.find(request)
        if route is None:
            raise answers.error(404, "Not found")
        handler, arguments = route
        return handler(request, *arguments)

    def _mode(self) -> str:
        """How the API behaves: as ever, or as it does after the alerts were moved to another product."""
        return self._account.settings.opsgenie_mode if self._account.has_moved else "live"

    def _check_mode(self, request: Request) -> None:
        mode = self._mode()
        if mode == "refused" or (mode == "read_only" and request.method != "GET"):
            raise self._account.answers.error(403, _SUSPENDED)
