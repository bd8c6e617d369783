"""The site's addresses: the table of routes, each API's key and its rate limit."""

from collections.abc import Callable

from reconciler.sandbox.jsm import checks, directory, errors
from reconciler.sandbox.jsm.directory import CLOUD_ID, User
from reconciler.sandbox.jsm.reads import Reads
from reconciler.sandbox.jsm.site import ApiQueue, Site
from reconciler.sandbox.jsm.writes import Writes
from reconciler.sandbox.opsgenie.answers import THROTTLED, throttled_headers
from reconciler.sandbox.opsgenie.writes import Writes as OpsgenieWrites
from reconciler.sandbox.rate_limit import SlidingMinute
from reconciler.sandbox.routes import Routes
from reconciler.sandbox.wire import Answer, Json, Request, Response, json_response

_ALERTS = "/jsm/ops/api/{cloud}/v1/alerts"
_INTEGRATION = "/jsm/ops/integration/v2/alerts"
_JIRA = "/ex/jira/{cloud}/rest/api/3"
_DISABLED = "Integration is disabled."


class JsmRoutes:
    """Answers HTTP requests. Refusals are answers too; nothing is raised.

    The account API knows `email:token`; the integration API is Opsgenie's, with a key, and cannot read alerts.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._by_account, self._by_integration = SlidingMinute(), SlidingMinute()
        account, integration = (
            ApiQueue(site.queue, self._plan_fails),
            ApiQueue(site.queue, self._integration_fails),
        )
        reads, writes = Reads(site, account), Writes(site, account)
        named = OpsgenieWrites(site.account, site.rules, integration)
        self._integration = integration
        self._open = Routes[Callable[..., Response]]([("GET", "/_edge/tenant_info", _tenant)])
        self._keyed = Routes[Callable[..., Response]](
            [
                ("GET", f"{_INTEGRATION}/requests/{{id}}", self._outcome),
                ("POST", _INTEGRATION, named.create),
                ("POST", f"{_INTEGRATION}/{{id}}/acknowledge", named.acknowledge),
                ("POST", f"{_INTEGRATION}/{{id}}/close", named.close),
                ("POST", f"{_INTEGRATION}/{{id}}/notes", named.add_note),
            ]
        )
        self._jira = Routes[Callable[..., Response]](
            [("GET", f"{_JIRA}/myself", self._myself), ("GET", f"{_JIRA}/user", self._user)]
        )
        self._account = Routes[Callable[..., Response]](
            [
                ("GET", _ALERTS, reads.alerts),
                ("POST", _ALERTS, writes.create),
                ("GET", f"{_ALERTS}/alias", reads.alert_by_alias),
                ("GET", f"{_ALERTS}/requests/{{id}}", reads.request_status),
                ("GET", f"{_ALERTS}/{{id}}", reads.alert),
                ("GET", f"{_ALERTS}/{{id}}/notes", reads.notes),
                ("GET", f"{_ALERTS}/{{id}}/logs", reads.logs),
                ("POST", f"{_ALERTS}/{{id}}/acknowledge", writes.acknowledge),
                ("POST", f"{_ALERTS}/{{id}}/unacknowledge", writes.unacknowledge),
                ("POST", f"{_ALERTS}/{{id}}/close", writes.close),
                ("POST", f"{_ALERTS}/{{id}}/notes", writes.add_note),
            ]
        )

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return self._answer(request)
        except Answer as answer:
            return answer.response

    def _answer(self, request: Request) -> Response:
        account = self._site.account
        account.copies.choose(request, account.settings.step_back)
        if route := self._open.find(request):
            return route[0](request)
        if request.path.startswith("/jsm/ops/integration/"):
            return self._by_key(request)
        settings, now = account.settings, account.clock.now()
        checks.authorized(settings, request)
        if not self._by_account.admit(now, settings.jsm_per_minute):
            seconds = self._by_account.reset_in(now)
            headers = errors.throttled_headers(now, seconds, settings.jsm_per_minute)
            raise errors.refusal(429, errors.THROTTLED, headers)
        is_jira = request.path.startswith("/ex/jira/")
        route = (self._jira if is_jira else self._account).find(request)
        if route is None:
            raise errors.refusal(404)
        handler, (cloud_id, *arguments) = route
        if cloud_id != CLOUD_ID:
            raise errors.refusal(404, "Site not found")
        if not is_jira:
            checks.in_scope(settings, request)
            if settings.jsm_plan == "lacks_api":
                raise errors.refusal(402, errors.PLAN)
        return handler(request, *arguments)

    def _by_key(self, request: Request) -> Response:
        """A call of the integration API, answered in Opsgenie's form."""
        account = self._site.account
        settings, answers, now = account.settings, account.answers, account.clock.now()
        if request.headers.get("authorization") != f"GenieKey {settings.jsm_key}":
            raise answers.error(401, "Could not authenticate")
        if not self._by_integration.admit(now, settings.jsm_per_minute):
            seconds = self._by_integration.reset_in(now)
            raise answers.error(429, THROTTLED, throttled_headers(60) | {"Retry-After": str(seconds)})
        route = self._keyed.find(request)
        if route is None:
            raise answers.error(404, "Not found")
        handler, arguments = route
        return handler(request, *arguments)

    def _outcome(self, _: Request, request_id: str) -> Response:
        """GET /v2/alerts/requests/{id}: as in Opsgenie, but pending and unknown are the same (uncertain)."""
        account, outcome = self._site.account, self._integration.outcome(request_id)
        if outcome is None or account.settings.jsm_request_404:
            raise account.answers.error(404, "Request not found. It might not be processed, yet.")
        return account.answers.ok(data=outcome)

    def _myself(self, _: Request) -> Response:
        return json_response(200, _user_json(directory.BOT))

    def _user(self, request: Request) -> Response:
        user = directory.find(request.first("accountId"), self._site.account.people)
        if user is None:
            raise errors.refusal(404, "Specified user does not exist or you do not have required permissions")
        return json_response(200, _user_json(user))

    def _plan_fails(self, action: str) -> str:
        lacks = self._site.account.settings.jsm_plan == "lacks_actions"
        return f"Your account plan does not support alert {action.lower()} action.." if lacks else ""

    def _integration_fails(self, _: str) -> str:
        return "" if self._site.account.settings.jsm_integration_enabled else _DISABLED


def _tenant(_: Request) -> Response:
    return json_response(200, {"cloudId": CLOUD_ID})


def _user_json(user: User) -> Json:
    return {
        "accountId": user.account_id, "accountType": "atlassian", "active": True, "displayName": user.name,
        "emailAddress": user.email, "timeZone": "Etc/UTC",
    }  # fmt: skip
