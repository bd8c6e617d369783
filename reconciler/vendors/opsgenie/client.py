"""Client of Opsgenie's Alert API v2: its JSON to core values and back, without any policy."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from reconciler.core.model import Act, Alert, Note
from reconciler.errors import Unknown
from reconciler.vendors import integration_api
from reconciler.vendors.alert_rows import last_change
from reconciler.vendors.alerts import MOST_LOG_PAGES, MOST_NOTE_PAGES, AlertLists, Page, is_last
from reconciler.vendors.http import Http
from reconciler.vendors.integration_api import NamedWriting, alert_path
from reconciler.vendors.json_fields import BadRow, OnBadRow, ignore, mapping, readable, rows, text
from reconciler.vendors.opsgenie.rows import parse_act, parse_alert, parse_note
from reconciler.vendors.ports import PAGE, AlertNews, AlertWrite, RequestStatus

VENDOR = "Opsgenie"


class OpsgenieClient(AlertLists):
    """Reads. `query` selects our alerts; `on_bad_row` is called for rows that could not be read."""

    vendor = VENDOR

    def __init__(self, http: Http, query: str, api_url: str, on_bad_row: OnBadRow = ignore) -> None:
        super().__init__(http, query, on_bad_row)
        self._api_url = api_url.rstrip("/")

    def changes(self, since: datetime, _seen: object | None) -> AlertNews:
        """Alerts by `updatedAt`, which moves with everything that is done to one."""
        rows = tuple(self.recent_alerts(since))
        return AlertNews(rows, max((row.updated_at for row in rows), default=None))

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the query, newest `updatedAt` first, down to `since`; one page when None."""
        return self._since(since, "updatedAt", last_change)

    def alert(self, alert_id: str) -> Alert:
        """The alert itself, with description and details."""
        body = mapping(self._http.get(alert_path(VENDOR, alert_id), [("identifierType", "id")]).json)
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
        return self._log(alert_id, parse_act, MOST_LOG_PAGES, in_order=True)

    def request_status(self, request_id: str) -> RequestStatus:
        """The status of an accepted write. A 404 of one certain kind means: not yet processed."""
        return integration_api.request_status(self._http, request_id)

    def confirm_key(self) -> None:
        """One cheap read of no particular alert. Refused if the account refuses the key."""
        self._http.get("/v2/alerts", [("limit", "1")])

    def _page(self, query: str, sort: str, order: str, offset: int) -> Page:
        asked = [("sort", sort), ("order", order), ("limit", str(PAGE)), ("offset", str(offset))]
        body = self._http.get("/v2/alerts", [("query", query), *asked] if query else asked).json
        found = rows(body, "data", VENDOR)
        more = bool(mapping(mapping(body).get("paging")).get("next")) or len(found) >= PAGE
        return Page(found, more, is_last(offset))

    def _record_page(self, alert_id: str, what: str, token: str) -> tuple[list[Any], str]:
        """One page, newest first."""
        more = [("offset", token), ("direction", "next")] if token else []
        asked = [("identifierType", "id"), ("limit", str(PAGE)), ("order", "desc"), *more]
        body = self._http.get(alert_path(VENDOR, alert_id, what), asked).json
        return rows(body, "data", VENDOR), _offset_token(mapping(mapping(body).get("paging")).get("next"))

    def _open_query(self, start: datetime | None = None) -> str:
        terms = [f"({self._query})"] if self._query else []
        terms.append("status:open")
        if start:
            terms.append(f"createdAt>={int(start.timestamp() * 1000)}")
        return " AND ".join(terms)

    def _alert(self, row: Any, now: datetime) -> Alert:
        return parse_alert(row, now, self._api_url)


class OpsgenieWriting(NamedWriting):
    """Writes. Each call returns the id of the accepted request: queued, not done."""

    def unacknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Un-acknowledge in the name of `user`."""
        return self._send(alert_id, "unacknowledge", user)


def _offset_token(url: Any) -> str:
    try:
        return next(iter(parse_qs(urlsplit(text(url)).query).get("offset", [])), "")
    except ValueError:
        return ""
