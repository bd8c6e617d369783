"""GETs: of one thing, or of lists with filters, time windows and pages.

Every page is `{<name>: [row, …], "limit", "offset", "total", "more"}` ("classic" pagination).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from reconciler.sandbox.pagerduty import checks, shapes
from reconciler.sandbox.pagerduty.account import Account
from reconciler.sandbox.pagerduty.directory import POLICIES, PRIORITIES, User
from reconciler.sandbox.pagerduty.errors import invalid, not_found, problem
from reconciler.sandbox.pagerduty.state import Incident, LogEntry, StoredIncident
from reconciler.sandbox.pagerduty.told import told
from reconciler.sandbox.settings import REFUSED
from reconciler.sandbox.wire import Json, Request, Response, json_response, whole_seconds

_MAX_PAGE = 100
_DEFAULT_PAGE = 25
_MAX_OFFSET = 10_000
"""What offset and limit may be together (documented)."""
_STATUSES = ("triggered", "acknowledged", "resolved")
_DEFAULT_RANGE = timedelta(days=30)
_MAX_RANGE = timedelta(days=183)
_REPEAT_EVERY = 10
"""With `duplicate_rows`, each n-th row is there twice."""
_SORTS: dict[str, Callable[[Incident], Any]] = {
    "incident_number": lambda i: i.number,
    "created_at": lambda i: i.created_at,
    "resolved_at": lambda i: i.resolved_at.timestamp() if i.resolved_at else 0.0,
    "urgency": lambda i: i.urgency,
}
_NAME: Callable[[User], str] = lambda user: user.name  # noqa: E731 - rows of the table below
_EMAIL: Callable[[User], str] = lambda user: user.email  # noqa: E731
_SEARCHED = {"both": (_NAME, _EMAIL), "name": (_NAME,), "email": (_EMAIL,)}
"""By `user_query`, the texts of a user that are searched."""
_ACCOUNT_TOKEN = (
    "Because this request was made using an account-level access token, we were unable to determine "  # noqa: S105
    "the user's identity. Please use a user-level token."
)
TimeWindow = tuple[datetime, datetime] | None
"""From when until when, both inclusive; None is always."""


class Reads:
    """Answers GETs, with 404 for what does not exist."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._cached: tuple[object, list[Incident]] | None = None

    def incidents(self, request: Request) -> Response:
        """GET /incidents, `list_lag` seconds behind.

        Rows may repeat where resolved incidents are listed with others (observed: go-pagerduty#496).
        """
        settings, statuses = self._account.settings, _statuses(request)
        self._check_rights(*request.query.get("service_ids[]", ()))
        found = self._found(request, statuses)
        if settings.duplicate_rows and "resolved" in statuses and len(statuses) > 1:
            found = [copy for at, row in enumerate(found, 1) for copy in [row] * (1 + (at % _REPEAT_EVERY == 0))]
        nameless = settings.acknowledger_null
        return _page(request, "incidents", found, lambda row: shapes.incident_json(row, nameless=nameless))

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
        status = self._account.status(service_id)
        if status == "gone":
            raise not_found()
        self._check_rights(service_id)
        return json_response(200, {"service": shapes.service_json(service_id, status, self._account.settings)})

    def policies(self, request: Request) -> Response:
        """GET /escalation_policies: all, or those that have one of the `user_ids[]` among their targets."""
        users = request.query.get("user_ids[]", ())
        found = {policy_id: self._account.levels(policy_id) for policy_id in POLICIES}
        mine = {
            policy_id: levels
            for policy_id, levels in found.items()
            if not users or any(user.id in users for level in levels for user in level)
        }
        services = self._account.services()
        rows = [shapes.policy_json(policy_id, levels, services) for policy_id, levels in mine.items()]
        return _page(request, "escalation_policies", rows, dict)

    def windows(self, request: Request) -> Response:
        """GET /maintenance_windows, maybe of some services; `filter` is ongoing, future, open (both) or all."""
        asked, wanted = request.query.get("service_ids[]", ()), request.first("filter", "all")
        rows = [
            shapes.maintenance_window_json(service_id, starts)
            for service_id in self._account.services()
            if not asked or service_id in asked
            for kind, starts in self._account.windows(service_id).items()
            if wanted in (kind, "open", "all")
        ]
        return _page(request, "maintenance_windows", rows, dict)

    def priorities(self, request: Request) -> Response:
        """GET /priorities, the most severe first (documented)."""
        plan = self._account.settings.priorities
        if plan == "lacking":
            raise problem(402, 2014)
        return _page(request, "priorities", [] if plan == "none" else list(PRIORITIES), shapes.priority_json)

    def policy(self, _: Request, policy_id: str) -> Response:
        """GET /escalation_policies/{id}."""
        if policy_id not in POLICIES:
            raise not_found()
        policy = shapes.policy_json(policy_id, self._account.levels(policy_id), self._account.services())
        return json_response(200, {"escalation_policy": policy})

    def alerts(self, request: Request, incident_id: str) -> Response:
        """GET /incidents/{id}/alerts: the child alerts, or those of one `alert_key`."""
        if self._account.settings.own_alerts_404:
            raise not_found()
        incident = self._account.version(self._account.get(incident_id))
        wanted = request.first("alert_key")
        rows = [row for row in shapes.alerts_json(incident) if wanted in ("", row["alert_key"])]
        return _page(request, "alerts", rows, dict)

    def notes(self, _: Request, incident_id: str) -> Response:
        """GET /incidents/{id}/notes: all of them, without pages (documented), as `log_order` has it."""
        stored = self._account.get(incident_id)
        self._account.version(stored)
        horizon = self._account.readable_until()
        notes = [note for note in stored.notes if note.created_at <= horizon]
        if self._account.settings.log_order == "desc":
            notes.reverse()
        return json_response(200, {"notes": [shapes.note_json(note) for note in notes]})

    def log_entries(self, request: Request, incident_id: str | None = None) -> Response:
        """GET /log_entries (`log_lag` seconds behind) or those of an incident (`own_log_lag`) in `log_order`."""
        stored = None if incident_id is None else self._account.get(incident_id)
        since, until = checks.time(request, "since"), checks.time(request, "until")
        settings, now = self._account.settings, self._account.clock.now()
        if since and until and since > until:
            raise problem(400, 2005)
        if until and until > now and settings.until_future_refused:
            raise problem(400, 2004, message="Invalid until value")
        if stored is not None:
            self._account.version(stored)
        horizon = now - timedelta(seconds=settings.log_lag if stored is None else settings.own_log_lag)
        horizon -= self._account.copies.behind if stored else timedelta()
        if since and settings.since_exclusive:
            since += timedelta(seconds=1)
        lines = self._account.incidents.log if stored is None else stored.log
        found = list(told(_within(reversed(lines), since, until, horizon), settings))
        if settings.log_order == "asc":
            found.reverse()
        channels = "channels" in request.query.get("include[]", ())
        return _page(request, "log_entries", found, lambda line: shapes.log_entry_json(line, channels=channels))

    def users(self, request: Request) -> Response:
        """GET /users: all, or those whose name or e-mail, as `user_query` has it, contains `query`."""
        account, wanted = self._account, request.first("query").lower()
        texts = _SEARCHED[account.settings.user_query]
        found = [user for user in account.users() if any(wanted in text(user).lower() for text in texts)]
        return _page(request, "users", found, lambda user: shapes.user_json(user, account.role(user)))

    def on_calls(self, request: Request) -> Response:
        """GET /oncalls: all, or those of some `escalation_policy_ids[]` or `user_ids[]`."""
        policies, users = (request.query.get(name, ()) for name in ("escalation_policy_ids[]", "user_ids[]"))
        found = [
            shapes.on_call_json(policy_id, level, user)
            for policy_id in POLICIES
            for level, on_level in enumerate(self._account.levels(policy_id), 1)
            for user in on_level
            if (not policies or policy_id in policies) and (not users or user.id in users)
        ]
        return _page(request, "oncalls", found, dict)

    def _check_rights(self, *services: str) -> None:
        """Refuse reads of a service that the key must not see (uncertain: that the list is refused, too)."""
        if any(self._account.status(service_id) == REFUSED for service_id in services):
            raise problem(403, 2010)

    def _found(self, request: Request, statuses: Sequence[str]) -> list[Incident]:
        """The incidents of a query in order, cached until something changes: reading page after page is quick."""
        store = self._account.incidents
        horizon = self._account.clock.now() - timedelta(seconds=self._account.settings.list_lag)
        window = self._window(request)
        rest = {name: values for name, values in request.query.items() if name not in ("limit", "offset")}
        key = (rest, window, store.revision)
        is_final = store.changed_at is None or store.changed_at <= horizon
        if is_final and self._cached and self._cached[0] == key:
            return self._cached[1]
        incident_key = request.first("incident_key")
        incidents: Iterable[StoredIncident] = store.by_key(incident_key) if incident_key else store.entries()
        versions = (stored.as_of(horizon) for stored in incidents)
        found = [row for row in versions if row is not None and _matches(row, request, statuses, window)]
        _sort(found, request.first("sort_by") or "incident_number")
        self._cached = (key, found) if is_final else None
        return found

    def _window(self, request: Request) -> TimeWindow:
        """The range of creation times. An end not given is a month from the other (observed: pdpyras#46)."""
        if request.first("date_range") == "all":
            return None
        since, until = checks.time(request, "since"), checks.time(request, "until")
        if since is None:
            until = until or self._account.clock.now()
            since = until - _DEFAULT_RANGE
        until = until or since + _DEFAULT_RANGE
        if until < since or until - since > _MAX_RANGE:
            raise problem(400, 2005)
        return whole_seconds(since), until


def _matches(row: Incident, request: Request, statuses: Sequence[str], window: TimeWindow) -> bool:
    services = request.query.get("service_ids[]", ())
    urgencies = request.query.get("urgencies[]", ())
    users = request.query.get("user_ids[]", ())
    return (
        row.status in statuses
        and (not services or row.service_id in services)
        and (not urgencies or row.urgency in urgencies)
        and (not users or any(assigned.user.id in users for assigned in row.assigned))
        and (window is None or window[0] <= row.created_at <= window[1])
    )


def _statuses(request: Request) -> tuple[str, ...]:
    statuses = request.query.get("statuses[]", ()) or _STATUSES
    if not set(statuses) <= set(_STATUSES):
        raise invalid("Status must be a list of triggered, acknowledged, or resolved.")
    return statuses


def _sort(found: list[Incident], sort_by: str) -> None:
    for part in reversed(sort_by.split(",")):
        field, _, order = part.partition(":")
        if field not in _SORTS or order not in ("", "asc", "desc"):
            raise invalid("Sort by is not valid.")
        found.sort(key=_SORTS[field], reverse=order == "desc")


def _within(
    lines: Iterable[LogEntry], since: datetime | None, until: datetime | None, horizon: datetime
) -> Iterable[LogEntry]:
    """The log entries of a window of whole seconds, both ends inclusive. `lines` are newest first."""
    for line in lines:
        second = whole_seconds(line.at)
        if since is not None and second < whole_seconds(since):
            return
        if line.at <= horizon and (until is None or second <= until):
            yield line


def _page(request: Request, name: str, rows: Sequence[Any], show: Callable[[Any], Json]) -> Response:
    """One page of rows: `limit` of them, 25 by default; a `limit` above 100 counts as 100."""
    limit = min(checks.number(request, "limit", _DEFAULT_PAGE), _MAX_PAGE)
    offset = checks.number(request, "offset", 0)
    if offset + limit > _MAX_OFFSET:
        raise invalid(f"Offset and limit must not exceed {_MAX_OFFSET} together.")
    total = len(rows) if request.first("total") == "true" else None
    page = [show(row) for row in islice(rows, offset, offset + limit)]
    more = offset + limit < len(rows)
    return json_response(200, {name: page, "limit": limit, "offset": offset, "total": total, "more": more})
