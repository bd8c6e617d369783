"""Pairs are found again in another product under the same id, another id, or not at all; never one for another."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.baselines import kept_title
from reconciler.core.matching import AlertIndex, Match, Verdict, match, match_all
from reconciler.core.model import Alert, Pair
from tests.support.builders import ALERT_ID, alert, at, pair

PAIR = pair(alias="disk-full-web1")
SAME = alert(alias="disk-full-web1")
REKEYED = replace(SAME, id="new-1")


def closed(number: int, alias: str = "disk-full-web1", created: float = -3600) -> Pair:
    """A pair of an alert that had the alias earlier."""
    return pair(
        is_open=False, alert_id=f"old-{number}", alias=alias, created_at=at(created), title=f"Earlier {number}"
    )


@pytest.mark.parametrize(
    "found",
    [
        SAME,
        replace(SAME, created_at=at(-1)),
        replace(SAME, alias="renamed"),
        replace(SAME, message="reworded"),
        replace(SAME, open=None, acknowledged=None),
    ],
    ids=["all the same", "a second apart", "another alias", "another message", "no readable state"],
)
def test_an_alert_with_the_same_id_is_the_same(found: Alert) -> None:
    assert match(PAIR, found, ()) == Verdict(Match.SAME, found)


@pytest.mark.parametrize(
    "found",
    [replace(SAME, created_at=at(1.5), message="reworded", alias="x"), replace(SAME, message="other", alias="x")],
    ids=["raised at another time", "neither alias nor message"],
)
def test_the_same_id_alone_is_not_enough(found: Alert) -> None:
    assert match(PAIR, found, ()) == Verdict(Match.MISSING)


def test_a_pair_that_was_stored_before_these_were_kept_is_recognised_by_what_is_known() -> None:
    bare = pair(created_at=None, title="")
    assert match(bare, SAME, ()).match is Match.SAME
    assert match(bare, None, [REKEYED]).match is Match.MISSING
    assert match_all([bare], AlertIndex([alert()])).verdicts[ALERT_ID].match is Match.SAME
    assert match(pair(created_at=None), None, [alert(id="new-1")]).match is Match.MISSING, "words alone"
    assert match(pair(created_at=None, alias="disk-full-web1"), None, [REKEYED], keeps_times=True).alert == REKEYED


@pytest.mark.parametrize(
    "found",
    [
        REKEYED,
        alert(id="new-1", alias=ALERT_ID, message="reworded", created_at=at(999)),
        replace(REKEYED, created_at=at(999)),
        replace(REKEYED, alias="new-1", created_at=at(2)),
    ],
    ids=["alias and time", "the old id as alias", "alias alone", "message and time"],
)
def test_an_alert_with_another_id_is_found(found: Alert) -> None:
    verdict = match(PAIR, None, [found])
    assert verdict == Verdict(Match.REKEYED, found)
    assert match_all([PAIR], AlertIndex([found])).verdicts == {ALERT_ID: verdict}


def test_a_long_message_is_compared_as_the_snapshot_keeps_it() -> None:
    long = alert(id="new-1", alias="new-1", message="word  " * 99)
    known = pair(title=kept_title(long))
    assert match_all([known], AlertIndex([long])).verdicts[ALERT_ID].match is Match.REKEYED


@pytest.mark.parametrize("found", [SAME, REKEYED])
@pytest.mark.parametrize("state", [{"open": False}, {"acknowledged": True}])
def test_an_alert_in_another_state_differs(found: Alert, state: dict[str, Any]) -> None:
    other = match(PAIR, found, [replace(found, **state)])
    assert (other.match, other.alert) == (Match.DIFFERS, replace(found, **state))


def test_the_acknowledgement_of_a_closed_alert_says_nothing() -> None:
    over = replace(PAIR, alerts=replace(PAIR.alerts, open=False))
    assert match(over, replace(SAME, open=False, acknowledged=True), ()).match is Match.SAME


def test_of_several_with_one_alias_the_one_with_the_creation_time_is_it() -> None:
    earlier, later = (replace(REKEYED, id=f"new-{at_}", created_at=at(at_)) for at_ in (-900, 900))
    assert match(PAIR, None, [earlier, REKEYED, later]).alert == REKEYED
    assert match(PAIR, None, [earlier, later]) == Verdict(Match.AMBIGUOUS, among=(earlier.id, later.id))


def test_the_old_id_as_alias_is_a_better_sign_than_the_alias() -> None:
    best = alert(id="new-2", alias=ALERT_ID)
    assert match(PAIR, None, [REKEYED, best]).alert == best
    twin = replace(best, id="new-3", created_at=at(99))
    assert match(PAIR, None, [twin, best]).alert == best


def test_the_same_words_twice_at_the_same_time_are_ambiguous() -> None:
    twins = [alert(id="new-1", alias="a"), alert(id="new-2", alias="b")]
    matching = match_all([pair()], AlertIndex(twins))
    assert matching.verdicts[ALERT_ID] == Verdict(Match.AMBIGUOUS, among=("new-1", "new-2"))
    assert matching.unmatched == (), "one of them is not new"


def test_of_alerts_with_one_alias_the_open_one_is_an_open_pairs() -> None:
    later = replace(REKEYED, created_at=at(900))
    assert match(PAIR, None, [replace(later, id="n1", open=False), later]) == Verdict(Match.REKEYED, later)


def test_an_open_alert_with_the_alias_of_a_closed_one_is_another() -> None:
    """An alias is used again: the new alert must page, and not pass for the old one."""
    assert match(closed(1), None, [REKEYED]).match is Match.MISSING
    assert match(closed(1), None, [replace(REKEYED, open=False)]).match is Match.REKEYED
    matching = match_all([closed(1)], AlertIndex([REKEYED]))
    assert (matching.verdicts["old-1"].match, matching.unmatched) == (Match.MISSING, (REKEYED,))


def test_where_creation_times_are_kept_another_time_means_another_alert() -> None:
    kept = pair(alert_id="a-2", alias="other", created_at=at(50), title="Other")
    stays = replace(REKEYED, id="new-2", alias="other", created_at=at(50), message="Other")
    reused = replace(REKEYED, created_at=at(700))
    matching = match_all([PAIR, kept], AlertIndex([stays, reused]))
    assert matching.verdicts[ALERT_ID] == Verdict(Match.MISSING)
    assert matching.verdicts["a-2"].alert == stays
    assert matching.unmatched == (reused,)
    assert match_all([PAIR], AlertIndex([reused])).verdicts[ALERT_ID].alert == reused, "nothing says they are"


def test_no_two_pairs_get_the_same_alert() -> None:
    lost = pair(alert_id="a-2", alias="web2")
    matching = match_all([lost, PAIR], AlertIndex([REKEYED]))
    assert {one: verdict.match for one, verdict in matching.verdicts.items()} == {
        "a-2": Match.MISSING,
        ALERT_ID: Match.REKEYED,
    }
    twins = (replace(lost, alias=""), replace(PAIR, alias=""))
    torn = match_all(twins, AlertIndex([REKEYED]))
    assert set(torn.verdicts.values()) == {Verdict(Match.AMBIGUOUS, among=("new-1",))}


def test_of_pairs_that_had_one_alias_the_one_with_the_creation_time_gets_the_alert() -> None:
    over = [replace(REKEYED, id="new-9", open=False, created_at=at(-3600))]
    matching = match_all([closed(1), closed(2, created=-7200)], AlertIndex(over))
    assert matching.verdicts["old-1"] == Verdict(Match.REKEYED, over[0])
    assert matching.verdicts["old-2"] == Verdict(Match.MISSING)


def test_an_index_finds_what_comparing_each_with_each_finds() -> None:
    alerts = [
        replace(REKEYED, id=f"new-{n}", alias=f"host-{n % 7}", message=f"Disk {n % 5}", created_at=at(n / 2))
        for n in range(60)
    ]
    index = AlertIndex([*alerts, alerts[0]])
    assert len(index.by_id) == len(alerts)
    for n in range(60):
        known = pair(alert_id=f"a-{n}", alias=f"host-{n % 9}", title=f"Disk {n % 5}", created_at=at(n / 2 + 0.9))
        assert match(known, None, index.candidates(known)) == match(known, None, alerts)


def test_thousands_of_pairs_are_matched_without_comparing_each_with_each() -> None:
    pairs = [
        pair(alert_id=f"a-{n}", alias=f"alias-{n}", created_at=at(n), title=f"Alert {n}") for n in range(2_000)
    ]
    alerts = [
        replace(REKEYED, id=f"new-{n}", alias=f"alias-{n}", created_at=at(n), message=f"Alert {n}")
        for n in range(2_000)
    ]
    index = AlertIndex(alerts)
    assert max(len(index.candidates(known)) for known in pairs) == 1
    matching = match_all(pairs, index)
    assert {verdict.match for verdict in matching.verdicts.values()} == {Match.REKEYED}
    assert matching.unmatched == ()
