"""Any one of the three echo guards prevents a loop on its own; without all three there is a loop.

The program is wired in this process as `once` wires it, because the guards are not a setting.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from reconciler.runtime.bootstrap import assemble
from reconciler.runtime.once import run_once
from reconciler.runtime.program import Program
from reconciler.runtime.report import Collector, Report
from reconciler.runtime.wiring import Wiring
from reconciler.settings import load
from reconciler.store.migrate import upgrade
from tests.support.harness import World


@dataclass(frozen=True)
class Wired:
    """A program that can run any number of cycles."""

    wiring: Wiring
    program: Program


@contextmanager
def program(world: World, guards: frozenset[str]) -> Iterator[Wired]:
    """The program with these guards alone."""
    wiring = assemble(load(world.environment | {"SWEEP_INTERVAL_SECONDS": "1"}, None))
    upgrade(wiring.database)
    wiring.account._configured = replace(wiring.account._configured, guards=guards)
    yield Wired(wiring, wiring.whole(is_whole=True))
    wiring.database.close()


def cycles(wired: Wired, count: int = 3) -> list[Report]:
    reports = []
    for _ in range(count):
        collector = Collector()
        worker = wired.wiring.worker(wired.program, (collector,))
        reports.append(run_once(wired.program, worker, collector, lambda _done, _left: None))
        wired.wiring.committer.flush()
    return reports


def whole_story(world: World, wired: Wired) -> None:
    """Every kind of act on both sides, by Jane, Ana and Omar, and a snooze that ends."""
    cycles(wired, 1)
    chat, asleep, away, both, end = (world.raise_alert(name, priority="P1") for name in "abcde")
    cycles(wired)
    world.customer(chat, "notes", text="one")
    world.engineer(chat, "notes", text="two")
    world.customer(asleep, "acknowledge")
    world.engineer(away, "acknowledge")
    world.customer(both, "acknowledge")
    world.engineer(both, "acknowledge")
    world.engineer(end, "resolve")
    cycles(wired)
    world.customer(asleep, "unacknowledge")
    world.engineer(away, "unacknowledge")
    world.engineer(both, "acknowledge", user="Omar Haddad")
    world.engineer(end, "reopen")
    world.customer(chat, "notes", text="three")
    cycles(wired)
    world.customer(asleep, "acknowledge")
    world.engineer(away, "acknowledge")
    world.customer(both, "unacknowledge")
    world.customer(end, "close")
    world.engineer(chat, "notes", text="four")
    cycles(wired)
    world.customer(asleep, "snooze", seconds=0.3)
    world.until(lambda: not world.alert(asleep)["acknowledged"], "the snooze's end")
    world.engineer(end, "notes", text="five")
    world.customer(end, "notes", text="six")
    cycles(wired, 5)


@pytest.mark.parametrize("guard", ["outbox", "author", "mark"])
def test_any_single_echo_guard_prevents_a_loop(world: World, guard: str) -> None:
    with program(world, frozenset({guard})) as wired:
        whole_story(world, wired)
        written = len(world.writes())
        reports = cycles(wired, 20)
        assert [report.problems for report in reports if report.problems] == []
        assert len(world.writes()) == written, world.writes()[written:]
    world.assert_good()


def test_without_any_echo_guard_there_is_a_loop(world: World) -> None:
    """The test above would prove nothing without this."""
    with program(world, frozenset()) as wired:
        cycles(wired, 1)
        alert = world.raise_alert()
        cycles(wired)
        world.customer(alert, "notes", text="hello")
        cycles(wired, 6)
        written = len(world.writes())
        cycles(wired, 10)
        assert len(world.writes()) > written
    assert world.audit()["looped"]
