"""Histories that Hypothesis thinks of: any acts, any faults, and the shortest ones that go wrong.

Bounded and the same in every run. `make soak` runs far more of them.
"""

from chance import CUSTOMER, ENGINEER, TEXTS, random_history
from drivers import BOUNDS, drive_all
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import findings
from schedule import CYCLES, KINDS, SETTINGS, Act, Fault, History
from world import run

ALERTS = 2
places = st.tuples(st.integers(0, CYCLES - 1), st.integers(0, 12))
who = st.integers(0, 1)


def _said(verb: str) -> st.SearchStrategy[str]:
    if verb == "snooze":
        return st.sampled_from(("20", "45"))
    return st.sampled_from(TEXTS[:2]) if verb in ("note", "edit_note") else st.just("")


def _acts(side: str, verbs: tuple[str, ...]) -> st.SearchStrategy[Act]:
    return st.sampled_from(verbs).flatmap(
        lambda verb: st.builds(
            lambda place, alert, one, text: Act(*place, side, verb, alert, one, text),
            places,
            st.integers(0, ALERTS - 1),
            who,
            _said(verb),
        )
    )


def _faults(kind: str) -> st.SearchStrategy[Fault]:
    return st.builds(Fault, st.just(kind), st.integers(0, 5), st.sampled_from(KINDS[kind]))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """One or two alerts, up to eight acts, up to three faults of different kinds of steps."""
    creations = [Act(0, draw(st.integers(0, 6)), "og", "create") for _ in range(draw(st.integers(1, ALERTS)))]
    acts = draw(st.lists(st.one_of(_acts("og", CUSTOMER), _acts("pd", ENGINEER)), min_size=1, max_size=8))
    faults = draw(st.lists(st.sampled_from(tuple(KINDS)).flatmap(_faults), max_size=3, unique_by=lambda f: f.kind))
    setting = draw(st.sampled_from(tuple(SETTINGS)))
    chosen = [fault for fault in faults if (fault.kind, fault.nth, fault.what) not in BOUNDS]
    return History((*creations, *sorted(acts)), tuple(chosen), setting)


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_whatever_people_do_and_whatever_fails_nothing_is_lost_and_nothing_done_twice(history: History) -> None:
    assert findings(run(history)) == []


def test_so_it_is_with_histories_by_chance() -> None:
    tally = drive_all([random_history(seed) for seed in range(120)])
    assert not tally.found, str(tally)
