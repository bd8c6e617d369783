"""The requests that mirroring one act costs, by kind, until no action is open and no pair is read again."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Finding
from benchmarks.scale import Scale
from reconciler.sandbox.settings import SandboxSettings
from tests.support.simulated_daemon import SimulatedDaemon, counted, world

NEVER = timedelta(days=365).total_seconds()
SECTION = "Requests for one act"
QUIET = SandboxSettings(noise=False, acknowledgement_timeout=None)
ANA, JANE = "Ana Ruiz", "Jane Doe"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of act. `writes` is the lower bound: the writes of a bare loop."""

    name: str
    act: Callable[[SimulatedDaemon, str], object]
    writes: int
    to_alerts: bool = False


def _alert(world: SimulatedDaemon, alert: str, verb: str, *more: object) -> object:
    return getattr(world.people.opsgenie, verb)(alert, ANA, *more)


def _incident(world: SimulatedDaemon, alert: str, verb: str, *more: object) -> object:
    found = world.people.pagerduty.find(alert).now.id
    return getattr(world.people.pagerduty, verb)(found, JANE, *more)


KINDS = (
    Kind("customer's note", lambda w, a: _alert(w, a, "add_note", "any news?"), 1),
    Kind("engineer's note", lambda w, a: _incident(w, a, "add_note", "on it"), 1, to_alerts=True),
    Kind("engineer acknowledges", lambda w, a: _incident(w, a, "acknowledge"), 1, to_alerts=True),
    Kind("engineer unacknowledges", lambda w, a: _incident(w, a, "unacknowledge"), 1, to_alerts=True),
    Kind("customer acknowledges", lambda w, a: _alert(w, a, "acknowledge"), 2),
    Kind("customer unacknowledges", lambda w, a: _alert(w, a, "unacknowledge"), 2),
    Kind("customer closes", lambda w, a: _alert(w, a, "close"), 1),
    Kind("engineer resolves", lambda w, a: _incident(w, a, "resolve"), 1, to_alerts=True),
)
"""In the order of an alert's lifecycle, so that each act is possible after the one before."""


def run(_scale: Scale, folder: Path) -> Iterator[Finding]:
    """One alert's lifecycle, act by act; then ten notes at once."""
    with quiet_world(folder / "acts.db") as here:
        alert, cost = raised(here)
        yield _figure("alert raised", cost, 1)
        for kind in KINDS:
            cost = cost_of(here, partial(kind.act, here, alert))
            yield _figure(kind.name, cost, kind.writes, to_alerts=kind.to_alerts)
        alert, _ = raised(here)
        cost_of(here, lambda: _alert(here, alert, "acknowledge"))
        cost = cost_of(here, lambda: _alert(here, alert, "unacknowledge"))
        yield _figure("customer unacknowledges, once it is known how", cost, 2)
        cost = cost_of(here, lambda: [_alert(here, alert, "add_note", f"{n}") for n in range(10)])
        yield _figure("customer's note, ten at once", cost, 10, acts=10)
        cost = cost_of(here, lambda: [_incident(here, alert, "add_note", f"{n}") for n in range(10)])
        yield _figure("engineer's note, ten at once", cost, 10, acts=10, to_alerts=True)


def quiet_world(file: Path) -> AbstractContextManager[SimulatedDaemon]:
    """A sandbox in which nothing happens by itself, and a daemon after its first start."""
    return world(file, settings=QUIET, interval=1.0, hands=1, sweep_interval=NEVER)


def raised(here: SimulatedDaemon) -> tuple[str, Counter[str]]:
    """Raise an alert and wait for its page; returns the alert and the cost."""
    if not here.wire.calls:
        here.cycle()
        here.pause()
    ids: list[str] = []
    cost = cost_of(here, lambda: ids.append(here.people.opsgenie.create_alert("disk is full", user=ANA)["id"]))
    return ids[0], cost


def cost_of(here: SimulatedDaemon, act: Callable[[], object]) -> Counter[str]:
    """Requests beyond the two feeds of each cycle, from the act until three cycles have no further one."""
    before, cycles, quiet = len(here.wire.calls), 0, 0
    act()
    while quiet < 3 and cycles < 50:
        begun = len(here.wire.calls)
        here.cycle()
        here.pause()
        cycles += 1
        quiet = quiet + 1 if len(here.wire.calls) - begun == 2 and here.is_settled else 0
    cost = counted(here.wire.calls[before:])
    cost.subtract({"opsgenie reads": cycles, "pagerduty reads": cycles})
    return cost


def _figure(name: str, cost: Counter[str], writes: int, *, acts: int = 1, to_alerts: bool = False) -> Finding:
    reads = cost["opsgenie reads"] + cost["pagerduty reads"]
    written = cost["opsgenie writes"] + cost["pagerduty writes"]
    allowed = 2 * acts + writes + (writes if to_alerts else 0)
    total = (reads + written) / acts
    return Figure(
        SECTION, name, total, floor=writes / acts, target=f"≤ {allowed / acts:g}", met=total <= allowed / acts,
        note=f"{reads} reads, {written} writes",
    )  # fmt: skip
