"""Lives that Hypothesis thinks of as they go on: people act, things fail, a cycle runs; then all must be well.

Bounded and the same in every run. `make soak` runs far more histories, by chance.
"""

from contextlib import ExitStack

from chance import CUSTOMER, ENGINEER, TEXTS, random_history
from drivers import BOUNDS, drive_all
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from oracles import findings
from schedule import CYCLES, KINDS, SETTINGS, Act, History
from world import World, run

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
    """The product's world; rules are what people do, what goes wrong, what webhooks do, and the next cycle."""

    def __init__(self) -> None:
        super().__init__()
        self.phases = ExitStack()
        self.world: World | None = None

    @initialize(setting=st.sampled_from(tuple(SETTINGS)), raised=st.lists(steps, min_size=1, max_size=ALERTS))
    def begins(self, setting: str, raised: list[int]) -> None:
        self.world = World(History(tuple(Act(0, step, "og", "create") for step in sorted(raised)), (), setting))
        self.phases.enter_context(self.world.deterministic())

    @property
    def here(self) -> World:
        assert self.world is not None
        return self.world

    def is_going_on(self) -> bool:
        """Whether the fault phase has cycles left."""
        return self.here.cycle_number + 1 < CYCLES

    def may_fail(self) -> bool:
        """Whether it still has, and has not had its share of faults."""
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
        """The last ones are left to the teardown: a machine must always have a rule to go on with."""
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


Life.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=24,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestWhateverPeopleDoAndWhateverFailsNothingIsLostAndNothingDoneTwice = Life.TestCase


def test_what_a_machine_has_done_is_a_history_that_runs_the_same() -> None:
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


def test_so_it_is_with_histories_by_chance() -> None:
    tally = drive_all([random_history(seed) for seed in range(80)])
    assert not tally.found, str(tally)
