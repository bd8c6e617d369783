"""What one delivery reports: each error once, for as long as the actions that met it wait."""

from dataclasses import replace

import pytest

from reconciler.core.model import Kind, Side, Status
from reconciler.core.product import OPSGENIE
from reconciler.errors import Forbidden, RateLimited, Refused, Transient
from reconciler.reconcile.delivery_problems import DeliveryProblems, LastErrors
from reconciler.reconcile.write_breakers import Wait, WriteBreakers
from tests.support.builders import action, at
from tests.support.clock import SimClock

CREATION = action(Kind.CREATE_INCIDENT)
NOTE = action(Kind.PAGERDUTY_NOTE)
REFUSED = Refused("401")
NONE: frozenset[int] = frozenset()


@pytest.fixture
def breakers() -> WriteBreakers:
    return WriteBreakers(SimClock(0.0))


def test_our_own_rate_limit_is_no_problem(breakers: WriteBreakers) -> None:
    problems = DeliveryProblems(breakers, LastErrors(OPSGENIE))
    problems.not_executed(CREATION, RateLimited("no room", 3.0))
    assert breakers.waits_for(CREATION) == Wait(at(3))
    problems.add_waiting([CREATION], NONE)
    assert problems.found == []


def test_an_open_breaker_is_reported_once_for_all_actions_of_a_pair(breakers: WriteBreakers) -> None:
    DeliveryProblems(breakers, LastErrors(OPSGENIE)).not_executed(NOTE, REFUSED)
    later = DeliveryProblems(breakers, LastErrors(OPSGENIE))
    later.add_waiting([replace(NOTE, id=number) for number in range(3)], NONE)
    assert [(problem.side, problem.error) for problem in later.found] == [(Side.PAGERDUTY, REFUSED)]


def test_a_refusal_is_reported_while_its_action_waits_and_not_once_it_is_tried_or_sent(
    breakers: WriteBreakers,
) -> None:
    error, last = Forbidden("403 for this incident"), LastErrors(OPSGENIE)
    DeliveryProblems(breakers, last).forbidden(NOTE, error)
    waiting = replace(NOTE, error=str(error), failing_since=at(0))
    for actions, tried, found in (
        ([waiting], NONE, [error]),
        ([waiting], frozenset({waiting.id}), []),
        ([replace(waiting, status=Status.SENT)], NONE, []),
        ([replace(waiting, failing_since=None)], NONE, []),
    ):
        later = DeliveryProblems(breakers, last)
        later.add_waiting(actions, tried)
        assert [problem.error for problem in later.found] == found


def test_a_page_that_waits_is_reported_even_before_it_has_failed_for_itself(breakers: WriteBreakers) -> None:
    problems = DeliveryProblems(breakers, LastErrors(OPSGENIE))
    problems.add_waiting([replace(CREATION, error="503")], NONE)
    assert [str(problem.error) for problem in problems.found] == ["pagerduty.create_incident waits: 503"]


def test_the_error_of_an_action_is_the_one_it_was_stored_with(breakers: WriteBreakers) -> None:
    error, last = Transient("503"), LastErrors(OPSGENIE)
    DeliveryProblems(breakers, last).add(NOTE, error)
    assert last.of(replace(NOTE, error="503")) is error
    assert str(last.of(replace(NOTE, error="400"))) == "pagerduty.add_note waits: 400"
    last.drop([NOTE])
    assert str(last.of(replace(NOTE, error="503"))) == "pagerduty.add_note waits: 503"
