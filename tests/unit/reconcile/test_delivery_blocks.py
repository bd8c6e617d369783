"""An action keeps later ones of its pair and side waiting, but not for ever."""

import pytest

from reconciler.core.model import Kind, Status
from reconciler.errors import Blocked, Forbidden, Unknown
from reconciler.store.database import Database
from tests.support.builders import policy
from tests.support.delivering import NOW, bench_of, pairs, waiting


def test_an_action_refused_for_long_no_longer_blocks_its_pair(database: Database) -> None:
    refused = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a"), waiting(Kind.PAGERDUTY_NOTE, "b")]
    after = [waiting(Kind.PAGERDUTY_NOTE, "a", 1), waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "b", 1)]
    bench = bench_of(database, *refused, *after, pairs=pairs("a", "b"))
    poison = {("incident", "I-a"), ("add_note", "I-b")}
    bench.vendors.fails = lambda name, key: Forbidden("403") if (name, key) in poison else None
    for _ in range(3):
        bench.deliver_after(60)
        assert bench.calls_of("acknowledge") + [key for key in bench.calls_of("add_note") if key == "I-a"] == []
    bench.deliver_after(60)
    assert bench.calls_of("acknowledge") == ["I-b"]
    assert [key for key in bench.calls_of("add_note") if key == "I-a"] == ["I-a"]


def test_an_action_refused_for_long_is_tried_before_later_ones(database: Database) -> None:
    """Otherwise later actions would overtake it just because its back-off is longer."""
    first = waiting(Kind.PAGERDUTY_NOTE, "a", text="first")
    bench = bench_of(database, first, pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Blocked("407") if name == "add_note" else None
    for _ in range(20):
        bench.deliver_after(15)
    bench.add(waiting(Kind.PAGERDUTY_NOTE, "a", 1), waiting(Kind.PAGERDUTY_NOTE, "a", 2))
    bench.vendors.fails = lambda *_: None
    bench.deliver_after(1)
    with database.reading() as unit:
        results = [each.result_id for each in unit.outbox.by_id(range(1, 9))]
    assert results == sorted(results, key=lambda each: int(each[1:]))


def test_a_note_repeatedly_in_doubt_no_longer_blocks_its_pair(database: Database) -> None:
    """A proxy may answer 500 to its text; the acknowledgement after it must not wait for ever."""
    note = waiting(Kind.PAGERDUTY_NOTE, "a", failing_since=NOW, attempts=1)
    bench = bench_of(database, note, waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", 1), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Unknown("500") if name == "add_note" else None
    bench.deliver_after(1)
    assert bench.calls_of("acknowledge") == []
    bench.deliver_after(policy().staleness.total_seconds())
    assert bench.calls_of("acknowledge") == ["I-a"]


@pytest.mark.parametrize("between", [[], [Kind.PAGERDUTY_NOTE]])
def test_an_action_that_waits_for_a_refused_one_causes_no_extra_attempt_of_it(
    database: Database, between: list[Kind]
) -> None:
    """A state waits for an earlier state of its pair, however long that one is refused."""
    acts = [waiting(Kind.PAGERDUTY_ACKNOWLEDGE, "a", number) for number in range(2)]
    notes = [waiting(kind, "a", 2, status=Status.SENT, sent_at=NOW) for kind in between]
    bench = bench_of(database, acts[0], *notes, acts[1], waiting(Kind.PAGERDUTY_NOTE, "a", 3), pairs=pairs("a"))
    bench.vendors.fails = lambda name, _: Forbidden("403") if name == "incident" else None
    for _ in range(10):
        bench.deliver_after(60)
    bench.vendors.calls.clear()
    for _ in range(30):
        bench.deliver_after(1)
    assert len(bench.calls_of("incident")) <= 1
