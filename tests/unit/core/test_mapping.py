"""Every row of the mapping in both directions: for an observation and a stored pair, the exact actions."""

from dataclasses import replace

import pytest

from reconciler.core import text
from reconciler.core.mapping import SUPERSEDES, TABLE, is_act_text, state_key, state_of
from reconciler.core.model import Incident, Kind, Observation, Pair, Side
from reconciler.core.plan import decide
from reconciler.core.product import JSM
from tests.support.builders import (
    ALERT_ID,
    BOT,
    JANE,
    SERVICE,
    account,
    act,
    action,
    alert,
    at,
    incident,
    inputs,
    named,
    observation,
    pair,
    shown,
)
from tests.support.mapping_rows import HELD_BY_JANE, JANES_ACK, ROWS, Expected, Row, unacknowledge


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_each_row_plans_exactly_its_actions(row: Row) -> None:
    assert shown(decide(inputs(row.seen, rules=row.rules))) == list(row.expected)


def of_jsm(words: str) -> str:
    """What is said of Opsgenie, said of JSM."""
    return words.replace("ON_OPSGENIE", "ON_ALERT").replace("Opsgenie", "JSM").replace("JSM Bridge", BOT.name)


def test_each_row_plans_the_same_in_the_words_of_jsm() -> None:
    for row in ROWS:
        found = shown(decide(inputs(row.seen, rules=replace(row.rules, product=JSM))))
        states = [each for each in found if not each[2].endswith(" unacknowledged the incident")]
        assert states == [(kind, of_jsm(reason), of_jsm(words)) for kind, reason, words in row.expected], row.name


def test_every_kind_of_action_is_planned_by_some_row() -> None:
    planned = {action.kind for row in ROWS for action in decide(inputs(row.seen, rules=row.rules)).actions}
    assert planned == set(Kind)


def test_no_action_closes_an_alert() -> None:
    assert {kind.value for kind in Kind if kind.side is Side.ALERTS} == {
        "opsgenie.acknowledge",
        "opsgenie.unacknowledge",
        "opsgenie.add_note",
    }


def test_a_change_on_one_side_is_written_to_the_other_side_only() -> None:
    assert [row for row in TABLE if row.side is row.kind.side] == []


def test_an_act_supersedes_only_states_and_never_its_own_mirror() -> None:
    assert [kind for kinds in SUPERSEDES.values() for kind in kinds if not kind.is_state] == []
    assert [row for row in TABLE if row.kind in SUPERSEDES.get((row.side, row.verb), ())] == []


def test_a_creation_carries_all_fields_to_create_and_to_recognise_the_incident() -> None:
    raised = alert(
        priority="P1", source="probe", tags=("db",), description="9 of 9 GB", details=(("host", "db1"),)
    )
    (created,) = decide(inputs(observation(alert=raised))).actions
    assert created.key == "pagerduty.create_incident a-1 create"
    assert created.mark == ALERT_ID
    assert created.person == "probe"
    assert created.urgency == "high"
    assert created.incident_id is None
    assert created.body.splitlines() == [
        "Priority: P1",
        "Alert: https://example.app.opsgenie.com/alert/detail/a-1",
        "Source: probe",
        "Tags: db",
        "",
        "9 of 9 GB",
        "",
        "Details:",
        "  host: db1",
    ]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_every_action_is_complete(row: Row) -> None:
    for planned in decide(inputs(row.seen, rules=row.rules)).actions:
        assert planned.alert_id == ALERT_ID
        assert planned.person
        assert bool(planned.mark) == (planned.kind.is_note or planned.kind is Kind.CREATE_INCIDENT)
        assert not planned.kind.is_note or text.carries(planned.text, planned.mark)
        followed = row.seen.successor or row.seen.pair
        assert planned.incident_id in (
            (row.seen.pair or pair(None)).incident_id,
            followed.id if isinstance(followed, Incident) else None,
        )


ACKNOWLEDGED_BY_JANE = observation(pair=pair(), incident=HELD_BY_JANE, alert=alert())
TOLD_ACK = (
    Kind.ALERT_NOTE,
    "Jane Doe acknowledged the incident in PagerDuty",
    "[PagerDuty · Jane Doe · 2026-11-23 09:00:12Z] acknowledged the incident",
)
TOLD_UNACK = (
    Kind.ALERT_NOTE,
    "Jane Doe unacknowledged the incident in PagerDuty",
    "[PagerDuty · Jane Doe · 2026-11-23 09:00:20Z] unacknowledged the incident",
)
TAKEN_BACK = observation(
    pair=pair("acknowledged", (JANE,), True),
    incident=incident(changed_by=SERVICE, changed_at=at(20)),
    incident_acts=(act("unacknowledge", JANE),),
)


def of_alert(known: Pair) -> Observation:
    """An engineer's acknowledgement, of an alert that was not read."""
    return replace(ACKNOWLEDGED_BY_JANE, pair=known, alert=None)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(ACKNOWLEDGED_BY_JANE, (JANES_ACK, TOLD_ACK), id="an acknowledgement"),
        pytest.param(TAKEN_BACK, (unacknowledge("Jane Doe"), TOLD_UNACK), id="an un-acknowledgement"),
        pytest.param(of_alert(pair(acknowledged=True)), (), id="of an alert that is so already"),
        pytest.param(of_alert(pair(is_open=False)), (), id="of a closed alert"),
        pytest.param(
            replace(TAKEN_BACK, pair=pair("acknowledged", (JANE,))), (), id="of an alert that nobody holds"
        ),
    ],
)
def test_an_engineers_state_is_told_beside_it_where_the_alert_cannot_name_them(
    seen: Observation, expected: tuple[Expected, ...]
) -> None:
    assert shown(decide(inputs(seen, rules=account()))) == list(expected)
    states = [each for each in expected if each[0].is_state]
    never_named = [each for each in expected if each in (*states, TOLD_UNACK)]
    assert shown(decide(inputs(seen, rules=named()))) == never_named
    assert shown(decide(inputs(seen))) == states


def test_a_note_that_tells_a_state_is_known_as_ours_by_its_words_in_every_mode() -> None:
    for words in ("acknowledged the incident", "unacknowledged the incident"):
        assert is_act_text(Side.PAGERDUTY, words)
        assert not is_act_text(Side.ALERTS, words)


def test_a_note_goes_with_the_state_that_it_tells() -> None:
    state, told = decide(inputs(ACKNOWLEDGED_BY_JANE, rules=account())).actions
    assert (state_of(state), state_of(told)) == (Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_ACKNOWLEDGE)
    assert state_key(told) == state_key(state) == state.key
    other = action(Kind.ALERT_NOTE, key="opsgenie.add_note a-1 note PN1")
    assert (state_of(other), state_key(other)) == (None, other.key)
