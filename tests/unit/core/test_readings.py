"""Which parts of an observation are trusted: unreadable values, outdated reads, impossible times."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import (
    Alert,
    Incident,
    IncidentBaseline,
    Kind,
    Observation,
    Pair,
    Person,
    Receipt,
    Settlement,
    Status,
)
from reconciler.core.plan import decide, settled
from tests.support.builders import (
    ACKED,
    ANA,
    BOT,
    JANE,
    Bench,
    act,
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
BACK = incident(changed_at=at(2))
TAKEN_BACK = incident(changed_at=at(20))
BY_JANE = pair("acknowledged", (JANE,), acknowledged=True, updated_at=at(10), as_of=at(12))


def verbs(seen: Observation, seconds: float = 60) -> list[str]:
    return [planned.reason for planned in decide(inputs(seen, now=at(seconds))).actions]


def stored_pair(seen: Observation, seconds: float = 60) -> Pair:
    plan = decide(inputs(seen, now=at(seconds)))
    assert seen.pair is not None
    return plan.pairs[0] if plan.pairs else seen.pair


# -- unreadable values --


@pytest.mark.parametrize("known", [pair(), BY_JANE, pair(is_open=False), pair(is_open=False, acknowledged=True)])
@pytest.mark.parametrize(
    "unread", [{"open": None}, {"acknowledged": None}, {"open": None, "acknowledged": None}], ids=str
)
def test_an_unreadable_state_is_no_change(known: Pair, unread: dict[str, Any]) -> None:
    shows = alert(open=known.alerts.open, acknowledged=known.alerts.acknowledged, updated_at=at(50))
    seen = observation(pair=known, alert=replace(shows, **unread), looked=frozenset(Kind))
    assert verbs(seen) == []
    after = stored_pair(seen).alerts
    assert (after.open, after.acknowledged) == (known.alerts.open, known.alerts.acknowledged)


def test_a_new_alert_with_an_unreadable_state_is_paged_as_open() -> None:
    plan = decide(inputs(observation(alert=alert(open=None, acknowledged=None))))
    assert [planned.kind for planned in plan.actions] == [Kind.CREATE_INCIDENT]
    assert (plan.pairs[0].alerts.open, plan.pairs[0].alerts.acknowledged) == (True, False)


def test_an_unreadable_state_settles_no_write_of_ours() -> None:
    mine = action(Kind.ALERT_UNACKNOWLEDGE, Status.SENT)
    seen = observation(pair=pair(), alert=alert(acknowledged=None), mine=(mine,), looked=frozenset(Kind))
    assert decide(inputs(seen)).settlements == ()


# -- outdated reads --


@pytest.mark.parametrize(
    ("known", "old"),
    [
        pytest.param(pair(updated_at=at(20)), ACKED, id="acknowledged, although it was unacknowledged since"),
        pytest.param(
            pair(acknowledged=True, updated_at=at(20)),
            replace(ACKED, acknowledged=False),
            id="not acknowledged yet",
        ),
        pytest.param(
            pair(updated_at=at(20)), replace(ACKED, open=False), id="closed, although it was reopened since"
        ),
        pytest.param(pair(updated_at=at(20)), alert(priority="P1", updated_at=at(10)), id="the previous priority"),
    ],
)
def test_an_alert_older_than_the_baseline_is_no_change(known: Pair, old: Alert) -> None:
    mine = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT)
    seen = observation(pair=known, alert=old, mine=(mine,), looked=frozenset(Kind))
    plan = decide(inputs(seen))
    assert (plan.actions, plan.pairs, plan.settlements) == ((), (), ())


def test_an_older_read_of_the_same_state_does_not_move_the_watermark_back() -> None:
    seen = observation(pair=pair(updated_at=at(20)), alert=alert(updated_at=at(10), snoozed_until=at(90)))
    assert stored_pair(seen).alerts.updated_at == at(20)


def test_a_time_ahead_of_our_clock_hides_no_later_change() -> None:
    assert verbs(observation(pair=pair(updated_at=at(9_000)), alert=ACKED))
    waits = pair("acknowledged", (BOT,), acknowledged=True, as_of=at(9_000))
    assert verbs(observation(pair=waits, incident=TAKEN_BACK, incident_acts=(act("unacknowledge", JANE),)))
    assert stored_pair(observation(pair=pair(updated_at=at(9_000)), alert=ACKED)).alerts.updated_at == at(10)


def test_an_older_read_does_not_take_back_our_acknowledgement() -> None:
    """Opsgenie reports that it was carried out at 30 s; the read that follows shows an earlier state."""
    mine = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, person="Jane Doe")
    seen = observation(
        pair=pair("acknowledged", (JANE,)),
        alert=alert(updated_at=at(15)),
        mine=(mine,),
        receipts=(Receipt(7, True, at(30)),),
        looked=frozenset({mine.kind}),
    )
    plan = decide(inputs(seen))
    assert [answer.status for answer in plan.settlements] == [Status.DONE]
    assert plan.actions == ()
    (moved,) = plan.pairs
    assert (moved.alerts.acknowledged, moved.alerts.updated_at) == (True, at(30))
    later = replace(seen, pair=moved, mine=(), receipts=(), alert=alert(updated_at=at(40)))
    assert verbs(later) == ["somebody unacknowledged the alert in Opsgenie"]


def test_a_receipt_from_the_future_is_dated_now() -> None:
    mine = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT)
    seen = observation(pair=pair(), mine=(mine,), receipts=(Receipt(7, True, at(9_000)),))
    assert stored_pair(seen).alerts.updated_at == at(60)


def test_a_write_without_a_receipt_moves_no_watermark() -> None:
    known = pair(updated_at=at(20))
    assert settled(known, action(Kind.ALERT_ACKNOWLEDGE), policy()).alerts.updated_at == at(20)
    assert settled(known, action(Kind.ALERT_ACKNOWLEDGE), policy(), at=at(5)).alerts.updated_at == at(20)


def test_an_incident_that_steps_back_is_a_change_only_once_it_has_stayed_so() -> None:
    seen = observation(pair=BY_JANE, incident=BACK, looked=frozenset(Kind))
    first = decide(inputs(seen))
    assert first.actions == ()
    (waits,) = first.pairs
    assert (waits.pagerduty, waits.unexplained_since) == (BY_JANE.pagerduty, at(60))
    again = replace(seen, pair=waits)
    assert decide(inputs(again, now=at(179))).pairs == ()
    assert verbs(again, 180) == ["somebody unacknowledged the incident in PagerDuty"]
    after = stored_pair(again, 180)
    assert after.pagerduty == IncidentBaseline("triggered", (), "somebody", at(2))
    assert after.unexplained_since is None


def test_an_incident_that_steps_back_settles_no_write_of_ours() -> None:
    mine = action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.SENT)
    seen = observation(pair=BY_JANE, incident=BACK, mine=(mine,), looked=frozenset(Kind))
    assert decide(inputs(seen)).settlements == ()


def test_an_incident_that_agrees_with_its_baseline_is_not_unexplained() -> None:
    waits = replace(BY_JANE, unexplained_since=at(50))
    assert stored_pair(observation(pair=waits, incident=HELD)).unexplained_since is None
    assert decide(inputs(observation(pair=waits))).pairs == (), "an incident that was not read stays unexplained"


def test_an_incident_that_the_pair_no_longer_follows_is_no_change() -> None:
    seen = observation(
        pair=BY_JANE,
        incident=incident("resolved", id="PINC0", changed_at=at(20)),
        incident_notes=(note("PN1", JANE, "on it"),),
        looked=frozenset(Kind),
    )
    plan = decide(inputs(seen))
    assert (plan.actions, plan.pairs, plan.notes) == ((), (), ())


# -- changes without an explanation yet --


def test_a_change_explained_late_is_attributed_to_its_cause() -> None:
    """On the fast path the webhook arrives before the log entry."""
    seen = observation(pair=BY_JANE, incident=TAKEN_BACK)
    plan = decide(inputs(seen))
    (waits,) = plan.pairs
    assert (plan.actions, waits.pagerduty, waits.unexplained_since) == ((), BY_JANE.pagerduty, at(60))
    late = replace(seen, pair=waits, incident_acts=(act("unacknowledge", Person("PBOB", "Bob Ray")),))
    assert verbs(late, 61) == ["Bob Ray unacknowledged the incident in PagerDuty"]
    after = stored_pair(late, 61)
    assert (after.unexplained_since, after.pagerduty) == (
        None,
        IncidentBaseline("triggered", (), "Bob Ray", at(20)),
    )


@pytest.mark.parametrize(
    "then", [HELD, incident("resolved", changed_by=JANE, changed_at=at(40))], ids=lambda i: i.status
)
def test_a_change_followed_by_another_waits_for_no_explanation(then: Incident) -> None:
    waits = replace(BY_JANE, unexplained_since=at(30))
    assert stored_pair(observation(pair=waits, incident=then)).unexplained_since is None


def test_other_changes_are_mirrored_while_one_is_unexplained() -> None:
    seen = observation(pair=BY_JANE, incident=TAKEN_BACK, incident_notes=(note("PN1", JANE, "hm"),), alert=ACKED)
    assert verbs(seen) == ["Jane Doe added a note in PagerDuty"]


@pytest.mark.parametrize(
    ("shows", "expected"),
    [
        pytest.param(replace(HELD, expires_at=at(1_800)), at(1_800), id="as announced"),
        pytest.param(HELD, at(900), id="as announced before, for the same people"),
        pytest.param(replace(HELD, acknowledgers=(JANE, BOT)), None, id="not as announced before, for others"),
        pytest.param(replace(TAKEN_BACK, expires_at=at(900)), None, id="of no acknowledgement"),
    ],
)
def test_the_announced_end_of_an_acknowledgement_is_stored(shows: Incident, expected: object) -> None:
    assert BY_JANE.pagerduty is not None
    known = replace(BY_JANE, pagerduty=replace(BY_JANE.pagerduty, expires_at=at(900)))
    acts = (act("unacknowledge", JANE),) if shows.status == "triggered" else ()
    after = stored_pair(observation(pair=known, incident=shows, incident_acts=acts)).pagerduty
    assert after is not None
    assert after.expires_at == expected


def test_the_announced_end_of_our_own_acknowledgement_is_stored() -> None:
    answer = replace(HELD, acknowledgers=(BOT,), expires_at=at(1_800))
    after = settled(pair(), action(Kind.PAGERDUTY_ACKNOWLEDGE), policy(), answer).pagerduty
    assert after is not None
    assert after.expires_at == at(1_800)


# -- missing, deleted and restored alerts --


GONE: dict[str, Any] = {"missing": True, "sees_others": True}


def test_a_deletion_takes_two_observations_two_minutes_apart() -> None:
    bench = Bench(policy(), incident=incident(), pair=pair())
    seen = replace(bench.observation(), alert=None, **GONE)
    once = stored_pair(seen)
    assert (once.alerts.missing_since, once.alerts.open, verbs(seen)) == (at(60), True, [])
    assert decide(inputs(replace(seen, pair=once), now=at(179))).pairs == ()
    twice = decide(inputs(replace(seen, pair=once), now=at(180)))
    assert [planned.reason for planned in twice.actions] == ["the alert was deleted in Opsgenie"]
    assert (twice.pairs[0].alerts.open, twice.pairs[0].alerts.deleted) == (False, True)
    assert verbs(replace(seen, pair=twice.pairs[0]), 999) == []


def test_an_api_key_that_sees_no_alerts_proves_no_deletion() -> None:
    seen = observation(pair=pair(), missing=True)
    assert decide(inputs(seen)).pairs == ()


@pytest.mark.parametrize(
    "shows", [alert(), replace(ACKED, updated_at=at(0))], ids=["as it was", "acknowledged meanwhile"]
)
@pytest.mark.parametrize("deleted", [True, False])
def test_a_deleted_alert_that_is_seen_again_is_open_again(shows: Alert, deleted: bool) -> None:
    known = pair(is_open=not deleted)
    lost = replace(known.alerts, missing_since=at(-600), deleted=deleted)
    seen = observation(pair=replace(known, alerts=lost), alert=shows, incident=incident())
    after = stored_pair(seen).alerts
    assert (after.open, after.missing_since, after.deleted) == (True, None, False)
    assert bool(verbs(seen)) is bool(shows.acknowledged)


def test_a_second_deletion_is_noted_too() -> None:
    texts = []
    for seconds in (-600, -300):
        known = pair(alerts=replace(pair().alerts, missing_since=at(seconds)))
        texts += [planned.key for planned in decide(inputs(observation(pair=known, **GONE))).actions]
    assert len(set(texts)) == 2


@pytest.mark.parametrize("status", [Status.PLANNED, Status.SENT, Status.DONE])
def test_writes_to_a_deleted_alert_are_dead_and_those_to_its_incident_are_not(status: Status) -> None:
    there = action(Kind.ALERT_NOTE, status)
    here = action(Kind.PAGERDUTY_NOTE, status, id=8)
    known = pair(alerts=replace(pair().alerts, missing_since=at(-600)))
    plan = decide(inputs(observation(pair=known, mine=(there, here), **GONE)))
    dead = (Settlement(7, Status.DEAD, "the alert was deleted in Opsgenie"),)
    assert plan.settlements == (dead if status.is_open else ())
    later = observation(pair=plan.pairs[0], mine=(there, here))
    assert decide(inputs(later)).settlements == (dead if status.is_open else ()), (
        "an action planned since is dead too"
    )


def test_a_developers_act_after_the_alert_was_seen_again_is_mirrored() -> None:
    lost = pair(alerts=replace(pair().alerts, open=False, deleted=True, missing_since=at(-600)))
    seen = observation(pair=lost, alert=replace(ACKED, acknowledged_by=ANA.name), incident=incident())
    assert verbs(seen)[0] == "Ana Ruiz acknowledged the alert in Opsgenie"


def test_writes_that_died_with_their_alert_are_due_once_it_is_seen_again() -> None:
    lost = pair(alerts=replace(pair().alerts, open=False, deleted=True, missing_since=at(-600)))
    words = "the alert was deleted in Opsgenie"
    orphan = action(Kind.ALERT_ACKNOWLEDGE, Status.DEAD, error=words)
    refused = action(Kind.ALERT_NOTE, Status.DEAD, id=8, error=f"{words}: 404: Alert not found")
    other = action(Kind.ALERT_NOTE, Status.DEAD, id=9, error="422: too long")
    seen = observation(pair=lost, alert=alert(), incident=incident(), mine=(orphan, refused, other))
    revived = decide(inputs(seen)).settlements
    assert [(each.action_id, each.status, each.attempts) for each in revived] == [
        (7, Status.PLANNED, 0),
        (8, Status.PLANNED, 0),
    ]
    assert {(each.why, each.failing_since) for each in revived} == {
        ("the alert is seen again in Opsgenie", inputs(seen).now)
    }


@pytest.mark.parametrize(("ahead", "is_believed"), [(59, False), (61, True)])
def test_an_old_read_is_ignored_where_the_clock_was_set_back_by_less_than_a_minute(
    ahead: int, *, is_believed: bool
) -> None:
    known = replace(pair(acknowledged=True, updated_at=at(10)), pagerduty=None, incident_id=None)
    seen = observation(pair=known, alert=alert(updated_at=at(5)), looked=frozenset(Kind))
    assert stored_pair(seen, 10 - ahead).alerts.acknowledged is not is_believed
