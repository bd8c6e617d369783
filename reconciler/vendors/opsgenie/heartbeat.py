"""Opsgenie's heartbeat: Opsgenie raises an alert when it has not been pinged for a while.

Opsgenie accepts a ping before it looks for the heartbeat: a misspelt name may be accepted like any other.
"""

from reconciler.errors import Misconfigured, Missing
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.http import Http
from reconciler.vendors.json_fields import segment
from reconciler.vendors.ports import LONGEST_PING


class OpsgenieHeartbeat:
    """The heartbeat of this name."""

    name = "opsgenie"

    def __init__(self, http: Http, heartbeat: str) -> None:
        self._http = http
        self._heartbeat = heartbeat

    def ping(self) -> None:
        """Ping it."""
        try:
            path = f"/v2/heartbeats/{segment(self._heartbeat, 'heartbeat')}/ping"
            with calling(CallPriority.FEED, within=LONGEST_PING):
                self._http.get(path)
        except Missing:
            raise Misconfigured(
                f"OPSGENIE_HEARTBEAT: Opsgenie has no heartbeat {self._heartbeat}, or our key may not see it; "
                "give the name of one in Settings → Heartbeats"
            ) from None
