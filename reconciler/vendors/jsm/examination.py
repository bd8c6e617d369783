"""Reads that only an examination of the set-up makes: the clock, the site, the user, what a query selects."""

from datetime import datetime
from itertools import pairwise

from reconciler.core.model import Person
from reconciler.errors import Misconfigured, Missing, Refused, Unknown
from reconciler.vendors import integration_api
from reconciler.vendors.http import Http
from reconciler.vendors.jsm.client import VENDOR, JsmClient
from reconciler.vendors.jsm.people import People
from reconciler.vendors.jsm.receipts import Receipts
from reconciler.vendors.jsm.roads import Roads
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.json_fields import ignore, mapping, moment, natural, rows, text
from reconciler.vendors.network import server_time
from reconciler.vendors.ports import PAGE, AtlassianUser

NO_REQUEST = "00000000-0000-4000-8000-000000000000"
"""The id of no request, which is asked for only to see whether the key is accepted."""


class JsmExamination(JsmClient):
    """All reads, and those of an examination.

    `open_http` is a session with the site without a key, `keyed` one with the integration's key, if there is one.
    """

    def __init__(
        self,
        http: Http,
        open_http: Http,
        keyed: Http | None,
        *,
        email: str,
        cloud_id: str,
        query: str,
        site_url: str,
    ) -> None:
        site = Site(open_http, cloud_id)
        people = People(http, site, email, lambda words: ignore(VENDOR, words))
        super().__init__(http, site, people, Receipts(http, site, keyed, Roads(), 0.0), query, site_url)
        self._stated = Site(open_http)
        self._keyed = keyed

    def server_time(self) -> datetime | None:
        """JSM's clock; also the cheapest read, with all errors that this may raise."""
        return server_time(self._http.get(self._at(), [("size", "1")]).headers)

    def count(self, *, is_open: bool) -> int:
        """How many alerts the query selects, or how many open ones."""
        query = self._open_query() if is_open else self._query
        body = self._http.get(self._at(), [("size", "1"), *([("query", query)] if query else [])]).json
        found = natural(mapping(body).get("count"))
        if found is None:
            raise Unknown(f"{VENDOR}: the list of alerts: an answer without a number")
        return found

    def site_cloud_id(self) -> str:
        """The cloud id that the site itself states."""
        return self._stated.cloud_id()

    def token_user(self) -> AtlassianUser:
        """The token's user, by Jira."""
        found = mapping(self._http.get(self._site.users("myself")).json)
        person = Person(text(found.get("accountId")), text(found.get("displayName")).strip())
        return AtlassianUser(person, text(found.get("accountType")))

    def sorts_by_update(self) -> bool | None:
        """Whether the list can be sorted by `updatedAt`, which JSM's description does not have."""
        asked = [("sort", "updatedAt"), ("order", "desc"), ("size", str(PAGE))]
        try:
            body = self._http.get(self._at(), [*asked, *([("query", self._query)] if self._query else [])]).json
        except Refused:
            raise
        except Misconfigured:
            return None
        listed, now = rows(mapping(body), "values", VENDOR), self._http.clock.now()
        by_update, by_creation = (
            _falls([moment(mapping(row).get(name), now) for row in listed]) for name in ("updatedAt", "createdAt")
        )
        return None if by_update and by_creation else by_update

    def check_integration_key(self) -> None:
        """Ask for a request that does not exist: a key that is accepted is answered that it does not."""
        if self._keyed is None:
            return
        try:
            integration_api.request_status(self._keyed, NO_REQUEST)
        except Missing:
            return


def _falls(stamps: list[datetime | None]) -> bool:
    """Whether the times are in falling order."""
    known = [stamp for stamp in stamps if stamp is not None]
    return all(one >= other for one, other in pairwise(known))
