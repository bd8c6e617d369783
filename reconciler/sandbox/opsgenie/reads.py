"""GETs of alerts, their notes and logs, and the outcome of a write."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.sandbox.opsgenie import checks, shapes
from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.search import Search
from reconciler.sandbox.opsgenie.state import INTEGRATION, Alert, Record, StoredAlert
from reconciler.sandbox.opsgenie.write_queue import WriteQueue
from reconciler.sandbox.wire import Json, Request, Response, milliseconds

_MAX_OFFSET = 20_000
"""Offset and limit together must be below this (documented)."""
_MAX_PAGE = 100
_DEFAULT_PAGE = 20
_ORDERS = ("asc", "desc")
_SORTED: dict[str, Callable[[Alert], Any]] = {
    "createdAt": lambda a: a.created_at,
    "updatedAt": lambda a: a.updated_at,
    "tinyId": lambda _: 0,
    "alias": lambda a: a.alias,
    "message": lambda a: a.message,
    "status": lambda a: a.status,
    "acknowledged": lambda a: a.acknowledged,
    "isSeen": lambda _: False,
    "snoozed": lambda a: a.snoozed_until is not None,
    "snoozedUntil": lambda a: _time(a.snoozed_until),
    "count": lambda a: a.count,
    "lastOccurredAt": lambda a: a.last_occurred_at,
    "source": lambda a: a.source,
    "owner": lambda a: a.owner,
    "integration.name": lambda _: INTEGRATION["name"],
    "integration.type": lambda _: INTEGRATION["type"],
    "report.ackTime": lambda a: _time(a.acknowledged_at) - _time(a.created_at),
    "report.closeTime": lambda a: _time(a.closed_at) - _time(a.created_at),
    "report.acknowledgedBy": lambda a: a.acknowledged_by,
    "report.closedBy": lambda a: a.closed_by,
}
"""What a list may be sorted by (opsgenie-oas); alerts that are equal there are in the order of their tiny ids."""
_TOKEN = re.compile(r"\d+_\d+")
_POSITION_DIGITS = 19


class Reads:
    """Answers GETs."""

    def __init__(self, account: Account, writes: WriteQueue) -> None:
        self._account = account
        self._writes = writes
        self._search = Search(account, account.sees)
        self._given = 0

    def alerts(self, request: Request) -> Response:
        """GET /v2/alerts: a page of a query, with URLs of other pages. The last page has no `next` (observed)."""
        limit, offset = self._limit(request), checks.number(self._account, request, "offset", 0, 0)
        if offset + limit >= _MAX_OFFSET:
            raise self._account.answers.error(422, f"Sum of offset and limit should be lower than {_MAX_OFFSET}")
        alerts = self._found(request)
        given = {name: request.first(name) for name in ("query", "sort", "order") if request.first(name)}

        def page(at: int) -> str:
            return request.url(**given, limit=str(limit), offset=str(at))

        paging = {"first": page(0), "last": page(max(0, (len(alerts) - 1) // limit * limit))}
        if offset > 0:
            paging["prev"] = page(max(0, offset - limit))
        if offset + limit < len(alerts):
            paging["next"] = page(offset + limit)
        rows = [self._shown(shapes.row(alert)) for alert in alerts[offset : offset + limit]]
        return self._account.answers.ok(data=rows, paging=paging)

    def count(self, request: Request) -> Response:
        """GET /v2/alerts/count of a query."""
        return self._account.answers.ok(data={"count": len(self._found(request))})

    def alert(self, request: Request, identifier: str) -> Response:
        """GET /v2/alerts/{id}."""
        stored = self._readable(request, identifier)
        alert = stored.as_of(self._account.readable_until()) or stored.now
        return self._account.answers.ok(data=self._shown(shapes.detail(alert)))

    def notes(self, request: Request, identifier: str) -> Response:
        """GET /v2/alerts/{id}/notes."""
        return self._records(request, self._readable(request, identifier).notes, shapes.note_json)

    def logs(self, request: Request, identifier: str) -> Response:
        """GET /v2/alerts/{id}/logs."""
        lines = [shapes.told(line, self._account.settings) for line in self._readable(request, identifier).logs]
        return self._records(request, lines, shapes.log_json)

    def request_status(self, _: Request, request_id: str) -> Response:
        """GET /v2/alerts/requests/{id}. A 404 with X-Opsgenie-Errortype: pending; without: unknown (Go SDK)."""
        if not self._writes.knows(request_id):
            raise self._account.answers.error(404, "Request not found")
        outcome = self._writes.outcomes[request_id]
        if outcome is None or self._account.settings.receipts_stay_pending:
            pending = {"X-Opsgenie-Errortype": "RequestNotProcessed"}
            raise self._account.answers.error(404, "request not processed", pending)
        return self._account.answers.ok(data=outcome)

    def _found(self, request: Request) -> list[Alert]:
        sort, order = request.first("sort", "createdAt"), request.first("order", "desc")
        if sort not in _SORTED or order not in _ORDERS:
            raise self._account.answers.error(422, "Sort or order is not valid")
        try:
            return self._search.found(request.first("query"), _SORTS[sort], descending=order == "desc")
        except ValueError as error:
            raise self._account.answers.error(422, f"Query is not valid: {error}") from None

    def _records(self, request: Request, records: list[Record], shape: Callable[[Record], Json]) -> Response:
        """A page of notes or log entries, after or before the one that `offset` names (uncertain: without it)."""
        limit, order = self._limit(request), request.first("order", "desc")
        direction, token = request.first("direction", "next"), request.first("offset")
        if order not in _ORDERS or direction not in ("next", "prev"):
            raise self._account.answers.error(422, "Order or direction is not valid")
        horizon = self._account.readable_until()
        found = sorted(
            (record for record in records if record.at <= horizon),
            key=lambda record: _position(record.token),
            reverse=order == "desc",
        )
        settings = self._account.settings
        if token:
            if not _TOKEN.fullmatch(token):
                raise self._account.answers.error(422, "Offset is not valid")
            at, later = _position(token), (order == "asc") == (direction == "next")
            found = [
                record
                for record in found
                if (_position(record.token) > at if later else _position(record.token) < at)
                or (settings.pages_overlap and _position(record.token) == at)
            ]
        page = found[-limit:] if direction == "prev" else found[:limit]
        given = {"limit": str(limit), "order": order, "direction": direction}
        paging = {"first": request.url(**given)}
        shown = [shape(replace(record, token=self._token(record))) for record in page]
        if len(found) > limit or settings.last_page_has_next:
            edge = shown[0 if direction == "prev" else -1]["offset"] if shown else token
            paging["next"] = request.url(**given, offset=edge)
        return self._account.answers.ok(data=shown, paging=paging)

    def _token(self, record: Record) -> str:
        """What a record's `offset` is in this answer: its token, or one that never comes again."""
        if self._account.settings.note_offsets == "stable":
            return record.token
        self._given += 1
        return f"{record.token}{self._given:03d}"

    def _readable(self, request: Request, identifier: str) -> StoredAlert:
        stored = self._account.lookup(checks.identifier_type(self._account, request), identifier)
        checks.allowed(self._account, stored)
        if stored is None or not self._account.is_readable(stored):
            raise self._account.answers.error(404, "Alert does not exist")
        return stored

    def _limit(self, request: Request) -> int:
        return checks.number(self._account, request, "limit", _DEFAULT_PAGE, 1, _MAX_PAGE)

    def _shown(self, shown: Json) -> Json:
        return shown | {"acknowledged": None} if self._account.settings.acknowledged_null else shown


def _position(token: str) -> int:
    """Where the record of a token stands among all: the right half's milliseconds and number."""
    return int(token.partition("_")[2][:_POSITION_DIGITS])


def _placed(value: Callable[[Alert], Any], alert: Alert) -> tuple[Any, int]:
    return value(alert), int(alert.tiny_id)


_SORTS = {name: partial(_placed, value) for name, value in _SORTED.items()}


def _time(at: datetime | None) -> int:
    return milliseconds(at) if at else 0
