"""Many routes on several pods in simulated time: nothing lost, nothing twice, and no bad route delays others.

More lives, and every mutant, with `make soak`. A year of routes that come and go: RECONCILER_CHURN_DAYS=365.
"""

import gc
import os

import pytest

from reconciler.runtime.wiring import Wiring
from tests.support.simulation.routes.churn import churned
from tests.support.simulation.routes.isolation import KINDS, delays
from tests.support.simulation.routes.life import play
from tests.support.simulation.routes.mutants import MUTANTS, caught

DAYS = int(os.environ.get("RECONCILER_CHURN_DAYS", "24"))
RETENTION = min(30, DAYS // 4)


@pytest.mark.parametrize("seed", [3, 7])
def test_whatever_happens_to_the_pods_each_alert_pages_where_it_belongs_once(seed: int) -> None:
    assert play(seed) == []


@pytest.mark.parametrize("name", ["no fencing", "ownership decided by nobody"])
def test_a_mutant_is_caught(name: str) -> None:
    assert caught(name, [1])


def test_every_mutant_has_a_kind_of_finding() -> None:
    assert all(word for _, word in MUTANTS.values())


def test_no_bad_route_delays_the_pages_of_others() -> None:
    without = delays(None)
    for name, bad in KINDS.items():
        longer = max(late - before for late, before in zip(delays(bad), without, strict=True))
        assert longer <= 0.5, name


def test_routes_that_come_and_go_leave_nothing_behind() -> None:
    world = churned(DAYS, RETENTION)
    assert world.problems == []
    names = {line.name for line in world.lines}
    (pod,) = world.pods
    process = pod.process
    assert set(process.daemon.routes) == names
    assert process.daemon.running() == tuple(process.daemon.routes.values())
    assert len(process._connections._limiters) == 1 + len(names), (
        "one key of Opsgenie, and one of PagerDuty for each"
    )
    assert len(process._shared._alerts) == 1
    assert len(process._shared._pagerduty) == len(names)
    assert {name.partition(":")[0] for name in process._schedule._jobs if ": " in name} <= names
    assert len(world.stored_routes()) <= len(names) + RETENTION + 3, "older ones are forgotten"
    del process, pod
    gc.collect()
    assert sum(isinstance(each, Wiring) for each in gc.get_objects()) <= len(names) + 1
