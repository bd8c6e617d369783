"""PagerDuty's account as HTTP: who may write, how the service stands, who is there and who is on call."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.sandbox.pagerduty import shapes as shape
from reconciler.sandbox.pagerduty.checks import invalid, not_found, parts, problem
from reconciler.sandbox.pagerduty.lists import Lists
from reconciler.sandbox.pagerduty.state import BOT, POLICIES, SERVICE_ID, User
from reconciler.sandbox.settings import READ_ONLY_ROLES, SandboxSettings
from reconciler.sandbox.wire import Request, Response, json_response

if TYPE_CHECKING:
    from reconciler.sandbox.pagerduty.api import PagerDutyApi

_ACCOUNT_TOKEN = (
    "Because this request was made using an account-level access token, we were unable to determine "  # noqa: S105
    "the user's identity. Please use a user-level token."
)
_NO_INCIDENTS = {"disabled": "is disabled", "maintenance": "is in maintenance"}


def read_account(machine: "PagerDutyApi", lists: Lists, request: Request) -> Response:
    """What there is to read besides incidents and their log."""
    settings = machine.settings
    match parts(request):
        case ("services", identifier) if identifier == SERVICE_ID and settings.service_status != "gone":
            return json_response(200, {"service": shape.service_json(settings)})
        case ("oncalls",):
            return lists.on_calls(request)
        case ("escalation_policies", policy_id) if policy_id in POLICIES:
            levels = machine.rules.levels(policy_id)
            return json_response(200, {"escalation_policy": shape.policy_json(policy_id, levels)})
        case ("users",):
            return lists.users(request)
        case ("users", "me") if not settings.user_token:
            return json_response(400, {"error": _ACCOUNT_TOKEN})
        case ("users", user_id):
            wanted = settings.user_token if user_id == "me" else user_id
            for user in lists.people():
                if user.id == wanted:
                    return json_response(200, {"user": lists.person(user)})
    raise not_found()


def requester(settings: SandboxSettings, people: Iterable[User], request: Request) -> User:
    """Who the From header names, or whose token the key is; the body must be announced as JSON."""
    email = request.headers.get("from", "")
    if not email and not settings.user_token:
        message = 'You must specify a user\'s email address in the "From" header to perform this action'
        raise problem(400, 2016, message)
    if "application/json" not in request.headers.get("content-type", ""):
        raise invalid("params must be a Hash")
    for user in people:
        if user.id == settings.user_token if settings.user_token else user.email == email:
            if user == BOT and settings.bot_role in READ_ONLY_ROLES:
                raise problem(403, 1018, "Requester not authorized", [])
            return user
    raise problem(400, 1008, "Requester User Not Found", [])


def check_service(settings: SandboxSettings) -> None:
    """Whether an incident can be made on the service as it stands. Which words PagerDuty has is uncertain."""
    if settings.service_status == "gone":
        raise problem(400, 5002, "Service Not Found")
    if settings.service_status in _NO_INCIDENTS and not settings.quiet_service:
        raise invalid(f"Service {_NO_INCIDENTS[settings.service_status]}")
    if settings.nobody_on_call:
        raise problem(400, 1015, "Escalation Policy Has No User On Call", [])
