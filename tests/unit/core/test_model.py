"""Small properties of the values: what counts as open, as a state, and as the automation user."""

import pytest

from reconciler.core.model import Kind, Pair, Status
from tests.support.builders import OG, PD, pair


@pytest.mark.parametrize(
    ("remembered", "is_open"),
    [
        pytest.param(pair(None), True, id="an alert that waits for its incident"),
        pytest.param(pair(), True, id="both open"),
        pytest.param(pair("resolved"), True, id="the alert still open"),
        pytest.param(pair(is_open=False), True, id="the incident still open"),
        pytest.param(pair("resolved", is_open=False), False, id="both ended"),
        pytest.param(pair(None, is_open=False), False, id="closed without an incident"),
        pytest.param(pair(is_open=False, pagerduty=None), True, id="the incident not read yet"),
    ],
)
def test_a_pair_is_open_until_both_sides_have_ended(remembered: Pair, is_open: bool) -> None:
    assert remembered.is_open is is_open


def test_every_kind_of_action_is_a_page_a_note_or_a_state() -> None:
    assert {kind for kind in Kind if kind.is_note} == {Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE}
    assert {kind for kind in Kind if not kind.is_note and not kind.is_state} == {Kind.CREATE_INCIDENT}
    assert [kind for kind in Kind if kind.is_note and kind.is_state] == []
    assert {kind.side for kind in Kind if kind.value.startswith("opsgenie.")} == {OG}
    assert {kind.side for kind in Kind if kind.value.startswith("pagerduty.")} == {PD}


def test_planned_and_sent_actions_are_open() -> None:
    assert [status for status in Status if status.is_open] == [Status.PLANNED, Status.SENT]
