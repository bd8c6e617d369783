"""A move from Opsgenie to JSM in the simulated world: what was before, what people do meanwhile, and a crash."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from reconciler.core.product import JSM, OPSGENIE
from reconciler.operations.migrating import Choices, Unmatched
from reconciler.runtime.moving import Moved, Mover, Sides, is_there
from reconciler.sandbox.audit import findings as audited
from reconciler.sandbox.pagerduty.directory import JANE, OMAR
from reconciler.sandbox.wire import Refused, Request
from reconciler.store.schema import metadata
from reconciler.vendors.ports import AlertReader
from tests.support.moves import FreeLock
from tests.support.simulation.oracle import knowledge_of
from tests.support.simulation.process import Process, SimDryWiring
from tests.support.simulation.schedule import POLL, STALENESS, Act, History
from tests.support.simulation.store import Crash
from tests.support.simulation.world import CUSTOMERS, Outcome, Parts, World

RETENTION = timedelta(days=30)
ALERTS = 3
"""Alerts before the move."""
LONG = 12
"""Cycles after which what people did before them is older than all bounds."""
ATTEMPTS = 8
"""How often an operator repeats a move that was refused, or died."""
_FIRST = Act(-1, 0, "og", "create")


@dataclass(frozen=True, slots=True)
class Setup:
    """How the vendors move the alerts; the fields are settings of the sandbox without their prefix."""

    ids: str = "same"
    note_ids: str = "token_half"
    sync: str = "both"
    lag: float = 0.0
    migrated: str = "all"

    def settings(self) -> dict[str, object]:
        """The sandbox's settings."""
        return {
            "jsm_ids": self.ids,
            "jsm_note_ids": self.note_ids,
            "jsm_sync": self.sync,
            "sync_lag": self.lag,
            "jsm_migrated": self.migrated,
        }


@dataclass(frozen=True, slots=True)
class Deed:
    """A person's act on one of the alerts: `where` is og, jsm or pd.

    `when` is before, between the vendors' own move and ours (Opsgenie is still followed), during or after.
    """

    when: str
    where: str
    verb: str
    alert: int = 0


class MovingWorld(World):
    """One move. `kill`: the step of the move and of the first cycles after it at which the process dies."""

    def __init__(
        self,
        setup: Setup,
        deeds: tuple[Deed, ...],
        kill: tuple[int, str] | None = None,
        *,
        loses: bool = False,
        parts: Parts | None = None,
    ) -> None:
        """`loses`: the database is lost after the move. `parts` may have another database."""
        self.loses = loses
        self.setup = setup
        self.deeds = deeds
        self.kill = kill
        self.steps = 0
        self.is_armed = False
        self.moved_at: datetime | None = None
        self.said: list[str] = []
        super().__init__(History(acts=(_FIRST,)), parts)

    def play(self) -> Outcome:
        """The whole story."""
        with self.deterministic():
            self.until_moved()
            if any(deed.when == "between" for deed in self.deeds):
                self._people("between")
                self._turns(LONG)
            self._people("during")
            self.is_armed = True
            self._move()
            if self.loses:
                self._turns(2)
                self._lose()
            self._people("after")
            self._turns(3)
            self.is_armed = False
            self.cycle_number = self.history.cycles
            return self.rest()

    def until_moved(self) -> None:
        """Everything up to the vendors' own move."""
        self._act(everything=True)
        for _ in range(ALERTS - 1):
            self._do(_FIRST)
        self._turns(2)
        self._people("before")
        self._turns(2)
        self.sandbox.settings = self.sandbox.settings.changed(self.setup.settings())
        self.sandbox.jsm.migrate()

    def content(self) -> list[str]:
        """The pairs, the known notes and the outbox."""
        with self.database.reading() as unit:
            tables = (metadata.tables[name] for name in ("pairs", "notes", "actions"))
            rows = [row for table in tables for row in unit.snapshot.connection.execute(select(table))]
            return sorted(map(repr, rows))

    def created(self) -> int:
        """How many incidents there are."""
        return sum(1 for call in self.sandbox.journal.calls if (call.method, call.path) == ("POST", "/incidents"))

    def step(self, kind: str, asked: Request | None = None) -> str:
        """A step; the process may die before or after it."""
        what = super().step(kind, asked)
        if self.is_armed:
            self.steps += 1
            if self.kill is not None and self.kill[0] == self.steps:
                self.trace.append(f"killed {self.kill[1]}")
                return self.kill[1]
        return what

    def move(self, choices: Choices, *, back: bool = False) -> Moved:
        """The command's move."""
        source, to = (JSM.key, OPSGENIE.key) if back else (OPSGENIE.key, JSM.key)
        here, there = self._reader(source), self._reader(to)
        both = Sides(there, here, to, "", timedelta(seconds=STALENESS), RETENTION)
        mover = Mover(self.database, FreeLock(), both, self.clock, _silent, lambda: None, self.said.append)
        return mover.move(choices)

    def dry_wiring(self, source: str) -> SimDryWiring:
        """A program for this source that only reads."""
        before, self.source = self.source, source
        try:
            return SimDryWiring(self, self.database)
        finally:
            self.source = before

    def jsm_id(self, alert: str) -> str:
        """The id that one of Opsgenie's alerts has in JSM."""
        sync = self.sandbox.jsm._sync
        assert sync is not None
        return sync._opsgenie.counterparts[alert].now.id

    def follow(self, source: str) -> None:
        """Start the daemon for this source."""
        self.source = source
        self.process = Process(self)

    def _reader(self, source: str) -> AlertReader:
        return self.dry_wiring(source).alerts

    def _turns(self, number: int) -> None:
        for _ in range(number):
            self._cycle()
            self.pass_time(POLL)

    def _move(self) -> None:
        """Drain and move, again after a crash, as an operator would; then the daemon follows JSM."""
        choices = Choices(is_drained=True, drop_missing=True, unknown=Unmatched.BASELINE)
        left: list[str] = []
        for _ in range(ATTEMPTS):
            try:
                if is_there(self.database, JSM.key, self.clock.now()):
                    break
                self._drain()
                left = [each.words for each in self.move(choices).seen.obstacles]
            except Crash:
                self.trace.append("crash")
                self.process = Process(self)
            self.clock.advance(STALENESS / 4)
        else:
            self.broken += [f"NOT MOVED {words}" for words in left]
        self.moved_at = self.vendors_time.now()
        self.follow(JSM.key)

    def _drain(self) -> None:
        """What `--drain` does: the old source is polled until nothing is left to be done."""
        for _ in range(10):
            self.process.tick()
            if not self._open():
                return
            self.clock.advance(1.0)

    def _people(self, when: str) -> None:
        for deed in self.deeds:
            if deed.when == when:
                self.clock.advance(1.5)
                try:
                    self._deed(deed)
                except Refused:
                    self.trace.append(f"not possible: {deed}")

    def _deed(self, deed: Deed) -> None:
        alert = self.alerts[deed.alert]
        self.trace.append(f"{self.vendors_time.now().isoformat()} {deed}")
        if deed.where == "pd":
            incident = self.sandbox.pagerduty.find(alert).now.id
            who = (JANE, OMAR)[deed.alert % 2].id
            _act(self.sandbox.pagerduty, deed.verb, incident, who, "from an engineer")
        elif deed.verb == "create":
            people = self.sandbox.jsm.people if deed.where == "jsm" else self.sandbox.opsgenie
            self.alerts.append(people.create_alert("raised meanwhile", user=CUSTOMERS[0])["id"])
        elif deed.where == "jsm":
            _act(self.sandbox.jsm.people, deed.verb, self.jsm_id(alert), CUSTOMERS[1], "from JSM")
        else:
            _act(self.sandbox.opsgenie, deed.verb, alert, CUSTOMERS[0], "from Opsgenie")


def _act(people: object, verb: str, target: str, who: str, words: str) -> None:
    if verb == "note":
        people.add_note(target, who, words)  # type: ignore[attr-defined]
    else:
        getattr(people, verb)(target, who)


def _silent(_words: str) -> None:
    """No terminal."""


def judged(world: MovingWorld, outcome: Outcome) -> list[str]:
    """All findings of one story."""
    assert world.moved_at is not None
    known = replace(
        knowledge_of(outcome),
        moves=((world.moved_at, JSM.key),),
        lag=timedelta(seconds=1.5 + world.setup.lag),
    )
    found = [f"{each.kind} {each.what} ({each.about})" for each in audited(outcome.state, known)]
    if world.setup.sync == "none":  # what has not reached JSM by itself is carried over, by nobody's act there
        found = [line for line in found if "acknowledged in Opsgenie 1 times for 0 causes" not in line]
    found += [f"BROKEN {line}" for line in outcome.broken]
    return found + [f"NOT QUIET {line}" for line in outcome.quiet_writes]


def play(setup: Setup, deeds: tuple[Deed, ...], kill: tuple[int, str] | None = None) -> tuple[list[str], int]:
    """The findings of a story, and its number of steps in which the process may die."""
    world = MovingWorld(setup, deeds, kill)
    outcome = world.play()
    return judged(world, outcome), world.steps
