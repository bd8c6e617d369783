"""Histories that Hypothesis generates step by step from acts, faults and cycles: none may have findings.

Bounded, and the same in every run. `make soak` runs far more, with random seeds.
"""

from hypothesis import HealthCheck, settings

from tests.support.simulation.chance import random_history
from tests.support.simulation.drivers import drive_all
from tests.support.simulation.machine import Life
from tests.support.simulation.world import run

Life.TestCase.settings = settings(
    max_examples=24,
    stateful_step_count=24,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestAnyActsAndFaultsLoseNothingAndDoNothingTwice = Life.TestCase


def test_a_run_of_the_state_machine_can_be_replayed_as_a_history() -> None:
    life = Life()
    life.begins("slow", [3, 4])
    life.a_cycle_runs()
    life.engineer_acts("note", 2, 1, 0, "on it")
    life.customer_acts("acknowledge", 5, 0, 1, "")
    life.something_fails(("pd.note", "drop_after"), 0)
    life.a_cycle_runs()
    life.webhooks_arrive()
    life.something_fails(("cycle", "db_lost"), 1)
    outcome = life.here.rest()
    life.phases.close()
    assert len(outcome.fired) == 2
    assert run(outcome.history).hash == outcome.hash


def test_random_histories_lose_nothing_and_do_nothing_twice() -> None:
    tally = drive_all([random_history(seed) for seed in range(24)])
    assert not tally.found, str(tally)
