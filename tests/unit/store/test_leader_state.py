"""What only the leader knows survives the table, and what is not readable is not known."""

import json

import pytest

from reconciler.core.model import Side
from reconciler.store.leader_state import LeaderState, dumped, loaded
from tests.support.builders import at

STATE = LeaderState(at(9), 4, at(1), "PBOT", {Side.ALERTS: None, Side.PAGERDUTY: 7}, frozenset({Side.ALERTS}))


def test_a_state_is_read_back_as_it_was_stored() -> None:
    assert loaded(dumped(STATE)) == STATE


@pytest.mark.parametrize("name", json.loads(dumped(STATE)))
def test_a_state_with_a_part_that_is_missing_or_odd_is_not_known(name: str) -> None:
    whole = json.loads(dumped(STATE))
    assert loaded(json.dumps({key: value for key, value in whole.items() if key != name})) is None
    if name != "user":
        assert loaded(json.dumps(whole | {name: ["odd"]})) is None


@pytest.mark.parametrize("value", ["", "[]", "null", "5"])
def test_any_other_value_is_not_known(value: str) -> None:
    assert loaded(value) is None
