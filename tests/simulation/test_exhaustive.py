"""Every single fault at every step of the canned story: nothing lost, nothing twice.

Of faults that come to the same, each step gets one in turn here; `make soak` tries them all.
"""

from drivers import drive_all, occasional_faults, single_faults
from schedule import KINDS, OCCASIONS, STORY


def test_every_single_fault_at_every_step_of_the_story_loses_nothing_and_does_nothing_twice() -> None:
    tally = drive_all(single_faults(STORY))
    assert not tally.found, str(tally)
    assert tally.histories > 300


def test_so_it_is_with_every_fault_at_steps_that_only_another_fault_leads_to() -> None:
    tally = drive_all(occasional_faults(STORY))
    assert not tally.found, str(tally)
    fired = {f"{kind} {what}" for kind in OCCASIONS for what in KINDS[kind]}
    assert fired <= set(tally.faults), sorted(fired - set(tally.faults))
