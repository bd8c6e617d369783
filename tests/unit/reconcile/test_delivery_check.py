"""The check of a target before a write: an answer that is older than what is known proves nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.model import Alert, Incident, IncidentBaseline, Kind, Status
from reconciler.errors import Permanent
from reconciler.store.database import Database
from tests.support.builders import alert, incident, policy
from tests.support.delivering import NOW, BothVendors, DelivererBench, bench_of, pairs, waiting

EARLIER, LATER = NOW - timedelta(seconds=30), NOW - timedelta(seconds=5)
STALENESS = policy().staleness.total_seconds()


class Copies(BothVendors):
    """Vendors that answer reads of single objects with these."""

    shown_alert: Alert
    shown_incident: Incident

    def alert(self, alert_id: str) -> Alert:
        self._call("alert", alert_id)
        return self.shown_alert

    def incident(self, incident_id: str) -> Incident:
        self._call("incident", incident_id)
        return self.shown_incident


def bench(database: Database, kind: Kind, **shown: Any) -> tuple[DelivererBench, Copies]:
    """A write that waits, with both sides last seen LATER: the alert not acknowledged, the incident triggered."""
    vendors = Copies()
    (known,) = pairs("a")
    known = replace(
        known,
        alerts=replace(known.alerts, updated_at=LATER),
        pagerduty=IncidentBaseline("triggered", as_of=LATER),
    )
    bench_of(database, waiting(kind, "a", incident_id="I-a"), pairs=(known,))
    made = DelivererBench(database, vendors)
    for name, value in shown.items():
        setattr(vendors, name, value)
    return made, vendors


OLD: list[tuple[Kind, str, Any, Any]] = [
    (
        Kind.ALERT_ACKNOWLEDGE,
        "shown_alert",
        alert(id="a", acknowledged=True, updated_at=EARLIER),
        alert(id="a", updated_at=LATER),
    ),
    (
        Kind.PAGERDUTY_ACKNOWLEDGE,
        "shown_incident",
        incident("resolved", id="I-a", changed_at=EARLIER),
        incident(id="I-a", changed_at=LATER),
    ),
]


@pytest.mark.parametrize(("kind", "where", "old", "new"), OLD)
def test_an_old_answer_drops_no_write(database: Database, kind: Kind, where: str, old: Any, new: Any) -> None:
    delivering, vendors = bench(database, kind, **{where: old})
    assert delivering.deliver_after() == []
    assert delivering.statuses() == [("a", Status.PLANNED)]
    assert delivering.calls_of("acknowledge") == []
    setattr(vendors, where, new)
    assert delivering.deliver_after(2) == []
    assert len(delivering.calls_of("acknowledge")) == 1


@pytest.mark.parametrize(("kind", "where", "old", "new"), OLD)
def test_an_answer_that_stays_old_is_believed_after_the_staleness_bound(
    database: Database, kind: Kind, where: str, old: Any, new: Any
) -> None:
    del new
    delivering, _ = bench(database, kind, **{where: old})
    delivering.deliver_after()
    delivering.deliver_after(STALENESS - 1)
    assert delivering.statuses() == [("a", Status.PLANNED)]
    delivering.deliver_after(5)
    assert delivering.statuses() == [("a", Status.DROPPED)]
    assert delivering.calls_of("acknowledge") == []


def test_an_old_answer_while_a_refusal_is_examined_explains_nothing(database: Database) -> None:
    kind, where, old, new = OLD[0]
    delivering, vendors = bench(database, kind, **{where: new})

    def refuse(name: str, _: str) -> None:
        if name == "acknowledge":
            setattr(vendors, where, old)
            raise Permanent("422", 422)

    vendors.fails = refuse
    assert delivering.deliver_after() == ["422"]
    assert delivering.statuses() == [("a", Status.PLANNED)]
