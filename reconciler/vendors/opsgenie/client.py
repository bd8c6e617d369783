"""Client of Opsgenie's Alert API v2: its JSON to core values and back, without any policy.

Lists come from a search index that lags and moves while it is paged. The pages' own links are never followed; they
only show that there is more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from reconciler.core.model import Act, Actor, Alert, Note
from reconciler.errors import Blocked, Missing, Unknown
from reconciler.vendors.http import Answer, Http
from reconciler.vendors.json_fields import (
    BadRow,
    OnBadRow,
    ignore,
    mapping,
    moment,
    readable,
    rows,
    segment,
    state,
    text,
)
from reconciler.vendors.opsgenie.rows import last_change, parse_act, parse_alert, parse_note
from reconciler.vendors.ports import PAGE, AlertNews, AlertWrite, RequestStatus

VENDOR = "Opsgenie"
WINDOW = 19_999
"""The largest sum of offset and limit: more is answered 422."""
MOST_WINDOWS = 25
"""Half a million open alerts: more than any account has, and a bound for an endless list."""
MOST_NOTE_PAGES = 100
MOST_LOG_PAGES = 10
USER_LIMIT = 100
NOTE_LIMIT = 25_000
SOURCE = "reconciler"
_PENDING = "requestnotprocessed"
_PENDING_WORDS = ("not processed", "not yet processed", "not been processed")
_RESERVED = frozenset({"count", "requests", "saved-searches"})
"""Words that in place of an alert's id address something else."""
_BOTH = frozenset({"acknowledge", "unacknowledge"})


@dataclass(frozen=True, slots=True)
class _Page:
    """One page. `more`: Opsgenie says that there is more. `last`: more lies outside the paging window."""

    rows: list[Any]
    more: bool
    last: bool


class OpsgenieClient:
    """Reads. `query` selects our alerts; `on_bad_row` is called for rows that could not be read."""

    def __init__(self, http: Http, query: str, api_url: str, on_bad_row: OnBadRow = ignore) -> None:
        self._http = http
        self._query = query.strip()
        self._api_url = api_url.rstrip("/")
        self._on_bad_row = on_bad_row

    def changes(self, since: datetime, _seen: object | None) -> AlertNews:
        """Alerts by `updatedAt`, which moves with everything that is done to one."""
        rows = tuple(self.recent_alerts(since))
        return AlertNews(rows, max((row.updated_at for row in rows), default=None))

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the query, newest `updatedAt` first, down to `since`; one page when None."""
        found: dict[str, Alert] = {}
        now = self._http.clock.now()
        for page in self._pages(self._query, "updatedAt", "desc"):
            stamps = [last_change(row, now) for row in page.rows]
            news = [r for r, at in zip(page.rows, stamps, strict=True) if not (at and since and at < since)]
            for alert in self._alerts(news):
                found.setdefault(alert.id, alert)
            known = [at for at in stamps if at]
            if since is None or (known and known[-1] < since):
                break
            if page.last and page.more:
                self._on_bad_row(VENDOR, f"more than {WINDOW} alerts have changed: the sweep finds the rest")
        return list(found.values())

    def open_alerts(self) -> Iterator[list[Alert]]:
        """Every open alert of the query, oldest first. Past the paging window it continues by creation."""
        seen: set[str] = set()
        start: datetime | None = None
        for _ in range(MOST_WINDOWS):
            newest, unfinished = start, False
            now = self._http.clock.now()
            for page in self._pages(self._open_query(start), "createdAt", "asc"):
                alerts = {alert.id: alert for alert in self._alerts(page.rows)}
                yield [alert for alert in alerts.values() if alert.open is not False and alert.id not in seen]
                seen |= alerts.keys()
                stamps = [moment(mapping(row).get("createdAt"), now) for row in page.rows]
                newest = next((at for at in reversed(stamps) if at), newest)
                unfinished = page.last and page.more
            if not unfinished:
                return
            if newest is None or (start is not None and newest <= start):
                break
            start = newest
        self._on_bad_row(VENDOR, f"more than {WINDOW} open alerts: the rest cannot be listed")

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """One page of the open alerts, from `offset`, and whether there is more within the paging window."""
        if offset + PAGE > WINDOW:
            return [], False
        page = self._page(self._open_query(), "createdAt", "asc", offset)
        unique = {alert.id: alert for alert in self._alerts(page.rows) if alert.open is not False}
        return list(unique.values()), bool(page.rows) and page.more and not page.last

    def alert(self, alert_id: str) -> Alert:
        """The alert itself, with description and details."""
        body = mapping(self._http.get(_path(alert_id), [("identifierType", "id")]).json)
        try:
            return parse_alert(body.get("data"), self._http.clock.now(), self._api_url, whole=True)
        except BadRow as error:
            raise Unknown(f"{VENDOR}: alert {alert_id}: {error}") from None

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:
        """Notes, newest first: all, or only as many pages as are needed to reach back to `until`."""
        found: dict[str, Note] = {}
        now = self._http.clock.now()
        for page in self._records(alert_id, "notes", MOST_NOTE_PAGES):
            notes = readable(page, lambda row: parse_note(row, now), VENDOR, self._on_bad_row)
            for note in notes:
                found.setdefault(note.id, note)
            if until and notes and notes[-1].at < until:
                break
        return sorted(found.values(), key=lambda note: (note.at, note.id), reverse=True)

    def acts(self, alert_id: str) -> list[Act]:
        """The newest entries of the alert's log, newest first.

        As many pages as are needed to show a person's acknowledgement and a person's end of one, in either order;
        or all.
        """
        found: dict[str, Act] = {}
        now = self._http.clock.now()
        try:
            for page in self._records(alert_id, "logs", MOST_LOG_PAGES):
                acts = readable(page, lambda row: parse_act(row, now), VENDOR, self._on_bad_row)
                found |= {act.id: act for act in acts}
                if {act.verb for act in found.values() if act.actor is Actor.PERSON} >= _BOTH:
                    break
        except Missing:
            return []
        return sorted(found.values(), key=lambda act: (act.at, act.id), reverse=True)

    def request_status(self, request_id: str) -> RequestStatus:
        """The status of an accepted write. A 404 of one certain kind means: not yet processed."""
        path = f"/v2/alerts/requests/{segment(request_id, f'{VENDOR}: request')}"
        answer = self._http.get(path, accept=frozenset({404}))
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            return _not_found(answer, request_id)
        body = mapping(answer.json)
        data = mapping(body.get("data"))
        said = (state(data.get(name)) for name in ("isSuccess", "success"))
        done = next((one for one in said if one is not None), None)
        if state(data.get("isSuccess")) is None and "processedAt" in data and not data["processedAt"]:
            done = None  # the query succeeded, but the write has not been processed
        why = text(data.get("status")) or (text(body.get("message")) if done is False else "")
        return RequestStatus(done, why, moment(data.get("processedAt"), self._http.clock.now()))

    def confirm_key(self) -> None:
        """One cheap read of no particular alert. Refused if the account refuses the key."""
        self._http.get("/v2/alerts", [("limit", "1")])

    def _page(self, query: str, sort: str, order: str, offset: int) -> _Page:
        asked = [("sort", sort), ("order", order), ("limit", str(PAGE)), ("offset", str(offset))]
        body = self._http.get("/v2/alerts", [("query", query), *asked] if query else asked).json
        found = rows(body, "data", VENDOR)
        more = bool(mapping(mapping(body).get("paging")).get("next")) or len(found) >= PAGE
        return _Page(found, more, last=offset + 2 * PAGE > WINDOW)

    def _pages(self, query: str, sort: str, order: str) -> Iterator[_Page]:
        """Page by page while there is more. The same page twice, or two empty ones, end the list."""
        before: list[Any] | None = None
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self._page(query, sort, order, offset)
            yield page
            if not page.more or page.rows == before:
                return
            before = page.rows

    def _records(self, alert_id: str, what: str, most: int) -> Iterator[list[Any]]:
        """Notes or log lines, newest first, page by page. An empty page or a repeated token ends the list."""
        token, spent = "", set[str]()
        for _ in range(most):
            more = [("offset", token), ("direction", "next")] if token else []
            asked = [("identifierType", "id"), ("limit", str(PAGE)), ("order", "desc"), *more]
            body = self._http.get(_path(alert_id, what), asked).json
            page = rows(body, "data", VENDOR)
            yield page
            spent.add(token)
            token = _offset_token(mapping(mapping(body).get("paging")).get("next"))
            if not page or not token or token in spent:
                return
        self._on_bad_row(VENDOR, f"more than {most} pages of {what} of alert {alert_id}: the rest is not read")

    def _open_query(self, start: datetime | None = None) -> str:
        terms = [f"({self._query})"] if self._query else []
        terms.append("status:open")
        if start:
            terms.append(f"createdAt>={int(start.timestamp() * 1000)}")
        return " AND ".join(terms)

    def _alerts(self, found: list[Any]) -> list[Alert]:
        now = self._http.clock.now()
        return readable(found, lambda row: parse_alert(row, now, self._api_url), VENDOR, self._on_bad_row)


class OpsgenieWriting:
    """Writes. Each call returns the id of the accepted request: queued, not done."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def acknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Acknowledge in the name of `user`."""
        return self._send(alert_id, "acknowledge", user)

    def unacknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Un-acknowledge in the name of `user`."""
        return self._send(alert_id, "unacknowledge", user)

    def add_note(self, alert_id: str, user: str, text: str) -> AlertWrite:
        """Add a note."""
        return self._send(alert_id, "notes", user, note=_cut(text, NOTE_LIMIT))

    def _send(self, alert_id: str, action: str, user: str, **more: str) -> AlertWrite:
        body = {"user": user[:USER_LIMIT], "source": SOURCE, **more}
        answer = self._http.write("POST", f"{_path(alert_id, action)}?identifierType=id", body)
        return AlertWrite(text(mapping(answer.json).get("requestId")))


def _cut(note: str, limit: int) -> str:
    return note if len(note) <= limit else note[: limit - 1] + "…"


def _path(alert_id: str, what: str = "") -> str:
    place = segment(alert_id, f"{VENDOR}: alert", _RESERVED)
    return f"/v2/alerts/{place}" + (f"/{what}" if what else "")


def _not_found(answer: Answer, request_id: str) -> RequestStatus:
    """The three meanings of a request's 404: still in the queue, unknown to Opsgenie, not Opsgenie's answer."""
    words = text(mapping(answer.json).get("message"))
    kind = answer.headers.get("X-Opsgenie-Errortype", "").strip().lower()
    if kind == _PENDING or any(pending in words.lower() for pending in _PENDING_WORDS):
        return RequestStatus(None, words)
    if not isinstance(answer.json, dict):
        raise Blocked(
            f"{VENDOR}: request {request_id}: 404, but not in Opsgenie's JSON; "
            "look for a proxy or a firewall on the way, and check OPSGENIE_API_URL"
        )
    raise Missing(f"{VENDOR}: request {request_id} is not known (any more)")


def _offset_token(url: Any) -> str:
    try:
        return next(iter(parse_qs(urlsplit(text(url)).query).get("offset", [])), "")
    except ValueError:
        return ""
