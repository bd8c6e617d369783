"""Alerts that Opsgenie does not know: whether they are gone, or our key can no longer see them."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from reconciler.core.model import Alert
from reconciler.errors import Misconfigured, Missing, ReconcilerError
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock

K = TypeVar("K")
V = TypeVar("V")

FRESH = 1.0
"""Seconds for which one read of the newest alerts serves all missing ones."""
REMEMBERED_ALERTS = 10_000
"""The most alerts remembered, both missing and newly seen ones."""


class NothingConcluded(Missing):
    """Opsgenie knows neither the alert nor enough others to conclude anything. Not a problem of this alert."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(f"Opsgenie does not know the alert {alert_id}, nor enough others: nothing is concluded")


class Absence:
    """The missing alerts of this process; after a restart they are found again. For any thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._missing: dict[str, datetime] = {}
        self._met: dict[str, datetime] = {}
        self._blind: ReconcilerError | None = None
        self._list_lock = threading.Lock()
        self._rows: tuple[float, list[Alert]] | None = None

    def blindness(self) -> ReconcilerError | None:
        """Why nothing should be written to Opsgenie: its key no longer sees several alerts that it saw before."""
        with self._lock:
            return self._blind

    def met(self, alert_id: str, now: datetime) -> None:
        """Note an alert that is seen for the first time."""
        with self._lock:
            _keep(self._met, alert_id, now)

    def is_missing(self, alert_id: str, since: datetime) -> None:
        """Note that Opsgenie does not know the alert."""
        with self._lock:
            if alert_id not in self._missing:
                _keep(self._missing, alert_id, since)

    def is_settled(self, alert_id: str) -> None:
        """Note that the alert was read, or is known to be gone."""
        with self._lock:
            self._missing.pop(alert_id, None)
            if len(self._missing) <= 1:
                self._blind = None

    def sees_others(self, recent_alerts: Callable[[], list[Alert]]) -> bool:
        """Whether the key still sees other alerts, so that an alert it does not find is really missing.

        One missing alert requires a list that shows any other alert. Several require as many others as are
        missing, known from before: the key of another team sees plenty of alerts, too.
        """
        rows = self._recent(recent_alerts)
        with self._lock:
            missing = dict(self._missing)
        rows = [row for row in rows if row.id not in missing]
        if len(missing) <= 1:
            return bool(rows)
        known = self._known(rows, min(missing.values()))
        with self._lock:
            self._blind = None if known else _blind(len(missing))
        return known >= len(missing)

    def _recent(self, recent_alerts: Callable[[], list[Alert]]) -> list[Alert]:
        """The newest page of the list, read once for all threads that ask at the same time."""
        with self._list_lock:
            now = self._clock.monotonic()
            if self._rows is None or now - self._rows[0] >= FRESH:
                self._rows = now, recent_alerts()
            return self._rows[1]

    def _known(self, rows: list[Alert], since: datetime) -> int:
        """Number of these alerts that were known before; those first seen since may be another team's."""
        with self._database.reading() as unit:
            known = unit.snapshot.pairs([row.id for row in rows])
        with self._lock:
            met_since = {alert_id for alert_id, at in self._met.items() if at >= since}
        return sum(row.id in known and not (row.created_at < since and row.id in met_since) for row in rows)


def _blind(missing: int) -> Misconfigured:
    return Misconfigured(
        f"OPSGENIE_API_KEY sees none of the {missing} alerts that it saw before: is it another team's or "
        "account's key? Nothing is concluded from it"
    )


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > REMEMBERED_ALERTS:
        kept.pop(next(iter(kept)))
