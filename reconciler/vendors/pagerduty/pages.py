"""PagerDuty's lists, page by page. Rows may repeat and shift meanwhile; links in answers are never followed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Blocked
from reconciler.vendors.http import Answer, Http
from reconciler.vendors.json_fields import OnBadRow, mapping, rows, segment
from reconciler.vendors.ports import PAGE

VENDOR = "PagerDuty"
WINDOW = 10_000
"""The largest sum of offset and limit: more is answered 400."""
_RESERVED = frozenset({"count", "me"})
"""Words that in place of an id address something else."""
UNREADABLE = frozenset({403, 404})
"""Statuses with which PagerDuty refuses lists that the key may not read."""
Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and whether PagerDuty says that there are more."""

    rows: list[Any]
    more: bool


class Pages:
    """Lists of one account."""

    def __init__(self, http: Http, on_bad_row: OnBadRow) -> None:
        self._http = http
        self._on_bad_row = on_bad_row

    def page(self, path: str, name: str, asked: Params, offset: int) -> Page:
        """One page of the list called `name`, from `offset`."""
        return _page_of(self._asked(path, asked, offset), name)

    def page_if_allowed(
        self, path: str, name: str, asked: Params, offset: int, unreadable: frozenset[int] = UNREADABLE
    ) -> Page | None:
        """The same; None if PagerDuty says, with one of these statuses, that the key may not read that list."""
        answer = self._asked(path, asked, offset, unreadable)
        if answer.status not in unreadable:
            return _page_of(answer, name)
        check_vendor(answer, path)
        return None

    def all(self, path: str, name: str, asked: Params) -> Iterator[Page]:
        """Page by page while there are more. The same page twice, or two empty ones, end the list."""
        before: list[Any] | None = None
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self.page(path, name, asked, offset)
            if page.rows == before:
                return
            yield page
            if not page.more:
                return
            before = page.rows
        self._on_bad_row(VENDOR, f"more than {WINDOW} rows of {name}: the rest cannot be listed")

    def _asked(self, path: str, asked: Params, offset: int, accept: frozenset[int] = frozenset()) -> Answer:
        paging = [("limit", str(PAGE)), ("offset", str(offset))]
        return self._http.get(path, [*asked, *paging], accept=accept)


def _page_of(answer: Answer, name: str) -> Page:
    found = rows(answer.json, name, VENDOR)
    more = mapping(answer.json).get("more")
    return Page(found, more if isinstance(more, bool) else len(found) >= PAGE)


def check_vendor(answer: Answer, path: str) -> None:
    """Blocked for a refusal that is not in PagerDuty's JSON: it says nothing about the request."""
    if not isinstance(answer.json, dict):
        raise Blocked(
            f"{VENDOR}: GET {path}: {answer.status}, but not in PagerDuty's JSON; "
            "look for a proxy or a firewall on the way, and check PAGERDUTY_API_URL"
        )


def place(collection: str, found: str, what: str) -> str:
    """The path of one object of a collection. Missing, without a request, for a text that cannot be an id."""
    return f"/{collection}/{segment(found, f'{VENDOR}: {what}', _RESERVED)}"
