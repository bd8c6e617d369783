"""What is remembered of a pair once it was read, and once a write of our own has taken effect."""

from dataclasses import replace

import pytest

from reconciler.core.model import AlertBaseline, Incident, IncidentBaseline, Kind, Observation, Pair, Plan, Status
from reconciler.core.plan import decide, settled
from tests.support.builders import (
    ACKED,
    ANA,
    BOB,
    BOT,
    JANE,
    OG,
    PD,
    RESOLVED,
    T0,
    action,
    alert,
    at,
    incident,
    inputs,
    note,
    observation,
    pair,
    policy,
)

HELD = incident("acknowledged", acknowledgers=(JANE,), changed_by=JANE, changed_at=at(12))
LOST = pair(alerts=replace(pair().alerts, missing_since=at(-60)))
LEDGER_OFF = policy(guards=frozenset({"author", "mark"}))


def test_nothing_is_stored_without_a_pair_and_an_alert() -> None:
    assert decide(inputs(observation(incident=incident(), incident_notes=(note("PN1", JANE, "on it"),)))) == Plan()


def test_an_alerts_alias_and_time_of_creation_are_kept_from_the_first_read_that_shows_them() -> None:
    shown = observation(pair=pair(created_at=None), alert=replace(alert(), alias="db-primary"))
    (kept,) = decide(inputs(shown)).pairs
    assert (kept.alias, kept.created_at) == ("db-primary", alert().created_at)
    assert decide(inputs(observation(pair=kept, alert=alert()))).pairs == ()


def test_observed_notes_become_known_on_their_side() -> None:
    seen = observation(
        pair=pair(),
        alert_notes=(note("o1", ANA, "any news?"), note("o2", ANA, "hello?")),
        incident_notes=(note("PN1", JANE, "on it"), note("PN2", BOT, "an echo")),
        known_notes=frozenset({(OG, "o1")}),
    )
    assert decide(inputs(seen)).notes == (("a-1", OG, "o2"), ("a-1", PD, "PN1"), ("a-1", PD, "PN2"))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            observation(alert=replace(ACKED, snoozed_until=at(900))),
            Pair(
                "a-1",
                "17",
                True,
                AlertBaseline(True, True, at(10), at(900), "P3"),
                swept_at=at(60),
                next_look_at=at(360),
                title="Disk full",
                created_at=T0,
            ),
            id="a new alert: its state, and swept now",
        ),
        pytest.param(
            observation(alert=alert(), tracked=False),
            Pair(
                "a-1",
                "17",
                False,
                AlertBaseline(True, False, at(0), priority="P3"),
                swept_at=at(60),
                next_look_at=at(360),
                title="Disk full",
                created_at=T0,
            ),
            id="a baseline: its state, not tracked",
        ),
        pytest.param(
            observation(alert=alert(), tracked=False, incident=HELD),
            Pair(
                "a-1",
                "17",
                True,
                AlertBaseline(True, False, at(0), priority="P3"),
                "PINC1",
                4711,
                IncidentBaseline("acknowledged", (JANE,), as_of=at(12)),
                at(60),
                at(360),
                "Disk full",
                created_at=T0,
            ),
            id="an adopted incident makes it tracked",
        ),
        pytest.param(
            observation(pair=pair(), alert=ACKED, incident=HELD, swept=True),
            pair(
                "acknowledged",
                (JANE,),
                True,
                actor="Jane Doe",
                updated_at=at(10),
                as_of=at(12),
                swept_at=at(60),
                next_look_at=at(360),
            ),
            id="both sides changed, swept",
        ),
        pytest.param(
            observation(
                pair=pair("acknowledged", (JANE,), actor="Jane Doe"), incident=replace(RESOLVED, changed_by=BOB)
            ),
            pair("resolved", actor="Bob Ray", as_of=at(40)),
            id="the last person to change the incident is stored",
        ),
        pytest.param(
            observation(
                pair=pair(actor="Jane Doe"),
                incident=replace(HELD, acknowledgers=(BOT,)),
                alert=alert(updated_at=at(3)),
            ),
            pair("acknowledged", (BOT,), actor="Jane Doe", updated_at=at(3), as_of=at(12)),
            id="our own act does not change the last person",
        ),
        pytest.param(
            observation(pair=pair(), incident=replace(RESOLVED, acknowledgers=(JANE,))),
            pair("resolved", actor="Jane Doe", as_of=at(40)),
            id="nobody holds a resolved incident",
        ),
        pytest.param(
            observation(pair=LOST, missing=True, sees_others=True),
            replace(LOST, alerts=replace(LOST.alerts, open=False, deleted=True)),
            id="a deleted alert is closed",
        ),
        pytest.param(
            observation(pair=pair(), incident=HELD, incident_notes=(note("PN1", BOB, "mine?", 99),)),
            pair("acknowledged", (JANE,), actor="Jane Doe", as_of=at(12)),
            id="a note does not change the incident",
        ),
        pytest.param(
            observation(
                pair=pair(as_of=at(2)),
                incident=incident("resolved", changed_at=at(20)),
                mine=(action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.SENT),),
            ),
            pair("resolved", actor="somebody", as_of=at(2)),
            id="the baseline that a write in doubt was based on is kept until it is settled",
        ),
        pytest.param(
            observation(pair=pair(), alert=replace(alert(), updated_at=at(700))),
            pair(updated_at=at(700)),
            id="the watermark moves although nothing else changes",
        ),
    ],
)
def test_an_observation_updates_the_stored_pair(seen: Observation, expected: Pair) -> None:
    assert decide(inputs(seen)).pairs == (expected,)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(observation(pair=pair()), id="nothing was read"),
        pytest.param(observation(pair=pair(), alert=alert(), incident=incident()), id="nothing changed"),
    ],
)
def test_an_unchanged_pair_is_not_stored_again(seen: Observation) -> None:
    assert decide(inputs(seen)) == Plan()


@pytest.mark.parametrize(
    ("before", "kind", "found", "expected"),
    [
        pytest.param(pair(None), Kind.CREATE_INCIDENT, incident(), pair(), id="a creation starts from triggered"),
        pytest.param(
            pair(None),
            Kind.CREATE_INCIDENT,
            HELD,
            pair(as_of=at(12)),
            id="a creation always starts from triggered",
        ),
        pytest.param(
            pair(None), Kind.CREATE_INCIDENT, None, pair(None), id="a creation whose incident was not read"
        ),
        pytest.param(pair(), Kind.PAGERDUTY_NOTE, None, pair(), id="a note changes no baseline"),
        pytest.param(pair(), Kind.ALERT_NOTE, None, pair(), id="a note in Opsgenie changes no baseline"),
        pytest.param(pair(), Kind.ALERT_ACKNOWLEDGE, None, pair(acknowledged=True), id="the alert acknowledged"),
        pytest.param(
            pair(acknowledged=True), Kind.ALERT_UNACKNOWLEDGE, None, pair(), id="the alert unacknowledged"
        ),
        pytest.param(
            pair(),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            None,
            pair("acknowledged", (BOT,)),
            id="the incident acknowledged by us",
        ),
        pytest.param(
            pair("acknowledged", (BOT,)),
            Kind.PAGERDUTY_UNACKNOWLEDGE,
            None,
            pair(),
            id="the incident triggered again",
        ),
        pytest.param(
            pair("acknowledged", (JANE,), actor="Jane Doe"),
            Kind.PAGERDUTY_RESOLVE,
            None,
            pair("resolved"),
            id="the incident resolved by us",
        ),
        pytest.param(
            pair(None), Kind.PAGERDUTY_ACKNOWLEDGE, None, pair(None), id="no incident, no baseline to change"
        ),
        pytest.param(
            pair(as_of=at(2)),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            HELD,
            pair("acknowledged", (BOT,), as_of=at(12)),
            id="the incident's own time of our write is stored",
        ),
        pytest.param(
            pair(as_of=at(2)),
            Kind.PAGERDUTY_ACKNOWLEDGE,
            None,
            pair("acknowledged", (BOT,), as_of=at(2)),
            id="without an answer the earlier time is kept",
        ),
    ],
)
def test_a_finished_write_of_ours_updates_the_baselines(
    before: Pair, kind: Kind, found: Incident | None, expected: Pair
) -> None:
    assert settled(before, action(kind), policy(), found) == expected
    unguarded = settled(before, action(kind), LEDGER_OFF, found)
    assert unguarded == (expected if kind is Kind.CREATE_INCIDENT else before)


@pytest.mark.parametrize(("shows", "expected"), [("P2", "P2"), ("", "P4")])
def test_a_priority_is_kept_until_another_one_is_read(shows: str, expected: str) -> None:
    known = pair(alerts=replace(pair().alerts, priority="P4"))
    seen = observation(pair=known, alert=alert(priority=shows, updated_at=at(20)))
    assert decide(inputs(seen)).pairs[0].alerts.priority == expected


def test_a_title_is_stored_in_one_line_and_kept_where_the_row_has_none() -> None:
    seen = observation(pair=pair(), alert=alert(message="Disk\nfull " + "x" * 300, updated_at=at(1)))
    title = decide(inputs(seen)).pairs[0].title
    assert (title[:11], len(title)) == ("Disk full x", 200)
    nameless = observation(pair=pair(), alert=alert(message=" ", updated_at=at(1)))
    assert decide(inputs(nameless)).pairs[0].title == "Disk full"
