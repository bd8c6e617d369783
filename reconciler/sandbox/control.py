"""The control API: people's acts, faults, settings, and what has happened. JSON in and out.

CALLS has all of them. `{id}` is an alert's id or tiny id; for incidents an id, a number or a key (the alert's id).
`user` is any name for Opsgenie and JSM; for PagerDuty an id, a name or an e-mail of one of its users, besides
`service`, `integration` and `workflow`, which may acknowledge, un-acknowledge and resolve incidents. Bad input is
answered 4xx with `{"error": "one line"}`.

How to rehearse troubles (all settings are in `settings`, all faults in `faults`):

| trouble | call |
|---|---|
| the automation user is gone; may only read | PATCH /settings {"user_gone": true}, {"bot_role": "observer"} |
| the key is a user's token | PATCH /settings {"user_token": "PJANE01"} |
| the automation user is on call; nobody is | PATCH /settings {"bot_on_call": true}, {"nobody_on_call": true} |
| the service is deleted, disabled, in maintenance | PATCH /settings {"service_status": "disabled"} |
| one service of several is | PATCH /settings {"services": 3, "bad_services": {"PSVC002": "gone"}} |
| the plan lacks an ability | PATCH /settings {"plan_lacks_ability": true} |
| PagerDuty's log lags; an incident's own | PATCH /settings {"log_lag": 90}, {"own_log_lag": 90} |
| PagerDuty's log fails | POST /faults {"do": "500", "path": "/log_entries", "times": 0} |
| one incident is refused; one alert | PATCH /settings {"refused_incidents": ["1"]}, {"refused_alerts": ["1"]} |
| reads by id lag | PATCH /settings {"detail_lag": 5} |
| acknowledgements without a readable name | PATCH /settings {"acknowledger_null": true} |
| alerts without a readable state | PATCH /settings {"acknowledged_null": true} |
| who acknowledges is assigned | PATCH /settings {"ack_assigns": true} |
| the Opsgenie key sees nothing; only a team's | PATCH /settings {"blind": true}, {"team_tags": ["ops"]} |
| Opsgenie's queue is halted; its writes fail | PATCH /settings {"queue_halted": true}, {"writes_fail": true} |
| names come back in another form | PATCH /settings {"name_form": "lower"} |
| alerts move to JSM, with new ids | POST /migrate {"jsm_ids": "new"} |
| Opsgenie's API is read-only since the move | PATCH /settings {"opsgenie_mode": "read_only"} |
| JSM's token sees no alert; may not write | PATCH /settings {"jsm_blind_teams": ["*"]}, {"jsm_scopes": ["read"]} |
| a second incident with an alert's key | POST /pagerduty/incidents {"title": "twin", "key": "<alert id>"} |
| refusals, proxies' pages, slow and cut answers | POST /faults {"do": "html_403", "for_seconds": 10} |
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox import expected, faults
from reconciler.sandbox.audit import audit
from reconciler.sandbox.opsgenie.people import People
from reconciler.sandbox.pagerduty.api import PagerDutyApi
from reconciler.sandbox.pagerduty.directory import JANE, OMAR, SERVICE_ID
from reconciler.sandbox.routes import Routes
from reconciler.sandbox.vendors import Vendors
from reconciler.sandbox.wire import Json, Refused, Request, Response, json_response, parse_time

_CUSTOMER = "Ana Ruiz"
_HOUR = 3600.0


def handle(vendors: Vendors, request: Request) -> Response:
    """Answer a call; the path is without /control. The caller locks."""
    try:
        return json_response(200, _answer(vendors, request) or {})
    except Refused as refusal:
        return json_response(refusal.status, {"error": str(refusal)})
    except (ValueError, TypeError) as error:
        return json_response(400, {"error": str(error)})


def _answer(vendors: Vendors, request: Request) -> Json | None:
    body = request.json()
    if not isinstance(body, dict) and request.path.strip("/") != "faults":
        raise Refused("the body must be a JSON object", 400)
    route = _ROUTES.find(request)
    if route is None:
        raise Refused(f"no such call: {request.method} /control{request.path}", 404)
    handler, segments = route
    return handler(Call(vendors, vendors.pagerduty, request, body, segments))


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `segments` are the parts of the path that the `{…}`s of its row stand for."""

    vendors: Vendors
    pagerduty: PagerDutyApi
    request: Request
    body: Any
    segments: list[str]

    @property
    def id(self) -> str:
        """The alert or the incident that an act is about."""
        return self.segments[0]

    @property
    def customers(self) -> People:
        """Who acts on alerts: users of the product that the path names."""
        return self.vendors.jsm.people if self.request.path.startswith("/jsm/") else self.vendors.opsgenie

    @property
    def customer(self) -> str:
        """The user who acts on an alert."""
        return self.text("user", _CUSTOMER)

    @property
    def engineer(self) -> str:
        """The user who acts on an incident."""
        return self.text("user", JANE.name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text of the body; without a default it must be there and not be blank."""
        value = self.body.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise Refused(f"{name} must be a text", 400)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts of the body, empty by default."""
        values = self.body.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Refused(f"{name} must be a list of texts", 400)
        return tuple(values)

    def seconds(self) -> float:
        """The body's `seconds`, an hour by default."""
        value = self.body.get("seconds", _HOUR)
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise Refused("seconds must be a number above 0", 400)
        return float(value)


def _create_alert(call: Call) -> Json:
    body = call.body
    tags, details, created = body.get("tags", []), body.get("details", {}), body.get("created_at")
    if not isinstance(tags, list) or not isinstance(details, dict):
        raise Refused("tags is a list, details an object", 400)
    return call.customers.create_alert(
        call.text("message"), user=call.customer, priority=call.text("priority", "P3"),
        description=call.text("description", ""), tags=[str(tag) for tag in tags],
        source=call.text("source", ""), details=details, alias=call.text("alias", "") or None,
        created_at=parse_time(str(created)) if created else None,
    )  # fmt: skip


def _create_incident(call: Call) -> Json:
    return call.pagerduty.create_incident(
        call.text("title"), user=call.text("user", OMAR.id), urgency=call.text("urgency", "high"),
        key=call.text("key", ""), body=call.text("body", ""), alert_keys=call.texts("alert_keys"),
        service_id=call.text("service", SERVICE_ID),
    )  # fmt: skip


def _merge(call: Call) -> Json:
    return call.pagerduty.merge(call.id, call.engineer, call.text("into", call.text("text", "")))


def _settings(call: Call) -> Json:
    lasting = call.request.first("for_seconds")
    call.vendors.change(call.body, float(lasting) if lasting else None)
    return call.vendors.settings.as_json()


def _faults(call: Call) -> Json:
    if call.request.method == "DELETE":
        call.vendors.faults.clear()
    elif call.request.method == "POST":
        rows = call.body if isinstance(call.body, list) else [call.body]
        if not all(isinstance(row, dict) for row in rows):
            raise Refused("a fault is a JSON object", 400)
        for fault in [faults.from_json(row) for row in rows]:
            call.vendors.faults.add(fault)
    return {"faults": call.vendors.faults.as_json()}


def _migrate(call: Call) -> Json:
    call.vendors.change(call.body)
    call.vendors.jsm.migrate()
    return call.vendors.settings.as_json()


def _routes(call: Call) -> Json:
    given: Json = call.body
    call.vendors.expected = expected.from_json(given) if given else None
    return given


Row = tuple[str, str, str, Callable[[Call], Json | None]]


def _acts_on_alerts(product: str) -> tuple[Row, ...]:
    """The calls that act on alerts in one product."""
    alerts, alert = f"/{product}/alerts", f"/{product}/alerts/{{id}}"
    return (
        ("POST", alerts, "message, user, priority, description, tags, source, alias, details, created_at",
         _create_alert),
        ("POST", f"{alert}/acknowledge", "user", lambda c: c.customers.acknowledge(c.id, c.customer)),
        ("POST", f"{alert}/unacknowledge", "user", lambda c: c.customers.unacknowledge(c.id, c.customer)),
        ("POST", f"{alert}/close", "user", lambda c: c.customers.close(c.id, c.customer)),
        ("POST", f"{alert}/notes", "user, text", lambda c: c.customers.add_note(c.id, c.customer, c.text("text"))),
        ("POST", f"{alert}/snooze", "user, seconds", lambda c: c.customers.snooze(c.id, c.customer, c.seconds())),
        ("POST", f"{alert}/priority", "user, priority (P1 to P5)",
         lambda c: c.customers.set_priority(c.id, c.customer, c.text("priority"))),
        ("POST", f"{alert}/escalate", "nothing; moves `updatedAt` only, as a routing step does",
         lambda c: c.customers.escalate(c.id)),
        ("DELETE", alert, "user", lambda c: c.customers.delete(c.id, c.customer)),
    )  # fmt: skip


_INCIDENT = "/pagerduty/incidents/{id}"
CALLS: tuple[Row, ...] = (
    *_acts_on_alerts("opsgenie"),
    *_acts_on_alerts("jsm"),
    ("PUT", "/jsm/alerts/{id}/notes/{note}", "user, text",
     lambda c: c.vendors.jsm.people.edit_note(c.id, c.customer, c.segments[1], c.text("text"))),
    ("DELETE", "/jsm/alerts/{id}/notes/{note}", "user",
     lambda c: c.vendors.jsm.people.delete_note(c.id, c.customer, c.segments[1])),
    ("POST", "/migrate", "settings to change before; Opsgenie's alerts move to JSM", _migrate),
    ("POST", "/pagerduty/incidents", "title, user, urgency, key, body, service, alert_keys (of child alerts)",
     _create_incident),
    ("POST", f"{_INCIDENT}/acknowledge", "user", lambda c: c.pagerduty.acknowledge(c.id, c.engineer)),
    ("POST", f"{_INCIDENT}/unacknowledge", "user", lambda c: c.pagerduty.unacknowledge(c.id, c.engineer)),
    ("POST", f"{_INCIDENT}/retrigger", "user; un-acknowledges without a log entry",
     lambda c: c.pagerduty.retrigger(c.id, c.engineer)),
    ("POST", f"{_INCIDENT}/resolve", "user", lambda c: c.pagerduty.resolve(c.id, c.engineer)),
    ("POST", f"{_INCIDENT}/reopen", "user", lambda c: c.pagerduty.reopen(c.id, c.engineer)),
    ("POST", f"{_INCIDENT}/notes", "user, text", lambda c: c.pagerduty.add_note(c.id, c.engineer, c.text("text"))),
    ("PUT", f"{_INCIDENT}/notes/{{note}}", "user, text",
     lambda c: c.pagerduty.edit_note(c.id, c.engineer, c.segments[1], c.text("text"))),
    ("DELETE", f"{_INCIDENT}/notes/{{note}}", "user",
     lambda c: c.pagerduty.delete_note(c.id, c.engineer, c.segments[1])),
    ("POST", f"{_INCIDENT}/snooze", "user, seconds",
     lambda c: c.pagerduty.snooze(c.id, c.engineer, c.seconds())),
    ("POST", f"{_INCIDENT}/reassign", "user, to",
     lambda c: c.pagerduty.reassign(c.id, c.engineer, c.text("to", OMAR.id))),
    ("POST", f"{_INCIDENT}/merge", "user, into (an incident)", _merge),
    ("GET", "/state", "nothing; alerts, incidents, notes, logs, pages, heartbeats, journal",
     lambda c: c.vendors.state()),
    ("GET", "/requests", "nothing; API requests, with ?since_seq=N those with a higher `seq`",
     lambda c: {"requests": c.vendors.journal.calls_json(int(c.request.first("since_seq", "0")))}),
    ("GET", "/settings", "nothing; all settings", _settings),
    ("PATCH", "/settings", "settings to change, with ?for_seconds=N for so long", _settings),
    ("GET", "/faults", "nothing; the faults to come", _faults),
    ("POST", "/faults", "a fault or a list of them, to add", _faults),
    ("DELETE", "/faults", "nothing; forgets all faults", _faults),
    ("POST", "/reset", "nothing; everything begins anew", lambda c: c.vendors.reset()),
    ("POST", "/routes", "the query of each service, and the list `shared`; nothing: forgets them", _routes),
    ("GET", "/audit", "nothing; what was lost, done twice, looped, forbidden or misrouted",
     lambda c: audit(c.vendors.state()).as_json()),
)  # fmt: skip
"""Method, path after /control, the body's fields (and what the call does where the path does not say it), handler.

An alert's `created_at` is an ISO time, for an alert that is older; `key` is the id of an alert, or that of another
incident to make a twin of it. The body of /routes is `{"PSVC001": "tag: a", "PSVC002": "tag: b", "shared": []}` in
the order of a routes file: from then on the audit tells which incidents are on a wrong service.
"""
_ROUTES = Routes((method, path, handler) for method, path, _, handler in CALLS)
