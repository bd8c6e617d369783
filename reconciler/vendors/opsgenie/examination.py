"""Reads that only an examination of the set-up makes: Opsgenie's clock, and how many alerts the query selects."""

from datetime import datetime

from reconciler.errors import Unknown
from reconciler.vendors.json_fields import mapping, natural
from reconciler.vendors.network import server_time
from reconciler.vendors.opsgenie.client import VENDOR, OpsgenieClient


class OpsgenieExamination(OpsgenieClient):
    """All reads, and those of an examination."""

    def server_time(self) -> datetime | None:
        """Opsgenie's clock; also the cheapest read, with all errors that this may raise."""
        return server_time(self._http.get("/v2/alerts", [("limit", "1")]).headers)

    def count(self, *, is_open: bool) -> int:
        """How many alerts the query selects, or how many open ones."""
        query = self._open_query() if is_open else self._query
        body = self._http.get("/v2/alerts/count", [("query", query)] if query else []).json
        found = natural(mapping(mapping(body).get("data")).get("count"))
        if found is None:
            raise Unknown(f"{VENDOR}: GET /v2/alerts/count: an answer without a number")
        return found
