"""Metrics of which everything has been counted once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from reconciler.core.model import (
    Action,
    AlertBaseline,
    Echo,
    IncidentBaseline,
    Kind,
    Observation,
    Pair,
    Plan,
    Settlement,
    Side,
    Status,
)
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.product import OPSGENIE, Product
from reconciler.core.work import Priority, Reason
from reconciler.observability.counts import DatabaseCounts
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from tests.support.clock import SimClock

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """A finished request."""

    vendor: str
    method: str
    route: str
    status: int | None
    seconds: float


@dataclass
class Limiter:
    """A rate limiter with this many requests left."""

    left: int | None

    def remaining(self) -> int | None:
        return self.left


class MetricsBench:
    """Metrics, their clock, and their samples."""

    def __init__(self, product: Product = OPSGENIE) -> None:
        self.clock = SimClock(0.0, NOW)
        self.health = Health(10.0, self.clock.monotonic, product)
        self.metrics = Metrics(self.health, self.clock)

    def samples(self) -> dict[tuple[str, frozenset[str]], float]:
        families = text_string_to_metric_families(self.metrics.text().decode())
        return {
            (sample.name, frozenset(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, *labels: str) -> float | None:
        return self.samples().get((f"reconciler_{name}", frozenset(labels)))


def pair(alert_id: str, *, acknowledged: bool, status: str, is_open: bool = True) -> Pair:
    return Pair(
        alert_id=alert_id,
        tiny_id="1",
        tracked=True,
        alerts=AlertBaseline(is_open, acknowledged, NOW),
        incident_id=f"P{alert_id}",
        incident_number=1,
        pagerduty=IncidentBaseline(status),
        swept_at=NOW,
    )


def action(kind: Kind = Kind.PAGERDUTY_NOTE, number: int = 1) -> Action:
    return Action(key=str(number), kind=kind, alert_id="a", reason="", at=NOW, id=number)


def count_everything(counted: MetricsBench) -> None:
    metrics = counted.metrics
    metrics.led()
    metrics.limiter("PagerDuty", Limiter(950))
    metrics.limiter(counted.health.product.name, Limiter(None))
    metrics.polled("opsgenie feed", ok=True, side=Side.ALERTS)
    metrics.item({Reason.WEBHOOK}, "done", 0.2)
    metrics.queue({Priority.PAGE: 2}, 1.5)
    metrics.breakers({"pagerduty reads"})
    metrics.counted(DatabaseCounts(3, {(Status.DEAD, True, Kind.PAGERDUTY_NOTE): 1}, NOW, {Side.ALERTS: NOW}))
    metrics.know_pairs([])
    metrics.committed(
        Plan(
            pairs=(pair("a", acknowledged=True, status="triggered"),),
            settlements=(Settlement(1, Status.DONE),),
            echoes=(Echo(Side.ALERTS, "a", "mark"),),
        ),
        DecisionInput(NOW, Policy(), (Observation("a", mine=(action(),)),)),
    )
    metrics.request(Record(counted.health.product.name, "GET", "/v2/alerts/{id}", 200, 0.01))
    metrics.webhook(Side.PAGERDUTY, "accepted")
    metrics.paging(0, 0, "")
    metrics.paused([], [])
    metrics.troubled({"pagerduty": 0})
    metrics.compared({"same": 2})
    metrics.expect("reconciler_heartbeat_failures_total", [("url",)])
    metrics.beat("url", ok=True)
