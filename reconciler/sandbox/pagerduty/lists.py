"""PagerDuty's lists: paging, filters, windows of time, and how far they are behind."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.pagerduty import shapes as shape
from reconciler.sandbox.pagerduty.checks import invalid, not_found, problem
from reconciler.sandbox.pagerduty.state import BOT, POLICIES, SERVICE_ID, USERS, Entry, Incident, LogEntry, User
from reconciler.sandbox.wire import Json, Request, Response, json_response, parse_time, whole_seconds

if TYPE_CHECKING:
    from reconciler.sandbox.pagerduty.api import PagerDutyApi

_PAGE = 100
_DEFAULT_PAGE = 25
_WINDOW = 10_000
_STATUSES = ("triggered", "acknowledged", "resolved")
_MONTH = timedelta(days=30)
_LONGEST = timedelta(days=183)
_REPEAT_EVERY = 10
_SORTS: dict[str, Callable[[Incident], Any]] = {
    "incident_number": lambda i: i.number,
    "created_at": lambda i: i.created_at,
    "resolved_at": lambda i: i.resolved_at.timestamp() if i.resolved_at else 0.0,
    "urgency": lambda i: i.urgency,
}


class Lists:
    """Answers the reading of many things at once."""

    def __init__(self, machine: "PagerDutyApi") -> None:
        self._machine = machine
        self._listed: tuple[object, list[Incident]] | None = None

    def incidents(self, request: Request) -> Response:
        """GET /incidents, from a view that is `list_lag` seconds behind."""
        statuses = _statuses(request)
        found = self._found(request, statuses)
        if self._machine.settings.duplicate_rows and "resolved" in statuses and len(statuses) > 1:
            found = [copy for at, row in enumerate(found, 1) for copy in [row] * (1 + (at % _REPEAT_EVERY == 0))]
        nameless = self._machine.settings.acknowledger_null
        return _page(request, "incidents", found, lambda row: shape.incident_json(row, nameless=nameless))

    def version(self, entry: Entry) -> Incident:
        """An incident as reads by id show it: `detail_lag` seconds old, 404 while it is younger."""
        found = entry.as_of(self._horizon())
        if found is None:
            raise not_found()
        return found

    def alerts(self, request: Request, entry: Entry) -> Response:
        """GET /incidents/{id}/alerts: the child alerts, maybe of one key."""
        wanted = request.first("alert_key")
        rows = [row for row in shape.alerts_json(self.version(entry)) if wanted in ("", row["alert_key"])]
        return _page(request, "alerts", rows, dict)

    def notes(self, entry: Entry) -> Response:
        """GET /incidents/{id}/notes: all of them, newest first, no paging."""
        self.version(entry)
        notes = [note for note in reversed(entry.notes) if note.created_at <= self._horizon()]
        return json_response(200, {"notes": [shape.note_json(note) for note in notes]})

    def log_entries(self, request: Request, entry: Entry | None) -> Response:
        """GET /log_entries (`log_lag` seconds behind) or of one incident (`own_log_lag`); newest first."""
        since, until = _time(request, "since"), _time(request, "until")
        settings, now = self._machine.settings, self._machine.clock.now()
        if since and until and since > until:
            raise problem(400, 2005, "Invalid Query Date Range")
        if until and until > now and settings.until_future_refused:
            raise problem(400, 2004, "Invalid until value")
        if entry is not None:
            self.version(entry)
        horizon = now - timedelta(seconds=settings.log_lag if entry is None else settings.own_log_lag)
        lines = self._machine.incidents.log if entry is None else entry.log
        found = list(_within(reversed(lines), since, until, horizon))
        channels = "channels" in request.query.get("include[]", ())
        return _page(
            request, "log_entries", found, lambda line: shape.log_entry_json(line, channels=channels)
        )  # fmt: skip

    def users(self, request: Request) -> Response:
        """GET /users: `query` is part of a name or an e-mail."""
        wanted = request.first("query").lower()
        found = [user for user in self.people() if wanted in user.name.lower() or wanted in user.email.lower()]
        return _page(request, "users", found, self.person)

    def people(self) -> list[User]:
        """Everybody that the account has."""
        return [user for user in USERS if user != BOT or not self._machine.settings.user_gone]

    def person(self, user: User) -> Json:
        """One of them, with the role."""
        return shape.user_json(user, self._machine.settings.bot_role if user == BOT else "user")

    def on_calls(self, request: Request) -> Response:
        """GET /oncalls, maybe of some policies or people."""
        policies, users = (request.query.get(name, ()) for name in ("escalation_policy_ids[]", "user_ids[]"))
        found = [
            shape.on_call_json(policy_id, level, user)
            for policy_id in POLICIES
            for level, on_level in enumerate(self._machine.rules.levels(policy_id), 1)
            for user in on_level
            if (not policies or policy_id in policies) and (not users or user.id in users)
        ]
        return _page(request, "oncalls", found, dict)

    def _horizon(self) -> datetime:
        """What reads by id show is no younger than this."""
        return self._machine.clock.now() - timedelta(seconds=self._machine.settings.detail_lag)

    def _found(self, request: Request, statuses: Sequence[str]) -> list[Incident]:
        """The incidents of a query in order. Kept while nothing changes, so that paging is cheap."""
        machine, store = self._machine, self._machine.incidents
        horizon = machine.clock.now() - timedelta(seconds=machine.settings.list_lag)
        window = self._window(request)
        rest = {name: values for name, values in request.query.items() if name not in ("limit", "offset")}
        key = (rest, window, store.revision)
        settled = store.changed_at is None or store.changed_at <= horizon
        if settled and self._listed and self._listed[0] == key:
            return self._listed[1]
        incident_key = request.first("incident_key")
        entries: Iterable[Entry] = store.by_key(incident_key) if incident_key else store.entries()
        versions = (entry.as_of(horizon) for entry in entries)
        found = [row for row in versions if row is not None and _matches(row, request, statuses, window)]
        _sort(found, request.first("sort_by") or "incident_number")
        self._listed = (key, found) if settled else None
        return found

    def _window(self, request: Request) -> tuple[datetime, datetime] | None:
        """The creation times asked for; None is all. One month when an end is not given."""
        if request.first("date_range") == "all":
            return None
        since, until = _time(request, "since"), _time(request, "until")
        if since is None:
            until = until or self._machine.clock.now()
            since = until - _MONTH
        until = until or since + _MONTH
        if until < since or until - since > _LONGEST:
            raise problem(400, 2005, "Invalid Query Date Range")
        return whole_seconds(since), until


def _matches(
    row: Incident, request: Request, statuses: Sequence[str], window: tuple[datetime, datetime] | None
) -> bool:
    services = request.query.get("service_ids[]", ())
    urgencies = request.query.get("urgencies[]", ())
    users = request.query.get("user_ids[]", ())
    return (
        row.status in statuses
        and (not services or SERVICE_ID in services)
        and (not urgencies or row.urgency in urgencies)
        and (not users or any(hand.user.id in users for hand in row.assigned))
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
    """Both ends belong to the window, as whole seconds. `lines` are newest first."""
    for line in lines:
        second = whole_seconds(line.at)
        if since is not None and second < whole_seconds(since):
            return
        if line.at <= horizon and (until is None or second <= until):
            yield line


def _time(request: Request, name: str) -> datetime | None:
    text = request.first(name)
    try:
        return parse_time(text) if text else None
    except ValueError:
        raise problem(400, 2004, f"Invalid {name} value") from None


def _number(request: Request, name: str, default: int) -> int:
    text = request.first(name) or str(default)
    if not text.isdecimal():
        raise invalid(f"{name.capitalize()} must be a number.")
    return int(text)


def _page(request: Request, name: str, rows: Sequence[Any], show: Callable[[Any], Json]) -> Response:
    """A page in classic style. More than 100 rows are never sent, whatever is asked for."""
    limit = min(_number(request, "limit", _DEFAULT_PAGE), _PAGE)
    offset = _number(request, "offset", 0)
    if offset + limit > _WINDOW:
        raise invalid(f"Offset and limit must not exceed {_WINDOW} together.")
    total = len(rows) if request.first("total") == "true" else None
    page = [show(row) for row in islice(rows, offset, offset + limit)]
    more = offset + limit < len(rows)
    return json_response(200, {name: page, "limit": limit, "offset": offset, "total": total, "more": more})
