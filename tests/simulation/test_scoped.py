"""Faults that last for some cycles and affect more than one call: how they begin, take effect and end."""

import pytest

from reconciler.sandbox.settings import SandboxSettings
from tests.support.simulation.drivers import drive
from tests.support.simulation.schedule import FOR_HOURS, HOURS, KINDS, LONG_ONES, SCOPED_FAULTS, STORY, Fault
from tests.support.simulation.world import World

BEGINS = 3
DIFFERENT = {"write_lag", "acknowledgement_timeout"}
"""Settings of the sandbox that the world changes from the beginning."""


@pytest.mark.parametrize("what", LONG_ONES)
def test_a_lasting_fault_affects_some_cycles_and_is_gone_at_the_end(what: str) -> None:
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
    assert not outcome.broken


@pytest.mark.skipif(not SCOPED_FAULTS, reason="not among the faults yet")
def test_a_lasting_fault_in_the_middle_of_the_story_loses_nothing() -> None:
    tally = drive([STORY.but(Fault("cycle", BEGINS, what)) for what in LONG_ONES])
    assert not tally.found, str(tally)
    assert set(LONG_ONES) <= set(KINDS["cycle"])
