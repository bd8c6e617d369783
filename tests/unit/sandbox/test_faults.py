"""The table of kinds of faults is complete."""

import pytest

from reconciler.sandbox.faults import KINDS, Fault, Kind, from_json


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_each_kind_of_fault_can_be_asked_for(kind: Kind) -> None:
    assert from_json({"do": kind.name.replace("STATUS", "503")}).do == kind.name.replace("STATUS", "503")
    assert kind.client_gets
    assert set(kind.parameters) <= set(Fault.__slots__)
