"""Time horizons of the sources: how far back and how often they look, and the bounds that follow."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.listings import Bounds
from reconciler.core.product import OPSGENIE
from reconciler.store.cursors import Origin, earlier


@dataclass(frozen=True, slots=True)
class Horizons:
    """How far back and how often to look, and which alerts are ours (`query` and ALERT_SOURCE as configured)."""

    lookback: timedelta
    sweep_interval: timedelta
    retention: timedelta
    query: str = ""
    source: str = OPSGENIE.key

    def bounds(self, origin: Origin, now: datetime, polled_at: datetime | None = None) -> Bounds:
        """The bounds that decide which unknown alerts are new. `polled_at`: the alert side's last whole poll."""
        return Bounds(now, origin.at, origin.since, earlier(now, self.retention), polled_at)
