"""An alert that is not found is missing, deleted once that is confirmed, and alive again when it is seen."""

from dataclasses import replace

import pytest

from reconciler.core.absence import (
    deleted_reason,
    is_confirmed,
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


def test_a_write_that_died_with_its_alert_in_one_product_revives_in_another() -> None:
    mine = (action(Kind.ALERT_NOTE, Status.DEAD, id=1, error=deleted_reason(OPSGENIE)),)
    (again,) = with_target_again(DELETED, BASE, mine, at(60), JSM)
    assert again.why == "the alert is seen again in JSM"
    (gone,) = without_target(DELETED, (action(Kind.ALERT_NOTE, id=1),), JSM)
    assert gone.why == "the alert was deleted in JSM"
