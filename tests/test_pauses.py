"""A pause holds one lane, grows until something works, and never holds what has nothing to do with it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from worlds import action, at

from reconciler.core.model import Action, Kind, Side
from reconciler.errors import Blocked, Forbidden, NotExecuted, RateLimited, ReconcilerError, Refused, Unknown
from reconciler.pauses import Lane, Pauses, Trouble, lane_of

NOW = at(0)
CREATION = action(Kind.CREATE_INCIDENT)
NOTE = action(Kind.PAGERDUTY_NOTE)
REFUSED = Refused("401")


def held(pauses: Pauses, now: datetime = NOW) -> set[Lane]:
    return {lane_of(kind) for kind in Kind if pauses.holds(action(kind), now)}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def of(alert: str, given: Action = NOTE) -> Action:
    return replace(given, alert_id=alert)


def test_a_rate_limit_rests_one_kind_and_says_until_when() -> None:
    pauses = Pauses()
    pauses.after(Kind.CREATE_INCIDENT, NotExecuted("no room", 40.0), NOW)
    found = pauses.holds(CREATION, NOW)
    assert found is not None
    assert (found.until, found.rate) == (after(40), True)
    assert [kind for kind in Kind if pauses.holds(action(kind), NOW)] == [Kind.CREATE_INCIDENT]
    assert pauses.holds(CREATION, after(40)) is None


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("error", [REFUSED, NotExecuted("no connection")])
def test_any_other_refusal_pauses_the_lane_and_no_other(kind: Kind, error: ReconcilerError) -> None:
    pauses = Pauses()
    pauses.after(kind, error, NOW)
    assert held(pauses) == {lane_of(kind)}
    assert held(pauses, after(1)) == set()


@pytest.mark.parametrize(
    ("kind", "error", "waits"),
    [
        (Kind.PAGERDUTY_NOTE, REFUSED, [1, 2, 4, 8, 16, 30, 30]),
        (Kind.CREATE_INCIDENT, REFUSED, [1, 2, 4, 8, 16, 30, 30]),
        (Kind.OPSGENIE_NOTE, NotExecuted("no connection"), [1, 2, 4, 5, 5]),
        (Kind.CREATE_INCIDENT, NotExecuted("no connection"), [1, 2, 4, 5, 5]),
    ],
)
def test_pauses_grow_until_something_works(kind: Kind, error: ReconcilerError, waits: list[int]) -> None:
    pauses, now = Pauses(), NOW
    for seconds in waits:
        pauses.after(kind, error, now)
        pauses.after(kind, error, now)  # met by another thread at the same time
        pause = pauses.holds(action(kind), now)
        assert pause is not None
        assert (pause.until - now).total_seconds() == seconds
        now = pause.until
    pauses.worked(kind, now)
    pauses.after(kind, error, now)
    assert pauses.holds(action(kind), now + timedelta(seconds=1)) is None


@pytest.mark.parametrize(("error", "fresh_waits"), [(Unknown("no answer"), True), (Blocked("a web page"), False)])
def test_three_alerts_in_a_row_without_an_answer_pause_the_lane(
    error: ReconcilerError, *, fresh_waits: bool
) -> None:
    """Where a firewall answers, it may dislike what these notes say: others still show whether anything passes."""
    pauses, failing = Pauses(), replace(NOTE, failing_since=NOW)
    for alert in ("a", "b", "a", "b", "a"):
        pauses.strike(of(alert), error, NOW)
    assert pauses.holds(failing, NOW) is None
    pauses.strike(of("c"), error, NOW)
    assert pauses.holds(failing, NOW) is not None
    assert (pauses.holds(NOTE, NOW) is not None) is fresh_waits
    assert pauses.holds(CREATION, NOW) is None
    pauses.worked(Kind.PAGERDUTY_ACKNOWLEDGE, NOW)
    pauses.strike(of("d"), error, NOW)
    assert pauses.holds(failing, NOW) is None


def test_what_failed_while_another_write_worked_pauses_nothing() -> None:
    pauses, failing = Pauses(), replace(NOTE, failing_since=NOW)
    pauses.worked(Kind.PAGERDUTY_NOTE, after(1))
    for alert in "abcd":
        pauses.strike(of(alert, failing), Unknown("500"), after(2))
    assert pauses.holds(NOTE, after(2)) is None
    for alert in "abc":
        pauses.strike(of(alert, replace(NOTE, failing_since=after(2))), Unknown("500"), after(3))
    assert pauses.holds(NOTE, after(3)) is not None, "nothing has worked since these began to fail"


def test_several_objects_refused_in_a_row_are_the_keys_trouble_and_what_is_fresh_probes() -> None:
    pauses = Pauses()
    refused = replace(NOTE, failing_since=NOW)
    for alert in ("a", "b", "b"):
        pauses.forbidden(of(alert), Forbidden("403"), NOW)
    assert pauses.holds(refused, NOW) is None
    assert pauses.suspects() == []
    pauses.forbidden(of("c"), Forbidden("403"), NOW)
    assert pauses.holds(refused, NOW) is not None
    assert pauses.holds(NOTE, NOW) is None
    ((lane, error),) = pauses.suspects()
    assert lane is Lane.PAGERDUTY
    assert "PAGERDUTY_API_KEY: every write is refused" in str(error)
    pauses.confirmed()  # the account takes the key, which says nothing of what it may write
    assert pauses.holds(refused, NOW) is not None
    pauses.worked(Kind.PAGERDUTY_NOTE, NOW)
    assert (pauses.holds(refused, NOW), pauses.suspects()) == (None, [])


def test_a_confirmed_account_ends_the_pauses_of_pagerduty_at_once() -> None:
    pauses = Pauses()
    for kind in (Kind.CREATE_INCIDENT, Kind.PAGERDUTY_NOTE, Kind.OPSGENIE_NOTE):
        pauses.after(kind, REFUSED, NOW)
    pauses.confirmed()
    assert held(pauses) == {Lane.OPSGENIE}
    pauses.after(Kind.CREATE_INCIDENT, REFUSED, NOW)
    pause = pauses.holds(CREATION, NOW)
    assert pause is not None
    assert pause.until == after(2)  # it was not the cause, it seems: the next one is longer


def test_a_confirmed_account_says_nothing_of_the_way_there() -> None:
    pauses = Pauses()
    pauses.after(Kind.CREATE_INCIDENT, NotExecuted("no connection"), NOW)
    pauses.confirmed()
    assert held(pauses) == {Lane.PAGES}


def test_our_own_rate_limit_is_no_problem() -> None:
    trouble = Trouble(Pauses(), cast("Any", type("Clock", (), {"now": staticmethod(lambda: NOW)})))
    trouble.pause(CREATION, RateLimited("no room", 3.0))
    assert trouble.holds(CREATION, NOW)
    assert (trouble.problems, trouble.resume) == ([], after(3))


def test_what_holds_a_lane_is_reported_once_in_a_turn() -> None:
    pauses = Pauses()
    clock = cast("Any", type("Clock", (), {"now": staticmethod(lambda: NOW)}))
    Trouble(pauses, clock).pause(NOTE, REFUSED)
    later = Trouble(pauses, clock)
    assert [later.holds(of(alert), NOW) for alert in "abc"] == [True] * 3
    assert [(problem.side, problem.error) for problem in later.problems] == [(Side.PAGERDUTY, REFUSED)]


def test_what_the_key_may_not_do_is_the_vendors_trouble_also_while_one_alert_waits_for_it() -> None:
    pauses = Pauses()
    clock = cast("Any", type("Clock", (), {"now": staticmethod(lambda: NOW)}))
    for alert in "abc":
        Trouble(pauses, clock).forbidden(of(alert), Forbidden("403"))
    later = Trouble(pauses, clock)
    assert later.holds(of("a", replace(NOTE, failing_since=NOW)), NOW)
    later.lasting()
    assert [problem.alert_id for problem in later.problems] == ["a", ""]
