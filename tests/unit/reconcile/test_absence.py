"""An alert that is not found is missing only if the key still sees others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.model import Alert, Observation
from reconciler.core.work import ReadRequest
from reconciler.errors import Misconfigured, Missing
from tests.support.builders import alert, at, observation, pair
from tests.support.reading import ONLY_OG, Scene, Vendors


def lost(number: int, **changes: Any) -> Observation:
    base = replace(pair().alerts, **changes)
    return observation(alert_id=f"a-{number}", pair=pair(alert_id=f"a-{number}", alerts=base))


def gone(*rows: Alert) -> Vendors:
    return Vendors(alert=Missing("404"), recent_alerts=lambda _: list(rows))


ALERT = ReadRequest(alert=True)


@pytest.mark.parametrize(("rows", "sees"), [((alert(id="b-1"),), True), ((), False), ((alert(id="a-1"),), False)])
def test_one_alert_counts_as_missing_only_if_the_list_shows_another(rows: tuple[Alert, ...], sees: bool) -> None:
    fetched = Scene(opsgenie=gone(*rows)).fetch(ALERT, lost(1))
    assert (fetched.observation.missing, fetched.observation.sees_others) == (True, sees)
    assert fetched.problems == ()


def test_an_alert_not_known_to_be_missing_is_read_with_growing_back_off_and_is_no_problem() -> None:
    scene = Scene(opsgenie=gone())
    for wait in (1, 2, 4, 8):
        fetched = scene.fetch(ALERT, lost(1))
        assert (fetched.unread, fetched.read_at) == (ONLY_OG, scene.clock.now() + timedelta(seconds=wait))
        assert scene.fetch(ALERT, lost(1)).problems == ()
        scene.clock.passed += wait
    assert scene.opsgenie.asked["alert"] == 4


def test_without_a_readable_list_no_alert_counts_as_missing() -> None:
    scene = Scene(opsgenie=Vendors(alert=Missing("404"), recent_alerts=Misconfigured("OPSGENIE_QUERY")))
    fetched = scene.fetch(ALERT, lost(1))
    assert (fetched.observation.sees_others, fetched.unread) == (False, ONLY_OG)
    assert [str(problem.error) for problem in fetched.problems] == ["OPSGENIE_QUERY"]


@pytest.mark.parametrize(
    ("known", "rows", "blind", "sees"),
    [
        ({"b-1", "b-2"}, ("b-1", "b-2"), False, True),
        ({"b-1"}, ("b-1", "b-2"), False, False),
        (set(), ("b-1", "b-2"), True, False),
        (set(), (), True, False),
    ],
)
def test_several_alerts_count_as_missing_only_if_as_many_known_ones_are_listed(
    known: set[str], rows: tuple[str, ...], blind: bool, sees: bool
) -> None:
    """Another team's key sees many alerts as well; as long as it sees none of ours, no alert is missing."""
    scene = Scene(opsgenie=gone(*(alert(id=row) for row in rows)), known=known)
    scene.fetch(ALERT, lost(1))
    assert scene.fetch(ALERT, lost(2)).observation.sees_others is sees
    assert (scene.fetcher.blindness() is not None) is blind


def test_an_alert_first_seen_after_the_others_went_missing_proves_nothing() -> None:
    rows = [alert(id="b-1", created_at=at(0)), alert(id="b-2", created_at=at(0))]
    scene = Scene(opsgenie=gone(*rows), known={"b-1", "b-2"})
    scene.fetch(ALERT, lost(1, missing_since=at(50)))
    scene.fetch(ReadRequest(row=rows[0]), observation(alert_id="b-1"))
    scene.fetch(ReadRequest(row=rows[1]), observation(alert_id="b-2"))
    assert not scene.fetch(ALERT, lost(2, missing_since=at(50))).observation.sees_others


def test_an_alert_that_is_seen_again_ends_the_suspicion_against_the_key() -> None:
    scene = Scene(opsgenie=gone())
    scene.fetch(ALERT, lost(1))
    scene.fetch(ALERT, lost(2))
    assert "OPSGENIE_API_KEY sees none of the 2 alerts" in str(scene.fetcher.blindness())
    scene.clock.passed += 5
    scene.opsgenie.answers["alert"] = alert()
    scene.fetch(ALERT, lost(2))
    assert scene.fetcher.blindness() is None


def test_a_deleted_alert_no_longer_counts_as_missing() -> None:
    scene = Scene(opsgenie=gone(alert(id="b-1")))
    assert scene.fetch(ALERT, lost(1, missing_since=at(-600))).observation.sees_others
    scene.clock.passed += 5
    assert scene.fetch(ALERT, lost(2)).observation.sees_others  # no other alert is missing


def test_one_read_of_the_list_serves_all_alerts_missing_at_the_same_time() -> None:
    scene = Scene(opsgenie=gone(alert(id="b-1")))
    for number in range(20):
        scene.fetch(ALERT, lost(number))
    assert scene.opsgenie.asked["recent_alerts"] == 1
