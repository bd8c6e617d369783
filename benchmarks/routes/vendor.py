"""The canned vendors with the alerts of several routes: pair number n belongs to route n modulo their number."""

import json
import re
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from benchmarks.routes.file import service_of, tag_of
from reconciler.sandbox.opsgenie import shapes as opsgenie_shapes
from reconciler.sandbox.opsgenie.state import Alert
from reconciler.sandbox.pagerduty import shapes as pagerduty_shapes
from reconciler.sandbox.pagerduty.state import Incident
from reconciler.sandbox.wire import Request, Response
from tests.support.canned import AGE, PAGE, Canned, alert_id, incident_id

TAG = re.compile(r"tag: t(\d+)")
SINCE = re.compile(r"createdAt>=(\d+)")
DAY = 86_400_000
"""Milliseconds within which all alerts were raised."""
Members = tuple[int, ...]
"""The routes of which a list shows alerts."""


class CannedRoutes(Canned):
    """Both vendors; `pairs` is a multiple of `routes`."""

    def __init__(self, routes: int, pairs: int, epoch: datetime, now: Callable[[], datetime]) -> None:
        super().__init__(pairs, epoch.replace(microsecond=0), now)
        self.routes = routes
        self.step = max(1, min(1000, DAY // max(1, pairs)))
        self._listed = lru_cache(256)(self._alert_rows)
        self._open = lru_cache(256)(self._incident_rows)

    def created(self, number: int) -> datetime:
        """When the pair's alert was raised."""
        return self.epoch - AGE + timedelta(milliseconds=number * self.step)

    def __call__(self, request: Request) -> Response:
        """Answer a request as the sandbox does."""
        match request.path.strip("/").split("/"):
            case ["opsgenie", "v2", "alerts"]:
                body = self._alert_list(request)
            case ["pagerduty", "incidents"]:
                of = {service_of(route): route for route in range(self.routes)}
                members = tuple(of[each] for each in request.query.get("service_ids[]", ()) if each in of)
                body = self._open(members, int(request.first("offset", "0")))
            case _:
                return super().__call__(request)
        self.asked += 1
        limits = {"ratelimit-limit": "960", "ratelimit-remaining": "900", "ratelimit-reset": "30"}
        more = limits if request.path.startswith("/pagerduty") else {}
        return Response(200, body, {"Content-Type": "application/json", **more})

    def _alert_list(self, request: Request) -> bytes:
        query = request.first("query")
        members = tuple(sorted({int(found) for found in TAG.findall(query)})) or tuple(range(self.routes))
        since, first = SINCE.search(query), 0
        if since:
            after = int(since[1]) - int(self.created(0).timestamp() * 1000)
            whole, left = divmod(max(0, -(-after // self.step)), self.routes)
            first = whole * len(members) + bisect_left(members, left)
        return self._listed(members, first, int(request.first("offset", "0")), request.first("order") == "desc")

    def _numbers(self, members: Members, places: range) -> list[int]:
        """The pairs at these places of the list of all that these routes have."""
        each = len(members)
        return [place // each * self.routes + members[place % each] for place in places]

    def _count(self, members: Members) -> int:
        return self.pairs // self.routes * len(members)

    def _alert_rows(self, members: Members, first: int, offset: int, newest: bool) -> bytes:
        count = self._count(members)
        places = range(count - 1, -1, -1) if newest else range(first, count)
        page = places[offset : offset + PAGE]
        rows = [opsgenie_shapes.row(self._alert(number)) for number in self._numbers(members, page)]
        more = {"next": "https://more.invalid"} if offset + PAGE < len(places) else {}
        return json.dumps({"data": rows, "paging": more, "took": 0.01}).encode()

    def _alert(self, number: int) -> Alert:
        at = self.created(number)
        return Alert(
            alert_id(number), str(number), alert_id(number), f"disk {number} is filling up", at, at, at,
            source="nagios", tags=(tag_of(number % self.routes), "disk"),
        )  # fmt: skip

    def _incident_rows(self, members: Members, offset: int) -> bytes:
        count = self._count(members)
        numbers = self._numbers(members, range(count)[offset : offset + PAGE])
        rows = [pagerduty_shapes.incident_json(self._incident(number)) for number in numbers]
        return json.dumps({"incidents": rows, "more": offset + PAGE < count}).encode()

    def _incident(self, number: int) -> Incident:
        at = self.created(number)
        return Incident(
            incident_id(number), number + 1, f"disk {number} is filling up", alert_id(number), at, at, at,
            service_id=service_of(number % self.routes),
        )  # fmt: skip
