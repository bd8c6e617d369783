"""Which entry of an incident's log explains that its status has changed."""

from dataclasses import replace

from reconciler.core.model import IncidentBaseline, Kind, Observation, Status
from reconciler.core.plan import decide
from reconciler.core.policy import Policy
from tests.support.builders import (
    BOB,
    BOT,
    JANE,
    RESOLVED,
    act,
    action,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
)


def keys(seen: Observation, rules: Policy | None = None) -> list[str]:
    return [planned.key for planned in decide(inputs(seen, rules=rules)).actions]


def test_a_reassignment_after_an_older_unacknowledgement_has_a_key_of_its_own() -> None:
    """Un-acknowledged at 20 s, acknowledged again at 30 s, reassigned at 40 s: the log holds it all."""
    first = observation(
        pair=pair("acknowledged", (JANE,), acknowledged=True),
        incident=incident(changed_at=at(20)),
        incident_acts=(act("unacknowledge", JANE, 20), act("acknowledge", JANE, 10)),
    )
    acts = (act("assign", BOB, 40), act("acknowledge", JANE, 30), *first.incident_acts)
    second = replace(first, incident=incident(changed_at=at(40)), incident_acts=acts)
    assert len(keys(first)) == len(keys(second)) == 1
    assert keys(first) != keys(second), "with the same key the second unacknowledgement would be lost"
    assert decide(inputs(second)).actions[0].person == "Bob Ray"


def test_an_unacknowledgement_in_the_second_of_an_acknowledgement_counts() -> None:
    seen = observation(
        pair=pair("acknowledged", (JANE,), acknowledged=True),
        incident=incident(),
        incident_acts=(act("acknowledge", JANE, 20), act("unacknowledge", BOB, 20)),
    )
    assert [planned.person for planned in decide(inputs(seen)).actions] == ["Bob Ray"]


def test_a_reopening_in_the_second_of_the_resolution_gets_a_note_of_its_own() -> None:
    """PagerDuty's times are whole seconds, so that both marks are equal."""
    reopening = replace(act("reopen", JANE, 40), at=RESOLVED.changed_at or at(40))
    copy = note("ON1", BOT, "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] resolved the incident")
    seen = observation(
        pair=pair(pagerduty=IncidentBaseline("resolved")),
        incident=incident("triggered"),
        incident_acts=(reopening,),
        alert_notes=(copy,),
        looked=frozenset({Kind.ALERT_NOTE}),
    )
    (told,) = decide(inputs(seen)).actions
    assert told.text == "[PagerDuty · Jane Doe · 2026-11-23 09:00:40Z] reopened the incident"


def test_a_reopening_while_our_retrigger_is_in_doubt_is_noted_once() -> None:
    doubt = action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.SENT, sent_at=at(0))
    resolved = pair(pagerduty=IncidentBaseline("resolved"))
    resolved = replace(resolved, unexplained_since=at(-60))
    first = observation(pair=resolved, incident=incident("triggered"), mine=(doubt,))
    told = decide(inputs(first))
    assert [planned.kind for planned in told.actions] == [Kind.ALERT_NOTE]
    (moved,) = told.pairs
    assert moved.pagerduty is not None
    assert moved.pagerduty.status == "triggered"
