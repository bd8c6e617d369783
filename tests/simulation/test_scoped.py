"""Faults that last for some cycles and affect more than one call: how they begin, take effect and end."""

import pytest

from reconciler.sandbox.settings import SandboxSettings
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import FOR_HOURS, HOURS, KINDS, LONG_ONES, STORY, Fault
from tests.support.simulation.world import World

BEGINS = 3
DIFFERENT = {"write_lag", "acknowledgement_timeout"}
"""Settings of the sandbox that the world changes from the beginning."""


@pytest.mark.parametrize("what", LONG_ONES)
def test_a_lasting_fault_affects_some_cycles_is_gone_at_the_end_and_loses_nothing(what: str) -> None:
    world = World(STORY.but(Fault("cycle", BEGINS, what)))
    with world.deterministic():
        while world.cycle_number < BEGINS:
            world.turn()
        assert set(world.lasting) == {what.removesuffix(HOURS)}
        assert world.interval == (3600.0 if what in FOR_HOURS else 10.0)
        outcome = world.rest()
    assert [fault.what for fault in outcome.fired] == [what]
    assert (world.lasting, world.sandbox.faults.as_json()) == ({}, [])
    before, after = SandboxSettings().as_json(), world.sandbox.settings.as_json()
    assert {name for name in before if before[name] != after[name]} <= DIFFERENT
    assert findings(outcome) == []
    assert what in KINDS["cycle"]
