"""Single faults at many steps of the canned story: nothing is lost and nothing is done twice.

`some_single_faults` draws the sample: each fault at some kinds of steps, many faults at each kind. `make soak`
tries every fault at every step, also under every other setting of the vendors.
"""

from collections.abc import Callable

from tests.support.simulation.branches import drive_branches
from tests.support.simulation.drivers import drive, drive_all, occasional_faults, single_faults, some_single_faults
from tests.support.simulation.schedule import GLANCED, KINDS, OCCASIONS, SPACED, STORY, Fault
from tests.support.simulation.world import run

EVERY = 240
"""Every n-th single fault of the spaced story is tried; `make soak` tries them all."""


def test_a_single_fault_at_any_kind_of_step_loses_nothing_and_does_nothing_twice(
    tell: Callable[[str], None],
) -> None:
    chosen = some_single_faults(STORY)
    tally = drive_branches(STORY, [history.faults[0] for history in chosen])
    assert not tally.found, str(tally)
    assert tally.histories == len(chosen) > 140
    every = [history.faults[0] for history in single_faults(STORY, full=True)]
    assert {fault.split()[1] for fault in tally.faults} == {fault.what for fault in every}
    assert tally.faults.total() == len(chosen)  # each fault has fired
    everything = len(single_faults(STORY, full=True))
    tell(f"single faults: {len(chosen)} of the story's {everything} (`make soak`: all), lost 0, twice 0")


def test_a_branch_has_the_same_trace_as_the_history_with_that_fault() -> None:
    some = single_faults(STORY, full=True)[::500]
    assert drive_branches(STORY, [history.faults[0] for history in some]).hashes == drive(some).hashes


def test_a_fault_at_a_step_that_only_another_fault_leads_to_loses_nothing() -> None:
    tally = drive_all(occasional_faults(STORY))
    assert not tally.found, str(tally)
    fired = {f"{kind} {what}" for kind in OCCASIONS for what in KINDS[kind]}
    assert fired <= set(tally.faults), sorted(fired - set(tally.faults))


def test_a_single_fault_loses_nothing_where_acts_stand_alone() -> None:
    some = [history.faults[0] for history in single_faults(SPACED, full=True)[::EVERY]]
    tally = drive_branches(SPACED, some)
    assert not tally.found, str(tally)
    assert not drive([SPACED]).found


def test_an_unreadable_log_of_who_acted_loses_nothing() -> None:
    steps = run(GLANCED).in_fault_phase
    tally = drive_all(
        [GLANCED.but(Fault(kind, nth, "down")) for kind in ("og.logs", "pd.acts") for nth in range(steps[kind])]
    )
    assert not tally.found, str(tally)
    assert tally.faults["og.logs down"] > 0 < tally.faults["pd.acts down"]
