"""An alert that is not found is missing, deleted once that is confirmed, and alive again when it is seen."""

from dataclasses import replace
from datetime import datetime

import pytest

from reconciler.core.absence import (
    BELIEVED_AFTER,
    Vanished,
    deleted_reason,
    is_confirmed,
    is_early,
    is_mass,
    is_open,
    lost,
    seen_again,
    with_target_again,
    without_target,
)
from reconciler.core.model import Kind, Observation, Settlement, Status
from reconciler.core.product import JSM, OPSGENIE
from tests.support.builders import action, alert, at, observation, pair, policy

BASE = pair().alerts
DELETED = replace(BASE, open=False, deleted=True)
MISSING = replace(BASE, missing_since=at(0))
GONE = observation(pair=pair(alerts=MISSING), missing=True, sees_others=True)
BOUND = policy().staleness.total_seconds()


def test_a_missing_alert_counts_as_deleted_after_the_staleness_bound() -> None:
    assert not is_confirmed(GONE, policy(), at(BOUND - 1))
    assert is_confirmed(GONE, policy(), at(BOUND))
    assert lost(MISSING, GONE, policy(), at(BOUND)) == replace(MISSING, open=False, deleted=True)


@pytest.mark.parametrize(
    "seen",
    [
        replace(GONE, sees_others=False),
        replace(GONE, missing=False),
        replace(GONE, alert=alert()),
    ],
    ids=["no other alert is seen", "it was not looked for", "a list shows it"],
)
def test_nothing_follows_for_an_alert_that_is_not_clearly_gone(seen: Observation) -> None:
    assert not is_confirmed(seen, policy(), at(9 * BOUND))
    assert lost(BASE, seen, policy(), at(9 * BOUND)) == BASE


def test_an_alert_is_missing_since_it_was_first_not_found() -> None:
    assert lost(BASE, GONE, policy(), at(5)).missing_since == at(5)
    assert lost(MISSING, GONE, policy(), at(5)).missing_since == at(0)


def test_a_deleted_alert_is_open_again_as_soon_as_it_is_seen_open() -> None:
    closed = replace(BASE, open=False)
    assert is_open(alert(), DELETED)
    assert not is_open(alert(open=False), DELETED)
    assert not is_open(alert(), closed), "a late read shows the state before the close"
    assert is_open(alert(updated_at=at(1)), closed)


def test_writes_to_a_deleted_alert_are_given_up_and_others_are_not() -> None:
    mine = (
        action(Kind.ALERT_NOTE, id=1),
        action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, id=2),
        action(Kind.ALERT_NOTE, Status.DONE, id=3),
        action(Kind.PAGERDUTY_NOTE, id=4),
    )
    assert without_target(DELETED, mine, OPSGENIE) == tuple(
        Settlement(n, Status.DEAD, deleted_reason(OPSGENIE)) for n in (1, 2)
    )
    assert without_target(MISSING, mine, OPSGENIE) == ()


def test_writes_that_were_given_up_for_that_are_due_again_when_the_alert_is_seen() -> None:
    mine = (
        action(Kind.ALERT_NOTE, Status.DEAD, id=1, error=f"{deleted_reason(OPSGENIE)}; 404"),
        action(Kind.ALERT_NOTE, Status.DEAD, id=2, error="too long"),
        action(Kind.ALERT_NOTE, id=3),
    )
    again = Settlement(1, Status.PLANNED, seen_again(OPSGENIE), attempts=0, failing_since=at(60))
    assert with_target_again(DELETED, BASE, mine, at(60), OPSGENIE) == (again,)
    for before, now in ((None, BASE), (BASE, BASE), (DELETED, DELETED)):
        assert with_target_again(before, now, mine, at(60), OPSGENIE) == ()


@pytest.mark.parametrize(
    ("missing", "opened", "mass"),
    [
        (0, 0, False),
        (1, 1, False),
        (2, 2, True),
        (2, 3, False),
        (4, 5, False),
        (5, 25, True),
        (5, 26, False),
        (100, 500, True),
        (100, 501, False),
    ],
)
def test_so_many_missing_alerts_put_the_key_in_doubt(missing: int, opened: int, *, mass: bool) -> None:
    assert is_mass(missing, opened) is mass


SWEEP = policy().sweep_interval.total_seconds()


@pytest.mark.parametrize(
    ("since", "begun", "seconds", "early"),
    [
        (None, at(0), 9 * SWEEP, False),
        (at(0), at(0), BOUND - 1, False),
        (at(0), at(0), BOUND, True),
        (at(0), at(0), SWEEP, False),
        (at(0), at(SWEEP), SWEEP, True),
        (at(0), at(SWEEP), 2 * SWEEP, False),
    ],
    ids=["not missed yet", "not long enough anyway", "before a sweep", "after one", "after a start", "after both"],
)
def test_no_alert_counts_as_deleted_before_a_whole_sweep_shows_how_many_others_are_missing(
    since: datetime | None, begun: datetime, seconds: float, *, early: bool
) -> None:
    assert is_early(since, begun, policy(), at(seconds)) is early


def test_alerts_that_vanished_are_believed_to_be_deleted_a_day_after_the_last_one() -> None:
    day = BELIEVED_AFTER.total_seconds()
    gone = Vanished(at(0), frozenset({"a", "b"}), 2)
    more = gone.and_also(frozenset({"b", "c"}), at(9))
    assert more == Vanished(at(9), frozenset({"a", "b", "c"}), 3)
    assert more.and_also(frozenset({"a"}), at(99)) == more
    assert [more.is_believed(at(9 + day - 1)), more.is_believed(at(9 + day))] == [False, True]
    less = more.without("c")
    assert (less, less.and_also(frozenset({"d"}), at(10)).most) == (replace(more, alerts=gone.alerts), 3)


@pytest.mark.parametrize(
    ("left", "most", "opened", "over"),
    [(1, 10, 1, True), (2, 3, 100, False), (5, 10, 100, True), (6, 10, 100, False), (5, 10, 20, False)],
    ids=["one is left", "most are left", "half are seen again", "fewer are", "too many for those that are open"],
)
def test_the_key_is_trusted_again_once_enough_are_seen_again(
    left: int, most: int, opened: int, *, over: bool
) -> None:
    assert Vanished(at(0), frozenset(map(str, range(left))), most).is_over(opened) is over


def test_a_write_that_died_with_its_alert_in_one_product_revives_in_another() -> None:
    mine = (action(Kind.ALERT_NOTE, Status.DEAD, id=1, error=deleted_reason(OPSGENIE)),)
    (again,) = with_target_again(DELETED, BASE, mine, at(60), JSM)
    assert again.why == "the alert is seen again in JSM"
    (gone,) = without_target(DELETED, (action(Kind.ALERT_NOTE, id=1),), JSM)
    assert gone.why == "the alert was deleted in JSM"
