"""PagerDuty's API as HTTP: routes, checks and the form of every answer."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.sandbox.pagerduty import shapes as shape
from reconciler.sandbox.pagerduty.account import check_service, read_account, requester
from reconciler.sandbox.pagerduty.checks import (
    assignee,
    body,
    check_type,
    content,
    invalid,
    not_found,
    part,
    parts,
    problem,
    title,
)
from reconciler.sandbox.pagerduty.lists import Lists
from reconciler.sandbox.pagerduty.state import BOT, LEVELS, POLICIES, SERVICE_ID, Entry, Incident, User
from reconciler.sandbox.rate_limit import SlidingMinute
from reconciler.sandbox.wire import Answer, Json, Refused, Request, Response, json_response

if TYPE_CHECKING:
    from reconciler.sandbox.pagerduty.api import PagerDutyApi

_API: Json = {"type": "api"}
_BULK = 250
_NOTES = 2000
_LONGEST_SNOOZE = 604_800
Effect = Callable[[datetime], None]


class PagerDutyHttp:
    """Answers API calls on behalf of the machine that owns it."""

    def __init__(self, machine: "PagerDutyApi") -> None:
        self._machine = machine
        self._lists = Lists(machine)

    def handle(self, request: Request) -> Response:
        """One answer; errors of the API are answers too. All but 401 tell of the rate limit."""
        if request.headers.get("authorization") != f"Token token={self._machine.settings.pagerduty_key}":
            return problem(401, 2006, "Authentication failed").response
        try:
            self._check_rate(request)
            response = self._read(request) if request.method == "GET" else self._write(request)
        except Answer as answer:
            response = answer.response
        except Refused as refusal:
            response = (not_found() if refusal.status == 404 else invalid(str(refusal))).response  # noqa: PLR2004
        return Response(response.status, response.body, {**response.headers, **self._rate_headers(request)})

    def _check_rate(self, request: Request) -> None:
        now = self._machine.clock.now()
        if not all(window.admit(now, limit) for window, limit in self._windows(request)):
            raise problem(429, 2020, "Rate Limit Exceeded")

    def _windows(self, request: Request) -> list[tuple[SlidingMinute, int]]:
        """The limits that hold for this call, with the numbers configured now."""
        machine = self._machine
        windows = [(machine.limit, machine.settings.pagerduty_per_minute)]
        if (request.method, request.path) == ("POST", "/incidents"):
            windows.insert(0, (machine.creations, machine.settings.creations_per_minute))
        return [(window, limit) for window, limit in windows if limit]

    def _rate_headers(self, request: Request) -> dict[str, str]:
        """Of the limit that is closest. `ratelimit-reset` is seconds, not a time."""
        now = self._machine.clock.now()
        windows = self._windows(request)
        if not windows:
            return {}
        window, limit = min(windows, key=lambda found: found[0].remaining(now, found[1]))
        return {
            "ratelimit-limit": str(limit), "ratelimit-remaining": str(window.remaining(now, limit)),
            "ratelimit-reset": str(window.reset_in(now)),
        }  # fmt: skip

    def _read(self, request: Request) -> Response:  # noqa: PLR0911 - one a route
        match parts(request):
            case ("incidents",):
                return self._lists.incidents(request)
            case ("incidents", incident_id):
                return json_response(200, {"incident": self._shown(self._lists.version(self._entry(incident_id)))})
            case ("incidents", incident_id, "notes"):
                return self._lists.notes(self._entry(incident_id))
            case ("incidents", incident_id, "alerts"):
                return self._lists.alerts(request, self._entry(incident_id))
            case ("incidents", incident_id, "log_entries"):
                return self._lists.log_entries(request, self._entry(incident_id))
            case ("log_entries",):
                return self._lists.log_entries(request, None)
            case ("services" | "oncalls" | "escalation_policies" | "users", *_):
                return read_account(self._machine, self._lists, request)
        raise not_found()

    def _write(self, request: Request) -> Response:
        route = (request.method, *parts(request))
        if self._machine.settings.plan_lacks_ability:
            raise problem(402, 2014, "Missing Account Ability")
        match route:
            case ("DELETE", "incidents", incident_id, "notes", note_id):
                return self._delete_note(self._entry(incident_id), note_id)
            case ("POST" | "PUT", "incidents", *_):
                who, values = requester(self._machine.settings, self._lists.people(), request), body(request)
                return self._write_incident(route, who, values)
        raise not_found()

    def _write_incident(self, route: tuple[str, ...], who: User, values: Json) -> Response:  # noqa: PLR0911 - one a route
        match route:
            case ("POST", "incidents"):
                return self._create(who, part(values, "incident"))
            case ("PUT", "incidents"):
                return self._update_all(who, values)
            case ("PUT", "incidents", incident_id):
                return self._update(self._entry(incident_id), who, part(values, "incident"))
            case ("POST", "incidents", incident_id, "notes"):
                return self._add_note(self._entry(incident_id), who, part(values, "note"))
            case ("PUT", "incidents", incident_id, "notes", note_id):
                return self._edit_note(self._entry(incident_id), who, note_id, part(values, "note"))
            case ("POST", "incidents", incident_id, "snooze"):
                return self._snooze(self._entry(incident_id), who, values.get("duration"))
            case ("PUT", "incidents", incident_id, "merge"):
                return self._merge(self._entry(incident_id), who, values.get("source_incidents"))
        raise not_found()

    def _create(self, who: User, values: Json) -> Response:
        check_type(values, "incident")
        name = title(values)
        service = values.get("service")
        if not isinstance(service, dict) or service.get("id") != SERVICE_ID:
            raise problem(400, 5002, "Service Not Found")
        check_service(self._machine.settings)
        urgency, key = values.get("urgency", "high"), values.get("incident_key") or ""
        shown = values.get("body") or {}
        if urgency not in ("high", "low"):
            raise invalid("Urgency must be high or low.")
        if not isinstance(shown, dict) or not isinstance(shown.get("details", ""), str):
            raise invalid("Body details must be a string.")
        if key and any(entry.now.is_open for entry in self._machine.incidents.by_key(key)):
            errors = ["Open incident with matching dedup key already exists on this service"]
            raise problem(400, 2002, "Arguments Caused Error", errors)
        details = shown.get("details", "")
        channel = {"type": "api", "summary": name, "details": details}
        entry = self._machine.rules.create(
            self._machine.clock.now(), who, channel, title=name, key=key, urgency=urgency, body=details
        )
        self._told(entry, who, "create", name)(self._machine.clock.now())
        return json_response(201, {"incident": self._shown(entry.now)})

    def _update(self, entry: Entry, who: User, values: Json) -> Response:
        now = self._machine.clock.now()
        for effect in self._effects(entry, who, values):
            effect(now)
        return json_response(200, {"incident": self._shown(entry.now)})

    def _update_all(self, who: User, values: Json) -> Response:
        """All or nothing: one that is invalid leaves every one as it was."""
        rows = values.get("incidents")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise invalid("params must be a Hash")
        if len(rows) > _BULK:
            raise problem(413, 2001, "Request Entity Too Large")
        entries = [self._entry(str(row.get("id"))) for row in rows]
        effects = [self._effects(entry, who, row) for entry, row in zip(entries, rows, strict=True)]
        now = self._machine.clock.now()
        for effect in (one for some in effects for one in some):
            effect(now)
        return json_response(200, {"incidents": [self._shown(entry.now) for entry in entries]})

    def _effects(self, entry: Entry, who: User, values: Json) -> list[Effect]:
        """What an update will do; everything about it is checked first."""
        check_type(values, "incident", "incident_reference")
        rules, effects = self._machine.rules, list[Effect]()
        if "title" in values:
            name = title(values)
            effects.append(lambda at: rules.set_title(entry, at, name))
        if values.get("urgency") in ("high", "low") and values["urgency"] != entry.now.urgency:
            effects.append(lambda at: rules.set_urgency(entry, at, who, values["urgency"], _API))
        if (moved := self._reassignment(entry, who, values)) is not None:
            effects += [moved, self._told(entry, who, "reassign")]
        if (status := values.get("status")) is not None:
            effects += self._status_change(entry, who, status)
        return effects

    def _reassignment(self, entry: Entry, who: User, values: Json) -> Effect | None:
        rules, level = self._machine.rules, values.get("escalation_level")
        policy, assignments = values.get("escalation_policy"), values.get("assignments")
        if level is None and policy is None and not assignments:
            return None
        if not entry.now.is_open:
            raise problem(400, 1001, "Incident Already Resolved")
        if level is not None:
            if entry.now.urgency == "low" or level not in range(1, LEVELS + 1):
                raise problem(400, 1006, "Cannot Escalate")
            return lambda at: rules.escalate(entry, at, who, level, _API)
        if policy is not None:
            if not isinstance(policy, dict) or policy.get("id") not in POLICIES:
                raise problem(400, 1014, "Escalation Policy Not Found")
            return lambda at: rules.use_policy(entry, at, who, policy["id"], _API)
        to = assignee(assignments)
        return lambda at: rules.assign(entry, at, who, to, _API)

    def _status_change(self, entry: Entry, who: User, status: object) -> list[Effect]:
        rules, before = self._machine.rules, entry.now
        match status:
            case "acknowledged":
                verb = "acknowledge" if before.is_open else "reopen"
                return [lambda at: rules.acknowledge(entry, at, who, _API), self._told(entry, who, verb)]
            case "resolved" if before.is_open:
                return [lambda at: rules.resolve(entry, at, who, _API), self._told(entry, who, "resolve")]
            case "resolved":
                raise problem(400, 1001, "Incident Already Resolved")
            case "triggered" if not before.is_open:
                return [lambda at: rules.reopen(entry, at, who, _API), self._told(entry, who, "reopen")]
            case "triggered":
                works = before.status == "acknowledged" and self._machine.settings.status_triggered_works
                return [lambda at: rules.trigger(entry, at, "status set to triggered")] if works else []
        raise problem(400, 1003, "Invalid Status Provided")

    def _add_note(self, entry: Entry, who: User, values: Json) -> Response:
        text = content(values)
        if len(entry.notes) >= _NOTES:
            raise problem(400, 2019, "Product Limit Reached")
        note = self._machine.rules.note(entry, self._machine.clock.now(), who, text)
        self._told(entry, who, "note", text, note.id)(self._machine.clock.now())
        return json_response(200, {"note": shape.note_json(note)})

    def _edit_note(self, entry: Entry, who: User, note_id: str, values: Json) -> Response:
        note = self._machine.note(entry, note_id)
        edited = self._machine.rules.edit_note(entry, self._machine.clock.now(), note, content(values))
        self._told(entry, who, "edit_note", edited.content, note_id)(self._machine.clock.now())
        return json_response(200, {"note": shape.note_json(edited)})

    def _delete_note(self, entry: Entry, note_id: str) -> Response:
        entry.notes.remove(self._machine.note(entry, note_id))
        return Response(204)

    def _snooze(self, entry: Entry, who: User, duration: object) -> Response:
        if not isinstance(duration, int) or not 1 <= duration <= _LONGEST_SNOOZE:
            raise problem(400, 1013, "Snooze Duration Invalid")
        if entry.now.status != "acknowledged":
            raise problem(400, 1012, "Incident is not Acknowledged")
        self._machine.rules.snooze(entry, self._machine.clock.now(), who, duration, _API)
        return json_response(201, {"incident": self._shown(entry.now)})

    def _merge(self, entry: Entry, who: User, sources: object) -> Response:
        if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
            raise invalid("params must be a Hash")
        merged = [self._entry(str(source.get("id"))) for source in sources]
        if entry in merged or not all(source.now.is_open for source in merged):
            raise problem(400, 1019, "Incident Already Merged")
        for source in merged:
            now = self._machine.clock.now()
            self._machine.rules.merge(source, now, who, entry, _API)
            self._told(source, who, "merge", entry.now.id)(now)
        return json_response(200, {"incident": shape.incident_reference(entry.now)})

    def _told(self, entry: Entry, who: User, verb: str, text: str = "", ref: str = "") -> Effect:
        """What a person does through the API is a person's act; what the automation user does is not."""
        if who == BOT:
            return lambda _: None
        return lambda at: self._machine.told(entry, at, who, verb, text, ref)

    def _entry(self, incident_id: str) -> Entry:
        entry = self._machine.incidents.entry(incident_id)
        if entry is None:
            raise not_found()
        names = {entry.now.id, str(entry.now.number), entry.now.key}
        if names & set(self._machine.settings.refused_incidents):
            raise problem(403, 2010, "Access Denied")
        return entry

    def _shown(self, incident: Incident) -> Json:
        return shape.incident_json(incident, nameless=self._machine.settings.acknowledger_null)
