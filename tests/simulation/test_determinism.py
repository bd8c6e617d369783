"""The simulation itself: a history is deterministic, and the story reaches every kind of step and fault."""

from tests.support.simulation.chance import random_history
from tests.support.simulation.drivers import single_faults
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import KINDS, STORY, Act, Fault, History
from tests.support.simulation.store import SimDatabase
from tests.support.simulation.world import World, run

UNREACHED = {"pd.acts", "og.request", "db.doubt"}
"""Kinds of steps that the story takes only after a fault."""


def test_the_same_seed_leaves_the_same_trace() -> None:
    for seed in (3, 4, 5):
        first, second = run(random_history(seed)), run(random_history(seed))
        assert first.hash == second.hash
        assert first.trace == second.trace


def test_another_seed_leaves_another_trace() -> None:
    assert run(random_history(3)).hash != run(random_history(4)).hash


def test_the_story_takes_every_kind_of_step() -> None:
    taken = run(STORY).in_fault_phase
    assert {kind for kind in KINDS if taken[kind]} | UNREACHED == set(KINDS)


def test_every_fault_of_the_single_fault_driver_fires() -> None:
    for history in single_faults(STORY)[::80]:
        world = World(history)
        with world.deterministic():
            for _ in range(history.cycles):
                world.turn()
        assert world.fired == list(history.faults)


def test_a_crash_throws_the_process_away_and_keeps_the_database() -> None:
    world = World(STORY.but(Fault("pd.create", 0, "crash_after")))
    first = world.process
    outcome = world.run()
    assert world.process is not first
    assert findings(outcome) == []


def test_a_dry_run_writes_nothing_anywhere_and_plans_what_a_real_run_does() -> None:
    world = World(History((Act(0, 0, "og", "create"), Act(0, 0, "og", "note", 0, 0, "any news?"))))
    world._begin(0)
    world._act(everything=True)
    report, untouched = world.dry_run()
    assert untouched
    assert [action.kind.value for action in report.actions] == ["pagerduty.create_incident", "pagerduty.add_note"]
    assert isinstance(world.database, SimDatabase)
    world._cycle()
    assert len(world._writes()) == 2
    report, untouched = world.dry_run()
    assert (report.actions, untouched) == ((), True)


def test_a_dry_run_in_the_middle_of_any_cycle_writes_nothing() -> None:
    world = World(STORY)
    for number in range(8):
        world._begin(number)
        _, untouched = world.dry_run()
        assert untouched
        world._cycle()
        world._act(everything=True)
        world.clock.advance(10.0)
