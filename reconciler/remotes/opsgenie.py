"""Opsgenie's Alert API v2: its JSON to core values and back. Knows no policy.

Lists come from a search index that lags and moves while it is paged; the pages' own links are never followed,
only their word that there is more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from reconciler.core.model import Act, Actor, Alert, Note, Person
from reconciler.errors import Missing, Permanent, Unknown
from reconciler.remotes.base import PAGE, RequestStatus
from reconciler.remotes.fields import (
    BadRow,
    OnBadRow,
    flag,
    identifier,
    ignore,
    items,
    mapping,
    moment,
    number,
    readable,
    rows,
    text,
)
from reconciler.remotes.http import Http
from reconciler.remotes.limits import Need

VENDOR = "Opsgenie"
WINDOW = 19_999
"""Offset and limit together may not be more: 422."""
USER_LIMIT = 100
NOTE_LIMIT = 25_000
SOURCE = "reconciler"
_PENDING = "RequestNotProcessed"
_MACHINES = frozenset({"", "system", "alert api", "opsgenie"})
_VERBS = (
    ("unack", "unacknowledge"),
    ("un-ack", "unacknowledge"),
    ("acknowledg", "acknowledge"),
    ("clos", "close"),
    ("snooze", "snooze"),
    ("note", "annotate"),
)


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    more: bool


class OpsgenieClient:
    """Reads. `query` says which alerts are ours; `on_bad_row` hears of rows that could not be read."""

    def __init__(self, http: Http, query: str, api_url: str, on_bad_row: OnBadRow = ignore) -> None:
        self._http = http
        self._query = query.strip()
        self._api_url = api_url.rstrip("/")
        self._on_bad_row = on_bad_row

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the query, newest `updatedAt` first, down to `since`; one page when None."""
        found: dict[str, Alert] = {}
        before: list[Any] = []
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self._page(self._query, "updatedAt", "desc", offset)
            stamps = [moment(mapping(row).get("updatedAt")) for row in page.rows]
            news = [r for r, at in zip(page.rows, stamps, strict=True) if not (at and since and at < since)]
            for alert in self._alerts(news):
                found.setdefault(alert.id, alert)
            known = [at for at in stamps if at]
            reached = since is None or (bool(known) and known[-1] < since)
            if reached or not page.more or page.rows == before:
                break
            before = page.rows
        else:
            self._on_bad_row(VENDOR, f"more than {WINDOW} alerts have changed: the sweep finds the rest")
        return list(found.values())

    def open_alerts(self) -> Iterator[list[Alert]]:
        """Every open alert of the query, oldest first. Past the paging window it goes on by creation."""
        seen: set[str] = set()
        start: datetime | None = None
        while True:
            newest, before = start, list[Any]()
            for offset in range(0, WINDOW - PAGE + 1, PAGE):
                page = self._page(self._open_query(start), "createdAt", "asc", offset)
                alerts = {alert.id: alert for alert in self._alerts(page.rows)}
                yield [alert for alert in alerts.values() if alert.open and alert.id not in seen]
                seen |= alerts.keys()
                newest = max([a.created_at for a in alerts.values()] + ([newest] if newest else []), default=None)
                if not page.more or page.rows == before:
                    return
                before = page.rows
            if newest == start:
                self._on_bad_row(VENDOR, f"more than {WINDOW} open alerts: the rest cannot be listed")
                return
            start = newest

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """One page of the open alerts, from `offset`, and whether there is more that can be asked for."""
        if offset + PAGE > WINDOW:
            return [], False
        page = self._page(self._open_query(), "createdAt", "asc", offset)
        unique = {alert.id: alert for alert in self._alerts(page.rows) if alert.open}
        return list(unique.values()), page.more and offset + 2 * PAGE <= WINDOW

    def alert(self, alert_id: str) -> Alert:
        """The alert itself, with description and details."""
        body = mapping(self._http.get(_path(alert_id), [("identifierType", "id")]).json)
        try:
            return self._parse_alert(body.get("data"), whole=True)
        except BadRow as error:
            raise Unknown(f"{VENDOR}: alert {alert_id}: {error}") from None

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:
        """Notes, newest first: all, or only as many pages as reach back to `until`."""
        found: dict[str, Note] = {}
        token, spent = "", set[str]()
        while True:
            more = [("offset", token), ("direction", "next")] if token else []
            asked = [("identifierType", "id"), ("limit", str(PAGE)), ("order", "desc"), *more]
            body = self._http.get(_path(alert_id, "notes"), asked).json
            page = rows(body, "data", VENDOR)
            notes = readable(page, _parse_note, VENDOR, self._on_bad_row)
            for note in notes:
                found.setdefault(note.id, note)
            spent.add(token)
            token = _offset_token(mapping(mapping(body).get("paging")).get("next"))
            if not page or not token or token in spent or (until and notes and notes[-1].at < until):
                return sorted(found.values(), key=lambda note: (note.at, note.id), reverse=True)

    def acts(self, alert_id: str) -> list[Act]:
        """The newest entries of the alert's log, newest first."""
        asked = [("identifierType", "id"), ("limit", str(PAGE)), ("order", "desc")]
        try:
            body = self._http.get(_path(alert_id, "logs"), asked).json
        except Missing:
            return []
        acts = readable(rows(body, "data", VENDOR), _parse_act, VENDOR, self._on_bad_row)
        return sorted(acts, key=lambda act: (act.at, act.id), reverse=True)

    def request_status(self, request_id: str) -> RequestStatus:
        """What became of an accepted write. A 404 of one certain kind says: not yet."""
        answer = self._http.get(f"/v2/alerts/requests/{quote(request_id, safe='')}", accept=frozenset({404}))
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            if answer.headers.get("X-Opsgenie-Errortype", "").lower() == _PENDING.lower():
                return RequestStatus(None)
            raise Missing(f"{VENDOR}: request {request_id} is not known (any more)")
        data = mapping(mapping(answer.json).get("data"))
        told = data.get("isSuccess") if data.get("isSuccess") is not None else data.get("success")
        return RequestStatus(
            None if told is None else flag(told), text(data.get("status")), moment(data.get("processedAt"))
        )

    def confirm_key(self) -> None:
        """One cheap read of no alert in particular. Refused when the account turns the key away."""
        self._http.get("/v2/alerts", [("limit", "1")])

    def _page(self, query: str, sort: str, order: str, offset: int) -> _Page:
        asked = [("sort", sort), ("order", order), ("limit", str(PAGE)), ("offset", str(offset))]
        body = self._http.get("/v2/alerts", [("query", query), *asked] if query else asked, need=Need.FEED).json
        found = rows(body, "data", VENDOR)
        more = bool(mapping(mapping(body).get("paging")).get("next")) or len(found) >= PAGE
        return _Page(found, bool(found) and more)

    def _open_query(self, start: datetime | None = None) -> str:
        terms = [f"({self._query})"] if self._query else []
        terms.append("status:open")
        if start:
            terms.append(f"createdAt>={int(start.timestamp() * 1000)}")
        return " AND ".join(terms)

    def _alerts(self, found: list[Any]) -> list[Alert]:
        return readable(found, self._parse_alert, VENDOR, self._on_bad_row)

    def _parse_alert(self, row: Any, *, whole: bool = False) -> Alert:
        alert_id = identifier(row)
        created = moment(row.get("createdAt")) or moment(row.get("updatedAt"))
        if created is None:
            raise BadRow(f"alert {alert_id} without a readable createdAt or updatedAt")
        report = mapping(row.get("report"))
        acknowledged = flag(row.get("acknowledged"))
        return Alert(
            id=alert_id,
            tiny_id=text(row.get("tinyId")),
            message=text(row.get("message")),
            open=text(row.get("status")).lower() != "closed",
            acknowledged=acknowledged,
            created_at=created,
            updated_at=moment(row.get("updatedAt")) or created,
            snoozed_until=None if row.get("snoozed") is False else moment(row.get("snoozedUntil")),
            acknowledged_by=(text(report.get("acknowledgedBy")) or text(row.get("owner"))) if acknowledged else "",
            acknowledged_at=_after(created, report.get("ackTime")) if acknowledged else None,
            closed_by=text(report.get("closedBy")),
            closed_at=_after(created, report.get("closeTime")),
            priority=text(row.get("priority")) or "P3",
            tags=tuple(filter(None, map(text, items(row.get("tags"))))),
            source=text(row.get("source")),
            description=text(row.get("description")) if whole else None,
            details=tuple((name, text(value)) for name, value in mapping(row.get("details")).items()),
            url=self._url(alert_id),
        )

    def _url(self, alert_id: str) -> str:
        parts = urlsplit(self._api_url)
        if parts.netloc.startswith("api."):
            return (
                f"https://app.{parts.netloc.removeprefix('api.')}/alert/detail/{quote(alert_id, safe='')}/details"
            )
        return f"{self._api_url}{_path(alert_id)}"


class OpsgenieWriting:
    """Writes. Each call returns the id of the accepted request: queued, not done."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def acknowledge(self, alert_id: str, user: str) -> str:
        """Acknowledge in the name of `user`."""
        return self._send(alert_id, "acknowledge", user)

    def unacknowledge(self, alert_id: str, user: str) -> str:
        """Un-acknowledge in the name of `user`."""
        return self._send(alert_id, "unacknowledge", user)

    def add_note(self, alert_id: str, user: str, text: str) -> str:
        """Add a note."""
        return self._send(alert_id, "notes", user, note=_cut(text, NOTE_LIMIT))

    def _send(self, alert_id: str, action: str, user: str, **more: str) -> str:
        body = {"user": user[:USER_LIMIT], "source": SOURCE, **more}
        answer = self._http.write("POST", f"{_path(alert_id, action)}?identifierType=id", body)
        return text(mapping(answer.json).get("requestId"))


def _cut(note: str, limit: int) -> str:
    return note if len(note) <= limit else note[: limit - 1] + "…"


def _path(alert_id: str, what: str = "") -> str:
    if not alert_id:
        raise Permanent(f"{VENDOR}: an alert without an id was asked for", 400)
    return f"/v2/alerts/{quote(alert_id, safe='')}" + (f"/{what}" if what else "")


def _after(start: datetime, milliseconds: Any) -> datetime | None:
    """`report`'s times are durations since the creation."""
    found = number(milliseconds)
    try:
        return None if found is None else start + timedelta(milliseconds=found)
    except OverflowError:
        return None


def _offset_token(url: Any) -> str:
    try:
        return next(iter(parse_qs(urlsplit(text(url)).query).get("offset", [])), "")
    except ValueError:
        return ""


def _stamped(row: Any, what: str) -> tuple[str, datetime]:
    token = identifier(row, "offset")
    at = moment(row.get("createdAt"))
    if at is None:
        raise BadRow(f"{what} {token} without a readable createdAt")
    return token, at


def _parse_note(row: Any) -> Note:
    token, at = _stamped(row, "note")
    owner = text(row.get("owner"))
    return Note(token, Person(owner, owner or "somebody"), text(row.get("note")), at)


def _parse_act(row: Any) -> Act:
    token, at = _stamped(row, "log entry")
    owner = text(row.get("owner")).strip()
    machine = owner.lower() in _MACHINES
    return Act(
        id=token,
        verb=_verb(text(row.get("log"))),
        at=at,
        actor=Actor.MACHINE if machine else Actor.PERSON,
        person=None if machine else Person(owner, owner),
    )


def _verb(log: str) -> str:
    """The first telling word counts: the texts differ by year and product, and may end in what a person wrote."""
    lower = log.lower()
    found = [(lower.find(word), verb) for word, verb in _VERBS if word in lower]
    return min(found, default=(0, "other"))[1]
