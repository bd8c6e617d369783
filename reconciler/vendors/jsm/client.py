"""Client of JSM's account API: its JSON to core values, without any policy.

No list of it is sorted by change, so that the feed compares what it lists: see `feed`.
"""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from reconciler.core.model import Act, Alert, Note, Person
from reconciler.errors import ReconcilerError, Unknown
from reconciler.vendors.alerts import MOST_NOTE_PAGES, AlertLists, Page, is_last
from reconciler.vendors.http import Http
from reconciler.vendors.jsm.feed import Listed, compared
from reconciler.vendors.jsm.people import People
from reconciler.vendors.jsm.receipts import Receipts
from reconciler.vendors.jsm.rows import created, parse_act, parse_alert, parse_note
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.jsm.writes import RESERVED
from reconciler.vendors.json_fields import (
    BadRow,
    OnBadRow,
    ignore,
    mapping,
    natural,
    readable,
    rows,
    segment,
    text,
)
from reconciler.vendors.ports import PAGE, AlertNews, RequestStatus

VENDOR = "JSM"
_OPEN = "status:open"
"""Finds open alerts, acknowledged ones too: JSM's own pages search for `status: "open" AND acknowledged: false`.

If it does not find those whose status is a word of its own, they are read by their ids instead.
"""


class JsmClient(AlertLists):
    """Reads. `query` selects our alerts; `on_bad_row` is called for rows that could not be read.

    `site_url` is where people see the alerts.
    """

    vendor = VENDOR

    def __init__(
        self,
        http: Http,
        site: Site,
        people: People,
        receipts: Receipts,
        query: str,
        site_url: str,
        on_bad_row: OnBadRow = ignore,
    ) -> None:
        super().__init__(http, query, on_bad_row)
        self._site = site
        self._people = people
        self._receipts = receipts
        self._site_url = site_url.rstrip("/")

    def user(self) -> Person:
        """Our own user, whose name every write without another name bears."""
        return self._people.us()

    def changes(self, since: datetime, seen: object | None) -> AlertNews:
        """New alerts by creation, and the difference to the open alerts of the last call.

        What is new is given even if the other lists cannot be read: it pages.
        """
        found = {alert.id: alert for alert in self.recent_alerts(since)}
        newest = max((alert.created_at for alert in found.values()), default=None)
        try:
            unacknowledged, floor = self._unacknowledged()
            page = self._page(self._having(_OPEN, "acknowledged:true"), "createdAt", "desc", 0)
        except ReconcilerError as error:
            return AlertNews(tuple(found.values()), newest, seen=seen, problem=error)
        acknowledged = self._alerts(page.rows)
        found |= {alert.id: alert for alert in (*unacknowledged, *acknowledged)}
        listed = Listed(
            {alert.id: alert.created_at for alert in unacknowledged},
            {alert.id: alert.created_at for alert in acknowledged},
            _beyond(page),
            floor,
        )
        difference = compared(seen if isinstance(seen, Listed) else None, listed)
        absent = frozenset(difference.absent - found.keys())
        return AlertNews(tuple(found.values()), newest, absent, difference.is_whole, listed)

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Alerts of the query, the last created first, down to `since`; one page when None."""
        return self._since(since, "createdAt", created)

    def alert(self, alert_id: str) -> Alert:
        """The alert itself, with description and details."""
        body = self._http.get(self._place(alert_id)).json
        try:
            return parse_alert(body, self._http.clock.now(), self._site_url, self._people.person, whole=True)
        except BadRow as error:
            raise Unknown(f"{VENDOR}: alert {alert_id}: {error}") from None

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:  # noqa: ARG002 - the port has it
        """All notes, newest first: the order in which JSM lists them is not known."""
        found: dict[str, Note] = {}
        now = self._http.clock.now()
        for page in self._records(alert_id, "notes", MOST_NOTE_PAGES):
            notes = readable(page, lambda row: parse_note(row, now, self._people.person), VENDOR, self._on_bad_row)
            for note in notes:
                found.setdefault(note.id, note)
        return sorted(found.values(), key=lambda note: (note.at, note.id), reverse=True)

    def acts(self, alert_id: str) -> list[Act]:
        """All entries of the alert's log, newest first."""
        return self._log(
            alert_id, lambda row, now: parse_act(row, now, self._people.person), MOST_NOTE_PAGES, in_order=False
        )

    def request_status(self, request_id: str) -> RequestStatus:
        """The status of an accepted write."""
        return self._receipts.status(request_id)

    def confirm_key(self) -> None:
        """One cheap read of no particular alert. Refused if the account refuses the token."""
        self._http.get(self._at(), [("size", "1")])

    def _unacknowledged(self) -> tuple[list[Alert], datetime | None]:
        """Every open alert that nobody has acknowledged, the last created first.

        If there are more than can be listed: the time of creation after which the list is complete.
        """
        found: dict[str, Alert] = {}
        floor: datetime | None = None
        for page in self._pages(self._having(_OPEN, "acknowledged:false"), "createdAt", "desc"):
            alerts = self._alerts(page.rows)
            found |= {alert.id: alert for alert in alerts}
            if page.more and page.last:
                floor = min((alert.created_at for alert in alerts), default=None)
        if floor is not None:
            self._on_bad_row(
                VENDOR, f"more than {len(found)} open alerts without an acknowledgement: see the sweep"
            )
        return list(found.values()), floor

    def _page(self, query: str, sort: str, order: str, offset: int) -> Page:
        asked = [("sort", sort), ("order", order), ("size", str(PAGE)), ("offset", str(offset))]
        body = mapping(self._http.get(self._at(), [("query", query), *asked] if query else asked).json)
        found = rows(body, "values", VENDOR)
        count = natural(body.get("count"))
        total = None if count is None or count < offset + len(found) else count  # it contradicts the page itself
        is_full = len(found) >= PAGE and (total is None or offset + len(found) < total)
        return Page(found, is_full or bool(mapping(body.get("links")).get("next")), is_last(offset), total)

    def _record_page(self, alert_id: str, what: str, token: str) -> tuple[list[Any], str]:
        """One page, in an order that is not known."""
        more = [("after", token)] if token else []
        body = mapping(self._http.get(f"{self._place(alert_id)}/{what}", [("size", str(PAGE)), *more]).json)
        return rows(body, "values", VENDOR), _after(mapping(body.get("links")).get("next"))

    def _open_query(self, start: datetime | None = None) -> str:
        since = [f"createdAt>={int(start.timestamp() * 1000)}"] if start else []
        return self._having(_OPEN, *since)

    def _having(self, *terms: str) -> str:
        return " AND ".join((f"({self._query})", *terms) if self._query else terms)

    def _alert(self, row: Any, now: datetime) -> Alert:
        return parse_alert(row, now, self._site_url, self._people.known)

    def _place(self, alert_id: str) -> str:
        return self._at(f"/{segment(alert_id, f'{VENDOR}: alert', RESERVED)}")

    def _at(self, path: str = "") -> str:
        """A path of the alerts. Before the first one is read, it is asked who we are."""
        place = self._site.alerts(path)
        self._people.ask()
        return place


def _beyond(page: Page) -> int:
    """How many alerts the list has after its first page; -1 if that is not said."""
    if page.total is None:
        return -1 if page.more else 0
    return max(0, page.total - len(page.rows))


def _after(url: Any) -> str:
    try:
        return next(iter(parse_qs(urlsplit(text(url)).query).get("after", [])), "")
    except ValueError:
        return ""
