"""Circuit breakers for single reads, and the back-off of one side of one pair."""

import pytest

from reconciler.core.model import Side
from reconciler.errors import Blocked, Forbidden, Missing, NotExecuted, Permanent, RateLimited, Refused, Unknown
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.read_breakers import FAILURES, ReadBreakers
from reconciler.reconcile.work_queue import Hold, Passage
from tests.support.builders import OG, PD
from tests.support.clock import SimClock

BOTH = frozenset(Side)
READ_PD = frozenset({Hold.READ_PAGERDUTY})
REFUSED, UNREACHABLE, SILENT = Refused("401"), NotExecuted("no connection"), Unknown("500")


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def breakers(clock: SimClock) -> ReadBreakers:
    return ReadBreakers(clock)


def fail(breakers: ReadBreakers, error: Exception = SILENT, times: int = FAILURES) -> None:
    for number in range(times):
        breakers.failed(PD, f"a-{number}", error)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [REFUSED, UNREACHABLE], ids=["refused", "unreachable"])
def test_a_refused_account_or_a_failed_connection_opens_the_breaker_at_once(
    breakers: ReadBreakers, error: Refused | NotExecuted
) -> None:
    breakers.failed(PD, "a-1", error)
    assert breakers.open(BOTH) == READ_PD
    assert breakers.errors() == (Problem(PD, error),)


def test_three_different_alerts_without_an_answer_open_the_breaker(
    breakers: ReadBreakers,
) -> None:
    for _ in range(10):
        breakers.failed(PD, "a-1", SILENT)
    assert not breakers.open(BOTH)
    fail(breakers)
    assert breakers.open(BOTH) == READ_PD


def test_an_answer_in_between_restarts_the_count(breakers: ReadBreakers) -> None:
    fail(breakers, times=FAILURES - 1)
    breakers.succeeded(PD, "a-9")
    fail(breakers, times=FAILURES - 1)
    assert not breakers.open(BOTH)


@pytest.mark.parametrize(
    "error",
    [Missing("404"), Forbidden("403"), Permanent("400", 400), Blocked("302"), RateLimited("no room")],
    ids=lambda error: type(error).__name__,
)
def test_a_refused_object_or_our_own_rate_limit_does_not_open_the_breaker(
    breakers: ReadBreakers, error: Exception
) -> None:
    fail(breakers, error, 10)
    assert not breakers.open(BOTH)


@pytest.mark.parametrize("error", [SILENT, REFUSED, Permanent("400", 400)], ids=lambda error: type(error).__name__)
def test_a_failed_feed_opens_the_breaker_only_without_a_connection(breakers: ReadBreakers, error: Refused) -> None:
    for _ in range(10):
        breakers.failed(PD, "", error)
    assert not breakers.open(BOTH)
    breakers.failed(PD, "", UNREACHABLE)
    assert breakers.open(BOTH) == READ_PD


@pytest.mark.parametrize(
    ("error", "waits"),
    [(REFUSED, [1, 2, 4, 8, 16, 30, 30]), (UNREACHABLE, [1, 2, 4, 5, 5])],
    ids=["refused", "away"],
)
def test_the_open_time_doubles_with_each_failure(
    breakers: ReadBreakers, clock: SimClock, error: Refused | NotExecuted, waits: list[float]
) -> None:
    for wait in waits:
        breakers.failed(PD, "a-1", error)
        assert breakers.retry_in(Hold.READ_PAGERDUTY) == wait
        clock.passed += wait - 0.1
        assert breakers.open({PD}) == READ_PD
        clock.passed += 0.1
        assert not breakers.open({PD})


def test_failures_while_the_breaker_is_open_do_not_prolong_it(breakers: ReadBreakers, clock: SimClock) -> None:
    breakers.failed(PD, "a-1", REFUSED)
    clock.passed += 0.5
    breakers.failed(PD, "a-2", REFUSED)
    assert breakers.retry_in(Hold.READ_PAGERDUTY) == 0.5


def test_a_half_open_breaker_admits_one_read(breakers: ReadBreakers, clock: SimClock) -> None:
    breakers.failed(PD, "a-1", REFUSED)
    assert breakers.admit(BOTH).blocked == READ_PD
    clock.passed += 1
    assert breakers.passage(Hold.READ_PAGERDUTY) is Passage.ONE
    first, second = breakers.admit(BOTH), breakers.admit(BOTH)
    assert (first.blocked, first.probes) == (frozenset(), frozenset({PD}))
    assert second.blocked == READ_PD
    clock.passed += 30  # the admitted read never reported its outcome
    assert breakers.admit({PD}).probes == {PD}


def test_a_pair_blocked_by_another_breaker_uses_no_half_open_read(breakers: ReadBreakers, clock: SimClock) -> None:
    breakers.failed(PD, "a-1", REFUSED)
    clock.passed += 1
    breakers.failed(OG, "a-1", REFUSED)
    assert breakers.admit(BOTH).blocked == {Hold.READ_ALERTS}
    assert breakers.admit({PD}).probes == {PD}


@pytest.mark.parametrize("error", [SILENT, Blocked("302")], ids=["silent", "blocked"])
def test_a_failed_half_open_read_opens_the_breaker_again(
    breakers: ReadBreakers, clock: SimClock, error: Unknown | Blocked
) -> None:
    breakers.failed(PD, "a-1", REFUSED)
    clock.passed += 1
    breakers.admit({PD})
    clock.passed += 5
    breakers.failed(PD, "a-1", error)
    assert breakers.open({PD}) == READ_PD


@pytest.mark.parametrize("alert_id", ["a-7", ""], ids=["a pair's", "a feed's"])
def test_any_success_closes_the_breaker_for_all_pairs(breakers: ReadBreakers, alert_id: str) -> None:
    breakers.failed(PD, "a-1", REFUSED)
    assert breakers.passage(Hold.READ_PAGERDUTY) is Passage.NONE
    breakers.succeeded(PD, alert_id)
    assert (breakers.open(BOTH), breakers.errors()) == (frozenset(), ())
    assert breakers.retry_in(Hold.READ_PAGERDUTY) == 0
    assert breakers.passage(Hold.READ_PAGERDUTY) is Passage.ALL


def test_an_object_refused_by_the_vendor_itself_closes_the_breaker(breakers: ReadBreakers) -> None:
    breakers.failed(PD, "a-1", UNREACHABLE)
    breakers.failed(PD, "a-1", Forbidden("403"))
    assert not breakers.open(BOTH)


def test_one_unanswered_read_reopens_the_breaker_while_only_feeds_are_answered(
    breakers: ReadBreakers,
) -> None:
    fail(breakers)
    breakers.succeeded(PD)
    assert not breakers.open(BOTH)
    breakers.failed(PD, "a-1", SILENT)
    assert breakers.open(BOTH) == READ_PD
    breakers.succeeded(PD, "a-1")
    breakers.failed(PD, "a-1", SILENT)
    assert not breakers.open(BOTH)


# -- details of new alerts --


def test_after_late_details_pages_skip_them_until_one_tries_again(breakers: ReadBreakers, clock: SimClock) -> None:
    assert not breakers.has_slow_details(OG)
    breakers.details_failed(OG, SILENT)
    assert breakers.has_slow_details(OG)
    assert not breakers.open(BOTH)
    clock.passed += 1
    assert (breakers.has_slow_details(OG), breakers.has_slow_details(OG)) == (False, True)
    breakers.details_succeeded(OG)
    assert not breakers.has_slow_details(OG)


# -- back-off --


def test_an_unreadable_side_backs_off_from_one_up_to_sixty_seconds(
    breakers: ReadBreakers, clock: SimClock
) -> None:
    error = Forbidden("403")
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        breakers.back_off(PD, "a-1", error)
        assert breakers.back_off_left(PD, "a-1") == wait
        assert breakers.backs_off(PD, "a-1") is error
        assert breakers.backs_off(OG, "a-1") is breakers.backs_off(PD, "a-2") is None
        clock.passed += wait
        assert breakers.backs_off(PD, "a-1") is None
    breakers.was_read(PD, "a-1")
    breakers.back_off(PD, "a-1", error)
    assert breakers.back_off_left(PD, "a-1") == 1


def test_the_number_of_kept_back_offs_is_bounded(breakers: ReadBreakers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.reconcile.read_breakers.REMEMBERED_BACK_OFFS", 2)
    for number in range(3):
        breakers.back_off(PD, f"a-{number}", SILENT)
    assert [breakers.back_off_left(PD, f"a-{number}") for number in range(3)] == [0, 1, 1]
