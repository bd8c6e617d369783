"""What is counted, in memory: the figures behind `telemetry.METRICS`.

A scrape reads what is here and nothing else: neither the database nor a vendor is asked for it.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from threading import Lock

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.core.model import Action, Kind, Pair, Plan, Side, Status, World
from reconciler.engine import Report
from reconciler.observability.health import Meter, Vitals
from reconciler.observability.logs import METRICS, Watch
from reconciler.store.database import Books, Database
from reconciler.store.overview import oldest_open, states
from reconciler.vendors.http import RequestRecord
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import Budget

COUNT_EVERY = 15.0
"""Seconds after which the ledger is counted again though no write came to anything: `retry` acts beside us."""

FRESH = 0.5
"""Seconds for which a text is given again as long as nothing is counted: scrapes in a flood cost one of them."""

AT_ONCE = 500
"""Pairs that are held in memory at the same time when all of them are looked through."""

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
"""Why, where a look at the target has told what became of a write."""

Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the database held when it was last counted."""

    pairs: int
    pending: int
    in_flight: int
    unknown: int
    dead: dict[Kind, int]
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class _Written:
    """The text of all figures: after how many counts and with how much rate left, and when, it was written."""

    state: tuple[int | None, ...]
    at: float
    text: bytes


class Metrics(Watch, Collector):
    """All figures. Safe to use from any thread."""

    def __init__(self, vitals: Vitals, clock: Clock) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.vitals = vitals
        self._clock = clock
        self._budgets: dict[str, Meter] = {}
        self._lock = Lock()
        self._lock_held: bool | None = None
        self._last_good: float | None = None
        self._standing: _Standing | None = None
        self._paging: tuple[int, int] | None = None
        self._troubles: dict[str, int] = {}
        self._stale = float("-inf")
        self._diverging: dict[str, float] | None = None
        self._registry = CollectorRegistry()
        self._counters = {
            row.name: Counter(row.name, row.help, row.labels, registry=self._registry)
            for row in METRICS
            if row.kind == "counter"
        }
        for row in METRICS:
            self.expect(row.name, row.known)
        self._histograms = {
            row.name: Histogram(row.name, row.help, row.labels, registry=self._registry, buckets=row.buckets)
            for row in METRICS
            if row.kind == "histogram"
        }
        self._registry.register(self)
        self._version = 0
        self._written = _Written((), 0.0, b"")

    # -- what is asked --

    def text(self) -> bytes:
        """Everything in Prometheus' text format. While nothing is counted it is not written anew for everybody."""
        now, state = self._clock.monotonic(), (self._version, *(m.remaining() for m in self._budgets.values()))
        if state != self._written.state or not 0 <= now - self._written.at < FRESH:
            self._written = _Written(state, now, generate_latest(self._registry))
        return self._written.text

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: a gauge without a value is not there."""
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
        with self._lock:
            standing, held, good = self._standing, self._lock_held, self._last_good
            paging, troubles = self._paging, dict(self._troubles)
            since = None if self._diverging is None else sorted(self._diverging.values())
        rooms = {name: meter.remaining() for name, meter in self._budgets.items()} if held else {}
        now = self._clock.monotonic()
        found: dict[str, Samples] = {
            "reconciler_build_info": {(__version__, platform.python_version()): 1.0},
            "reconciler_lock_held": {} if held is None else {(): float(held)},
            "reconciler_last_good_cycle_timestamp_seconds": {} if good is None else {(): good},
            "reconciler_rate_budget_remaining_requests": {
                (name,): float(room) for name, room in rooms.items() if room is not None
            },
            "reconciler_divergence_pairs": {} if since is None else {(): float(len(since))},
            "reconciler_divergence_oldest_seconds": {(): now - since[0]} if since else {},
        }
        if held:
            found["reconciler_troubles"] = {(subject,): float(count) for subject, count in troubles.items()}
        if paging is not None:
            found |= {
                "reconciler_pages_waiting": {(): float(paging[0])},
                "reconciler_unpaged_pairs": {(): float(paging[1])},
            }
        if standing is not None:
            age = (self._clock.now() - standing.oldest).total_seconds() if standing.oldest else 0.0
            found |= {
                "reconciler_open_pairs": {(): float(standing.pairs)},
                "reconciler_actions_pending": {(): float(standing.pending)},
                "reconciler_actions_in_flight": {(): float(standing.in_flight)},
                "reconciler_actions_unknown": {(): float(standing.unknown)},
                "reconciler_actions_dead": {(kind.value,): float(standing.dead.get(kind, 0)) for kind in Kind},
                "reconciler_oldest_pending_seconds": {(): max(0.0, age)},
            }
        return found

    def expect(self, name: str, known: Iterable[tuple[str, ...]]) -> None:
        """A counter's series that are there with 0 from now on: a rise from nothing at all would not be seen."""
        for labels in known:
            self._counters[name].labels(*labels)

    def _inc(self, name: str, *labels: str) -> None:
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc()
        self._version += 1

    def _observe(self, name: str, value: float, *labels: str) -> None:
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(value)
        self._version += 1

    # -- what the daemon tells --

    def cycle_began(self) -> None:
        """The work is ours, and begins."""
        self._lock_held = True
        self._inc("reconciler_cycles_attempted_total")

    def cycle_ended(self, report: Report, seconds: float, database: Database) -> None:
        """A cycle is over."""
        self.vitals.finished(report)
        self._observe("reconciler_cycle_duration_seconds", seconds)
        if not report.problems:
            self._last_good = self._clock.now().timestamp()
            self._inc("reconciler_cycles_succeeded_total")
        self.count(report, database)

    def count(self, report: Report, database: Database) -> None:
        """Count what stands in the database, where it may have changed: in the worker's time, never a scrape's."""
        now = self._clock.monotonic()
        if report.actions or self._standing is None or now >= self._stale:
            self._stale = now + COUNT_EVERY
            with database.reading() as books:
                self._count(books)

    def cycle_failed(self, why: str) -> None:
        """A cycle did not come to its end."""
        self.vitals.failed(why)

    def stood_by(self) -> None:
        """Another process does the work: what this one knew of it is old."""
        self.vitals.stood_by()
        with self._lock:
            self._lock_held = False
            self._standing = self._diverging = self._paging = None
            self._version += 1

    def paging(self, waiting: int, unpaged: int, reason: str) -> None:
        """How many pages wait and how many incidents page nobody; `reason` is what the operator should know."""
        self.vitals.pages(reason)
        with self._lock:
            self._paging = (waiting, unpaged)
            self._version += 1

    def troubled(self, counts: Mapping[str, int]) -> None:
        """How many troubles last, by subject."""
        with self._lock:
            self._version += self._troubles != counts
            self._troubles = dict(counts)

    def glanced(self, *, well: bool) -> None:
        """What webhooks hinted at was looked at."""
        self._inc("reconciler_glances_total", "done" if well else "failed")

    def webhook(self, side: Side, outcome: str) -> None:
        """A webhook was received."""
        self._inc("reconciler_webhooks_total", side.value, outcome)

    def _count(self, books: Books) -> None:
        found = states(books)
        counts = {
            key: sum(number for (status, failed, _), number in found.items() if (status, failed) == key)
            for key in product(Status, (False, True))
        }
        standing = _Standing(
            books.snapshot.open_pairs(),
            counts[Status.PLANNED, False] + counts[Status.PLANNED, True],
            counts[Status.SENT, False],
            counts[Status.SENT, True],
            {kind: found[Status.DEAD, True, kind] + found[Status.DEAD, False, kind] for kind in Kind},
            oldest_open(books),
        )
        with self._lock:
            first = self._diverging is None
            self._standing, self._diverging = standing, self._diverging or {}
            self._version += 1
        self.vitals.dead = sum(standing.dead.values())
        every = sorted(books.snapshot.open_ids(Side.PAGERDUTY)) if first else []
        for start in range(0, len(every), AT_ONCE):
            for pair in books.snapshot.pairs(every[start : start + AT_ONCE]).values():
                self.saved(pair)

    # -- what the engine tells --

    def request(self, record: RequestRecord) -> None:
        """A request to a vendor has ended."""
        where = (record.vendor.lower(), record.method, record.route)
        self._inc("reconciler_requests_total", *where, str(record.status or "none"))
        self._observe("reconciler_request_duration_seconds", record.seconds, *where)

    def budget(self, vendor: str, clock: Clock, per_minute: int | None) -> Budget:
        """A rate budget whose remainder is shown."""
        return self._budgets.setdefault(vendor.lower(), Meter(clock, per_minute, self.vitals, vendor))

    def committed(self, plan: Plan, world: World) -> None:
        """A plan is written down."""
        if plan.actions or plan.pairs or plan.settlements:
            self._stale = float("-inf")
        for pair in plan.pairs:
            self.saved(pair)
        for echo in plan.echoes:
            self._inc("reconciler_echoes_total", echo.side.value, echo.guard)
        if plan.settlements:
            mine = {action.id: action for sighting in world.sightings for action in sighting.mine}
            for settlement in plan.settlements:
                self.outcome(mine[settlement.action_id], settlement.status, _SEEN[settlement.status])

    def outcome(self, action: Action, status: Status, reason: str) -> None:
        """A write has come to something."""
        self._inc("reconciler_actions_total", action.kind.value, _RESULTS[status], reason)
        if status is Status.DONE:
            lag = (self._clock.now() - action.at).total_seconds()
            self._observe("reconciler_lag_seconds", max(0.0, lag), action.kind.value)

    def saved(self, pair: Pair) -> None:
        """A pair is remembered anew; whether its two sides agree may have changed."""
        with self._lock:
            if self._diverging is None:
                return
            self._version += 1
            if _diverges(pair):
                self._diverging.setdefault(pair.alert_id, self._clock.monotonic())
            else:
                self._diverging.pop(pair.alert_id, None)


def _diverges(pair: Pair) -> bool:
    """Whether one side is acknowledged and the other is not, while both are open."""
    if pair.pagerduty is None or not pair.opsgenie.open or pair.pagerduty.status == "resolved":
        return False
    return pair.opsgenie.acknowledged != (pair.pagerduty.status == "acknowledged")
