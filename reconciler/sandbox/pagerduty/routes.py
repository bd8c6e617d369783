"""PagerDuty's REST API v2 over HTTP: the table of routes, the key and the rate limits."""

from collections import defaultdict
from collections.abc import Callable

from reconciler.sandbox.pagerduty.account import Account
from reconciler.sandbox.pagerduty.errors import error_body, invalid, not_found, problem, rate_headers
from reconciler.sandbox.pagerduty.reads import Reads
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.shapes import API
from reconciler.sandbox.pagerduty.writes import Writes
from reconciler.sandbox.rate_limit import SlidingMinute
from reconciler.sandbox.routes import Routes
from reconciler.sandbox.settings import accepted
from reconciler.sandbox.wire import Answer, Refused, Request, Response, json_response

_SELF = f'"self":"{API}/'.encode()
"""`self` is where the client has asked: PagerDuty's own client refuses to follow it elsewhere."""


class PagerDutyRoutes:
    """Answers HTTP requests. Refusals are answers too; nothing is raised."""

    def __init__(self, account: Account, rules: Rules) -> None:
        self._account = account
        self._calls = defaultdict[str, SlidingMinute](SlidingMinute)
        self._creations = defaultdict[str, SlidingMinute](SlidingMinute)
        """By the value of the header Authorization: each key has limits of its own (documented)."""
        reads, writes = Reads(account), Writes(account, rules)
        self._routes = Routes[Callable[..., Response]](
            [
                ("GET", "/incidents", reads.incidents),
                ("POST", "/incidents", writes.create),
                ("PUT", "/incidents", writes.update_all),
                ("GET", "/incidents/{id}", reads.incident),
                ("PUT", "/incidents/{id}", writes.update),
                ("GET", "/incidents/{id}/alerts", reads.alerts),
                ("GET", "/incidents/{id}/log_entries", reads.log_entries),
                ("PUT", "/incidents/{id}/merge", writes.merge),
                ("GET", "/incidents/{id}/notes", reads.notes),
                ("POST", "/incidents/{id}/notes", writes.add_note),
                ("PUT", "/incidents/{id}/notes/{note_id}", writes.edit_note),
                ("DELETE", "/incidents/{id}/notes/{note_id}", writes.delete_note),
                ("POST", "/incidents/{id}/snooze", writes.snooze),
                ("GET", "/log_entries", reads.log_entries),
                ("GET", "/users", reads.users),
                ("GET", "/users/me", reads.own_user),
                ("GET", "/users/{id}", reads.user),
                ("GET", "/services/{id}", reads.service),
                ("GET", "/oncalls", reads.on_calls),
                ("GET", "/escalation_policies", reads.policies),
                ("GET", "/escalation_policies/{id}", reads.policy),
                ("GET", "/maintenance_windows", reads.windows),
                ("GET", "/priorities", reads.priorities),
            ]
        )

    def handle(self, request: Request) -> Response:
        """Answer one request. Every answer but a 401 tells of the rate limit."""
        self._account.copies.choose(request, self._account.settings.step_back)
        keys = accepted(self._account.settings.pagerduty_key, self._account.settings.pagerduty_keys)
        if request.headers.get("authorization") not in {f"Token token={key}" for key in keys}:
            return json_response(401, error_body(2006))
        try:
            response = self._answer(request)
        except Answer as answer:
            response = answer.response
        except Refused as refusal:
            response = (not_found() if refusal.status == 404 else invalid(str(refusal))).response  # noqa: PLR2004
        body = response.body.replace(_SELF, f'"self":"{request.base}/'.encode())
        return Response(response.status, body, {**response.headers, **self._rate_headers(request)})

    def _answer(self, request: Request) -> Response:
        now = self._account.clock.now()
        if not all(window.admit(now, limit) for window, limit in self._windows(request)):
            raise problem(429, 2020)
        if request.method != "GET" and self._account.settings.plan_lacks_ability:
            raise problem(402, 2014)
        route = self._routes.find(request)
        if route is None:
            raise not_found()
        handler, arguments = route
        return handler(request, *arguments)

    def _windows(self, request: Request) -> list[tuple[SlidingMinute, int]]:
        """The rate limits that apply to a request, each with its configured number."""
        settings, key = self._account.settings, request.headers.get("authorization", "")
        windows = [(self._calls[key], settings.pagerduty_per_minute)]
        if (request.method, request.path) == ("POST", "/incidents"):
            windows.insert(0, (self._creations[key], settings.creations_per_minute))
        return [(window, limit) for window, limit in windows if limit]

    def _rate_headers(self, request: Request) -> dict[str, str]:
        """The headers of the limit that is closest to being reached."""
        now, windows = self._account.clock.now(), self._windows(request)
        if not windows:
            return {}
        window, limit = min(windows, key=lambda pair: pair[0].remaining(now, pair[1]))
        return rate_headers(limit, window.remaining(now, limit), window.reset_in(now))
