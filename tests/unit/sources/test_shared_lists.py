"""One list for several routes: who fetches it, who gets which part of it, and what a failure does."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from reconciler.errors import Permanent, Unknown
from tests.support.shared_key import (
    ALL,
    INTERVAL,
    SWEEP,
    A,
    B,
    C,
    Key,
    key_of,
    routes,
)


class Gate:
    """Holds the first request until another thread waits for the list."""

    def __init__(self, key: Key) -> None:
        self._lock = threading.Lock()
        self._other_waits = threading.Event()
        self._original = key.account._matching
        key.account._matching = self._matching  # type: ignore[method-assign]
        key.shared._setup.lists["A"]._lock = self  # type: ignore[assignment]

    def _matching(self, query: str) -> Any:
        assert self._other_waits.wait(30)
        return self._original(query)

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._other_waits.set()
            assert self._lock.acquire(timeout=30)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_routes_that_begin_at_different_times_in_a_quiet_account_catch_up_once() -> None:
    key = key_of(*routes(10))
    for number in range(10):
        key.account.raise_alert(f"t{number}", age=86_400 + number)
        key.since[f"r{number}"] = key.account.clock.now() - timedelta(hours=number)
    key.cycle()
    key.cycle()
    assert [len(key.cycle()) for _ in range(5)] == [1] * 5


def test_a_route_that_is_far_behind_lists_its_own_alerts_once() -> None:
    key = key_of(A, B)
    key.cycle()
    missed = key.account.raise_alert("B")
    key.taken["A"] = [missed]
    for _ in range(60):
        key.account.clock.advance(INTERVAL)
        key.account.touch(key.account.raise_alert("A"))
        key.poll("A")
    del key.taken["A"]
    before = len(key.account.requests)
    assert missed in key.poll("B")
    assert len(key.account.requests) - before <= 2
    assert key.poll("A") == key.poll("A")
    key.account.clock.advance(INTERVAL)
    assert len(key.cycle()) == 1


def test_each_route_polls_alone_where_only_the_united_query_is_refused() -> None:
    key = key_of(A, B, ALL)
    key.use([A, B])
    key.account.refused = {" OR "}
    made = [key.account.raise_alert("A", "B"), key.account.raise_alert("B")]
    key.cycle()
    requests = key.cycle()
    assert [key.of(one) for one in made] == [["A"], ["B"]]
    assert len(requests) == 2
    key.account.refused = set()
    key.account.clock.advance(SWEEP)
    key.cycle()
    assert len(key.cycle()) == 1


def test_a_list_is_given_to_each_route_once_and_never_when_it_is_old() -> None:
    key = key_of(A, B)
    key.poll("A")
    made = key.account.raise_alert("A")
    assert key.poll("A") == [made], "who has had it gets a new one"
    other = key.account.raise_alert("B")
    assert key.poll("B") == [], "what was fetched a moment ago"
    key.account.clock.advance(INTERVAL)
    assert key.poll("B") == [other]


def test_other_routes_are_told_of_what_a_poll_has_found_for_them_once() -> None:
    key = key_of(A, B, C)
    key.cycle()
    key.woken.clear()
    made = key.account.raise_alert("B")
    key.poll("A")
    assert key.woken == ["B"]
    assert key.poll("B") == [made]
    key.account.clock.advance(INTERVAL)
    key.poll("A")
    assert key.woken == ["B"]


def test_a_webhook_makes_the_next_poll_fetch_the_list() -> None:
    key = key_of(A, B)
    key.poll("A")
    key.account.clock.advance(1)
    made = key.account.raise_alert("B")
    key.shared.expire("B")
    key.account.clock.advance(1)
    assert key.poll("B") == [made]


def test_a_failed_fetch_is_tried_again_by_the_next_route() -> None:
    key = key_of(A, B)
    made = key.account.raise_alert("A")
    key.account.failure = Unknown("503")
    with pytest.raises(Unknown):
        key.poll("A")
    key.account.failure = None
    assert key.poll("B") == []
    assert key.poll("A") == [made]
    assert len(key.account.requests) == 3, "one that failed, one list, one question whose it is"


def test_what_cannot_be_asked_holds_back_no_row_of_a_known_alert_and_is_asked_again_by_the_next_route() -> None:
    key = key_of(A, B, C)
    known = key.account.raise_alert("A")
    key.cycle()
    key.account.touch(known)
    new = key.account.raise_alert("B")
    matching = key.account._matching

    def failing(query: str) -> Any:
        if "alertId" in query:
            raise Unknown("503")
        return matching(query)

    key.account._matching = failing  # type: ignore[method-assign]
    key.woken.clear()
    with pytest.raises(Unknown):
        key.poll("A")
    assert [row.id for row in key.news["A"].rows] == [known]
    assert "A" not in key.woken, "what fails is not repeated at once"
    key.account._matching = matching  # type: ignore[method-assign]
    assert key.poll("C") == []
    assert key.poll("B") == [new]


@pytest.mark.parametrize("failure", [None, Unknown("503")])
def test_who_waits_for_anothers_fetch_shares_it_and_its_failure(failure: Exception | None) -> None:
    key = key_of(A, B)
    key.account.failure = failure
    Gate(key)
    failed: list[str] = []

    def poll(name: str) -> None:
        try:
            key.poll(name)
        except Unknown:
            failed.append(name)

    threads = [threading.Thread(target=poll, args=(name,)) for name in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(key.account.requests) == 1
    assert sorted(failed) == ([] if failure is None else ["A", "B"])


def test_where_every_query_is_refused_nobody_lists_everybodys_alerts() -> None:
    key = key_of(A, B)
    key.account.refused = {"tag:"}
    for name in ("A", "B", "A"):
        with pytest.raises(Permanent):
            key.poll(name)
    assert not any(request.query == "" for request in key.account.requests)
