"""POST, PUT and DELETE of incidents and their notes. Everything is checked before anything takes effect."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

from reconciler.sandbox.pagerduty import checks, shapes
from reconciler.sandbox.pagerduty.account import Account, Act
from reconciler.sandbox.pagerduty.directory import BOT, LEVELS, POLICIES
from reconciler.sandbox.pagerduty.errors import invalid, problem
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.state import StoredIncident
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json, Request, Response, json_response

_MAX_BULK = 250
_MAX_NOTES = 2000
_MAX_SNOOZE = 604_800
"""Seconds: a week."""


class Effect(NamedTuple):
    """A change to make, and the verb under which the journal has it (empty: the journal does not have it)."""

    apply: Callable[[Act], None]
    verb: str = ""


class Writes:
    """Answers writes. What a user other than the automation user does is written into the journal."""

    def __init__(self, account: Account, rules: Rules) -> None:
        self._account = account
        self._rules = rules

    def create(self, request: Request) -> Response:
        """POST /incidents. A key is refused while an incident with it is open on the service (observed)."""
        act, values = self._sent(request)
        values = checks.json_object(values.get("incident"))
        checks.kind(values, "incident")
        settings = self._account.settings
        title, service = checks.title(settings, values), values.get("service")
        service_id = str(service.get("id")) if isinstance(service, dict) else ""
        checks.accepting_service(settings, self._account.status(service_id))
        urgency, key, body = (
            values.get("urgency", "high"),
            values.get("incident_key") or "",
            values.get("body") or {},
        )
        if urgency not in ("high", "low") or (settings.urgency_refused and "urgency" in values):
            raise invalid("Urgency must be high or low.")
        if not isinstance(body, dict) or not isinstance(body.get("details", ""), str):
            raise invalid("Body details must be a string.")
        priority_id = checks.priority(settings, values)
        details = checks.short_enough("Body details", body.get("details", ""), settings.body_limit)
        if (existing := self._with_key(key, service_id)) is not None:
            if settings.key_reuse == "merged":
                return json_response(201, {"incident": self._shown(existing)})
            raise problem(400, 2002, ["Open incident with matching dedup key already exists on this service"])
        channel = act.channel | {"summary": title, "details": details}
        stored = self._rules.create(
            act._replace(channel=channel),
            title=title,
            key=key,
            urgency=urgency,
            body=details,
            priority_id=priority_id,
            service_id=service_id,
        )
        self._record(stored, act, "create", title)
        return json_response(201, {"incident": self._shown(stored)})

    def _with_key(self, key: str, service_id: str) -> StoredIncident | None:
        """The open incident because of which another one with its key is not created on its service."""
        account, reuse = self._account, self._account.settings.key_reuse
        if not key or reuse == "allowed":
            return None
        horizon = account.clock.now() - timedelta(seconds=account.settings.list_lag)
        with_key = (stored for stored in account.incidents.by_key(key) if stored.now.service_id == service_id)
        same = (stored for stored in with_key if stored.now.is_open)
        return next((stored for stored in same if reuse != "unlisted" or stored.since <= horizon), None)

    def update(self, request: Request, incident_id: str) -> Response:
        """PUT /incidents/{id}."""
        act, values = self._sent(request)
        stored = self._account.get(incident_id)
        values = checks.json_object(values.get("incident"))
        self._carry_out(stored, act, _effects(self._rules, self._account.settings, stored, values))
        return json_response(200, {"incident": self._shown(stored)})

    def update_all(self, request: Request) -> Response:
        """PUT /incidents: up to 250, all or none (documented)."""
        act, values = self._sent(request)
        rows = checks.json_objects(values.get("incidents"))
        if len(rows) > _MAX_BULK:
            raise problem(413, 2001, message="Request Entity Too Large")
        incidents = [self._account.get(str(row.get("id"))) for row in rows]
        settings = self._account.settings
        planned = [
            _effects(self._rules, settings, stored, row) for stored, row in zip(incidents, rows, strict=True)
        ]
        for stored, some in zip(incidents, planned, strict=True):
            self._carry_out(stored, act, some)
        return json_response(200, {"incidents": list(map(self._shown, incidents))})

    def add_note(self, request: Request, incident_id: str) -> Response:
        """POST /incidents/{id}/notes; answers 200, not 201 (documented)."""
        act, values = self._sent(request)
        stored = self._account.get(incident_id)
        text = checks.content(self._account.settings, checks.json_object(values.get("note")))
        if len(stored.notes) >= _MAX_NOTES:
            raise problem(400, 2019)
        note = self._rules.note(stored, act, text)
        self._record(stored, act, "note", text, note.id)
        return json_response(200, {"note": shapes.note_json(note)})

    def edit_note(self, request: Request, incident_id: str, note_id: str) -> Response:
        """PUT /incidents/{id}/notes/{id} (documented since 2025-11-07)."""
        act, values = self._sent(request)
        stored, values = self._account.get(incident_id), checks.json_object(values.get("note"))
        note = self._account.note(stored, note_id)
        edited = self._rules.edit_note(stored, act, note, checks.content(self._account.settings, values))
        self._record(stored, act, "edit_note", edited.content, note_id)
        return json_response(200, {"note": shapes.note_json(edited)})

    def delete_note(self, _: Request, incident_id: str, note_id: str) -> Response:
        """DELETE /incidents/{id}/notes/{id}; needs no From (documented since 2025-11-07)."""
        stored = self._account.get(incident_id)
        stored.notes.remove(self._account.note(stored, note_id))
        return Response(204)

    def snooze(self, request: Request, incident_id: str) -> Response:
        """POST /incidents/{id}/snooze of an acknowledged incident, for `duration` seconds (documented)."""
        act, values = self._sent(request)
        stored, duration = self._account.get(incident_id), values.get("duration")
        if not isinstance(duration, int) or not 1 <= duration <= _MAX_SNOOZE:
            raise problem(400, 1013)
        if stored.now.status != "acknowledged":
            raise problem(400, 1012)
        self._rules.snooze(stored, act, duration)
        return json_response(201, {"incident": self._shown(stored)})

    def merge(self, request: Request, incident_id: str) -> Response:
        """PUT /incidents/{id}/merge of other open incidents into this one (documented)."""
        act, values = self._sent(request)
        target, sources = self._account.get(incident_id), checks.json_objects(values.get("source_incidents"))
        merged = [self._account.get(str(source.get("id"))) for source in sources]
        if target in merged or not all(source.now.is_open for source in merged):
            raise problem(400, 1019)
        for source in merged:
            self._rules.merge(source, act, target)
            self._record(source, act, "merge", target.now.id)
        return json_response(200, {"incident": shapes.incident_reference(target.now)})

    def _sent(self, request: Request) -> tuple[Act, Json]:
        """Who writes and when, and the body."""
        who = checks.requester(self._account.settings, self._account.users(), request)
        return Act(self._account.clock.now(), who, {"type": "api"}), checks.body(request)

    def _carry_out(self, stored: StoredIncident, act: Act, planned: list[Effect]) -> None:
        for effect in planned:
            effect.apply(act)
            if effect.verb:
                self._record(stored, act, effect.verb)

    def _record(self, stored: StoredIncident, act: Act, verb: str, text: str = "", ref: str = "") -> None:
        if act.who != BOT:
            self._account.record(stored, act, verb, text, ref)

    def _shown(self, stored: StoredIncident) -> Json:
        return shapes.incident_json(stored.now, nameless=self._account.settings.acknowledger_null)


def _effects(rules: Rules, settings: SandboxSettings, stored: StoredIncident, values: Json) -> list[Effect]:
    """The changes that an update asks for, in order. Raises PagerDuty's error when any of it is invalid."""
    checks.kind(values, "incident", "incident_reference")
    values = _effective(settings, stored, values)
    found = list[Effect]()
    if "title" in values:
        title = checks.title(settings, values)
        found.append(Effect(lambda act: rules.set_title(stored, act, title)))
    if priority_id := checks.priority(settings, values):
        found.append(Effect(lambda act: rules.set_priority(stored, act, priority_id)))
    if values.get("urgency") in ("high", "low") and values["urgency"] != stored.now.urgency:
        found.append(Effect(lambda act: rules.set_urgency(stored, act, values["urgency"])))
    found += _reassignment(rules, stored, values)
    found += _status_change(rules, settings, stored, values.get("status"))
    return found


def _effective(settings: SandboxSettings, stored: StoredIncident, values: Json) -> Json:
    """The update without those changes that would un-acknowledge the incident and, as a setting has it, do not."""
    if stored.now.status != "acknowledged":
        return values
    ways = {
        "escalation_level": f"level {values.get('escalation_level')}", "escalation_policy": "policy",
        "assignments": "assignment",
    }  # fmt: skip
    if values.get("status") == "triggered":
        ways["status"] = "status"
    idle = {name for name in values if name in ways and ways[name] not in settings.unacknowledge_ways}
    if idle and settings.other_ways_refused:
        raise problem(400, 2015)
    return {name: value for name, value in values.items() if name not in idle}


def _reassignment(rules: Rules, stored: StoredIncident, values: Json) -> Iterator[Effect]:
    level, policy = values.get("escalation_level"), values.get("escalation_policy")
    assignments = values.get("assignments")
    if level is None and policy is None and not assignments:
        return
    if not stored.now.is_open:
        raise problem(400, 1001)
    if level is not None:
        # The website refuses levels for low urgency; that the API does is uncertain.
        if stored.now.urgency == "low" or level not in range(1, LEVELS + 1):
            raise problem(400, 1006)
        yield Effect(lambda act: rules.escalate(stored, act, level), "reassign")
    elif policy is not None:
        if not isinstance(policy, dict) or policy.get("id") not in POLICIES:
            raise problem(400, 1014)
        yield Effect(lambda act: rules.use_policy(stored, act, policy["id"]), "reassign")
    else:
        to = checks.assignee(assignments)
        yield Effect(lambda act: rules.assign(stored, act, to), "reassign")


def _status_change(
    rules: Rules, settings: SandboxSettings, stored: StoredIncident, status: object
) -> Iterator[Effect]:
    before = stored.now
    match status:
        case None:
            return
        case "acknowledged" if not before.is_open and not settings.acknowledge_reopens:
            raise problem(400, 1001)
        case "acknowledged" if before.status == "acknowledged" and settings.reacknowledge_refused:
            raise problem(400, 1002)
        case "acknowledged":
            verb = "acknowledge" if before.is_open else "reopen"
            yield Effect(lambda act: rules.acknowledge(stored, act), verb)
        case "resolved" if before.is_open:
            yield Effect(lambda act: rules.resolve(stored, act), "resolve")
        case "resolved":
            raise problem(400, 1001)
        case "triggered" if not before.is_open:
            yield Effect(lambda act: rules.reopen(stored, act), "reopen")
        case "triggered":
            if before.status == "acknowledged":
                yield Effect(lambda act: rules.trigger(stored, act.at, "status set to triggered"))
        case _:
            raise problem(400, 1003)
