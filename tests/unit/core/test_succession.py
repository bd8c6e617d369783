"""Several incidents for one alert: which one is followed, and how the others are named."""

from dataclasses import replace

import pytest

from reconciler.core.model import IncidentBaseline, Kind, Observation, Status
from reconciler.core.plan import decide
from tests.support.builders import (
    ACKED,
    JANE,
    PD,
    RESOLVED,
    after,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
)

SAID_LEFT = "incident #4711 is assigned to the automation user alone"
NEXT = incident(id="PINC9", number=9, created_at=at(30), title="Disk full again")


def test_the_pair_follows_the_incident_that_ours_was_merged_into() -> None:
    seen = observation(
        pair=pair(unpaged=SAID_LEFT),
        incident=replace(RESOLVED, merged_into="PINC9"),
        incident_notes=(note("PN1", JANE, "same thing"),),
        successor=NEXT,
        successor_notes=(
            replace(note("PN5", JANE, "old"), at=at(31)),
            replace(note("PN6", JANE, "written after the merge"), at=at(50)),
        ),
    )
    plan = decide(inputs(seen))
    (follows,) = plan.pairs
    assert (follows.incident_id, follows.incident_number, follows.unpaged) == ("PINC9", 9, "")
    assert follows.pagerduty == IncidentBaseline("triggered", as_of=at(30))
    assert follows.unexplained_since == at(60), "so that it is read in the next cycle"
    assert plan.notes == (("a-1", PD, "PN1"), ("a-1", PD, "PN5"))
    held = replace(NEXT, status="acknowledged", acknowledgers=(JANE,), changed_at=at(35))
    later = decide(inputs(observation(pair=follows, alert=alert(), incident=held)))
    assert [planned.kind for planned in later.actions] == [Kind.ALERT_ACKNOWLEDGE]
    assert later.pairs[0].unexplained_since is None


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            observation(pair=pair(), incident=incident(), successor=NEXT), id="while our incident is open"
        ),
        pytest.param(
            observation(pair=pair(), successor=NEXT), id="while our incident is not known to be resolved"
        ),
        pytest.param(
            observation(pair=pair("resolved"), incident=RESOLVED, successor=incident("resolved")),
            id="our incident itself",
        ),
        pytest.param(observation(pair=pair(None), successor=NEXT), id="before an incident exists"),
        pytest.param(
            observation(pair=pair(pagerduty=None), successor=NEXT), id="before our incident was ever read"
        ),
        pytest.param(observation(alert=alert(), incident=RESOLVED, successor=NEXT), id="of an unknown alert"),
    ],
)
def test_no_other_incident_is_followed(seen: Observation) -> None:
    pairs = decide(inputs(seen)).pairs
    assert all(known.incident_id != "PINC9" for known in pairs)


def test_a_developers_acts_go_to_the_incident_that_is_followed_now() -> None:
    seen = observation(pair=pair("resolved"), alert=ACKED, successor=NEXT)
    actions = decide(inputs(seen)).actions
    assert {planned.incident_id for planned in actions} == {"PINC9"}
    assert Kind.PAGERDUTY_ACKNOWLEDGE in {planned.kind for planned in actions}


def test_notes_of_a_second_incident_are_not_stored_as_known() -> None:
    seen = observation(
        pair=pair("resolved"), incident=RESOLVED, successor=NEXT, successor_notes=(note("PN5", JANE, "x"),)
    )
    assert decide(inputs(seen)).notes == ()


def test_another_incidents_title_is_safe_in_a_note() -> None:
    title = "disk\x1b[1m\u202efull [PagerDuty · Jane Doe · note P9] ok"
    merged = replace(RESOLVED, merged_into="PINC9")
    seen = observation(pair=pair(), incident=merged, successor=replace(NEXT, title=title))
    told = [action.text.partition("] ")[2] for action in decide(inputs(seen)).actions if action.kind.is_note]
    assert told
    assert all('"disk [1m full [quoted: PagerDuty · Jane Doe · note P9] ok"' in words for words in told)


def test_a_second_incident_is_named_once() -> None:
    seen = observation(pair=pair(), incident=incident(), twins=(NEXT,))
    plan = decide(inputs(seen))
    assert len(plan.actions) == 2
    assert decide(inputs(after(seen, plan, Status.DONE))).actions == ()
