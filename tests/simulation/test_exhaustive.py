"""Every single fault at every step of the canned story: nothing lost, nothing twice.

Of faults that come to the same, each step gets one in turn here; `make soak` tries them all.
"""

from drivers import drive_all, occasional_faults, single_faults
from schedule import GLANCED, KINDS, OCCASIONS, SPACED, STORY, Fault
from world import run

EVERY = 60
"""One in so many of the spaced story's single faults."""


def test_every_single_fault_at_every_step_of_the_story_loses_nothing_and_does_nothing_twice() -> None:
    tally = drive_all(single_faults(STORY))
    assert not tally.found, str(tally)
    assert tally.histories > 300


def test_so_it_is_with_every_fault_at_steps_that_only_another_fault_leads_to() -> None:
    tally = drive_all(occasional_faults(STORY))
    assert not tally.found, str(tally)
    fired = {f"{kind} {what}" for kind in OCCASIONS for what in KINDS[kind]}
    assert fired <= set(tally.faults), sorted(fired - set(tally.faults))


def test_so_it_is_with_acts_that_stand_alone() -> None:
    tally = drive_all([SPACED, *single_faults(SPACED)[::EVERY]])
    assert not tally.found, str(tally)


def test_so_it_is_where_a_log_that_tells_who_cannot_be_read() -> None:
    steps = run(GLANCED).in_fault_phase
    tally = drive_all(
        [GLANCED.but(Fault(kind, nth, "down")) for kind in ("og.logs", "pd.acts") for nth in range(steps[kind])]
    )
    assert not tally.found, str(tally)
    assert tally.faults["og.logs down"] > 0 < tally.faults["pd.acts down"]
