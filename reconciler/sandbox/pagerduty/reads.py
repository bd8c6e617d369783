"""GETs of one thing: an incident, a user, the service, an escalation policy."""

from reconciler.sandbox.pagerduty import shapes
from reconciler.sandbox.pagerduty.account import Account
from reconciler.sandbox.pagerduty.errors import not_found
from reconciler.sandbox.pagerduty.state import POLICIES, SERVICE_ID
from reconciler.sandbox.wire import Request, Response, json_response

_ACCOUNT_TOKEN = (
    "Because this request was made using an account-level access token, we were unable to determine "  # noqa: S105
    "the user's identity. Please use a user-level token."
)


class Reads:
    """Answers GETs of one thing, with 404 when it does not exist."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def incident(self, _: Request, incident_id: str) -> Response:
        """GET /incidents/{id}: by id or number, `detail_lag` seconds behind."""
        incident = self._account.version(self._account.get(incident_id))
        shown = shapes.incident_json(incident, nameless=self._account.settings.acknowledger_null)
        return json_response(200, {"incident": shown})

    def own_user(self, request: Request) -> Response:
        """GET /users/me. With an account's key 400, and `error` is a text (observed: python-pagerduty's tests)."""
        token = self._account.settings.user_token
        return self.user(request, token) if token else json_response(400, {"error": _ACCOUNT_TOKEN})

    def user(self, _: Request, user_id: str) -> Response:
        """GET /users/{id}."""
        for user in self._account.users():
            if user.id == user_id:
                return json_response(200, {"user": shapes.user_json(user, self._account.role(user))})
        raise not_found()

    def service(self, _: Request, service_id: str) -> Response:
        """GET /services/{id}."""
        settings = self._account.settings
        if service_id != SERVICE_ID or settings.service_status == "gone":
            raise not_found()
        return json_response(200, {"service": shapes.service_json(settings)})

    def policy(self, _: Request, policy_id: str) -> Response:
        """GET /escalation_policies/{id}."""
        if policy_id not in POLICIES:
            raise not_found()
        policy = shapes.policy_json(policy_id, self._account.levels(policy_id))
        return json_response(200, {"escalation_policy": policy})
