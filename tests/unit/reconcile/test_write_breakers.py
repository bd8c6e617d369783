"""A breaker blocks one lane only, and opens for longer until a write succeeds."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.model import Action, Kind, Side
from reconciler.core.pause import Pause
from reconciler.errors import Blocked, Forbidden, NotExecuted, ReconcilerError, Refused, Unknown
from reconciler.reconcile.work_queue import Hold, Passage
from reconciler.reconcile.write_breakers import HOLDS, WHILE_BARRED, Lane, Wait, WriteBreakers, lane_of
from tests.support.builders import action, at
from tests.support.clock import SimClock

NOW = at(0)
CREATION = action(Kind.CREATE_INCIDENT)
NOTE = action(Kind.PAGERDUTY_NOTE)
FAILING = replace(NOTE, failing_since=NOW)
REFUSED = Refused("401")


@pytest.fixture
def clock() -> SimClock:
    return SimClock(0.0, NOW)


@pytest.fixture
def breakers(clock: SimClock) -> WriteBreakers:
    return WriteBreakers(clock)


def blocked_lanes(breakers: WriteBreakers) -> set[Lane]:
    return {lane_of(kind) for kind in Kind if breakers.waits_for(action(kind))}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def action_of(alert: str, given: Action = NOTE) -> Action:
    return replace(given, alert_id=alert)


def test_a_rate_limit_delays_one_kind_until_a_known_time(clock: SimClock, breakers: WriteBreakers) -> None:
    breakers.not_executed(Kind.CREATE_INCIDENT, NotExecuted("no room", 40.0))
    assert breakers.waits_for(CREATION) == Wait(after(40))
    assert [kind for kind in Kind if breakers.waits_for(action(kind))] == [Kind.CREATE_INCIDENT]
    assert breakers.open_lanes() == frozenset()
    clock.passed = 40
    assert breakers.waits_for(CREATION) is None


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("error", [REFUSED, NotExecuted("no connection")])
def test_any_other_refusal_opens_the_breaker_of_its_lane_only(
    clock: SimClock, breakers: WriteBreakers, kind: Kind, error: ReconcilerError
) -> None:
    breakers.not_executed(kind, error)
    assert blocked_lanes(breakers) == breakers.open_lanes() == {lane_of(kind)}
    assert breakers.waits_for(action(kind)) == Wait(after(1), error, HOLDS[lane_of(kind)])
    clock.passed = 1
    assert blocked_lanes(breakers) == breakers.open_lanes() == set()


@pytest.mark.parametrize(
    ("kind", "error", "waits"),
    [
        (Kind.PAGERDUTY_NOTE, REFUSED, [1, 2, 4, 8, 16, 30, 30]),
        (Kind.CREATE_INCIDENT, REFUSED, [1, 2, 4, 8, 16, 30, 30]),
        (Kind.PAGERDUTY_NOTE, NotExecuted("no connection"), [1, 2, 4, 5, 5]),
        (Kind.ALERT_NOTE, NotExecuted("no connection"), [1, 2, 4, 5, 5]),
        (Kind.CREATE_INCIDENT, NotExecuted("no connection"), [1, 2, 4, 5, 5]),
    ],
)
def test_a_breaker_opens_for_longer_until_a_write_succeeds(
    clock: SimClock, breakers: WriteBreakers, kind: Kind, error: ReconcilerError, waits: list[int]
) -> None:
    for seconds in waits:
        breakers.not_executed(kind, error)
        breakers.not_executed(kind, error)  # another worker met the same error at the same time
        assert breakers.waits_for(action(kind)) == Wait(
            clock.now() + timedelta(seconds=seconds), error, HOLDS[lane_of(kind)]
        )
        clock.passed += seconds
    breakers.succeeded(kind)
    breakers.not_executed(kind, error)
    clock.passed += 1
    assert breakers.waits_for(action(kind)) is None


@pytest.mark.parametrize(("error", "fresh_waits"), [(Unknown("no answer"), True), (Blocked("a web page"), False)])
def test_three_alerts_in_a_row_without_an_answer_open_the_breaker(
    breakers: WriteBreakers, error: ReconcilerError, *, fresh_waits: bool
) -> None:
    """A firewall may refuse the text of these notes only; other notes still show whether any passes."""
    for alert in ("a", "b", "a", "b", "a"):
        breakers.unanswered(action_of(alert), error)
    assert breakers.waits_for(FAILING) is None
    breakers.unanswered(action_of("c"), error)
    assert breakers.waits_for(FAILING) is not None
    assert (breakers.waits_for(NOTE) is not None) is fresh_waits
    assert breakers.waits_for(CREATION) is None
    breakers.succeeded(Kind.PAGERDUTY_ACKNOWLEDGE)
    breakers.unanswered(action_of("d"), error)
    assert breakers.waits_for(FAILING) is None


def test_one_more_failure_opens_a_half_open_breaker_again(clock: SimClock, breakers: WriteBreakers) -> None:
    for alert in "abc":
        breakers.unanswered(action_of(alert), Unknown("no answer"))
    clock.passed = 1
    assert breakers.waits_for(NOTE) is None
    breakers.unanswered(action_of("d"), Unknown("no answer"))
    wait = breakers.waits_for(NOTE)
    assert wait is not None
    assert wait.retry_at == after(3)


def test_failures_that_began_before_a_success_open_no_breaker(clock: SimClock, breakers: WriteBreakers) -> None:
    clock.passed = 1
    breakers.succeeded(Kind.PAGERDUTY_NOTE)
    clock.passed = 2
    for alert in "abcd":
        breakers.unanswered(action_of(alert, FAILING), Unknown("500"))
    assert breakers.waits_for(NOTE) is None
    for alert in "abc":
        breakers.unanswered(action_of(alert, replace(NOTE, failing_since=after(2))), Unknown("500"))
    assert breakers.waits_for(NOTE) is not None, "no write has succeeded since these began to fail"


def test_several_objects_refused_in_a_row_are_a_problem_of_the_key(
    breakers: WriteBreakers,
) -> None:
    for alert in ("a", "b", "b"):
        breakers.forbidden(action_of(alert), Forbidden("403"))
    assert breakers.waits_for(FAILING) is None
    assert breakers.problems() == ()
    breakers.forbidden(action_of("c"), Forbidden("403; see it"))
    assert breakers.waits_for(FAILING) is not None
    assert breakers.waits_for(NOTE) is None
    (problem,) = breakers.problems()
    assert (problem.side, problem.alert_id) == (Side.PAGERDUTY, "")
    assert str(problem.error) == (
        "PAGERDUTY_API_KEY: every write is refused, for 3 alerts in a row: the key may be read-only, or may see "
        "only a part of the account; the last refusal: 403"
    )
    breakers.confirmed()  # the account accepts the key, which does not prove that it may write
    assert breakers.waits_for(FAILING) is not None
    assert breakers.waits_for(FAILING) is not None
    breakers.succeeded(Kind.PAGERDUTY_NOTE)
    assert (breakers.waits_for(FAILING), breakers.problems()) == (None, ())


def test_a_confirmed_account_closes_the_breakers_of_pagerduty_at_once(breakers: WriteBreakers) -> None:
    for kind in (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE):
        breakers.not_executed(kind, REFUSED)
    breakers.confirmed()
    assert blocked_lanes(breakers) == {Lane.ALERTS}
    breakers.not_executed(Kind.CREATE_INCIDENT, REFUSED)
    wait = breakers.waits_for(CREATION)
    assert wait is not None
    assert wait.retry_at == after(2)  # the account was not the cause: the breaker opens for longer


def test_a_half_open_lane_admits_one_waiting_pair_per_second(clock: SimClock, breakers: WriteBreakers) -> None:
    breakers.not_executed(Kind.CREATE_INCIDENT, NotExecuted("no connection"))
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.NONE
    clock.passed = 1
    assert [breakers.passage(Hold.WRITE_PAGES) for _ in range(2)] == [Passage.ONE, Passage.NONE]
    clock.passed = 2
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.ONE
    breakers.succeeded(Kind.CREATE_INCIDENT)
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.ALL


@pytest.mark.parametrize(
    ("side", "error", "passage"),
    [
        (Side.PAGERDUTY, NotExecuted("no connection"), Passage.ONE),
        (Side.ALERTS, NotExecuted("no connection"), Passage.NONE),
        (Side.PAGERDUTY, REFUSED, Passage.NONE),
        (Side.PAGERDUTY, Blocked("a web page"), Passage.NONE),
    ],
)
def test_a_vendor_reached_again_half_opens_a_breaker_opened_by_its_network(
    breakers: WriteBreakers, side: Side, error: ReconcilerError, passage: Passage
) -> None:
    breakers.not_executed(Kind.CREATE_INCIDENT, error)
    breakers.reached(side)
    assert breakers.passage(Hold.WRITE_PAGES) is passage
    assert (breakers.waits_for(CREATION) is None) is (passage is Passage.ONE)


def test_a_confirmed_account_does_not_close_a_breaker_opened_by_the_network(breakers: WriteBreakers) -> None:
    breakers.not_executed(Kind.CREATE_INCIDENT, NotExecuted("no connection"))
    breakers.confirmed()
    assert blocked_lanes(breakers) == {Lane.PAGES}


def test_a_barred_lane_admits_nothing_until_it_is_freed(breakers: WriteBreakers) -> None:
    breakers.bar(frozenset({Lane.PAGES, Lane.ALERTS}))
    assert blocked_lanes(breakers) == {Lane.PAGES, Lane.ALERTS}
    assert breakers.waits_for(CREATION) == Wait(after(WHILE_BARRED), hold=Hold.WRITE_PAGES)
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.NONE
    breakers.bar(frozenset({Lane.ALERTS}))
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.ALL
    assert blocked_lanes(breakers) == {Lane.ALERTS}


def test_what_is_meant_for_an_alert_that_the_key_does_not_see_waits_and_nothing_else(
    breakers: WriteBreakers,
) -> None:
    breakers.bar(frozenset(), frozenset({"hidden"}))
    waits = breakers.waits_for(action_of("hidden", action(Kind.ALERT_NOTE)))
    assert waits == Wait(after(WHILE_BARRED)), "it is not parked, as its lane is free"
    assert breakers.waits_for(action_of("hidden")) is None
    assert breakers.waits_for(action_of("seen", action(Kind.ALERT_NOTE))) is None
    assert breakers.refused_sides() == frozenset()
    breakers.bar(frozenset())
    assert breakers.waits_for(action_of("hidden", action(Kind.ALERT_NOTE))) is None


def test_a_paused_side_admits_only_what_pages(breakers: WriteBreakers) -> None:
    breakers.pause([Pause(Side.PAGERDUTY, NOW, "why")])
    assert breakers.waits_for(NOTE) == Wait(after(WHILE_BARRED), hold=Hold.WRITE_PAGERDUTY)
    assert breakers.is_paused(NOTE)
    for kind in (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_UNACKNOWLEDGE, Kind.ALERT_NOTE):
        assert breakers.waits_for(action(kind)) is None
        assert not breakers.is_paused(action(kind))
    passages = [breakers.passage(hold) for hold in (Hold.WRITE_PAGES, Hold.WRITE_PAGERDUTY, Hold.WRITE_ALERTS)]
    assert passages == [Passage.ALL, Passage.NONE, Passage.ALL]
    breakers.pause([Pause(Side.PAGERDUTY, NOW, "why", pages=True)])
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.NONE
    assert breakers.is_paused(CREATION)
    breakers.pause([])
    assert breakers.waits_for(NOTE) is None
    assert breakers.passage(Hold.WRITE_PAGERDUTY) is Passage.ALL


def test_what_passes_a_pause_is_not_parked_with_what_waits_for_its_end(breakers: WriteBreakers) -> None:
    breakers.pause([Pause(Side.PAGERDUTY, NOW, "why")])
    breakers.not_executed(Kind.PAGERDUTY_UNACKNOWLEDGE, REFUSED)
    assert breakers.waits_for(action(Kind.PAGERDUTY_UNACKNOWLEDGE)) == Wait(after(1), REFUSED)


@pytest.mark.parametrize("hours", [-5, 5])
def test_setting_the_clock_does_not_change_how_long_a_breaker_is_open(
    clock: SimClock, breakers: WriteBreakers, hours: int
) -> None:
    breakers.not_executed(Kind.PAGERDUTY_NOTE, REFUSED)
    clock.off = hours * 3600
    assert breakers.waits_for(NOTE) == Wait(clock.now() + timedelta(seconds=1), REFUSED, Hold.WRITE_PAGERDUTY)
    clock.passed = 1
    assert breakers.waits_for(NOTE) is None


def test_a_side_refuses_writes_while_a_lane_is_barred_or_its_account_is_refused(breakers: WriteBreakers) -> None:
    assert breakers.refused_sides() == frozenset()
    breakers.bar(frozenset({Lane.ALERTS}))
    assert breakers.refused_sides() == {Side.ALERTS}
    breakers.bar(frozenset())
    breakers.not_executed(Kind.ALERT_NOTE, NotExecuted("no connection"))
    assert breakers.refused_sides() == frozenset()
    breakers.not_executed(Kind.PAGERDUTY_NOTE, REFUSED)
    assert breakers.refused_sides() == {Side.PAGERDUTY}
    breakers.succeeded(Kind.PAGERDUTY_NOTE)
    assert breakers.refused_sides() == frozenset()
    for alert in ("a", "b", "c"):
        breakers.forbidden(action_of(alert), Forbidden("403"))
    assert breakers.refused_sides() == {Side.PAGERDUTY}


def test_a_replaced_key_is_tried_at_once_in_the_lanes_that_the_old_one_had_closed(
    clock: SimClock, breakers: WriteBreakers
) -> None:
    breakers.not_executed(Kind.ALERT_NOTE, NotExecuted("no connection"))
    for _ in range(4):
        breakers.not_executed(Kind.CREATE_INCIDENT, REFUSED)
        clock.advance(60)
    breakers.not_executed(Kind.CREATE_INCIDENT, REFUSED)
    breakers.not_executed(Kind.ALERT_NOTE, NotExecuted("no connection"))
    breakers.renewed(Side.ALERTS)
    assert breakers.open_lanes() == {Lane.PAGES, Lane.ALERTS}, "no connection is no matter of the key"
    breakers.renewed(Side.PAGERDUTY)
    assert breakers.open_lanes() == {Lane.ALERTS}
    assert breakers.passage(Hold.WRITE_PAGES) is Passage.ONE
    breakers.not_executed(Kind.CREATE_INCIDENT, REFUSED)
    assert breakers.waits_for(CREATION) == Wait(clock.now() + timedelta(seconds=1), REFUSED, Hold.WRITE_PAGES)
