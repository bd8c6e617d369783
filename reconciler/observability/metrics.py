"""Prometheus metrics, counted in memory: the values of `metrics_table.METRICS`, and those of the process itself.

A scrape reads memory, and /proc for `process_…`, which only Linux has. Gauges that describe the database are
refreshed by `operations.gauges`.
"""

import platform
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import product
from threading import Lock
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.core.model import Action, Pair, Plan, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.policy import DecisionInput
from reconciler.core.work import Priority, Reason
from reconciler.observability.counts import DatabaseCounts
from reconciler.observability.events import Events
from reconciler.observability.health import Health
from reconciler.observability.metrics_table import METRICS, label_of

REFRESH = 15.0
"""Seconds after which the database's gauges are refreshed in any case: `reconciler retry` changes them, too."""

_RESULTS = {
    Status.PLANNED: "retried",
    Status.SENT: "unknown",
    Status.DONE: "done",
    Status.DROPPED: "dropped",
    Status.DEAD: "dead",
}
_SEEN = {
    Status.PLANNED: "not_seen",
    Status.SENT: "unknown",
    Status.DONE: "seen",
    Status.DROPPED: "not_needed",
    Status.DEAD: "not_seen",
}
"""The reason for a result that a read of the target has shown."""

Samples = Mapping[tuple[str, ...], float]


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""


class Record(Protocol):
    """A finished request to a vendor. `route` is its path without ids, `status` None without an answer."""

    @property
    def vendor(self) -> str:
        """The vendor's name."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def route(self) -> str:
        """The path without ids."""

    @property
    def status(self) -> int | None:
        """The answer's status."""

    @property
    def seconds(self) -> float:
        """How long it took."""


class RateLimiter(Protocol):
    """A rate limiter whose remaining calls are exposed."""

    def remaining(self) -> int | None:
        """Requests that the tightest known limit still allows; None if no limit is known."""


class Metrics(Events, Collector):
    """All metrics of one process. For any thread."""

    def __init__(self, health: Health, clock: Clock) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.health = health
        self._product = health.product
        self._sides = {self._product.name_of(side): side for side in Side}
        self._clock = clock
        self._lock = Lock()
        self._limiters: dict[str, RateLimiter] = {}
        self._leads: bool | None = None
        self._last_good: dict[str, float] = {}
        self._queue: tuple[Mapping[Priority, int], float] | None = None
        self._breakers: dict[str, float] = {}
        self._database: DatabaseCounts | None = None
        self._up: dict[str, float] = {}
        self._paging: tuple[int, int, datetime | None] | None = None
        self._troubles: dict[str, int] = {}
        self._shadow: dict[str, int] = {}
        self._beats: dict[str, float] = {}
        self._paused: Samples = {}
        self._refresh_at = float("-inf")
        self._diverging: dict[str, float] | None = None  # since when, in monotonic seconds, by alert id
        self._registry = CollectorRegistry()
        self._counters = {
            row.name: Counter(row.name, row.help, row.labels, registry=self._registry)
            for row in METRICS
            if row.kind == "counter"
        }
        for row in METRICS:
            self.expect(row.name, (tuple(map(self._product.word, labels)) for labels in row.known))
        self._histograms = {
            row.name: Histogram(row.name, row.help, row.labels, registry=self._registry, buckets=row.buckets)
            for row in METRICS
            if row.kind == "histogram"
        }
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    # -- scrapes --

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        """The same as values, those of the process itself included."""
        return self._registry.collect()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """No descriptions: the set of gauges is known only at a scrape."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges that have a value now."""
        samples = self._gauges()
        for row in METRICS:
            if row.kind == "gauge" and samples.get(row.name):
                family = GaugeMetricFamily(row.name, row.help, labels=row.labels)
                for labels, value in samples[row.name].items():
                    family.add_metric(labels, value)
                yield family

    def _gauges(self) -> dict[str, Samples]:
        remaining = {name: limiter.remaining() for name, limiter in self._limiters.items()} if self._leads else {}
        with self._lock:
            found: dict[str, Samples] = {
                "reconciler_build_info": {(__version__, platform.python_version()): 1.0},
                "reconciler_last_good_poll_timestamp_seconds": _by_label(self._last_good),
                "reconciler_rate_limit_remaining_requests": {
                    (name,): float(left) for name, left in remaining.items() if left is not None
                },
                "reconciler_vendor_up": _by_label(self._up),
                "reconciler_circuit_breaker_open": _by_label(self._breakers),
                "reconciler_heartbeat_last_success_timestamp_seconds": _by_label(self._beats),
                "reconciler_paused": self._paused if self._leads else {},
                "reconciler_troubles": _by_label(self._troubles) if self._leads else {},
                "reconciler_shadow_alerts": _by_label(self._shadow) if self._leads else {},
            }
            if self._leads is not None:
                found["reconciler_lock_held"] = {(): float(self._leads)}
            if self._queue is not None:
                counts, oldest = self._queue
                found["reconciler_work_queue_keys"] = _by_label(
                    {label_of(priority.name): counts.get(priority, 0) for priority in Priority}
                )
                found["reconciler_work_queue_oldest_seconds"] = {(): oldest}
            if self._paging is not None:
                waiting, unpaged, since = self._paging
                age = (self._clock.now() - since).total_seconds() if since else 0.0
                found["reconciler_pages_waiting"] = {(): float(waiting)}
                found["reconciler_oldest_page_waiting_seconds"] = {(): max(0.0, age)}
                found["reconciler_unpaged_pairs"] = {(): float(unpaged)}
            if self._diverging is not None:
                found["reconciler_divergence_pairs"] = {(): float(len(self._diverging))}
            if self._diverging:
                oldest_seen = self._clock.monotonic() - min(self._diverging.values())
                found["reconciler_divergence_oldest_seconds"] = {(): oldest_seen}
            return found if self._database is None else found | self._of_database(self._database)

    def _of_database(self, counts: DatabaseCounts) -> dict[str, Samples]:
        age = (self._clock.now() - counts.oldest).total_seconds() if counts.oldest else 0.0
        pending = sum(counts.number(Status.PLANNED, failed=failed) for failed in (True, False))
        return {
            "reconciler_vendor_last_poll_timestamp_seconds": {
                (self._product.key_of(side),): at.timestamp() for side, at in counts.polled.items()
            },
            "reconciler_open_pairs": {(): float(counts.pairs)},
            "reconciler_actions_pending": {(): float(pending)},
            "reconciler_actions_in_flight": {(): float(counts.number(Status.SENT, failed=False))},
            "reconciler_actions_unknown": {(): float(counts.number(Status.SENT, failed=True))},
            "reconciler_actions_dead": {
                (self._product.kind(kind),): float(count) for kind, count in counts.dead().items()
            },
            "reconciler_oldest_pending_seconds": {(): max(0.0, age)},
        }

    def expect(self, name: str, known: Iterable[tuple[str, ...]]) -> None:
        """Create a counter's series with 0, so that the first event is seen as an increase."""
        for labels in known:
            self._counters[name].labels(*labels)

    def _inc(self, name: str, *labels: str) -> None:
        self._counters[name].labels(*labels).inc()

    def _observe(self, name: str, value: float, *labels: str) -> None:
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(value)

    # -- daemon --

    def led(self) -> None:
        """Note that this process leads."""
        self.health.led()
        self._leads = True

    def stood_by(self) -> None:
        """Note that another process leads; what this one knew of the work no longer holds."""
        self.health.stood_by()
        with self._lock:
            self._leads = False
            self._queue = self._database = self._diverging = self._paging = None
            self._breakers.clear()
            self._up.clear()
            self._refresh_at = float("-inf")

    def polled(self, source: str, *, ok: bool, side: Side | None = None) -> None:
        """Count a poll of a source; `side` is set for a vendor's feed."""
        name = label_of(self._product.word(source))
        self._inc("reconciler_source_polls_total", name, "ok" if ok else "failed")
        if ok:
            with self._lock:
                self._last_good[name] = self._clock.now().timestamp()
        if side is not None:
            self.health.polled(side, ok=ok)
            with self._lock:
                self._up[self._product.key_of(side)] = float(ok)

    def item(self, reasons: Collection[Reason], outcome: str, seconds: float) -> None:
        """Count a finished item of the work queue by one of ITEM_OUTCOMES and the first of its reasons."""
        first = min(reasons, key=list(Reason).index, default=Reason.OUTBOX)
        self._inc("reconciler_work_items_total", label_of(first), outcome)
        self._observe("reconciler_reconcile_duration_seconds", seconds)
        if Reason.WEBHOOK in reasons:
            self._inc("reconciler_hint_reconciles_total", "failed" if outcome == "failed" else "done")

    def queue(self, counts: Mapping[Priority, int], oldest: float) -> None:
        """Set the number of keys in the work queue, and for how many seconds the oldest has been due."""
        with self._lock:
            self._queue = (dict(counts), oldest)

    def breakers(self, open_names: Collection[str]) -> None:
        """Set which circuit breakers are open now; one that was open before is shown as closed."""
        with self._lock:
            found = {label_of(self._product.word(name)): 1.0 for name in open_names}
            self._breakers = dict.fromkeys(self._breakers, 0.0) | found

    def paging(self, waiting: int, unpaged: int, reason: str, since: datetime | None = None) -> None:
        """Set how many pages wait, how many incidents page nobody, the reason, and since when the oldest waits."""
        self.health.pages(reason)
        with self._lock:
            self._paging = (waiting, unpaged, since)

    def paused(self, pauses: Collection[Pause], sentences: Iterable[str]) -> None:
        """Set the operators' pauses, and the sentence for each that `/readyz` shows."""
        self.health.pauses(sentences)
        every = product(Side, (False, True))
        found = {(each.side, each.pages) for each in pauses}
        with self._lock:
            self._paused = {
                (self._product.key_of(side), "yes" if yes else "no"): float((side, yes) in found)
                for side, yes in every
            }

    def troubled(self, counts: Mapping[str, int]) -> None:
        """Set the number of lasting problems by subject."""
        with self._lock:
            self._troubles = {self._product.word(subject): count for subject, count in counts.items()}

    def compared(self, counts: Mapping[str, int]) -> None:
        """Set the numbers of the last comparison with the product that ALERT_SHADOW names, by verdict."""
        with self._lock:
            self._shadow = dict(counts)

    def beat(self, name: str, *, ok: bool) -> None:
        """Count a heartbeat."""
        if not ok:
            self._inc("reconciler_heartbeat_failures_total", name)
            return
        with self._lock:
            self._beats[name] = self._clock.now().timestamp()

    def webhook(self, side: Side, outcome: str) -> None:
        """Count a received webhook."""
        self._inc("reconciler_webhooks_total", self._product.key_of(side), outcome)

    # -- vendors --

    def request(self, record: Record) -> None:
        """Count a finished request to a vendor."""
        where = (record.vendor.lower(), record.method, record.route)
        self._inc("reconciler_requests_total", *where, str(record.status or "none"))
        self._observe("reconciler_request_duration_seconds", record.seconds, *where)
        self.health.answered(self._sides[record.vendor], record.status)

    def limiter(self, vendor: str, limiter: RateLimiter) -> None:
        """Expose the remaining calls of this vendor's rate limiter."""
        self._limiters[vendor.lower()] = limiter

    # -- database --

    def needs_refresh(self) -> bool:
        """Whether the database's gauges may be outdated; True once per change, and every REFRESH seconds."""
        now = self._clock.monotonic()
        with self._lock:
            if now < self._refresh_at:
                return False
            self._refresh_at = now + REFRESH
            return True

    def counted(self, counts: DatabaseCounts) -> None:
        """Set the counts of the database's content."""
        self.health.dead = sum(counts.dead().values())
        with self._lock:
            self._database = counts

    def knows_pairs(self) -> bool:
        """Whether `know_pairs` has been called since this process began to lead."""
        return self._diverging is not None

    def know_pairs(self, pairs: Iterable[Pair]) -> None:
        """Take in all open pairs, once; later, `saved` and `committed` keep the divergent ones up to date."""
        with self._lock:
            self._diverging = {}
        for pair in pairs:
            self.saved(pair)

    # -- reconciler --

    def committed(self, plan: Plan, inputs: DecisionInput) -> None:
        """Count a committed plan."""
        if plan.actions or plan.pairs or plan.settlements:
            self._refresh_at = float("-inf")
        for pair in plan.pairs:
            self.saved(pair)
        for echo in plan.echoes:
            self._inc("reconciler_echoes_total", self._product.key_of(echo.side), echo.guard)
        if plan.settlements:
            mine = {action.id: action for observation in inputs.observations for action in observation.mine}
            for settlement in plan.settlements:
                self.outcome(mine[settlement.action_id], settlement.status, _SEEN[settlement.status])

    def outcome(self, action: Action, status: Status, reason: str) -> None:
        """Count the end of a write."""
        self._refresh_at = float("-inf")
        kind = self._product.kind(action.kind)
        self._inc("reconciler_actions_total", kind, _RESULTS[status], reason)
        if status is Status.DONE:
            lag = (self._clock.now() - action.at).total_seconds()
            self._observe("reconciler_lag_seconds", max(0.0, lag), kind)

    def saved(self, pair: Pair) -> None:
        """Update, for a saved baseline, whether its two sides agree."""
        with self._lock:
            if self._diverging is None:
                return
            if _diverges(pair):
                self._diverging.setdefault(pair.alert_id, self._clock.monotonic())
            else:
                self._diverging.pop(pair.alert_id, None)


def _by_label(values: Mapping[str, float]) -> Samples:
    return {(label,): float(value) for label, value in values.items()}


def _diverges(pair: Pair) -> bool:
    """Whether one side is acknowledged and the other is not, while both are open."""
    if pair.pagerduty is None or not pair.alerts.open or pair.pagerduty.status == "resolved":
        return False
    return pair.alerts.acknowledged != (pair.pagerduty.status == "acknowledged")
