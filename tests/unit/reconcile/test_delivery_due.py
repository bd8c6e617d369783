"""When the next delivery of a pair is due."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.core.model import Action, Kind, Status
from reconciler.store.database import Database
from tests.support.builders import policy
from tests.support.delivering import NOW, DelivererBench, bench_of, pairs, waiting

NOTE, STATE = Kind.PAGERDUTY_NOTE, Kind.PAGERDUTY_ACKNOWLEDGE


def due_after(database: Database, *waiting_now: Action) -> float | None:
    """Seconds until the pair is due again, with no action that may be tried now."""
    bench = bench_of(database, *waiting_now, pairs=pairs("a"))
    bench.breakers.bar(frozenset())
    delivered = bench.deliver()
    assert delivered.tried == frozenset()
    return None if delivered.next_try.at is None else (delivered.next_try.at - NOW).total_seconds()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


BOUND = policy().staleness.total_seconds()


@pytest.mark.parametrize(
    ("first", "due"),
    [
        (waiting(NOTE, "a", not_before=later(8)), 8),
        (waiting(STATE, "a", not_before=later(8)), 8),
        (waiting(Kind.CREATE_INCIDENT, "a", not_before=later(9)), 9),
        (waiting(NOTE, "a", status=Status.SENT, sent_at=NOW), None),
        (waiting(NOTE, "a", status=Status.SENT, sent_at=NOW, failing_since=later(5 - BOUND)), 5.000001),
        (waiting(NOTE, "a", not_before=later(60), failing_since=later(5 - BOUND)), 5.000001),
        (waiting(STATE, "a", not_before=later(60), failing_since=later(5 - BOUND)), 5.000001),
    ],
)
def test_a_pair_is_due_when_its_first_action_may_be_sent_or_no_longer_blocks_the_next(
    database: Database, first: Action, due: float | None
) -> None:
    assert due_after(database, first, waiting(NOTE, "a", 1, **_behind(first))) == due


def _behind(first: Action) -> dict[str, Any]:
    """A creation blocks no other action: the next one has a back-off of its own."""
    return {"not_before": later(50)} if first.kind is Kind.CREATE_INCIDENT else {}


def test_a_state_behind_an_earlier_state_has_no_due_time_of_its_own(database: Database) -> None:
    refused = waiting(STATE, "a", not_before=later(60), failing_since=later(-2 * BOUND))
    assert due_after(database, refused, waiting(STATE, "a", 1)) == 60


def test_a_request_in_opsgenies_queue_blocks_states_only(database: Database) -> None:
    queued = waiting(Kind.ALERT_NOTE, "a", status=Status.SENT, sent_at=NOW, request_id="r")
    state = replace(queued, kind=Kind.ALERT_ACKNOWLEDGE, key="state")
    behind = waiting(Kind.ALERT_ACKNOWLEDGE, "a", 2, not_before=later(7))
    assert due_after(database, queued, behind) == 7
    bench = DelivererBench(database)
    bench.add(state)
    assert bench.deliver().next_try.at is None


def test_an_action_without_an_incident_has_no_due_time(database: Database) -> None:
    bench = DelivererBench(database)
    bench.add(waiting(NOTE, "a"))
    assert bench.deliver().next_try.at is None
