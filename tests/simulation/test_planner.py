"""Properties of the pure planner over generated observations."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.model import Action, Alert, Incident, Kind, Note, Observation, Pair, Person, Plan, Status
from reconciler.core.plan import decide
from reconciler.core.text import is_copy_from
from tests.support.builders import (
    ANA,
    BOB,
    BOT,
    JANE,
    action,
    after,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
    policy,
)

people = st.sampled_from((JANE, BOB, BOT))
statuses = st.sampled_from(("triggered", "acknowledged", "resolved"))
seconds = st.integers(0, 50)


def _held(status: str) -> st.SearchStrategy[tuple[Person, ...]]:
    return (
        st.lists(people, min_size=1, max_size=2, unique=True).map(tuple)
        if status == "acknowledged"
        else st.just(())
    )


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    acknowledged = draw(st.booleans())
    return alert(
        open=draw(st.booleans()),
        acknowledged=acknowledged,
        acknowledged_by=draw(st.sampled_from(("Ana Ruiz", "Jane Doe"))) if acknowledged else "",
        updated_at=at(draw(seconds)),
    )


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    status = draw(statuses)
    return incident(
        status,
        acknowledgers=draw(_held(status)),
        changed_by=None if status == "triggered" else draw(people),
        changed_at=at(draw(seconds)),
    )


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    status = draw(st.one_of(st.none(), statuses))
    return pair(
        status,
        draw(_held(status or "")),
        draw(st.booleans()),
        is_open=draw(st.booleans()),
        updated_at=at(draw(seconds)),
        snoozed_until=draw(st.one_of(st.none(), seconds.map(at))),
    )


def _notes(prefix: str) -> st.SearchStrategy[tuple[Note, ...]]:
    words = st.sampled_from(("any news?", "on it", "[PagerDuty · Jane Doe · note N1] on it"))
    made = st.builds(
        note, st.sampled_from(("1", "2", "3")).map(prefix.__add__), st.sampled_from((ANA, JANE)), words, seconds
    )
    return st.lists(made, max_size=3, unique_by=lambda n: n.id).map(tuple)


@st.composite
def ours(draw: st.DrawFn) -> tuple[Action, ...]:
    """At most one action of each kind, in any status."""
    kinds = draw(st.lists(st.sampled_from(tuple(Kind)), max_size=3, unique=True))
    return tuple(
        replace(action(kind, draw(st.sampled_from(tuple(Status)))), id=number, mark="[Opsgenie · Ana Ruiz · x]")
        for number, kind in enumerate(kinds, 1)
    )


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    known = draw(st.one_of(st.none(), pairs()))
    return observation(
        pair=known,
        alert=draw(st.one_of(st.none(), alerts())),
        incident=draw(st.one_of(st.none(), incidents())),
        alert_notes=draw(st.one_of(st.none(), _notes("O"))),
        incident_notes=draw(st.one_of(st.none(), _notes("N"))),
        mine=draw(ours()) if known is not None else (),
        looked=draw(st.sets(st.sampled_from(tuple(Kind))).map(frozenset)),
        swept=draw(st.booleans()),
    )


def _twice(seen: Observation) -> tuple[Plan, Plan]:
    first = decide(inputs(seen))
    return first, decide(inputs(after(seen, first)))


many = settings(
    max_examples=80, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@many
@given(observations())
def test_a_remembered_decision_is_not_made_again(seen: Observation) -> None:
    first, second = _twice(seen)
    known = {planned.key for planned in first.actions} | {mine.key for mine in seen.mine}
    assert [planned for planned in second.actions if planned.key not in known] == []
    assert second.notes == ()


@many
@given(observations())
def test_the_same_observation_gives_the_same_plan(seen: Observation) -> None:
    assert decide(inputs(seen)) == decide(inputs(seen))


@many
@given(observations())
def test_no_plan_resolves_an_incident_or_changes_the_state_of_a_finished_object(seen: Observation) -> None:
    plan = decide(inputs(seen))
    for planned in plan.actions:
        if planned.kind.is_state and planned.kind.side == "opsgenie":
            assert seen.alert is None or seen.alert.open
        if planned.kind in (Kind.PAGERDUTY_ACKNOWLEDGE, Kind.PAGERDUTY_UNACKNOWLEDGE):
            assert seen.incident is None or seen.incident.status != "resolved"
        assert planned.kind is not Kind.PAGERDUTY_RESOLVE


@many
@given(observations())
def test_every_note_names_its_source_and_every_action_its_reason(seen: Observation) -> None:
    for planned in decide(inputs(seen)).actions:
        assert planned.reason
        if planned.kind.is_note:
            other = next(side for side in type(planned.kind.side) if side != planned.kind.side)
            assert is_copy_from(planned.text, other)
            assert planned.text.startswith(planned.mark)


@many
@given(observations())
def test_what_the_automation_user_did_is_never_mirrored_back(seen: Observation) -> None:
    held = seen.incident
    if held is None or held.status != "acknowledged" or set(held.acknowledgers) != {BOT}:
        return
    kinds = {planned.kind for planned in decide(inputs(seen, rules=policy())).actions}
    assert Kind.ALERT_ACKNOWLEDGE not in kinds
