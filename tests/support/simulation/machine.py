"""Hypothesis' state machine over the simulated world, and a driver that runs many of it from a seed."""

from contextlib import ExitStack, suppress

from hypothesis import HealthCheck, Phase, Verbosity, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.simulation.chance import CUSTOMER, ENGINEER, TEXTS
from tests.support.simulation.drivers import BOUNDS, Tally
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import CYCLES, KINDS, SETTINGS, Act, History
from tests.support.simulation.world import Parts, World

ALERTS = 2
MOST_FAULTS = 3
steps = st.integers(0, 12)
alerts = st.integers(0, ALERTS - 1)
people = st.integers(0, 1)
faults = st.sampled_from(sorted((kind, what) for kind, whats in KINDS.items() for what in whats))


def _said(verb: str, text: str) -> str:
    if verb in ("snooze", "priority"):
        return "20" if verb == "snooze" else "P1"
    return text if verb in ("note", "edit_note") else ""


class Life(RuleBasedStateMachine):
    """A simulated world whose rules are people's acts, faults, webhooks and the next cycle."""

    parts: Parts | None = None
    """The parts of the product that a mutant replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.phases = ExitStack()
        self.world: World | None = None

    @initialize(setting=st.sampled_from(tuple(SETTINGS)), raised=st.lists(steps, min_size=1, max_size=ALERTS))
    def begins(self, setting: str, raised: list[int]) -> None:
        raises = tuple(Act(0, step, "og", "create") for step in sorted(raised))
        self.world = World(History(raises, (), setting), self.parts)
        self.phases.enter_context(self.world.deterministic())

    @property
    def here(self) -> World:
        assert self.world is not None
        return self.world

    def is_going_on(self) -> bool:
        """Whether the fault phase has cycles left."""
        return self.here.cycle_number + 1 < CYCLES

    def may_fail(self) -> bool:
        """Whether cycles are left and the limit of faults is not reached."""
        return self.is_going_on() and len(self.here.faults) < MOST_FAULTS

    @precondition(is_going_on)
    @rule(verb=st.sampled_from(CUSTOMER), step=steps, alert=alerts, who=people, text=st.sampled_from(TEXTS[:2]))
    def customer_acts(self, verb: str, step: int, alert: int, who: int, text: str) -> None:
        self._act("og", verb, step, alert, who, text)

    @precondition(is_going_on)
    @rule(verb=st.sampled_from(ENGINEER), step=steps, alert=alerts, who=people, text=st.sampled_from(TEXTS[:2]))
    def engineer_acts(self, verb: str, step: int, alert: int, who: int, text: str) -> None:
        self._act("pd", verb, step, alert, who, text)

    @precondition(may_fail)
    @rule(fault=faults, ahead=st.integers(0, 3))
    def something_fails(self, fault: tuple[str, str], ahead: int) -> None:
        kind, what = fault
        if (kind, self.here.counts[kind] + ahead, what) not in BOUNDS:
            self.here.add_fault(kind, ahead, what)

    @precondition(is_going_on)
    @rule()
    def webhooks_arrive(self) -> None:
        self.here.add_glance()

    @rule()
    def a_cycle_runs(self) -> None:
        """The teardown runs the last cycles, because a state machine must always have a rule that applies."""
        if self.is_going_on():
            self.here.turn()

    def _act(self, side: str, verb: str, step: int, alert: int, who: int, text: str) -> None:
        cycle = self.here.cycle_number + 1
        self.here.add_act(Act(cycle, step, side, verb, alert, who, _said(verb, text)))

    def teardown(self) -> None:
        with self.phases:
            outcome = self.here.rest()
        wrong = findings(outcome)
        note(f"to see it again: {outcome.history!r}")
        assert wrong == []


class _Enough(Exception):
    """Ends the search after the finding that was looked for."""


def drive_machine(number: int, most: int, mutant: Parts | None = None, *, stop_at: str = "nothing") -> Tally:
    """Run this many state machines that Hypothesis generates from this seed, or until a finding of this kind.

    Hypothesis does not shrink a finding; `chance.smallest` does.
    """
    tally = Tally()

    class Watched(Life):
        """A state machine whose outcome is counted, not asserted."""

        parts = mutant

        def teardown(self) -> None:
            with self.phases:
                if self.world is None:
                    return
                outcome = self.world.rest()
            wrong = findings(outcome)
            tally.add(outcome, wrong)
            if any(line.startswith(stop_at) for line in wrong):
                raise _Enough

    long = settings(
        max_examples=most,
        stateful_step_count=40,
        derandomize=False,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with suppress(_Enough):
        run_state_machine_as_test(seed(number)(Watched), settings=long)
    return tally
