"""Costs that must not grow: requests, commits and statements of an idle cycle, and requests of an act by kind."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.sections import acts
from benchmarks.sections.acts import KINDS
from benchmarks.sections.idle import CYCLES, NEVER, idle
from tests.support.canned import Canned
from tests.support.seed import seed
from tests.support.simulated_daemon import SimulatedDaemon, world
from tests.support.simulated_time import START, ThreadsClock

STATEMENTS = 14


def _idle(folder: Path, pairs: int) -> tuple[float, dict[str, float]]:
    clock = ThreadsClock()
    canned = Canned(pairs, START, clock.now)
    seed(folder / f"{pairs}.db", canned, START, NEVER)
    return idle(folder / f"{pairs}.db", canned, clock)


@pytest.mark.parametrize("pairs", [0, 1, 150, 1000])
def test_an_idle_cycle_costs_two_requests_and_one_commit_of_each_feed(tmp_path: Path, pairs: int) -> None:
    requests, asked = _idle(tmp_path, pairs)
    assert requests == 2
    assert asked["commits"] <= 2
    assert asked["statements"] <= STATEMENTS


def test_an_idle_cycle_costs_the_same_statements_however_many_pairs_are_open(tmp_path: Path) -> None:
    assert _idle(tmp_path, 100) == _idle(tmp_path, 2000)


def test_a_busy_account_and_many_pairs_are_each_polled_by_the_cheaper_feed(tmp_path: Path) -> None:
    for pairs, log_rate, most in ((1000, 0.1, 1), (20, 20.0, 2)):
        clock = ThreadsClock()
        canned = Canned(pairs, START, clock.now, log_rate)
        seed(tmp_path / f"{pairs}.db", canned, START, NEVER)
        with world(tmp_path / f"{pairs}.db", vendor=canned, clock=clock, sweep_interval=NEVER) as here:
            for _ in range(2 + CYCLES):
                here.cycle()
                here.pause()
            settled = [call for call in here.wire.calls if call.at > 2 * here.interval - 1e-6]
            assert sum(call.vendor == "pagerduty" for call in settled) <= most * CYCLES


def test_a_sweep_reads_each_open_pair_twice_and_spreads_it_evenly(tmp_path: Path) -> None:
    clock, pairs, beats = ThreadsClock(), 150, 30
    canned = Canned(pairs, START, clock.now)
    seed(tmp_path / "sweep.db", canned, START)
    with world(tmp_path / "sweep.db", vendor=canned, clock=clock, interval=10, sweep_interval=300) as here:
        cycles = []
        for _ in range(2 * beats):
            before = len(here.wire.calls)
            here.cycle()
            cycles.append(Counter(call.path.rpartition("/")[2] for call in here.wire.calls[before:]))
            here.pause()
    notes = [cycle["notes"] for cycle in cycles[beats:]]
    assert sum(notes) <= 2 * pairs
    assert max(notes) <= 2 * (pairs // beats + 1)


READS_AND_WRITES = {
    "alert raised": (2, 1),
    "customer's note": (1, 1),
    "engineer's note": (2, 1),
    "engineer acknowledges": (3, 1),
    "engineer unacknowledges": (4, 1),
    "customer acknowledges": (2, 2),
    "customer unacknowledges": (3, 4),
    "customer closes": (1, 1),
    "engineer resolves": (2, 1),
}
"""The most reads and writes that an act of this kind may cost beyond the two requests of each cycle."""


def _pair(cost: Counter[str]) -> tuple[int, int]:
    return cost["opsgenie reads"] + cost["pagerduty reads"], cost["opsgenie writes"] + cost["pagerduty writes"]


def test_an_act_costs_no_more_requests_than_its_kind_needs(tmp_path: Path) -> None:
    with acts.quiet_world(tmp_path / "acts.db") as here:
        alert, cost = acts.raised(here)
        costs = {"alert raised": _pair(cost)}
        for kind in KINDS:
            costs[kind.name] = _pair(acts.cost_of(here, lambda kind=kind: kind.act(here, alert)))  # type: ignore[misc]
    assert costs.keys() == READS_AND_WRITES.keys()
    for name, (reads, writes) in costs.items():
        assert (reads <= READS_AND_WRITES[name][0], writes <= READS_AND_WRITES[name][1]) == (True, True), name


@pytest.mark.parametrize(("name", "most"), [("customer's note", 1), ("engineer's note", 2)])
def test_ten_notes_at_once_share_their_reads(tmp_path: Path, name: str, most: int) -> None:
    kind = next(kind for kind in KINDS if kind.name == name)

    def ten(here: SimulatedDaemon, alert: str) -> None:
        for _ in range(10):
            kind.act(here, alert)

    with acts.quiet_world(tmp_path / "acts.db") as here:
        alert, _ = acts.raised(here)
        assert _pair(acts.cost_of(here, lambda: ten(here, alert))) == (most, 10)


def test_the_way_to_make_an_incident_page_again_is_determined_once(tmp_path: Path) -> None:
    with acts.quiet_world(tmp_path / "acts.db") as here:
        costs = []
        for _ in range(2):
            alert, _cost = acts.raised(here)
            for name in ("customer acknowledges", "customer unacknowledges"):
                kind = next(kind for kind in KINDS if kind.name == name)
                cost = acts.cost_of(here, lambda kind=kind, alert=alert: kind.act(here, alert))  # type: ignore[misc]
            costs.append(_pair(cost))
    assert costs == [(3, 4), (3, 2)]
