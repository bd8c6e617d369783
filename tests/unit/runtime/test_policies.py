"""The policy, by the settings."""

from datetime import timedelta

import pytest

from reconciler.core.product import JSM, OPSGENIE
from reconciler.runtime.policies import AWAY_INTERVALS, policy_of
from tests.support.in_process import settings


def test_each_setting_is_in_the_policy() -> None:
    found = policy_of(
        settings(
            on_opsgenie_close="resolve",
            on_opsgenie_unacknowledge="note",
            high_urgency_priorities=("P1",),
            pagerduty_priorities=(("P1", "SEV-1"),),
            staleness_seconds=7,
            sweep_interval_seconds=70,
            retention_seconds=700,
            late_seconds=7000,
        )
    )
    assert (found.on_alert_close, found.on_alert_unacknowledge) == ("resolve", "note")
    assert (set(found.high_urgency), [*found.priorities]) == ({"P1"}, [("P1", "SEV-1")])
    assert [found.staleness, found.sweep_interval, found.retention, found.late] == [
        timedelta(seconds=seconds) for seconds in (7, 70, 700, 7000)
    ]


def test_an_alert_is_not_late_before_a_few_polls_could_have_shown_it() -> None:
    assert policy_of(settings(late_seconds=1, poll_interval_seconds=60)).late == timedelta(
        seconds=60 * AWAY_INTERVALS
    )


@pytest.mark.parametrize(
    ("source", "product", "named", "tells"),
    [("opsgenie", OPSGENIE, True, True), ("jsm", JSM, False, False), ("jsm named", JSM, True, False)],
)
def test_what_a_product_can_do(source: str, product: object, named: bool, tells: bool) -> None:
    found = policy_of(settings(source))
    assert (found.product, found.acts_are_named, found.tells_who) == (product, named, tells)
