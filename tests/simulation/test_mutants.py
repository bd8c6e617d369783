"""Every mutant is caught, by the driver and within the run given here; single echo guards may be off."""

import pytest
from drivers import drive
from mutants import GUARDS, MUTANTS, catch
from oracles import findings
from schedule import STORY
from world import Parts, run

MOST = 90
CAUGHT = {
    "send, then record": "TWICE",  # at run 9
    "record, then send": "LOST",  # at run 7
    "no echo guard": "LOOP",  # at run 1
    "no staleness bound": "TWICE",  # at run 2
    "one shared baseline": "TWICE",  # at run 1
    "cursors before the plan": "LOST",  # at run 45
    "no look before acknowledging": "FORBIDDEN",  # at run 3
}
"""What each is found to do by the single faults, and when that was measured at which run."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    found = catch(MUTANTS[name](), CAUGHT[name], MOST)
    assert found is not None, f"{name}: not caught in {MOST} runs"
    assert found.driver == "single faults", found


@pytest.mark.parametrize("off", GUARDS)
def test_two_echo_guards_suffice_whichever_is_off(off: str) -> None:
    parts = Parts(guards=frozenset(GUARDS) - {off})
    assert findings(run(STORY, parts)) == []


def test_the_product_itself_is_not_caught() -> None:
    assert not drive([STORY]).found
