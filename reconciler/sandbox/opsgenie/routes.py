"""Opsgenie's API as HTTP: routes, checks and the form of every answer."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from reconciler.sandbox.opsgenie import names as name_forms
from reconciler.sandbox.opsgenie import query as opsgenie_query
from reconciler.sandbox.opsgenie.state import (
    Alert,
    Entry,
    Record,
    detail,
    log_json,
    note_json,
    row,
)
from reconciler.sandbox.wire import Answer, Json, Refused, Request, Response, json_response

if TYPE_CHECKING:
    from reconciler.sandbox.opsgenie.api import OpsgenieApi, WriteEffect

_WINDOW = 20_000
_PAGE = 100
_LENGTHS = {"user": 100, "source": 100, "note": 25_000, "message": 130, "alias": 512, "description": 15_000}
_SORTS: dict[str, Callable[[Alert], Any]] = {
    "createdAt": lambda a: (a.created_at, int(a.tiny_id)),
    "updatedAt": lambda a: (a.updated_at, int(a.tiny_id)),
}
_TOKEN = re.compile(r"\d+_\d+")
_ACTIONS = {
    "acknowledge": ("Acknowledge", "Acknowledged alert"),
    "unacknowledge": ("UnAcknowledge", "Unacknowledged alert"),
    "close": ("Close", "Closed alert"),
    "notes": ("Add Note", "Added note"),
}


class OpsgenieHttp:
    """Answers API calls on behalf of the machine that owns it."""

    def __init__(self, machine: "OpsgenieApi") -> None:
        self._machine = machine
        self._listed: tuple[object, list[Alert]] | None = None

    def handle(self, request: Request) -> Response:
        """One answer; errors of the API are answers too."""
        try:
            self._check_key(request)
            self._check_rate()
            return self._route(request)
        except Answer as answer:
            return answer.response

    def _check_key(self, request: Request) -> None:
        if request.headers.get("authorization") != f"GenieKey {self._machine.settings.opsgenie_key}":
            raise self._error(401, "Could not authenticate")

    def _check_rate(self) -> None:
        limit = self._machine.settings.opsgenie_per_minute
        if not self._machine.limit.admit(self._machine.clock.now(), limit):
            message = "You are making too many requests! To avoid errors, we recommend you limit requests."
            headers = {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Reason": "ACCOUNT",
                       "X-RateLimit-Period-In-Sec": "60"}  # fmt: skip
            raise self._error(429, message, headers)

    def _route(self, request: Request) -> Response:  # noqa: PLR0911 - one a route
        match (request.method, *(unquote(part) for part in request.path.strip("/").split("/"))):
            case ("GET", "v2", "alerts"):
                return self._list(request)
            case ("POST", "v2", "alerts"):
                return self._create(request)
            case ("GET", "v2", "alerts", "count"):
                return self._ok({"data": {"count": len(self._found(request))}})
            case ("GET", "v2", "alerts", "requests", request_id):
                return self._request_status(request_id)
            case ("GET", "v2", "alerts", identifier):
                return self._ok({"data": self._shown(detail(self._version(self._entry(request, identifier))))})
            case ("GET", "v2", "alerts", identifier, "notes"):
                return self._records(request, self._entry(request, identifier).notes, note_json)
            case ("GET", "v2", "alerts", identifier, "logs"):
                return self._records(request, self._entry(request, identifier).logs, log_json)
            case ("POST", "v2", "alerts", identifier, action) if action in _ACTIONS:
                return self._act(request, identifier, action)
            case _:
                raise self._error(404, "Not found")

    def _list(self, request: Request) -> Response:
        limit, offset = self._number(request, "limit", 20, 1, _PAGE), self._number(request, "offset", 0, 0)
        if offset + limit >= _WINDOW:
            raise self._error(422, f"Sum of offset and limit should be lower than {_WINDOW}")
        alerts = self._found(request)
        last = max(0, (len(alerts) - 1) // limit * limit)
        paging = {"first": self._page(request, 0, limit), "last": self._page(request, last, limit)}
        if offset > 0:
            paging["prev"] = self._page(request, max(0, offset - limit), limit)
        if offset + limit < len(alerts):
            paging["next"] = self._page(request, offset + limit, limit)
        return self._ok(
            {"data": [self._shown(row(alert)) for alert in alerts[offset : offset + limit]], "paging": paging}
        )

    def _found(self, request: Request) -> list[Alert]:
        """The alerts of a query in order, from the index: as they were `list_lag` seconds ago.

        Kept while nothing changes, so that paging through many alerts is cheap.
        """
        machine = self._machine
        query, sort, order = (
            request.first("query"),
            request.first("sort", "createdAt"),
            request.first("order", "desc"),
        )
        if sort not in _SORTS or order not in ("asc", "desc"):
            raise self._error(422, "Sort or order is not valid")
        settings = machine.settings
        horizon = machine.clock.now() - timedelta(seconds=settings.list_lag)
        key = (query, sort, order, machine.alerts.revision, settings.blind, settings.team_tags)
        changed_at = machine.alerts.changed_at
        settled = changed_at is None or changed_at <= horizon
        if settled and self._listed and self._listed[0] == key:
            return self._listed[1]
        try:
            match = opsgenie_query.parse(query)
        except ValueError as error:
            raise self._error(422, f"Query is not valid: {error}") from None
        found = [alert for alert in machine.alerts.as_of(horizon) if self._sees(alert) and match(alert)]
        found.sort(key=_SORTS[sort], reverse=order == "desc")
        self._listed = (key, found) if settled else None
        return found

    @staticmethod
    def _page(request: Request, offset: int, limit: int) -> str:
        given = {name: request.first(name) for name in ("query", "sort", "order") if request.first(name)}
        return request.url(**given, limit=str(limit), offset=str(offset))

    def _records(self, request: Request, records: list[Record], shape: Callable[[Record], Json]) -> Response:
        """A page of notes or logs. The record that `offset` names is not sent again."""
        limit, order = self._number(request, "limit", 20, 1, _PAGE), request.first("order", "desc")
        direction, token = request.first("direction", "next"), request.first("offset")
        if order not in ("asc", "desc") or direction not in ("next", "prev"):
            raise self._error(422, "Order or direction is not valid")
        records = [record for record in records if record.at <= self._horizon()]
        rest = sorted(records, key=lambda record: _position(record.token), reverse=order == "desc")
        if token:
            rest = self._beyond(rest, token, order, direction)
        page = rest[-limit:] if direction == "prev" else rest[:limit]
        given = {"limit": str(limit), "order": order, "direction": direction}
        paging = {"first": request.url(**given)}
        if len(rest) > limit:
            edge = page[0] if direction == "prev" else page[-1]
            paging["next"] = request.url(**given, offset=edge.token)
        return self._ok({"data": [shape(record) for record in page], "paging": paging})

    def _beyond(self, records: list[Record], token: str, order: str, direction: str) -> list[Record]:
        if not _TOKEN.fullmatch(token):
            raise self._error(422, "Offset is not valid")
        at = _position(token)
        later = (order == "asc") == (direction == "next")
        return [r for r in records if (_position(r.token) > at if later else _position(r.token) < at)]

    def _request_status(self, request_id: str) -> Response:
        requests = self._machine.requests
        if request_id not in requests:
            raise self._error(404, "Request not found")
        outcome = requests[request_id]
        if outcome is None:
            raise self._error(404, "request not processed", {"X-Opsgenie-Errortype": "RequestNotProcessed"})
        return self._ok({"data": outcome})

    def _create(self, request: Request) -> Response:
        values = self._body(request)
        if not values.get("message"):
            raise self._unprocessable({"message": "Message can not be empty."})
        if values.get("priority", "P3") not in ("P1", "P2", "P3", "P4", "P5"):
            raise self._unprocessable({"priority": "Priority should be one of P1, P2, P3, P4, P5."})
        details = values.get("details", {})
        if not (isinstance(values.get("tags", []), list) and isinstance(details, dict)):
            raise self._unprocessable({"tags": "tags should be a list, details an object"})
        if not all(isinstance(value, str) for value in details.values()):
            raise self._unprocessable({"details": "details should be texts by name"})
        return self._accepted("Create", partial(self._machine.create_by_api, values=values))

    def _act(self, request: Request, identifier: str, action: str) -> Response:
        values = self._body(request)
        note = values.get("note", "")
        if action == "notes" and not note:
            raise self._unprocessable({"note": "Note can not be empty."})
        kind = self._kind(request)
        machine = self._machine
        who = name_forms.shown(values.get("user") or "Alert API", machine.settings.name_form)
        self._check_refused(self._lookup(kind, identifier))
        effects: dict[str, Callable[[Entry, datetime, str, str], None]] = {
            "acknowledge": machine.do_acknowledge, "unacknowledge": machine.do_unacknowledge,
            "close": machine.do_close, "notes": partial(machine.do_note, text=note),
        }  # fmt: skip
        name, done = _ACTIONS[action]

        def effect(at: datetime) -> tuple[str, Entry]:
            entry = self._lookup(kind, identifier)
            if entry is None:
                raise Refused("no such alert", 404)
            effects[action](entry, at, who, "via API")
            if note and action != "notes":
                machine.do_note(entry, at, who, "via API", text=note)
            return done, entry

        return self._accepted(name, effect)

    def _accepted(self, action: str, effect: "WriteEffect") -> Response:
        request_id = self._machine.accept(action, effect)
        body = {"result": "Request will be processed", "took": 0.008, "requestId": request_id}
        return json_response(202, body, {"X-Request-Id": request_id, "X-RateLimit-State": "OK"})

    def _body(self, request: Request) -> Json:
        try:
            values = request.json()
        except ValueError:
            raise self._error(400, "Could not parse request body") from None
        if not isinstance(values, dict):
            raise self._error(400, "Request body should be a JSON object")
        errors = {
            name: f"{name.capitalize()} can not be longer than {longest} characters."
            for name, longest in _LENGTHS.items()
            if isinstance(values.get(name, ""), str) and len(values.get(name, "")) > longest
        }
        errors |= {n: f"{n} should be a string" for n in _LENGTHS if not isinstance(values.get(n, ""), str)}
        if errors:
            raise self._unprocessable(errors)
        return values

    def _entry(self, request: Request, identifier: str) -> Entry:
        entry = self._lookup(self._kind(request), identifier)
        self._check_refused(entry)
        if entry is None or entry.as_of(self._horizon()) is None:
            raise self._error(404, "Alert does not exist")
        return entry

    def _version(self, entry: Entry) -> Alert:
        """The alert as reads by id show it."""
        return entry.as_of(self._horizon()) or entry.now

    def _horizon(self) -> datetime:
        """What reads by id show is no younger than this."""
        machine = self._machine
        return machine.clock.now() - timedelta(seconds=machine.settings.detail_lag)

    def _check_refused(self, entry: Entry | None) -> None:
        refused = self._machine.settings.refused_alerts
        if entry is not None and refused and {entry.now.id, entry.now.tiny_id} & set(refused):
            raise self._error(403, "You are not authorized to access this alert")

    def _sees(self, alert: Alert) -> bool:
        """Whether the key may see it at all."""
        settings = self._machine.settings
        return not settings.blind and (not settings.team_tags or bool(set(settings.team_tags) & set(alert.tags)))

    def _shown(self, shown: Json) -> Json:
        return shown | {"acknowledged": None} if self._machine.settings.acknowledged_null else shown

    def _kind(self, request: Request) -> str:
        kind = request.first("identifierType", "id")
        if kind not in ("id", "tiny", "alias"):
            raise self._error(422, "Identifier type is not valid")
        return kind

    def _lookup(self, kind: str, identifier: str) -> Entry | None:
        alerts = self._machine.alerts
        finders = {"id": alerts.entry, "tiny": alerts.by_tiny, "alias": alerts.by_alias}
        entry = finders[kind](identifier)
        return entry if entry is not None and self._sees(entry.now) else None

    def _number(self, request: Request, name: str, default: int, least: int, most: int | None = None) -> int:
        text = request.first(name, str(default))
        number = int(text) if text.isdecimal() else -1
        if number < least or (most is not None and number > most):
            raise self._unprocessable({name: f"{name} is out of its range"})
        return number

    def _ok(self, body: Json) -> Response:
        request_id = self._machine.alerts.uuid()
        headers = {"X-Request-Id": request_id, "X-Response-Time": "0.008", "X-RateLimit-State": "OK"}
        return json_response(200, body | {"took": 0.008, "requestId": request_id}, headers)

    def _unprocessable(self, errors: dict[str, str]) -> Answer:
        body = {"message": "Request body is not processable. Please check the errors.", "errors": errors}
        return self._error(422, body["message"], extra=body)

    def _error(
        self, status: int, message: object, headers: dict[str, str] | None = None, extra: Json | None = None
    ) -> Answer:
        body = {"message": message, **(extra or {}), "took": 0.002, "requestId": self._machine.alerts.uuid()}
        return Answer(json_response(status, body, {"X-RateLimit-State": "OK", **(headers or {})}))


def _position(token: str) -> tuple[int, ...]:
    return tuple(int(part) for part in token.split("_"))
