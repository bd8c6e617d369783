"""Alerts that the product does not know: whether they are gone, or our key can no longer see them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from reconciler.core.absence import Vanished, is_early, is_mass
from reconciler.core.model import Alert
from reconciler.core.policy import Policy
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Misconfigured, Missing
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock

K = TypeVar("K")
V = TypeVar("V")

FRESH = 1.0
"""Seconds for which one read of the newest alerts serves all missing ones."""
REMEMBERED_ALERTS = 10_000
"""The most alerts remembered, both missing and newly seen ones."""


class NothingConcluded(Missing):
    """The product knows neither the alert nor enough others to conclude anything. Not a problem of this alert."""

    def __init__(self, alert_id: str, product: Product) -> None:
        super().__init__(
            f"{product.name} does not know the alert {alert_id}, nor enough others: nothing is concluded"
        )


class Fewer(Misconfigured):
    """The key sees fewer alerts than before. `alerts` are those that it does not see; empty if it sees none."""

    def __init__(self, words: str, alerts: frozenset[str], state: str = "") -> None:
        super().__init__(words)
        self.alerts = alerts
        self.state = state


class Absence:
    """The missing alerts of this process; after a restart they are found again. For any thread.

    Alerts that have vanished together are stored, so that they do not count as deleted one by one after a restart.
    """

    def __init__(self, database: Database, clock: Clock, product: Product = OPSGENIE) -> None:
        self._database = database
        self._clock = clock
        self._product = product
        self._lock = threading.Lock()
        self._missing: dict[str, datetime] = {}
        self._met: dict[str, datetime] = {}
        self._started = clock.now()
        self._begun = datetime.min.replace(tzinfo=UTC)
        """When this process began to lead. A single run concludes from what earlier runs have stored."""
        self._vanished: Vanished | None = None
        self._stored: Vanished | None = None
        self._is_loaded = False
        self._sees_some = True
        self._opened = 0
        self._list_lock = threading.Lock()
        self._rows: tuple[float, list[Alert]] | None = None

    def begin(self) -> None:
        """Begin anew, because this process begins to lead, or with another key: what it knew may be over."""
        with self._lock:
            self._missing.clear()
            self._met.clear()
            self._begun = self._started = self._clock.now()
            self._is_loaded = False

    def blindness(self) -> Misconfigured | None:
        """Why nothing should be written to alerts that are missing: the key no longer sees what it saw before."""
        self._load()
        with self._lock:
            if self._vanished is None:
                return None
            if not self._sees_some:
                return _blind(self._product, len(self._vanished.alerts))
            return _fewer(self._product, self._vanished.alerts, self._opened)

    def keep(self) -> None:
        """Store which alerts have vanished, if that has changed."""
        self._load()
        with self._lock:
            vanished = self._vanished
            if vanished == self._stored:
                return
        with self._database.writing() as unit:
            unit.cursors.save(vanished=vanished)
        with self._lock:
            self._stored = vanished

    def met(self, alert_id: str, now: datetime) -> None:
        """Note an alert that is seen for the first time."""
        with self._lock:
            _keep(self._met, alert_id, now)

    def is_missing(self, alert_id: str, since: datetime) -> None:
        """Note that the product does not know the alert."""
        with self._lock:
            if alert_id not in self._missing:
                _keep(self._missing, alert_id, since)

    def has_vanished(self, alert_id: str) -> bool:
        """Whether the alert has vanished together with others: one problem states that for all of them."""
        with self._lock:
            return self._vanished is not None and alert_id in self._vanished.alerts

    def is_settled(self, alert_id: str) -> None:
        """Note that the alert was read, is known to be gone, or is followed no longer."""
        self._load()
        with self._lock:
            self._missing.pop(alert_id, None)
            if self._vanished is None or alert_id not in self._vanished.alerts:
                return
        opened = self._count_open()
        with self._lock:
            if self._vanished is None:
                return
            self._opened, self._vanished = opened, self._vanished.without(alert_id)
            if self._vanished.is_over(opened):
                self._vanished, self._begun = None, self._clock.now()

    def sees_others(
        self, recent_alerts: Callable[[], list[Alert]], since: datetime | None, policy: Policy
    ) -> bool:
        """Whether the key still sees other alerts, so that an alert it does not find is really missing.

        One missing alert requires a list that shows any other alert. Several require as many others as are
        missing, known from before: the key of another team sees plenty of alerts, too. Very many are never
        believed to be deleted at once. `since` is when the alert was first missing, as far as the snapshot knows.
        """
        self._load()
        rows, now = self._recent(recent_alerts), self._clock.now()
        with self._lock:
            missing, vanished = dict(self._missing), self._vanished
            is_too_early = is_early(since, self._begun, policy, now)
        rows = [row for row in rows if row.id not in missing]
        if len(missing) <= 1 and vanished is None:
            return bool(rows) and not is_too_early
        known = self._known(rows, missing, policy.sweep_interval)
        vanished = self._judge(known, frozenset(missing), now)
        if vanished is not None:
            return known > 0 and vanished.is_believed(now)
        return known >= len(missing) and not is_too_early

    def _judge(self, known: int, missing: frozenset[str], now: datetime) -> Vanished | None:
        """The alerts that have vanished together, if these have. `known` others are listed."""
        opened = self._count_open()
        with self._lock:
            self._opened, self._sees_some = opened, known > 0
            if self._vanished is not None:
                self._vanished = self._vanished.and_also(missing, now)
            elif not known or is_mass(len(missing), opened):
                self._vanished = Vanished(now, missing, len(missing))
            return self._vanished

    def _load(self) -> None:
        """Load what an earlier process has stored, once."""
        if self._is_loaded:
            return
        with self._database.reading() as unit:
            stored = unit.cursors.load(self._clock.now()).vanished
            opened = 0 if stored is None else unit.snapshot.open_alerts()
        with self._lock:
            if not self._is_loaded:
                self._stored = self._vanished = stored
                self._opened, self._is_loaded = opened, True

    def _count_open(self) -> int:
        with self._database.reading() as unit:
            return unit.snapshot.open_alerts()

    def _recent(self, recent_alerts: Callable[[], list[Alert]]) -> list[Alert]:
        """The newest page of the list, read once for all threads that ask at the same time."""
        with self._list_lock:
            now = self._clock.monotonic()
            if self._rows is None or now - self._rows[0] >= FRESH:
                self._rows = now, recent_alerts()
            return self._rows[1]

    def _known(self, rows: list[Alert], missing: dict[str, datetime], sweep_interval: timedelta) -> int:
        """Number of these alerts that were known before those became missing.

        Older ones that were first seen since may be another team's. If the missing alerts were never seen with
        this key, none proves anything that was: the list shows what a new key sees before the first sweep shows
        what it does not see. The first sweep is over two intervals after the start at the latest.
        """
        since = min(missing.values(), default=self._clock.now())
        with self._database.reading() as unit:
            known = unit.snapshot.pairs([row.id for row in rows])
        with self._lock:
            met = {row.id: self._met[row.id] for row in rows if row.id in self._met}
            is_new_key = since - self._started < 2 * sweep_interval and not missing.keys() <= self._met.keys()
        strange = {
            row.id for row in rows if row.id in met and (is_new_key or row.created_at < since <= met[row.id])
        }
        return sum(row.id in known and row.id not in strange for row in rows)


def _blind(product: Product, missing: int) -> Misconfigured:
    return Fewer(
        f"{product.credential} sees none of the {missing} alerts that it saw before: is it another team's or "
        "account's key? Nothing is concluded from it. `reconciler unlink ALERT` gives up one that was deleted",
        frozenset(),
    )


def _fewer(product: Product, missing: frozenset[str], opened: int) -> Misconfigured:
    return Fewer(
        f"{product.credential} sees fewer alerts than before: {len(missing)} of {opened} open ones are not found. "
        "See which teams' alerts it may read. Nothing is concluded from it, and what is meant for these alerts "
        "waits. If they were deleted on purpose: they count as deleted a day after the last one vanished; "
        "`reconciler unlink ALERT` gives one up at once",
        missing,
        f"fewer {len(missing).bit_length()}",
    )


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > REMEMBERED_ALERTS:
        kept.pop(next(iter(kept)))
