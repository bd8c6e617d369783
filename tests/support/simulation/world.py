"""The whole product in one thread against both simulated vendors, with control of time, network and people.

A run has a fault phase (cycles with faults and people's acts), then no more faults, as many cycles as it takes to
pass every bound, and a quiet phase (3 cycles, each with a full sweep).
"""

import hashlib
import heapq
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar

from reconciler.core.hints import Hint
from reconciler.core.model import Side, Status
from reconciler.errors import ReconcilerError
from reconciler.runtime.once import run_once
from reconciler.runtime.report import Report
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.pagerduty.directory import BOT, JANE, OMAR
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Refused, Request
from reconciler.vendors import http as product_http
from reconciler.vendors import session as product_session
from reconciler.vendors.deadline import Exchange
from tests.support.assumptions import ASSUMPTIONS
from tests.support.clock import SimClock
from tests.support.simulation.process import Process, SimDryWiring
from tests.support.simulation.schedule import (
    HOURS,
    LASTING,
    LATE,
    LONG,
    LONG_ONES,
    OPSGENIE,
    POLL,
    SETTINGS,
    STALENESS,
    STANDING,
    SWEEP,
    TOO_LATE,
    WRONG_SET_UPS,
    Act,
    Fault,
    History,
)
from tests.support.simulation.store import Crash, Lost, SimDatabase
from tests.support.simulation.wire import refused_later, shown

T = TypeVar("T")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CUSTOMERS = ("Ana Ruiz", "Ben Okafor")
ENGINEERS = (JANE, OMAR)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
QUIET = 3
HEALING = 40
MOMENT = 1e-6
"""Seconds by which the clock advances past a due time, so that rounding leaves nothing due just after it."""
AWAKE = 300.0
"""Seconds that the process is awake between two cycles, after which every back-off is at its longest."""
END = 1_000_000
"""A step beyond those of any cycle."""
_NOTES = re.compile(r"(?P<at>\S+) pd\.notes .* GET /incidents/(?P<incident>\w+)/notes ")
_JUMPS = {"ahead": 30.0, "back": -45.0, "far_ahead": 4000.0}


class VendorsTime:
    """The vendors' clock, which is independent of the product's."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The time, in UTC, in whole microseconds."""
        return self._clock.start + timedelta(seconds=self._clock.passed)


@dataclass
class Parts:
    """The parts of the product that a mutant replaces, and the database."""

    guards: frozenset[str] = frozenset({"outbox", "author", "mark"})
    patches: tuple[tuple[Any, str, Any], ...] = ()
    sweep: float = SWEEP
    database: Callable[[Callable[[str], str], Callable[[], bool]], SimDatabase] = SimDatabase


@dataclass
class Outcome:
    """The outcome of a history, for the oracle."""

    history: History
    state: dict[str, Any]
    trace: list[str]
    steps: Counter[str]
    fired: list[Fault]
    acted: list[Act]
    ledger: Counter[Status]
    writes: int
    quiet_writes: list[str]
    broken: list[str]
    windows: list[tuple[str, bool]] = field(default_factory=list)
    lost_at: str = ""
    in_fault_phase: Counter[str] = field(default_factory=Counter)
    origins: list[tuple[str, str]] = field(default_factory=list)

    def fired_in(self, whats: Collection[str]) -> bool:
        """Whether any of these faults has fired."""
        return any(fault.what in whats for fault in self.fired)

    @cached_property
    def first_looks(self) -> dict[str, str]:
        """By incident id, the start of the cycle in which its notes were first read."""
        found: dict[str, str] = {}
        for line in self.trace:
            asked = _NOTES.match(line)
            if asked is not None and asked["incident"] not in found:
                began = (at for at, _ in reversed(self.windows) if at <= asked["at"])
                found[asked["incident"]] = next(began, asked["at"])
        return found

    @property
    def hash(self) -> str:
        """A hash of the trace, equal for equal runs."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


def _when(numbered: tuple[int, Act]) -> tuple[int, int, int]:
    number, act = numbered
    return act.cycle, act.step, number


class World:
    """One run of a history."""

    late, too_late = LATE, TOO_LATE

    def __init__(self, history: History, parts: Parts | None = None) -> None:
        self.history = history
        self.source = history.source
        self.parts = parts or Parts()
        self.clock = SimClock(0.0, START)
        self.vendors_time = VendorsTime(self.clock)
        settings: dict[str, Any] = {"write_lag": 0.2, "acknowledgement_timeout": 1800.0}
        settings |= (SETTINGS | WRONG_SET_UPS)[history.setting]
        settings |= ASSUMPTIONS[history.assumption].settings if history.assumption else {}
        settings["jsm_only"] = history.source != OPSGENIE
        self.sandbox = Sandbox(self.vendors_time, SandboxSettings(seed=history.seed, **settings))
        self.faults = {(fault.kind, fault.nth): fault for fault in history.faults}
        self.counts: Counter[str] = Counter()
        self.fired: list[Fault] = []
        self.acts = sorted(enumerate(history.acts), key=_when)
        self.acted: list[Act] = []
        self.trace: list[str] = []
        self.outages: dict[str, str] = {}
        self.failing: dict[str, int] = {}
        self.lasting: dict[str, int] = {}
        self.forgotten: set[str] = set()
        self.broken: list[str] = []
        self.windows: list[tuple[str, bool]] = []
        self.lost_at = ""
        self.origins: list[tuple[str, str]] = []
        self.cycle_number = -1
        self.step_in_cycle = 0
        self.calm = True
        self.interval = POLL
        self.healed = False
        self.database = self.parts.database(self.step, lambda: "database" in self.outages)
        self.alerts: list[str] = []
        self._before()
        self.process = Process(self)

    # -- additions by a driver that decides during the run --

    def add_act(self, act: Act) -> None:
        """Add an act to the rest of the run."""
        self.history = replace(self.history, acts=(*self.history.acts, act))
        self.acts = sorted([*self.acts, (len(self.history.acts), act)], key=_when)

    def add_glance(self) -> None:
        """Let webhooks arrive before the next cycle."""
        self.history = replace(self.history, glances=(*self.history.glances, self.cycle_number + 1))

    def add_fault(self, kind: str, ahead: int, what: str) -> None:
        """Add a fault at the n-th step of this kind from now."""
        fault = Fault(kind, self.counts[kind] + ahead, what)
        if (kind, fault.nth) not in self.faults:
            self.history = self.history.but(*self.history.faults, fault)
            self.faults[kind, fault.nth] = fault

    # -- the run --

    def run(self) -> Outcome:
        """Run all phases."""
        with self.deterministic():
            return self.rest()

    def turn(self) -> None:
        """Run the next cycle of the fault phase."""
        self._begin(self.cycle_number + 1)
        if self.cycle_number in self.history.glances:
            self._survive(self.glance)
        self._cycle()
        self._act(everything=True)
        self.pass_time(self.interval)

    def rest(self) -> Outcome:
        """Run the rest of the fault phase and all later phases."""
        while self.cycle_number + 1 < self.history.cycles:
            self.turn()
        in_fault_phase = Counter(self.counts)
        self._heal()
        quiet_from = len(self._writes())
        for _ in range(QUIET):
            self.pass_time(SWEEP + POLL)
            self._cycle()
        self.sandbox.lock.acquire()
        state = self.sandbox.state()
        self.sandbox.lock.release()
        with self.database.reading() as unit:
            ledger = unit.outbox.counts()
        return Outcome(
            self.history, state, self.trace, self.counts, self.fired, self.acted, ledger, len(self._writes()),
            self._writes()[quiet_from:], self.broken, self.windows, self.lost_at,
            in_fault_phase, self.origins,
        )  # fmt: skip

    def _begin(self, number: int) -> None:
        """Begin a cycle of the fault phase, and end the lasting faults that are over."""
        self.cycle_number, self.step_in_cycle = number, 0
        for vendor, until in list(self._until.items()):
            if number >= until:
                self.outages.pop(vendor, None)
                del self._until[vendor]
                self.interval = POLL
        for what, until in list(self.lasting.items()):
            if number >= until:
                self._end(what)
        what = self.step("cycle")
        if what in LONG_ONES:
            self.interval = 3600.0 if what.endswith(HOURS) else self.interval
            self._last(what.removesuffix(HOURS), number + LONG)
            return
        vendor = {"og": "opsgenie", "pd": "pagerduty", "db": "database"}.get(what[:2], "")
        if what in _JUMPS:
            self.clock.off += _JUMPS[what]
        elif what == "db_lost":
            self._lose()
        elif vendor:
            self.outages[vendor] = "401" if what.endswith("401") else "gone"
            self._until[vendor] = number + 3
            self.interval = 3600.0 if what.endswith("hours") else POLL

    def _last(self, what: str, until: int) -> None:
        """Begin a fault that lasts for some cycles."""
        self.lasting[what] = until
        if what in STANDING:
            self._stand(what)
        else:
            first = self.alerts[:1]
            changes = {name: first if value == "first" else value for name, value in LASTING[what].items()}
            self.sandbox.settings = self.sandbox.settings.changed(changes)

    def _stand(self, what: str) -> None:
        """Add a standing fault. Those of the alert side concern whichever product raises the alerts."""
        fault = STANDING[what]
        is_of_alerts = fault.vendor == "opsgenie"
        self.sandbox.faults.add(replace(fault, vendor=self.history.vendor) if is_of_alerts else fault)

    def _end(self, what: str) -> None:
        """End a lasting fault; others of its kind may continue."""
        del self.lasting[what]
        self.interval = self.interval if self.outages else POLL
        if what in STANDING:
            self.sandbox.faults.clear()
            for left in self.lasting.keys() & STANDING.keys():
                self._stand(left)
        else:
            before = SandboxSettings().as_json()
            changes = {name: before[name] for name in LASTING[what]}
            self.sandbox.settings = self.sandbox.settings.changed(changes)

    def _heal(self) -> None:
        """End all faults, and run cycles until every bound has passed and no action is open."""
        self.healed = True
        self.outages.clear()
        self.failing.clear()
        for what in list(self.lasting):
            self._end(what)
        self.cycle_number = self.history.cycles
        self._calm_down(max(STALENESS, TOO_LATE) + max(0.0, -self.clock.off))
        if not self.sandbox.settings.notes_bump_updated_at:
            # Long enough for every pair with a growing interval to be read again.
            self.clock.advance(self.clock.monotonic())
            self._calm_down(SWEEP)

    def _calm_down(self, bound: float) -> None:
        """Run cycles until this much time has passed and no action is open."""
        start = self.clock.monotonic()
        for number in range(HEALING):
            self.step_in_cycle = 0
            self._cycle()
            self.pass_time(POLL if number < 2 else 3 * POLL)
            enough = self.clock.monotonic() - start > bound + 2 * POLL
            if enough and not self._open():
                return

    def _cycle(self) -> None:
        """Run one tick of the daemon and record its result."""
        began, fired, acted = self.vendors_time.now(), len(self.fired), len(self.acted)
        is_good = self._survive(self.process.tick)
        if not self.origins or self.lost_at > self.origins[-1][0]:
            self._note_origin()
        is_quiet = (fired, acted) == (len(self.fired), len(self.acted)) and not self.outages and not self.lasting
        self.windows.append((began.isoformat(), bool(is_good) and is_quiet))

    def pass_time(self, seconds: float) -> None:
        """Let time pass; the process does what becomes due meanwhile, for AWAKE seconds at most."""
        ends = self.clock.monotonic() + seconds
        last = min(ends, self.clock.monotonic() + AWAKE)
        while (wait := self.process.due_in()) is not None and self.clock.monotonic() + wait + MOMENT < last:
            self.clock.advance(wait + MOMENT)
            self._survive(self.process.work)
        self.clock.advance(max(0.0, ends - self.clock.monotonic()))

    def _survive(self, work: Callable[[], T]) -> T | None:
        """Record expected exceptions of the product; after a crash, start a new process."""
        try:
            return work()
        except ReconcilerError as error:
            self.trace.append(f"told: {error}")
        except Lost:
            self._lose()
            self.clock.advance(1.0)
        except Crash:
            self.trace.append("crash")
            self.clock.advance(1.0)
            self.process = Process(self)
        except Exception as error:  # noqa: BLE001 - an unexpected exception is a finding
            self.broken.append(f"{type(error).__name__}: {error}")
        return None

    def _note_origin(self) -> None:
        """Record when the first start was stored and how far it looked back."""
        if "database" in self.outages:
            return
        with self.database.reading() as unit:
            origin = unit.cursors.load(END_OF_TIME).origin
        if origin is not None:
            self.origins.append((self.vendors_time.now().isoformat(), origin.since.isoformat()))

    def glance(self) -> None:
        """Let webhooks name every alert and every incident."""
        incidents = self.sandbox.pagerduty.incidents
        keyed = [entry for alert in self.alerts for entry in incidents.by_key(alert)]
        hints = [Hint(Side.ALERTS, alert) for alert in self.alerts]
        self.process.glance([*hints, *(Hint(Side.PAGERDUTY, entry.now.id) for entry in keyed)])

    # -- steps --

    def step(self, kind: str, asked: Request | None = None) -> str:
        """Take a step of this kind: people act, and a fault may fire, which is returned."""
        self._act()
        self.step_in_cycle += 1
        nth = self.counts[kind]
        self.counts[kind] += 1
        fault = None if self.healed else self.faults.get((kind, nth))
        if fault:
            self.fired.append(fault)
        what = fault.what if fault else ""
        line = shown(asked) if asked else ""
        self.trace.append(f"{self.vendors_time.now().isoformat()} {kind} {nth} {what} {line}")
        return what

    def postpone(self, vendor: str, asked: Request, *, beyond: bool) -> None:
        """Let the call reach the vendor later."""
        self.sandbox._postpone(vendor, asked, self.too_late if beyond else self.late)

    def is_forgotten(self, asked: Request) -> bool:
        """Whether Opsgenie does not report the outcome of this request."""
        return asked.path.rpartition("/")[2] in self.forgotten

    def spoil(self, request_id: str) -> None:
        """Let the newest accepted write fail when it is due."""
        opsgenie = self.sandbox.opsgenie
        heap = opsgenie._account.due._heap
        place = max(range(len(heap)), key=lambda index: heap[index][1])
        due, count, _ = heap[place]
        effect = refused_later("Something went wrong")
        heap[place] = (due, count, partial(opsgenie._queue._process, request_id, "Spoiled", effect))
        heapq.heapify(heap)

    # -- people --

    def _before(self) -> None:
        """Create what precedes the program: an old alert, a recent one, and one with an incident."""
        self._until: dict[str, int] = {}
        now, og = self.vendors_time.now(), self.sandbox.opsgenie
        og.create_alert("old", user=CUSTOMERS[0], created_at=now - timedelta(hours=5))
        self.clock.advance(1)

    def _act(self, *, everything: bool = False) -> None:
        """Carry out all acts that are due by now."""
        place = (self.cycle_number, END if everything else self.step_in_cycle)
        while self.acts and (self.acts[0][1].cycle, self.acts[0][1].step) <= place:
            _, act = self.acts.pop(0)
            try:
                self._do(act)
            except (Refused, IndexError):
                self.trace.append(f"not possible: {act}")
            else:
                self.acted.append(act)
                self.trace.append(f"{self.vendors_time.now().isoformat()} {act}")

    def _do(self, act: Act) -> None:
        if act.side == "og":
            self._customer(act)
        else:
            self._engineer(act)

    def _customer(self, act: Act) -> None:
        machine, who = self.sandbox.opsgenie, CUSTOMERS[act.who]
        if act.verb == "create":
            made = machine.create_alert(f"alert {len(self.alerts)}", user=who, description=act.text)
            self.alerts.append(made["id"])
            return
        alert = self.alerts[act.alert]
        match act.verb:
            case "note":
                machine.add_note(alert, who, act.text)
            case "snooze":
                machine.snooze(alert, who, float(act.text))
            case "escalate":
                machine.escalate(alert)
            case "priority":
                machine.set_priority(alert, who, act.text)
            case verb:
                getattr(machine, verb)(alert, who)

    def _engineer(self, act: Act) -> None:
        machine, who = self.sandbox.pagerduty, ENGINEERS[act.who].id
        incident = machine.find(self.alerts[act.alert]).now.id
        match act.verb:
            case "note":
                machine.add_note(incident, who, act.text)
            case "edit_note" | "delete_note":
                notes = [n for n in machine.find(incident).notes if n.user != BOT]
                if not notes:
                    raise Refused("no note")
                if act.verb == "edit_note":
                    machine.edit_note(incident, who, notes[-1].id, act.text)
                else:
                    machine.delete_note(incident, who, notes[-1].id)
            case "snooze":
                machine.snooze(incident, who, float(act.text))
            case "merge":
                machine.merge(incident, who, machine.create_incident("by hand")["id"])
            case verb:
                getattr(machine, verb)(incident, who)

    # -- the program --

    def dry_run(self) -> tuple[Report, bool]:
        """The report of a dry run, and whether it has changed nothing."""
        writes, content = len(self._writes()), self.database.content()
        with self.database.read_only() as database:
            program, worker, collector = SimDryWiring(self, database).dry()
            report = run_once(program, worker, collector, lambda _done, _left: None)
        return report, (len(self._writes()), self.database.content()) == (writes, content)

    def _lose(self) -> None:
        self.database.lose()
        self.lost_at = self.vendors_time.now().isoformat()
        self.trace.append("database lost")
        self.process = Process(self)

    def _open(self) -> bool:
        with self.database.reading() as unit:
            return bool(unit.outbox.open())

    def _writes(self) -> list[str]:
        return [f"{c.at} {c.method} {c.path}" for c in self.sandbox.journal.calls if c.write]

    @contextmanager
    def deterministic(self) -> Iterator[None]:
        """Inside the block, jitter comes from the seed, calls have no deadline, and a mutant's patches apply."""
        jitter = random.Random(self.history.seed)  # noqa: S311 - a simulation
        wire = ((product_http, "random", jitter), (product_session, "exchange", _without_deadline))
        patches = (*wire, *self.parts.patches)
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
        for owner, name, value in patches:
            setattr(owner, name, value)
        try:
            yield
        finally:
            for owner, name, value in reversed(before):
                setattr(owner, name, value)


@contextmanager
def _without_deadline(_seconds: float) -> Iterator[Exchange]:
    """An exchange without the thread that enforces a deadline, which does not survive the fork of a branch."""
    yield Exchange()


def run(history: History, parts: Parts | None = None) -> Outcome:
    """Run one history from the beginning to the end."""
    return World(history, parts).run()
