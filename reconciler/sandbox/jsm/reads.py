"""GETs of the account API: alerts, their notes and log entries, and the outcome of a write."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from reconciler.sandbox.jsm import checks, errors, shapes
from reconciler.sandbox.jsm.site import ApiQueue, Site
from reconciler.sandbox.opsgenie.search import Search
from reconciler.sandbox.opsgenie.shapes import told
from reconciler.sandbox.opsgenie.state import Alert, Record, StoredAlert
from reconciler.sandbox.wire import Json, Request, Response, json_response

_MAX_OFFSET = 20_000
"""Offset and size together must be below this (official description)."""
_MAX_PAGE = 100
_DEFAULT_PAGE = 20
_INSERTED: Callable[[Alert], Any] = lambda alert: int(alert.tiny_id)  # noqa: E731 - a row of the table below
_SORTS: dict[str, Callable[[Alert], Any]] = {
    "insertedAt": _INSERTED,
    "createdAt": lambda alert: (alert.created_at, int(alert.tiny_id)),
    "lastOccurredAt": lambda alert: (alert.last_occurred_at, int(alert.tiny_id)),
    "priority": lambda alert: (alert.priority, int(alert.tiny_id)),
}
_UPDATED: dict[str, Callable[[Alert], Any]] = {
    "ignore": _INSERTED,
    "work": lambda alert: (alert.updated_at, int(alert.tiny_id)),
}
"""By `jsm_sort_updated_at`, how sort=updatedAt sorts; it is not described."""


class Reads:
    """Answers GETs."""

    def __init__(self, site: Site, queue: ApiQueue) -> None:
        self._site = site
        self._queue = queue
        self._search = Search(site.account, site.sees)

    def alerts(self, request: Request) -> Response:
        """GET /v1/alerts: a page of a query, and the path of the next page. An unknown parameter is ignored."""
        settings = self._site.account.settings
        if settings.jsm_alerts_404:
            raise errors.refusal(404)
        size, offset = self._size(request), checks.number(request, "offset", 0, 0)
        if offset + size >= _MAX_OFFSET:
            raise errors.refusal(422, f"Sum of offset and size should be lower than {_MAX_OFFSET}")
        found = self._found(request)
        given = {name: request.first(name) for name in ("query", "sort", "order") if request.first(name)}
        after = {**given, "offset": str(offset + size), "size": str(size)}
        links = {"next": f"/v1/alerts?{urlencode(after)}"} if offset + size < len(found) else {}
        rows = [self._shown(alert) for alert in found[offset : offset + size]]
        return json_response(200, {"values": rows, "count": len(found), "links": links})

    def alert(self, _: Request, identifier: str) -> Response:
        """GET /v1/alerts/{id}."""
        return self._one(self._site.readable(identifier))

    def alert_by_alias(self, request: Request) -> Response:
        """GET /v1/alerts/alias: open alerts alone have theirs (uncertain)."""
        stored = self._site.account.alerts.by_alias(request.first("alias"))
        return self._one(self._site.readable(stored.now.id if stored else ""))

    def notes(self, request: Request, identifier: str) -> Response:
        """GET /v1/alerts/{id}/notes."""
        records = self._site.readable(identifier).notes
        path = f"/v1/alerts/{identifier}/notes"
        return self._records(request, path, records, shapes.note_json, shapes.note_id)

    def logs(self, request: Request, identifier: str) -> Response:
        """GET /v1/alerts/{id}/logs."""
        lines = self._site.readable(identifier).logs
        records = [told(line, self._site.account.settings) for line in lines]
        path = f"/v1/alerts/{identifier}/logs"
        return self._records(request, path, records, shapes.log_json, lambda record: record.token)

    def request_status(self, _: Request, request_id: str) -> Response:
        """GET /v1/alerts/requests/{id}: 404 for an unknown write and for one in the queue alike (uncertain)."""
        outcome = self._queue.outcome(request_id)
        if outcome is None or self._site.account.settings.jsm_request_404:
            raise errors.refusal(404, "Request not found. It might not be processed, yet.")
        return json_response(200, shapes.outcome_json(outcome))

    def _found(self, request: Request) -> list[Alert]:
        honoured = self._site.account.settings.jsm_sort_updated_at
        sorts = _SORTS | ({"updatedAt": _UPDATED[honoured]} if honoured in _UPDATED else {})
        sort, order = request.first("sort", "insertedAt"), request.first("order", "desc")
        if sort not in sorts or order not in ("asc", "desc"):
            raise errors.refusal(422, "sort or order is not valid")
        try:
            return self._search.found(request.first("query"), sorts[sort], descending=order == "desc")
        except ValueError as error:
            raise errors.refusal(422, f"query is not valid: {error}") from None

    def _records(
        self, request: Request, path: str, records: list[Record], shape: Callable[[Record, shapes.Name], Json],
        key: Callable[[Record], str],
    ) -> Response:  # fmt: skip
        """A page after the record whose key is `after`. The last page has no `next` (uncertain)."""
        account, size, after = self._site.account, self._size(request), request.first("after")
        horizon = account.readable_until()
        found = [record for record in records if record.at <= horizon]
        found.sort(key=lambda record: (record.at, key(record)), reverse=account.settings.jsm_notes_order == "desc")
        keys = [key(record) for record in found]
        if after and after not in keys:
            raise errors.refusal(422, "after is not valid")
        settings = account.settings
        begin = keys.index(after) + (not settings.pages_overlap) if after else 0
        page = found[begin : begin + size]
        edge = keys[begin : begin + size][-1:] or [after]
        goes_on = begin + size < len(found) or settings.last_page_has_next
        following = urlencode({"after": edge[0], "size": size}) if goes_on else ""
        links = {"next": f"{path}?{following}"} if following else {}
        return json_response(200, {"values": [shape(each, self._site.name) for each in page], "links": links})

    def _one(self, stored: StoredAlert) -> Response:
        return json_response(200, self._shown(stored.as_of(self._site.account.readable_until()) or stored.now))

    def _shown(self, alert: Alert) -> Json:
        settings = self._site.account.settings
        shown = shapes.alert_json(alert, self._site.name, settings.jsm_status_words)
        return shown | {"acknowledged": None} if settings.acknowledged_null else shown

    def _size(self, request: Request) -> int:
        return checks.number(request, "size", _DEFAULT_PAGE, 1, _MAX_PAGE)
