"""The control API of the sandbox: what people do, what goes wrong, what has happened. JSON in and out.

{id} is an alert id or tiny id; for incidents an incident id, a number or the alert id (the incident's key).
`user` is any name for Opsgenie; for PagerDuty an id, a name or an e-mail of one of its users.
Bad input is answered 4xx with {"error": "one line"}.

| method and path (after /control) | body | does |
|---|---|---|
| POST /opsgenie/alerts | message, user, priority, description, tags, source, alias, … | creates (below) |
| POST /opsgenie/alerts/{id}/acknowledge | user | acknowledges; likewise unacknowledge and close |
| POST /opsgenie/alerts/{id}/notes | user, text | adds a note |
| POST /opsgenie/alerts/{id}/snooze | user, seconds | snoozes |
| POST /opsgenie/alerts/{id}/priority | user, priority | changes the priority (P1 to P5) |
| POST /opsgenie/alerts/{id}/escalate | | moves `updatedAt` only, as a routing step does |
| DELETE /opsgenie/alerts/{id} | user | deletes |
| POST /pagerduty/incidents | title, user, urgency, key, body, alert_keys | somebody creates one by hand |
| POST /pagerduty/incidents/{id}/acknowledge | user | acknowledges; likewise unacknowledge, resolve, reopen |
| POST /pagerduty/incidents/{id}/retrigger | user | un-acknowledges, and no log entry says so |
| POST /pagerduty/incidents/{id}/notes | user, text | adds a note |
| PUT /pagerduty/incidents/{id}/notes/{note} | user, text | edits a note |
| DELETE /pagerduty/incidents/{id}/notes/{note} | user | deletes a note |
| POST /pagerduty/incidents/{id}/snooze | user, seconds | snoozes |
| POST /pagerduty/incidents/{id}/reassign | user, to | hands over to somebody |
| POST /pagerduty/incidents/{id}/merge | user, into | merges into another incident ({id} of it) |
| GET /state | | both sides whole: alerts, incidents, notes, logs, pages, journal |
| GET /requests?since_seq=N | | API requests with a higher `seq` |
| GET /settings, PATCH /settings | settings to change | shows; changes and shows |
| PATCH /settings?for_seconds=N | the same | they are as before after N seconds |
| GET /faults, POST /faults, DELETE /faults | a fault, or a list of them | shows, adds, forgets |
| POST /reset | | everything as in the beginning |
| GET /audit | | what was lost, done twice, looped or forbidden |

An alert also takes details (an object) and created_at (ISO, for one that was there before). An incident that is
created with the key of another one is its twin; with `alert_keys` it has child alerts of these keys. Besides
people, `service`, `integration` and `workflow` may acknowledge, un-acknowledge and resolve incidents.

What can go wrong, and how to rehearse it. All settings are in `settings`, all faults in `faults`:

| trouble | call |
|---|---|
| the automation user is gone; may only read | PATCH /settings {"user_gone": true}, {"bot_role": "observer"} |
| the key is a user's token | PATCH /settings {"user_token": "PJANE01"} |
| the automation user is on call; nobody is | PATCH /settings {"bot_on_call": true}, {"nobody_on_call": true} |
| the service is deleted, disabled, in maintenance | PATCH /settings {"service_status": "disabled"} |
| the plan lacks an ability | PATCH /settings {"plan_lacks_ability": true} |
| PagerDuty's log is behind; an incident's own | PATCH /settings {"log_lag": 90}, {"own_log_lag": 90} |
| PagerDuty's log is out | POST /faults {"do": "500", "path": "/log_entries", "times": 0} |
| one incident is refused; one alert | PATCH /settings {"refused_incidents": ["1"]}, {"refused_alerts": ["1"]} |
| reads by id are old | PATCH /settings {"detail_lag": 5} |
| acknowledged by nobody readable | PATCH /settings {"acknowledger_null": true} |
| alerts without a readable state | PATCH /settings {"acknowledged_null": true} |
| who acknowledges is assigned | PATCH /settings {"ack_assigns": true} |
| the Opsgenie key sees nothing; only a team's | PATCH /settings {"blind": true}, {"team_tags": ["ops"]} |
| Opsgenie's queue stands still; its writes fail | PATCH /settings {"queue_halted": true}, {"writes_fail": true} |
| names come back in another form | PATCH /settings {"name_form": "lower"} |
| a second incident with an alert's key | POST /pagerduty/incidents {"title": "twin", "key": "<alert id>"} |
| refusals, pages of proxies, slow and cut answers | POST /faults {"do": "html_403", "for_seconds": 10} |
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from reconciler.sandbox import faults
from reconciler.sandbox.audit import audit
from reconciler.sandbox.journal import stamp
from reconciler.sandbox.pagerduty.state import OMAR
from reconciler.sandbox.wire import Json, Refused, Request, Response, json_response, parse_time

if TYPE_CHECKING:
    from reconciler.sandbox.app import Sandbox

_CUSTOMER = "Ana Ruiz"
_ENGINEER = "Jane Doe"
_HOUR = 3600.0


def now(sandbox: "Sandbox") -> str:
    """The sandbox's time."""
    return stamp(sandbox.clock.now())


def handle(sandbox: "Sandbox", request: Request) -> Response:
    """Answer a call; the path begins after /control. The caller holds the lock."""
    try:
        body = request.json()
        return json_response(200, _route(sandbox, request, body))
    except Refused as refusal:
        return json_response(refusal.status, {"error": str(refusal)})
    except (ValueError, TypeError) as error:
        return json_response(400, {"error": str(error)})


def _route(sandbox: "Sandbox", request: Request, body: Any) -> Any:
    parts = tuple(unquote(part) for part in request.path.strip("/").split("/"))
    if parts == ("faults",):
        return _faults(sandbox, request.method, body)
    if not isinstance(body, dict):
        raise Refused("the body must be a JSON object", 400)
    match (request.method, *parts):
        case (_, "opsgenie", "alerts", *rest):
            return _opsgenie(sandbox, request.method, rest, body)
        case (_, "pagerduty", "incidents", *rest):
            return _pagerduty(sandbox, request.method, rest, body)
    return _about(sandbox, request, parts, body)


def _about(sandbox: "Sandbox", request: Request, parts: tuple[str, ...], body: Json) -> Any:
    match (request.method, *parts):
        case ("GET", "state"):
            return sandbox.state()
        case ("GET", "requests"):
            since = request.first("since_seq", "0")
            return {"requests": sandbox.journal.calls_json(int(since))}
        case ("GET" | "PATCH", "settings"):
            lasting = request.first("for_seconds")
            sandbox.change(body, float(lasting) if lasting else None)
            return sandbox.settings.as_json()
        case ("POST", "reset"):
            sandbox.reset()
            return {}
        case ("GET", "audit"):
            return audit(sandbox.state()).as_json()
    raise Refused(f"no such call: {request.method} /control{request.path}", 404)


def _faults(sandbox: "Sandbox", method: str, body: Any) -> Any:
    if method == "DELETE":
        sandbox.faults.clear()
    elif method == "POST":
        rows = body if isinstance(body, list) else [body]
        if not all(isinstance(row, dict) for row in rows):
            raise Refused("a fault is a JSON object", 400)
        for fault in [faults.from_json(row) for row in rows]:
            sandbox.faults.add(fault)
    elif method != "GET":
        raise Refused(f"no such call: {method} /control/faults", 404)
    return {"faults": sandbox.faults.as_json()}


def _opsgenie(sandbox: "Sandbox", method: str, rest: list[str], body: Json) -> Json:
    machine, user = sandbox.opsgenie, _text(body, "user", _CUSTOMER)
    if (method, rest) == ("POST", []):
        return _create_alert(sandbox, user, body)
    if method == "DELETE" and len(rest) == 1:
        return machine.delete(machine.find(rest[0]).now.id, user)
    alert_id = machine.find(rest[0]).now.id if rest else ""
    verbs: dict[str, Callable[[], Json]] = {
        "acknowledge": lambda: machine.acknowledge(alert_id, user),
        "unacknowledge": lambda: machine.unacknowledge(alert_id, user),
        "close": lambda: machine.close(alert_id, user),
        "notes": lambda: machine.add_note(alert_id, user, _text(body, "text")),
        "snooze": lambda: machine.snooze(alert_id, user, _seconds(body)),
        "priority": lambda: machine.set_priority(alert_id, user, _text(body, "priority")),
        "escalate": lambda: machine.escalate(alert_id),
    }
    return _do(verbs, method, rest[1:])


def _create_alert(sandbox: "Sandbox", user: str, body: Json) -> Json:
    tags, details = body.get("tags", []), body.get("details", {})
    if not isinstance(tags, list) or not isinstance(details, dict):
        raise Refused("tags is a list, details an object", 400)
    created = body.get("created_at")
    created_at: datetime | None = parse_time(str(created)) if created else None
    return sandbox.opsgenie.create_alert(
        _text(body, "message"), user=user, priority=_text(body, "priority", "P3"),
        description=_text(body, "description", ""), tags=[str(tag) for tag in tags],
        source=_text(body, "source", ""), details=details, alias=_text(body, "alias", "") or None,
        created_at=created_at,
    )  # fmt: skip


def _pagerduty(sandbox: "Sandbox", method: str, rest: list[str], body: Json) -> Json:
    machine, user = sandbox.pagerduty, _text(body, "user", _ENGINEER)
    if (method, rest) == ("POST", []):
        return machine.create_incident(
            _text(body, "title"), user=_text(body, "user", OMAR.id), urgency=_text(body, "urgency", "high"),
            key=_text(body, "key", ""), body=_text(body, "body", ""), alert_keys=_texts(body, "alert_keys"),
        )  # fmt: skip
    incident_id = machine.find(rest[0]).now.id if rest else ""
    match (method, *rest[1:]):
        case ("PUT", "notes", note_id):
            return machine.edit_note(incident_id, user, note_id, _text(body, "text"))
        case ("DELETE", "notes", note_id):
            machine.delete_note(incident_id, user, note_id)
            return {}
    verbs: dict[str, Callable[[], Json]] = {
        "acknowledge": lambda: machine.acknowledge(incident_id, user),
        "unacknowledge": lambda: machine.unacknowledge(incident_id, user),
        "retrigger": lambda: machine.retrigger(incident_id, user),
        "resolve": lambda: machine.resolve(incident_id, user),
        "reopen": lambda: machine.reopen(incident_id, user),
        "notes": lambda: machine.add_note(incident_id, user, _text(body, "text")),
        "snooze": lambda: machine.snooze(incident_id, user, _seconds(body)),
        "reassign": lambda: machine.reassign(incident_id, user, _text(body, "to", OMAR.id)),
        "merge": lambda: machine.merge(incident_id, user, _text(body, "into", _text(body, "text", ""))),
    }
    return _do(verbs, method, rest[1:])


def _do(verbs: dict[str, Callable[[], Json]], method: str, rest: list[str]) -> Json:
    if method != "POST" or len(rest) != 1 or rest[0] not in verbs:
        raise Refused(f"nothing of that kind; POST one of: {', '.join(verbs)}", 404)
    return verbs[rest[0]]()


def _text(body: Json, name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise Refused(f"{name} must be a text", 400)
    return value


def _texts(body: Json, name: str) -> tuple[str, ...]:
    values = body.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(f"{name} must be a list of texts", 400)
    return tuple(values)


def _seconds(body: Json) -> float:
    value = body.get("seconds", _HOUR)
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise Refused("seconds must be a number above 0", 400)
    return float(value)
