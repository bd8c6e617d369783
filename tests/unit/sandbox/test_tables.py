"""The tables of knobs, faults and control calls are complete."""

from typing import get_type_hints

import pytest

from reconciler.sandbox.control import CALLS
from reconciler.sandbox.faults import KINDS, Fault, Kind, from_json
from reconciler.sandbox.settings import SandboxSettings


def test_each_knob_has_a_meaning() -> None:
    rows = get_type_hints(SandboxSettings, include_extras=True)
    assert set(rows) == set(SandboxSettings().as_json())
    assert all(isinstance(row.__metadata__[0], str) and row.__metadata__[0] for row in rows.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_each_kind_of_fault_can_be_asked_for(kind: Kind) -> None:
    assert from_json({"do": kind.name.replace("STATUS", "503")}).do == kind.name.replace("STATUS", "503")
    assert kind.client_gets
    assert set(kind.parameters) <= set(Fault.__slots__)


def test_no_control_call_is_listed_twice() -> None:
    assert len({(method, path) for method, path, _, _ in CALLS}) == len(CALLS)
    assert all(body for _, _, body, _ in CALLS)
