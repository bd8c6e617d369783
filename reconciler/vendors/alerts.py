"""What the clients of all products that raise alerts have in common: how lists, notes and logs are paged.

Lists come from a search index that lags and moves while it is paged. The pages' own links are never followed; they
only show that there is more.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.core.model import Act, Actor, Alert
from reconciler.errors import Missing
from reconciler.vendors.http import Http
from reconciler.vendors.json_fields import OnBadRow, ignore, mapping, moment, readable
from reconciler.vendors.ports import PAGE

WINDOW = 19_999
"""The largest sum of offset and page size: more is answered 422."""
MOST_WINDOWS = 25
"""Half a million open alerts: more than any account has, and a bound for an endless list."""
MOST_NOTE_PAGES = 100
MOST_LOG_PAGES = 10
_BOTH = frozenset({"acknowledge", "unacknowledge"})


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `more`: the product says that there is more. `last`: more lies outside the paging window.

    `total` is the number of all rows of the list; None if the product does not say.
    """

    rows: list[Any]
    more: bool
    last: bool
    total: int | None = None


def is_last(offset: int) -> bool:
    """Whether the page after this one lies outside the paging window."""
    return offset + 2 * PAGE > WINDOW


LONGEST_TOKEN = 4096
"""Characters of the token of a next page, which is opaque and becomes a part of an address."""


class AlertLists(ABC):
    """The lists of one product. `query` selects our alerts; `on_bad_row` is called for rows that cannot be read.

    A product's client says what its addresses and its rows are.
    """

    vendor: str

    def __init__(self, http: Http, query: str, on_bad_row: OnBadRow = ignore) -> None:
        self._http = http
        self._query = query.strip()
        self._on_bad_row = on_bad_row

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
        self._on_bad_row(self.vendor, f"more than {WINDOW} open alerts: the rest cannot be listed")

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """One page of the open alerts, from `offset`, and whether there is more within the paging window."""
        if offset + PAGE > WINDOW:
            return [], False
        page = self._page(self._open_query(), "createdAt", "asc", offset)
        unique = {alert.id: alert for alert in self._alerts(page.rows) if alert.open is not False}
        return list(unique.values()), bool(page.rows) and page.more and not page.last

    @abstractmethod
    def _page(self, query: str, sort: str, order: str, offset: int) -> Page:
        """One page of a list."""

    @abstractmethod
    def _open_query(self, start: datetime | None = None) -> str:
        """The query for the open alerts, or for those that were created at `start` or later."""

    @abstractmethod
    def _alert(self, row: Any, now: datetime) -> Alert:
        """The alert of a list's row. BadRow if it cannot be read."""

    @abstractmethod
    def _record_page(self, alert_id: str, what: str, token: str) -> tuple[list[Any], str]:
        """One page of notes or log lines, and the token of the next page; empty if there is none."""

    def _since(
        self, since: datetime | None, sort: str, stamp: Callable[[Any, datetime], datetime | None]
    ) -> list[Alert]:
        """Alerts of the query, the newest by `sort` first, down to `since`; one page when None.

        `stamp` reads a row's time by which it is sorted.
        """
        found: dict[str, Alert] = {}
        now = self._http.clock.now()
        for page in self._pages(self._query, sort, "desc"):
            stamps = [stamp(row, now) for row in page.rows]
            news = [r for r, at in zip(page.rows, stamps, strict=True) if not (at and since and at < since)]
            for alert in self._alerts(news):
                found.setdefault(alert.id, alert)
            known = [at for at in stamps if at]
            if since is None or (known and known[-1] < since):
                break
            if page.last and page.more:
                self._on_bad_row(self.vendor, f"more than {WINDOW} alerts have changed: the sweep finds the rest")
        return list(found.values())

    def _pages(self, query: str, sort: str, order: str) -> Iterator[Page]:
        """Page by page while there is more. The same page twice, or two empty ones, end the list."""
        before: list[Any] | None = None
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self._page(query, sort, order, offset)
            yield page
            if not page.more or page.rows == before:
                return
            before = page.rows

    def _alerts(self, found: list[Any]) -> list[Alert]:
        now = self._http.clock.now()
        return readable(found, lambda row: self._alert(row, now), self.vendor, self._on_bad_row)

    def _records(self, alert_id: str, what: str, most: int) -> Iterator[list[Any]]:
        """Notes or log lines, page by page. An empty page or a repeated token ends the list."""
        token, spent = "", set[str]()
        for _ in range(most):
            page, after = self._record_page(alert_id, what, token)
            yield page
            spent.add(token)
            token = after
            if not page or not token or token in spent:
                return
            if len(token) > LONGEST_TOKEN:
                self._on_bad_row(
                    self.vendor, f"{what} of alert {alert_id}: no token of a next page: {token[:40]}…"
                )
                return
        self._on_bad_row(
            self.vendor, f"more than {most} pages of {what} of alert {alert_id}: the rest is not read"
        )

    def _log(
        self, alert_id: str, parse: Callable[[Any, datetime], Act], most: int, *, in_order: bool
    ) -> list[Act]:
        """The alert's log, newest first; empty if there is none. At most so many pages of it.

        All of it, or, if it comes `in_order`, newest first, as many pages as are needed to show a person's
        acknowledgement and a person's end of one, whichever was first.
        """
        found: dict[str, Act] = {}
        now = self._http.clock.now()
        try:
            for page in self._records(alert_id, "logs", most):
                acts = readable(page, lambda row: parse(row, now), self.vendor, self._on_bad_row)
                found |= {act.id: act for act in acts}
                people = {act.verb for act in found.values() if act.actor is Actor.PERSON}
                if in_order and people >= _BOTH:
                    break
        except Missing:
            return []
        return sorted(found.values(), key=lambda act: (act.at, act.id), reverse=True)
