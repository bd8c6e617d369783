from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.matching import Match, Verdict
from reconciler.core.migration import (
    Found,
    MovedPair,
    Standing,
    baseline_of,
    dropped,
    entries,
    first_looks,
    former_ids,
    is_blind,
    is_left_open,
    last_act,
    left_behind,
    moved,
    rekeyed,
    sorted_out,
    standing_of,
    work_item,
)
from reconciler.core.model import Action, Alert, Kind, Pair, Status
from reconciler.core.product import JSM, OPSGENIE
from reconciler.core.work import ReadRequest, WorkItem
from tests.support.builders import ANA, BOT, T0, act, action, alert, at, note, pair

STALENESS = timedelta(seconds=120)
NOW = at(1000)
MIRRORED = action(
    Kind.PAGERDUTY_NOTE, Status.DONE, key="pagerduty.add_note a-1 acknowledge x", person="Ana Ruiz", at=at(10)
)


def found(
    match: Match = Match.SAME, there: Alert | None = None, known_as: Pair | None = None, **more: Any
) -> Found:
    return Found(known_as or pair(), Verdict(match, there or alert()), **more)


def acked(**more: Any) -> Pair:
    return pair("acknowledged", (BOT,), acknowledged=True, updated_at=at(10), **more)


def test_a_pair_whose_alert_was_not_found_does_not_move() -> None:
    assert moved(Found(pair(), Verdict(Match.MISSING)), NOW, STALENESS) is None


def test_a_pair_keeps_its_incident_and_state_and_takes_the_alerts_id_and_stamp() -> None:
    there = alert(id="j-1", tiny_id="4", alias="disk", updated_at=at(30))
    result = moved(found(Match.REKEYED, there), NOW, STALENESS)
    assert result is not None
    before, after = pair(), result.pair
    assert (result.old_id, after.alert_id, after.tiny_id, after.alias) == ("a-1", "j-1", "4", "disk")
    assert (after.incident_id, after.pagerduty) == (before.incident_id, before.pagerduty)
    assert after.alerts == replace(before.alerts, updated_at=at(30))
    assert result.standing is Standing.EQUAL


def test_only_an_alert_that_never_had_its_new_id_is_marked_with_its_incidents_key() -> None:
    there = alert(id="j-1")
    result = moved(found(Match.REKEYED, there), NOW, STALENESS)
    assert result is not None
    (mark,) = result.actions
    assert mark.text == "[PagerDuty · reconciler · incident PINC1 key a-1]"
    assert (mark.alert_id, mark.kind) == ("j-1", Kind.ALERT_NOTE)
    for unmarked in (
        found(Match.REKEYED, there, former=frozenset({"j-1"})),
        found(Match.REKEYED, there, known_as=pair(None)),
        found(),
    ):
        back = moved(unmarked, NOW, STALENESS)
        assert back is not None
        assert back.actions == ()


def test_the_notes_that_were_mirrored_are_known_and_others_are_news() -> None:
    there = (note("n1", ANA, "old"), note("n2", ANA, "new", 900))
    swept = pair(swept_at=at(200))
    result = moved(found(known_as=swept, notes=there, known=frozenset({"n1"})), NOW, STALENESS)
    assert result is not None
    assert result.notes == frozenset({"n1"})
    assert result.news == there[1:]
    assert len(first_looks([result], NOW)) == 1


def test_a_pair_that_was_never_swept_has_no_history() -> None:
    there = (note("n1", ANA, "before anybody looked", 5),)
    result = moved(found(notes=there), NOW, STALENESS)
    assert result is not None
    assert result.news == there


def test_what_somebody_did_there_after_all_that_was_mirrored_is_news() -> None:
    unacked = alert(updated_at=at(50))
    by_log = found(Match.DIFFERS, unacked, acked(), mine=(MIRRORED,), acts=(act("unacknowledge", ANA, 50),))
    by_stamp = found(Match.DIFFERS, unacked, acked(), mine=(MIRRORED,))
    for each in (by_log, by_stamp):
        result = moved(each, NOW, STALENESS)
        assert result is not None
        assert result.standing is Standing.NEWS
        assert result.pair.alerts.updated_at == T0, "older rows count as stale"
        assert result.pair.alerts.acknowledged, "the baseline stays, so that the change is seen"
        assert result.pair.next_look_at == NOW
        assert len(first_looks([result], NOW)) == 1


def test_a_mirrored_state_that_never_arrived_there_is_no_news() -> None:
    never = alert(updated_at=at(5))
    other_change = alert(updated_at=at(50))
    for each in (
        found(Match.DIFFERS, never, acked(), mine=(MIRRORED,)),
        found(Match.DIFFERS, other_change, acked(), mine=(MIRRORED,), acts=(act("annotate", ANA, 50),)),
    ):
        result = moved(each, NOW, STALENESS)
        assert result is not None
        assert result.standing is Standing.UNSHARED
        assert result.pair.alerts.updated_at == max(at(10), each.verdict.alert.updated_at)  # type: ignore[union-attr]
        assert not first_looks([result], NOW)
        (carried,) = result.actions
        assert (carried.kind, carried.person) == (Kind.ALERT_ACKNOWLEDGE, "Ana Ruiz")


def test_a_state_that_is_carried_over_bears_the_name_of_who_made_it_as_far_as_it_is_known() -> None:
    unacked = found(Match.DIFFERS, alert(acknowledged=True, updated_at=at(5)), mine=(MIRRORED,))
    result = moved(unacked, NOW, STALENESS)
    assert result is not None
    assert [(each.kind, each.person) for each in result.actions] == [(Kind.ALERT_UNACKNOWLEDGE, "Ana Ruiz")]
    nobody = replace(unacked, mine=(replace(MIRRORED, person=""),))
    result = moved(nobody, NOW, STALENESS)
    assert result is not None
    assert [each.person for each in result.actions] == ["reconciler"]


@pytest.mark.parametrize(
    ("there", "mine", "standing"),
    [
        (alert(open=False, updated_at=at(1)), pair(), Standing.NEWS),
        (alert(updated_at=at(50)), pair(is_open=False), Standing.UNSHARED),
        (alert(updated_at=at(50)), acked(snoozed_until=at(40)), Standing.NEWS),
        (alert(acknowledged=True, updated_at=at(50)), pair(), Standing.NEWS),
        (alert(acknowledged=True, updated_at=at(50)), pair(created_at=None), Standing.NEWS),
    ],
)
def test_closures_snoozes_and_first_acknowledgements(there: Alert, mine: Pair, standing: Standing) -> None:
    acts = (act("snooze", ANA, 1),) if mine.alerts.snoozed_until else ()
    assert standing_of(found(Match.DIFFERS, there, mine, acts=acts)) is standing


def test_the_last_mirrored_act_is_a_customers_or_our_own() -> None:
    ours = action(Kind.ALERT_ACKNOWLEDGE, Status.DONE, sent_at=at(90))
    unsent = action(Kind.ALERT_UNACKNOWLEDGE)
    said = action(Kind.PAGERDUTY_NOTE, Status.DONE, key="pagerduty.add_note a-1 note n1", at=at(500))
    copied = action(Kind.ALERT_NOTE, Status.DONE, key="opsgenie.add_note a-1 resolve x", at=at(500))
    assert last_act((MIRRORED,)) == at(10)
    assert last_act((MIRRORED, ours, unsent, said, copied)) == at(90)
    assert last_act((said,)) is None
    sent = replace(copied, sent_at=at(700))
    assert last_act((said, copied), states=False) == at(500)
    assert last_act((said, sent), states=False) == at(700)
    assert last_act((said, sent)) is None


def test_an_action_keeps_the_rest_of_its_key() -> None:
    kind = "pagerduty.add_note"
    assert rekeyed(f"{kind} a-1 note n1 2/3", kind, "a-1", "j-1") == f"{kind} j-1 note n1 2/3"
    assert rekeyed("pause", kind, "a-1", "j-1") == "pause"


def test_what_waits_is_read_again_without_the_old_products_row() -> None:
    item = WorkItem("a-1", T0, ReadRequest(row=alert(), repeated=True, incident=True), attempts=3)
    assert work_item(item, "j-1") == replace(item, alert_id="j-1", request=ReadRequest(alert=True, incident=True))


def test_alerts_that_no_pair_has_are_new_or_older_than_the_last_poll() -> None:
    new, old, closed = alert(id="n", created_at=at(50)), alert(id="o"), alert(id="c", open=False)
    unknown = sorted_out([new, old, closed], at(40))
    assert (unknown.new, unknown.old) == ((new,), (old,))


def test_a_baseline_pages_nobody() -> None:
    made = baseline_of(alert(alias="disk", acknowledged=None, open=None), NOW)
    assert (made.tracked, made.title, made.alias, made.created_at) == (False, "Disk full", "disk", T0)
    assert (made.alerts.open, made.alerts.acknowledged) == (True, False)


def test_the_journal_says_what_a_move_did_with_a_pair() -> None:
    planned = action(Kind.ALERT_NOTE, reason="because of the move")
    rekeyed_pair = MovedPair("old-1", pair(), Standing.EQUAL, actions=(planned,))
    told = [(each.event.value, each.words) for each in entries(rekeyed_pair, OPSGENIE, JSM, NOW)]
    assert told == [
        ("moved", "moved from Opsgenie to JSM; its id was old-1"), ("planned", "because of the move")
    ]  # fmt: skip
    (same,) = entries(MovedPair("a-1", pair(), Standing.EQUAL), OPSGENIE, JSM, NOW)
    assert same.words == "moved from Opsgenie to JSM"
    assert left_behind(pair(), JSM, NOW).words == "left behind by the move to JSM, which does not have it"


def test_a_dropped_pair_is_over_and_reopened_if_its_alert_appears() -> None:
    over = dropped(pair())
    assert (over.alerts.open, over.alerts.deleted, over.next_look_at) == (False, True, None)


def test_the_other_ids_of_an_alert() -> None:
    assert former_ids({"a": "b", "x": "b", "c": "d"}) == {"b": {"a", "x"}, "d": {"c"}}


@pytest.mark.parametrize(
    ("whole", "gone", "sees_any", "blind"),
    [(10, 0, False, False), (10, 8, True, False), (10, 9, True, True), (1, 1, True, False), (1, 1, False, True)],
)
def test_a_key_that_misses_nearly_everything_is_blind(whole: int, gone: int, sees_any: bool, blind: bool) -> None:
    assert is_blind([pair()] * whole, [pair()] * gone, sees_any=sees_any) is blind


@pytest.mark.parametrize(
    ("mine", "left"),
    [
        (action(Kind.CREATE_INCIDENT), True),
        (action(Kind.CREATE_INCIDENT, Status.DONE), False),
        (action(Kind.ALERT_NOTE, Status.SENT), True),
        (action(Kind.ALERT_NOTE), False),
        (action(Kind.PAGERDUTY_NOTE, Status.SENT), False),
    ],
)
def test_which_writes_must_be_known_before_a_move(mine: Action, left: bool) -> None:
    assert is_left_open(mine) is left
