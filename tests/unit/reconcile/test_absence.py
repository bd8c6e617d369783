"""An alert that is not found is missing only if the key still sees others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.absence import BELIEVED_AFTER, Vanished
from reconciler.core.model import Alert, Observation, Order
from reconciler.core.product import JSM
from reconciler.core.work import ReadRequest
from reconciler.errors import Misconfigured, Missing
from reconciler.reconcile.absence import Absence, Fewer
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


OTHERS = [alert(id=f"b-{number}") for number in range(20)]
KNOWN = {row.id for row in OTHERS}
SWEEP = 300.0


def hidden(**more: Any) -> Scene:
    """A quarter of twenty open alerts is not found; the others are listed."""
    scene = Scene(opsgenie=gone(*OTHERS), known=KNOWN, opened=20, **more)
    for number in range(5):
        scene.fetch(ALERT, lost(number))
    return scene


def test_many_alerts_that_vanish_together_count_as_missing_never_as_deleted() -> None:
    scene = hidden()
    scene.clock.passed += 600
    sees = [scene.fetch(ALERT, lost(number, missing_since=at(0))).observation.sees_others for number in range(5)]
    assert sees == [False] * 5
    blind = scene.fetcher.blindness()
    assert isinstance(blind, Fewer)
    assert blind.alerts == {f"a-{number}" for number in range(5)}
    assert "OPSGENIE_API_KEY sees fewer alerts than before: 5 of 20 open ones are not found" in str(blind)
    assert "unlink" in str(blind)


def test_a_product_is_named_by_the_setting_of_its_key() -> None:
    scene = hidden()
    absence = Absence(scene.fetcher.absence._database, scene.clock, JSM)
    scene.vanished = Vanished(at(0), frozenset({"a-1"}), 2)
    assert str(absence.blindness()).startswith("JSM_API_TOKEN sees fewer alerts than before: 1 of 20 open ones")


def test_the_state_stays_the_same_while_a_few_more_vanish() -> None:
    scene, states = hidden(), set()
    for number in range(5, 8):
        states.add(getattr(scene.fetcher.blindness(), "state", ""))
        scene.fetch(ALERT, lost(number))
    assert states == {"fewer 3"}
    assert getattr(scene.fetcher.blindness(), "state", "") == "fewer 4"


def test_what_has_vanished_is_stored_once_and_holds_after_a_restart() -> None:
    """After the restart the alerts are read one by one, each as if it were the only one."""
    scene = hidden()
    for _ in range(2):
        scene.fetcher.absence.keep()
    assert (scene.vanished, scene.saved) == (Vanished(at(60), frozenset(f"a-{n}" for n in range(5)), 5), 1)
    after = Scene(opsgenie=gone(*OTHERS), known=KNOWN, opened=20, vanished=scene.vanished)
    after.clock.passed = 3600
    assert after.fetcher.blindness() is not None, "before anything is read"
    assert not after.fetch(ALERT, lost(1, missing_since=at(0))).observation.sees_others
    after.clock.passed += 5
    after.opsgenie.answers["alert"] = alert()
    for number in range(3):
        after.fetch(ALERT, lost(number))
    assert after.fetcher.blindness() is None
    after.fetcher.absence.keep()
    assert after.vanished is None


def test_one_that_stays_missing_after_the_others_are_seen_again_is_deleted_after_another_sweep() -> None:
    scene = hidden()
    scene.clock.passed = 600
    scene.opsgenie.answers["alert"] = alert()
    for number in range(4):
        scene.fetch(ALERT, lost(number))
    scene.opsgenie.answers["alert"] = Missing("404")
    assert not scene.fetch(ALERT, lost(4, missing_since=at(0))).observation.sees_others
    scene.clock.passed += SWEEP
    assert scene.fetch(ALERT, lost(4, missing_since=at(0))).observation.sees_others


def test_a_new_leader_concludes_nothing_before_a_whole_sweep() -> None:
    scene = Scene(opsgenie=gone(*OTHERS), known=KNOWN)
    scene.clock.passed = 3600
    scene.fetcher.absence.begin()
    assert not scene.fetch(ALERT, lost(1, missing_since=at(0))).observation.sees_others
    scene.clock.passed += SWEEP
    assert scene.fetch(ALERT, lost(1, missing_since=at(0))).observation.sees_others


def test_a_new_leader_forgets_what_was_missing_when_it_led_before() -> None:
    scene = hidden()
    scene.fetcher.absence.begin()
    assert scene.fetcher.blindness() is None
    assert scene.fetch(ALERT, lost(1)).observation.sees_others


def test_alerts_that_were_deleted_on_purpose_are_believed_a_day_later_while_others_are_seen() -> None:
    scene = hidden()
    scene.clock.passed += BELIEVED_AFTER.total_seconds()
    assert scene.fetch(ALERT, lost(0)).observation.sees_others
    scene.fetch(ALERT, lost(7))
    scene.clock.passed += 5
    assert not scene.fetch(ALERT, lost(0)).observation.sees_others, "one more has vanished"
    scene.opsgenie.answers["recent_alerts"] = lambda _: []
    scene.clock.passed += 2 * BELIEVED_AFTER.total_seconds()
    assert not scene.fetch(ALERT, lost(0)).observation.sees_others, "none is seen"


def test_an_alert_that_is_unlinked_is_of_no_interest_any_more() -> None:
    scene = hidden()
    for number in range(4):
        dropped = pair(None, alert_id=f"a-{number}", tracked=False, incident_number=7)
        seen = scene.fetch(ALERT, observation(alert_id=f"a-{number}", pair=dropped, order=Order("Jane")))
        assert seen.observation.sees_others
    assert scene.fetcher.blindness() is None


def test_alerts_of_another_team_prove_nothing_though_they_were_listed_before_anything_was_missed() -> None:
    """A new key lists what it sees at once; what it does not see is noticed by the next sweep."""
    rows = [alert(id=f"b-{number}", created_at=at(-4000)) for number in range(9)]
    scene = Scene(opsgenie=gone(*rows), known={row.id for row in rows})
    for row in rows:
        scene.fetch(ReadRequest(row=row), observation(alert_id=row.id))
    scene.clock.passed += SWEEP - 1
    for number in range(2):
        assert scene.fetch(ALERT, lost(number)).observation.sees_others is (number == 0)
    assert "sees none of the 2 alerts" in str(scene.fetcher.blindness())


def test_an_alert_that_settles_while_others_are_judged_is_not_forgotten_twice() -> None:
    scene = hidden()
    absence = scene.fetcher.absence
    count = absence._count_open

    def settle_all() -> int:
        absence._count_open = count  # type: ignore[method-assign]
        for number in range(5):
            absence.is_settled(f"a-{number}")
        return count()

    absence._count_open = settle_all  # type: ignore[method-assign]
    absence.is_settled("a-0")
    assert scene.fetcher.blindness() is None
