"""The work queue in memory: priorities, due times by the monotonic clock, leases, merges, parked keys."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.reconcile.work_queue import LONGEST_DELAY, Hold, WorkQueue
from tests.support.clock import SimClock

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SimClock:
    return SimClock(0.0, NOW)


@pytest.fixture
def queue(clock: SimClock) -> WorkQueue:
    return WorkQueue(clock)


def item(alert_id: str, priority: Priority = Priority.CHANGED, after: float = 0.0, **more: object) -> WorkItem:
    return WorkItem(alert_id, NOW + timedelta(seconds=after), priority=priority, **more)  # type: ignore[arg-type]


def leased(queue: WorkQueue) -> list[str]:
    found = []
    while (one := queue.lease()) is not None:
        found.append(one.alert_id)
    return found


def test_keys_are_leased_by_priority_and_then_by_due_time(queue: WorkQueue) -> None:
    queue.add([item("sweep", Priority.SWEEP), item("later", after=-1), item("page", Priority.PAGE)])
    queue.add([item("earlier", after=-2)])
    assert leased(queue) == ["page", "later", "earlier", "sweep"]


def test_a_key_is_not_leased_before_it_is_due(queue: WorkQueue, clock: SimClock) -> None:
    queue.add([item("a", after=5)])
    assert queue.lease() is None
    assert queue.next_due() == 5
    clock.passed = 5
    assert leased(queue) == ["a"]


@pytest.mark.parametrize("jump", [-timedelta(days=1), timedelta(days=1)])
def test_setting_the_clock_does_not_change_when_a_queued_key_is_due(
    queue: WorkQueue, clock: SimClock, jump: timedelta
) -> None:
    queue.add([item("a", after=5)])
    clock.off = jump.total_seconds()
    clock.passed = 4.9
    assert queue.lease() is None
    clock.passed = 5
    assert leased(queue) == ["a"]


def test_a_stored_due_time_far_ahead_delays_a_key_by_an_hour_at_most(queue: WorkQueue) -> None:
    queue.add([item("a", after=1e6)])
    assert queue.next_due() == LONGEST_DELAY.total_seconds()


def test_a_key_is_leased_once_until_it_is_returned(queue: WorkQueue) -> None:
    queue.add([item("a")])
    assert leased(queue) == ["a"]
    queue.add([item("a")])
    assert leased(queue) == []
    queue.done("a")
    assert leased(queue) == ["a"]
    queue.done("a")
    assert queue.size() == 0


def test_two_items_for_one_key_are_merged(queue: WorkQueue) -> None:
    queue.add(
        [item("a", Priority.SWEEP, after=9, request=ReadRequest(alert=True), reasons=frozenset({Reason.SWEEP}))]
    )
    queue.add([item("a", request=ReadRequest(incident=True), reasons=frozenset({Reason.WEBHOOK}))])
    found = queue.lease()
    assert found is not None
    assert found.request == ReadRequest(alert=True, incident=True)
    assert found.reasons == {Reason.SWEEP, Reason.WEBHOOK}
    assert found.priority is Priority.CHANGED


def test_remaining_work_waits_and_newly_added_work_does_not(queue: WorkQueue, clock: SimClock) -> None:
    queue.add([item("a"), item("b")])
    first, second = queue.lease(), queue.lease()
    assert first is not None
    assert second is not None
    queue.add([item("b", request=ReadRequest(alert=True))])
    queue.again(item("a", after=3))
    queue.again(item("b", after=3, request=ReadRequest(incident=True)))
    found = queue.lease()
    assert found is not None
    assert (found.alert_id, found.request) == ("b", ReadRequest(alert=True, incident=True))
    assert queue.lease() is None
    clock.passed = 3
    assert leased(queue) == ["a"]


def test_a_failed_key_backs_off_whatever_is_added_meanwhile(queue: WorkQueue, clock: SimClock) -> None:
    queue.add([item("a")])
    found = queue.lease()
    assert found is not None
    queue.add([item("a")])
    queue.fail(found, 4.0)
    assert queue.lease() is None
    clock.passed = 4
    again = queue.lease()
    assert again is not None
    assert again.attempts == 1


def test_a_worker_for_pages_leases_pages_only(queue: WorkQueue) -> None:
    queue.add([item("a")])
    assert queue.lease(pages_only=True) is None
    queue.add([item("b", Priority.PAGE)])
    found = queue.lease(pages_only=True)
    assert found is not None
    assert found.alert_id == "b"


def test_parked_keys_wait_for_every_hold_to_end(queue: WorkQueue) -> None:
    queue.add([item("a"), item("b")])
    for holds in ({Hold.READ_ALERTS, Hold.READ_PAGERDUTY}, {Hold.READ_PAGERDUTY}):
        found = queue.lease()
        assert found is not None
        queue.park(found, frozenset(holds))
    assert leased(queue) == []
    assert queue.next_due() is None
    assert queue.end_hold(Hold.READ_PAGERDUTY) == 2
    assert leased(queue) == ["b"]
    assert queue.end_hold(Hold.READ_ALERTS) == 1
    assert leased(queue) == ["a"]


def test_one_of_many_parked_keys_may_be_released_as_a_probe(queue: WorkQueue) -> None:
    queue.add([item("sweep", Priority.SWEEP), item("change")])
    while (found := queue.lease()) is not None:
        queue.park(found, frozenset({Hold.READ_ALERTS}))
    assert queue.end_hold(Hold.READ_ALERTS, most=1) == 1
    assert leased(queue) == ["change"]


def test_work_added_to_a_parked_key_waits_with_it_and_a_new_page_does_not(queue: WorkQueue) -> None:
    queue.add([item("a"), item("b")])
    while (found := queue.lease()) is not None:
        queue.park(found, frozenset({Hold.READ_ALERTS}))
    queue.add([item("a", request=ReadRequest(alert=True)), item("b", Priority.PAGE)])
    assert leased(queue) == ["b"]
    queue.end_hold(Hold.READ_ALERTS)
    assert leased(queue) == ["a"]


def test_work_added_to_a_key_parked_for_its_outbox_is_due_at_once(queue: WorkQueue) -> None:
    queue.add([item("before"), item("meanwhile")])
    both = [queue.lease(), queue.lease()]
    queue.add([item("meanwhile", request=ReadRequest(alert=True))])
    for found in both:
        assert found is not None
        queue.park(found, frozenset({Hold.WRITE_ALERTS}))
    assert leased(queue) == ["meanwhile"]
    queue.add([item("before", request=ReadRequest(alert=True))])
    assert leased(queue) == ["before"]
    assert not queue.is_parked_for(Hold.WRITE_ALERTS)


def test_a_leased_key_cleared_from_the_queue_is_not_requeued(queue: WorkQueue) -> None:
    queue.add([item("a")])
    found = queue.lease()
    assert found is not None
    queue.clear()
    queue.again(found)
    queue.done("a")
    assert queue.size() == 0


def test_the_queue_is_idle_once_nothing_is_leased_or_due(queue: WorkQueue) -> None:
    assert queue.is_idle()
    queue.add([item("a"), item("later", after=60)])
    assert not queue.is_idle()
    assert leased(queue) == ["a"]
    assert not queue.is_idle()
    queue.done("a")
    assert queue.is_idle()


def test_counts_are_by_priority(queue: WorkQueue) -> None:
    queue.add([item("a", Priority.PAGE), item("b"), item("c")])
    assert queue.counts() == {Priority.PAGE: 1, Priority.CHANGED: 2}
    assert queue.known(["a", "x"]) == {"a"}


def test_the_queue_says_when_a_key_and_when_a_page_may_be_leased(queue: WorkQueue, clock: SimClock) -> None:
    assert (queue.until_lease(), queue.until_lease(pages_only=True)) == (math.inf, math.inf)
    queue.add([item("a"), item("b", Priority.PAGE, after=5)])
    assert (queue.until_lease(), queue.until_lease(pages_only=True)) == (0, 5)
    assert leased(queue) == ["a"]
    assert queue.until_lease() == 5
    clock.passed = 7
    assert (queue.until_lease(), queue.until_lease(pages_only=True)) == (0, 0)
    assert leased(queue) == ["b"]
    assert queue.until_lease() == math.inf


def test_a_listener_is_told_whenever_a_key_may_be_due_sooner(queue: WorkQueue) -> None:
    told: list[int] = []
    queue.listen(lambda: told.append(1))

    def is_told() -> bool:
        was, told[:] = bool(told), []
        return was

    queue.add([item("a"), item("b")])
    assert is_told()
    first, second = queue.lease(), queue.lease()
    assert first is not None
    assert second is not None
    queue.fail(first, 1.0)
    assert is_told()
    queue.park(second, frozenset({Hold.READ_ALERTS}))
    assert is_told()
    assert queue.any_parked()
    assert queue.end_hold(Hold.READ_ALERTS) == 1
    assert is_told()
    assert not queue.any_parked()
    assert leased(queue) == ["b"]
    queue.add([item("b")])
    assert is_told()
    queue.done("b")
    assert is_told()
    assert leased(queue) == ["b"]
    queue.again(item("b", after=3))
    assert is_told()
