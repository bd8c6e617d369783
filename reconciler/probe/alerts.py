"""The alert product as the probe uses it: alerts of its own, and what the API shows of them.

Opsgenie and JSM differ in addresses and in the envelopes of their answers: a row of DIALECTS says how. Alerts are
created here, since the product's own clients never create one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from reconciler.core.model import Act
from reconciler.probe.objects import TAG, Created, Kind, Objects, is_made
from reconciler.probe.wire import Api, Json, Reply
from reconciler.vendors.json_fields import items, mapping, segment, text

SOURCE = "reconciler probe"
MOST_PAGES = 60
"""Pages of notes that are read at most."""
ParseAct = Callable[[Any, datetime], Act]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one product's API is used.

    `base` is the path of its alerts; `one` and `rows` name the fields that hold an object and a list; `size` and
    `token` the parameters of a page; `note_id` the field that identifies a note. `by_id` and `newest` are
    parameters of reads. `names_actor`: its acts have a body with the actor's name.
    """

    product: str
    base: str
    one: str
    rows: str
    size: str
    token: str
    links: str
    note_id: str
    names_actor: bool
    alias: str
    by_id: tuple[tuple[str, str], ...] = ()
    newest: tuple[tuple[str, str], ...] = ()


OPSGENIE = Dialect(
    product="Opsgenie",
    base="/v2/alerts",
    one="data",
    rows="data",
    size="limit",
    token="offset",  # noqa: S106 - a parameter of pages
    links="paging",
    note_id="offset",
    names_actor=True,
    alias="{alias}?identifierType=alias",
    by_id=(("identifierType", "id"),),
    newest=(("order", "desc"),),
)


def jsm(cloud_id: str) -> Dialect:
    """JSM's account API on the site with this cloud id."""
    return Dialect(
        product="JSM",
        base=f"/jsm/ops/api/{cloud_id}/v1/alerts",
        one="",
        rows="values",
        size="size",
        token="after",  # noqa: S106 - a parameter of pages
        links="links",
        note_id="id",
        names_actor=False,
        alias="alias?alias={alias}",
    )


@dataclass(frozen=True, slots=True)
class Records:
    """Notes or log entries in the order of the list. `ends_with_next`: the last page names a next one."""

    rows: tuple[Json, ...]
    ends_with_next: bool
    pages: int


class Alerts:
    """Alerts of one product. `user` is the name in which the probe acts where the product takes one.

    `parse_act` is the client's reader of log entries, `page_of` gives the address at which people see an alert.
    """

    def __init__(
        self,
        api: Api,
        dialect: Dialect,
        objects: Objects,
        user: str,
        parse_act: ParseAct,
        page_of: Callable[[str], str],
    ) -> None:
        self._page_of = page_of
        self.api = api
        self.dialect = dialect
        self.user = user
        self.parse_act = parse_act
        self._objects = objects

    @property
    def product(self) -> str:
        """The product's name."""
        return self.dialect.product

    def create(self) -> tuple[Created, Reply]:
        """Ask for a new alert of the lowest priority; the request's id is in the reply."""
        one = self._objects.plan(Kind.ALERT)
        body: Json = {
            "message": one.title,
            "alias": one.key,
            "description": "Created by `reconciler probe`.",
            "priority": "P5",
            "tags": [TAG],
            "source": SOURCE,
        }
        with self._objects.unless_refused(one):
            reply = self.api.send("POST", self.dialect.base, body | self._named())
        if not reply.ok:
            self._objects.over(one)
        return one, reply.needed("a new alert")

    def forget(self, one: Created) -> None:
        """Forget an alert whose creation has failed."""
        self._objects.over(one)

    def by_alias(self, alias: str) -> Json:
        """The open alert with this alias; empty if there is none yet."""
        return self._one(self.api.get(f"{self.dialect.base}/{self.dialect.alias.format(alias=alias)}"))

    def known(self, one: Created, row: Json) -> Created:
        """Record the id of a new alert."""
        alert_id = text(row.get("id"))
        return self._objects.created(one, alert_id, self._page_of(alert_id))

    def read(self, alert_id: str) -> Reply:
        """The alert by its id."""
        return self.api.get(self._path(alert_id), self.dialect.by_id)

    def alert(self, alert_id: str) -> Json:
        """The alert by its id; empty if it is not found."""
        return self._one(self.read(alert_id))

    def act(self, alert_id: str, verb: str, user: str = "") -> Reply:
        """Acknowledge, unacknowledge or close; in another name where the product takes one."""
        return self.api.send("POST", self._path(alert_id, verb), self._named(user) or None)

    def note(self, alert_id: str, words: str) -> Reply:
        """Add a note."""
        return self.api.send("POST", self._path(alert_id, "notes"), {"note": words, **self._named()})

    def receipt(self, request_id: str) -> Reply:
        """The status of an accepted request."""
        return self.api.get(f"{self.dialect.base}/requests/{segment(request_id, 'request')}")

    def outcome(self, request_id: str) -> Json:
        """What became of an accepted request; empty while that is not known."""
        return self._one(self.receipt(request_id))

    def notes(self, alert_id: str, size: int = 100, *, newest_first: bool = True) -> Records:
        """All notes, page by page; `newest_first` where the product takes an order."""
        return self._records(alert_id, "notes", size, newest_first=newest_first)

    def log(self, alert_id: str) -> Records:
        """All log entries, page by page."""
        return self._records(alert_id, "logs", 100)

    def newest_log(self, alert_id: str) -> list[Json]:
        """The first page of the log; empty if it is refused."""
        asked = [*self.dialect.by_id, *self.dialect.newest, (self.dialect.size, "100")]
        return self.rows_of(self.api.get(self._path(alert_id, "logs"), asked))

    def listed(self, query: str, sort: str = "createdAt") -> Reply:
        """The first page of a list, in falling order of `sort`."""
        asked = [("query", query), ("sort", sort), ("order", "desc"), (self.dialect.size, "100")]
        return self.api.get(self.dialect.base, asked)

    def ids(self, query: str) -> set[str]:
        """The ids of the first page of a list. NotSettled if it is refused."""
        return {text(row.get("id")) for row in self.rows_of(self.listed(query).needed("the list of alerts"))}

    def rows_of(self, reply: Reply) -> list[Json]:
        """The objects of a list; none if the request was refused."""
        return [mapping(row) for row in items(reply.body.get(self.dialect.rows))]

    def note_key(self, row: Json) -> str:
        """What identifies a note."""
        return text(row.get(self.dialect.note_id))

    # -- removing --

    def adopt_leftovers(self) -> int:
        """Record open alerts of earlier runs; their number."""
        rows = self.rows_of(self.listed(f"tag:{TAG} AND status:open").needed("the list of alerts"))
        known = {one.id for one in self._objects.left()}
        found = [row for row in rows if is_made(text(row.get("message")))]
        strange = [row for row in found if text(row.get("id")) not in known]
        for row in strange:
            alert_id = text(row.get("id"))
            self._objects.adopt(Kind.ALERT, text(row.get("message")), alert_id, self._page_of(alert_id))
        return len(strange)

    def remove(self, one: Created) -> bool:
        """Close an alert; whether it is closed now. One without an id was never seen: it is found by its alias."""
        row = self.alert(one.id) if one.id else self.by_alias(one.key)
        alert_id = text(row.get("id"))
        if not alert_id:
            return False
        if self.is_closed(row):
            return True
        self.known(one, row)
        self.act(alert_id, "close")
        return self.is_closed(self.alert(alert_id))

    @staticmethod
    def is_closed(row: Json) -> bool:
        """Whether the alert is over."""
        return text(row.get("status")) in ("closed", "resolved")

    def _records(self, alert_id: str, what: str, size: int, *, newest_first: bool = True) -> Records:
        order = self.dialect.newest if newest_first or not self.dialect.newest else (("order", "asc"),)
        found: list[Json] = []
        token = ""
        for pages in range(1, MOST_PAGES + 1):
            more = [(self.dialect.token, token)] if token else []
            asked = [*self.dialect.by_id, *order, (self.dialect.size, str(size)), *more]
            reply = self.api.get(self._path(alert_id, what), asked).needed(f"the alert's {what}")
            page = self.rows_of(reply)
            found += page
            following = _parameter(mapping(reply.body.get(self.dialect.links)).get("next"), self.dialect.token)
            if not page or not following or following == token or len(page) < size:
                return Records(tuple(found), bool(following) and bool(page), pages)
            token = following
        return Records(tuple(found), True, MOST_PAGES)

    def _named(self, user: str = "") -> Json:
        return {"user": user or self.user, "source": SOURCE} if self.dialect.names_actor else {}

    def _one(self, reply: Reply) -> Json:
        if not reply.ok:
            return {}
        return mapping(reply.body.get(self.dialect.one)) if self.dialect.one else reply.body

    def _path(self, alert_id: str, what: str = "") -> str:
        place = segment(alert_id, f"{self.product}: alert")
        return f"{self.dialect.base}/{place}" + (f"/{what}" if what else "")


def _parameter(url: Any, name: str) -> str:
    """A parameter of the address of a page; empty if it has none."""
    try:
        return next(iter(parse_qs(urlsplit(text(url)).query).get(name, [])), "")
    except ValueError:
        return ""
