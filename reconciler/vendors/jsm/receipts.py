"""What became of a write that JSM has accepted, asked where it was accepted.

JSM answers 404 both while a write waits in its queue and for one that it does not know: for a while it counts as
waiting.
"""

import threading

from reconciler.errors import Missing
from reconciler.vendors import integration_api
from reconciler.vendors.http import Http
from reconciler.vendors.jsm.roads import Road, Roads, parted
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.json_fields import mapping, moment, segment, state, text
from reconciler.vendors.ports import RequestStatus

REMEMBERED_REQUESTS = 10_000
NOT_KNOWN_YET = "JSM does not know the request yet"


class Receipts:
    """The status of accepted writes. For any thread.

    `keyed` is the session with an integration's key, if there is one. `patience` are the seconds for which an
    unknown request may still wait in JSM's queue.
    """

    def __init__(self, http: Http, site: Site, keyed: Http | None, roads: Roads, patience: float) -> None:
        self._http = http
        self._site = site
        self._keyed = keyed
        self._roads = roads
        self._patience = patience
        self._lock = threading.Lock()
        self._unknown_since: dict[str, float] = {}

    def status(self, request_id: str) -> RequestStatus:
        """The status. Missing if JSM does not know the request (any more)."""
        road, own_id = parted(request_id)
        if road is None or (road is Road.KEY and self._keyed is None):
            raise Missing(
                f"JSM: request {own_id} was not accepted by JSM, or with a key that is not configured now"
            )
        try:
            status = self._asked(road, own_id)
        except Missing:
            if self._may_wait(request_id):
                return RequestStatus(None, NOT_KNOWN_YET)
            raise
        with self._lock:
            self._unknown_since.pop(request_id, None)
        if status.done is False and road is Road.KEY:
            self._roads.failed(request_id)
        return status

    def _asked(self, road: Road, own_id: str) -> RequestStatus:
        if road is Road.KEY and self._keyed is not None:
            return integration_api.request_status(self._keyed, own_id)
        path = self._site.alerts(f"/requests/{segment(own_id, 'JSM: request')}")
        body = mapping(self._http.get(path).json)
        return RequestStatus(
            state(body.get("isSuccess")),
            text(body.get("status")),
            moment(body.get("processedAt"), self._http.clock.now()),
        )

    def _may_wait(self, request_id: str) -> bool:
        now = self._http.clock.monotonic()
        with self._lock:
            since = self._unknown_since.setdefault(request_id, now)
            while len(self._unknown_since) > REMEMBERED_REQUESTS:
                del self._unknown_since[next(iter(self._unknown_since))]
        return now - since <= self._patience
