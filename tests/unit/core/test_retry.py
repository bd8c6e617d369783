"""Whether and when a failed write is tried again, by its error and its kind."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.model import Action, AlertBaseline, Kind, Settlement, Status
from reconciler.core.retry import GIVE_UP, STATE_REFUSED, Plainer, Scope, after, backoff, steps_aside
from tests.support.builders import action, at

NOW = at(0)
OPEN = AlertBaseline(open=True, acknowledged=False, updated_at=NOW)
CLOSED = replace(OPEN, open=False)
DELETED = replace(CLOSED, deleted=True)
CREATION = action(Kind.CREATE_INCIDENT)
NOTES = [action(Kind.PAGERDUTY_NOTE), action(Kind.ALERT_NOTE)]
STATES = [action(kind) for kind in Kind if kind.is_state]
ALL = [CREATION, *NOTES, *STATES]


def ended(given: Action, scope: Scope, alert: AlertBaseline | None = OPEN, now: datetime = NOW) -> Settlement:
    found = after(given, scope, "why", now, alert)
    assert isinstance(found, Settlement)
    return found


def failing(given: Action, ago: timedelta, attempts: int = 9) -> Action:
    return replace(given, plain=True, failing_since=NOW - ago, attempts=attempts)


@pytest.mark.parametrize("given", [CREATION, *NOTES])
def test_a_request_refused_for_its_form_is_sent_in_a_plainer_form_at_once(given: Action) -> None:
    assert after(given, Scope.REQUEST, "why", NOW, OPEN) == Plainer("why")


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("alert", [OPEN, None])
@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=30)])
def test_a_page_is_never_dead_while_its_alert_is_open(
    scope: Scope, alert: AlertBaseline | None, ago: timedelta
) -> None:
    found = ended(failing(CREATION, ago, 1000), scope, alert)
    assert found.status is Status.PLANNED
    assert found.failing_since == NOW - ago
    assert found.not_before is None or found.not_before <= NOW + timedelta(seconds=300)


@pytest.mark.parametrize("scope", Scope)
def test_a_page_for_a_closed_alert_is_dead_only_where_the_request_is_refused(scope: Scope) -> None:
    dead = ended(replace(CREATION, plain=True), scope, CLOSED).status is Status.DEAD
    assert dead is (scope is Scope.REQUEST)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 1), (1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (5000, 300)]
)
def test_a_refused_page_is_retried_with_growing_back_off(attempts: int, seconds: float) -> None:
    for scope in (Scope.REQUEST, Scope.FORBIDDEN, Scope.MISSING):
        found = ended(replace(CREATION, plain=True, attempts=attempts), scope)
        assert (found.not_before, found.attempts) == (NOW + timedelta(seconds=seconds), attempts + 1)


@pytest.mark.parametrize("given", NOTES)
def test_a_note_refused_in_its_plainest_form_is_dead(given: Action) -> None:
    found = ended(replace(given, plain=True), Scope.REQUEST)
    assert (found.status, found.why, found.failing_since) == (Status.DEAD, "why", NOW)


@pytest.mark.parametrize("given", STATES)
def test_a_refused_state_is_retried_for_an_hour(given: Action) -> None:
    first = ended(given, Scope.REQUEST)
    assert (first.status, first.not_before) == (Status.PLANNED, NOW + timedelta(seconds=1))
    assert (first.failing_since, first.attempts) == (NOW, 1)
    later = ended(failing(given, STATE_REFUSED - timedelta(seconds=1)), Scope.REQUEST)
    assert (later.status, later.not_before) == (Status.PLANNED, NOW + timedelta(seconds=300))
    assert ended(failing(given, STATE_REFUSED), Scope.REQUEST).status is Status.DEAD


@pytest.mark.parametrize("scope", [Scope.FORBIDDEN, Scope.MISSING])
@pytest.mark.parametrize("given", [*NOTES, *STATES])
def test_an_action_refused_because_of_its_object_is_retried_for_six_hours(given: Action, scope: Scope) -> None:
    first = ended(given, scope)
    assert (first.status, first.not_before, first.failing_since) == (
        Status.PLANNED,
        NOW + timedelta(seconds=1),
        NOW,
    )
    later = ended(failing(given, GIVE_UP - timedelta(seconds=1)), scope)
    assert (later.status, later.not_before) == (Status.PLANNED, NOW + timedelta(seconds=60))
    assert later.failing_since == NOW - GIVE_UP + timedelta(seconds=1)
    assert ended(failing(given, GIVE_UP), scope).status is Status.DEAD


@pytest.mark.parametrize("scope", Scope)
def test_a_404_of_a_deleted_alert_ends_its_writes(scope: Scope) -> None:
    dead = ended(action(Kind.ALERT_ACKNOWLEDGE), scope, DELETED).status is Status.DEAD
    assert dead is (scope is Scope.MISSING)
    incident = ended(action(Kind.PAGERDUTY_ACKNOWLEDGE), scope, DELETED)
    assert incident.status is Status.PLANNED


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.LATER])
@pytest.mark.parametrize("given", ALL)
def test_an_action_that_waits_for_the_account_or_the_vendor_has_no_back_off_of_its_own(
    given: Action, scope: Scope
) -> None:
    found = ended(replace(given, attempts=3), scope)
    assert (found.status, found.why, found.not_before, found.attempts) == (Status.PLANNED, "why", None, None)
    assert ended(failing(given, timedelta(days=30)), scope).status is Status.PLANNED


@pytest.mark.parametrize("given", ALL)
def test_a_refusal_by_the_network_path_ends_no_action(given: Action) -> None:
    found = ended(replace(given, attempts=40), Scope.PATH)
    assert (found.status, found.attempts, found.failing_since) == (Status.PLANNED, 41, NOW)
    assert found.not_before == NOW + timedelta(seconds=15)
    later = ended(failing(given, timedelta(days=30)), Scope.PATH)
    counted = timedelta(days=30) if given is CREATION else timedelta(minutes=10)
    assert (later.status, later.failing_since) == (Status.PLANNED, NOW - counted)


def test_an_action_refused_for_longer_than_the_bound_no_longer_blocks_its_pair() -> None:
    bound = timedelta(seconds=120)
    assert not steps_aside(CREATION, NOW, bound)
    assert not steps_aside(failing(CREATION, bound), NOW, bound)
    assert steps_aside(failing(CREATION, bound + timedelta(seconds=1)), NOW, bound)


def test_the_back_off_doubles() -> None:
    assert [backoff(failures).total_seconds() for failures in range(10)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert backoff(10**9, timedelta(seconds=60)) == timedelta(seconds=60)
