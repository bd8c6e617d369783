"""The first start is atomic, and no alert is paged twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.model import Side
from reconciler.core.outage import Outage
from reconciler.core.work import Priority, Reason
from reconciler.errors import Misconfigured, Unknown
from reconciler.store.cursors import LogMark, Origin
from tests.support.builders import ALERT_ID, alert, at, incident
from tests.support.sources import HOUR, Stage

NOW = at(3600)
CLOSED = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHERS = "0a51b2c3-0000-4000-8000-000000000002"


@pytest.fixture
def before(stage: Stage) -> Stage:
    """A stage before the first start."""
    with stage.database.writing() as unit:
        unit.cursors.connection.exec_driver_sql("DELETE FROM cursors")
    return stage


def test_old_alerts_are_baselines_incidents_are_adopted_and_the_rest_is_new(before: Stage) -> None:
    before.opsgenie.opened = [
        alert(id="old", created_at=at(-60)),
        alert(id="new", created_at=at(60)),
        alert(id=ALERT_ID, created_at=at(-60)),
    ]
    before.pagerduty.open_set = [incident(), incident(id="P2", key=""), incident(id="P3", key="their own")]
    assert before.alert_feed().poll()
    items = before.items
    assert items.keys() == {"old", "new", ALERT_ID}
    assert items["old"].request.is_baseline
    assert (items["new"].priority, items["new"].request.is_new, items["new"].request.by_key) == (
        Priority.PAGE,
        True,
        True,
    )
    assert items[ALERT_ID].request.adopt == incident()


def test_where_alerts_may_be_moved_an_old_one_may_have_an_incident_under_another_key(before: Stage) -> None:
    before.opsgenie.opened = [alert(id="old", created_at=at(-60))]
    before.pagerduty.open_set = [incident(key=CLOSED)]
    before.first_start(may_be_moved=True).start()
    request = before.items["old"].request
    assert (request.is_baseline, request.by_key) == (True, True)


def test_an_old_alert_is_not_read_where_every_incident_has_the_key_of_a_listed_one(before: Stage) -> None:
    before.opsgenie.opened = [alert(id="old", created_at=at(-60))]
    before.first_start(may_be_moved=True).start()
    assert not before.items["old"].request.by_key


def test_a_closed_alert_is_found_by_its_open_incident(before: Stage) -> None:
    before.pagerduty.open_set = [incident(key=CLOSED)]
    before.alert_feed().poll()
    item = before.items[CLOSED]
    assert (item.priority, item.reasons) == (Priority.UNSETTLED, frozenset({Reason.FIRST_START}))
    assert item.request.by_key
    assert item.request.all_notes


def test_an_incident_whose_alert_is_another_routes_is_left_alone(before: Stage) -> None:
    before.pagerduty.open_set = [incident(key=CLOSED), incident(id="PINC2", key=OTHERS)]
    feed = before.alert_feed()
    feed._first_start._elsewhere = lambda ids: {each for each in ids if each == OTHERS}
    feed.poll()
    assert list(before.items) == [CLOSED]


def test_the_first_start_sets_every_cursor(before: Stage) -> None:
    before.opsgenie.recent = [alert(updated_at=at(3000)), alert(updated_at=at(2000))]
    before.alert_feed().poll()
    standing = before.standing
    assert standing.origin == Origin(NOW, NOW - HOUR)
    assert (standing.query, standing.alerts, standing.pagerduty) == ("team: a", at(3000), LogMark(NOW - HOUR))
    assert (standing.sweep, standing.polled_alerts, standing.polled_pagerduty) == (NOW, NOW, NOW)


@pytest.mark.parametrize(("source", "stored"), [("opsgenie", None), ("jsm", "jsm")])
def test_the_first_start_stores_whose_alerts_they_are(before: Stage, source: str, stored: str | None) -> None:
    """Of Opsgenie's nothing is stored, as by every earlier version."""
    before.horizons = replace(before.horizons, source=source)
    before.alert_feed().poll()
    assert before.standing.source == stored


def test_an_open_incident_about_an_outage_is_recalled_and_is_no_pair(before: Stage) -> None:
    told = incident(key="reconciler outage default", id="P9")
    before.pagerduty.open_set = [told]
    before.alert_feed().poll()
    assert before.standing.outage == Outage(told.created_at, incident_id="P9")
    assert before.items == {}


def test_a_known_outage_stays_known_where_no_list_shows_its_incident_yet(before: Stage) -> None:
    known = Outage(at(10), incident_id="P9")
    with before.database.writing() as unit:
        unit.cursors.save(outage=known)
    before.alert_feed().poll()
    assert before.standing.outage == known


@pytest.mark.parametrize(("updated", "watermark"), [(9000, NOW), (None, NOW - timedelta(hours=1))])
def test_the_feed_begins_no_later_than_now(before: Stage, updated: float | None, watermark: object) -> None:
    before.opsgenie.recent = [] if updated is None else [alert(updated_at=at(updated))]
    before.alert_feed().poll()
    assert before.standing.alerts == watermark


@pytest.mark.parametrize("side", list(Side))
def test_a_failure_of_one_side_stores_nothing_and_the_next_poll_retries(before: Stage, side: Side) -> None:
    before.opsgenie.opened, before.pagerduty.open_set = [alert()], [incident()]
    feed = before.alert_feed()
    if side is Side.ALERTS:
        before.opsgenie.opened = Unknown("500")
        with pytest.raises(Unknown):
            feed.poll()
        assert before.problems.all() == ()
    else:
        before.pagerduty.open_set = Misconfigured("PAGERDUTY_API_KEY: refused")
        feed.poll()
        assert [problem.side for problem in before.problems.all()] == [Side.PAGERDUTY]
    assert before.standing.origin is None
    assert before.items == {}
    before.opsgenie.opened, before.pagerduty.open_set = [alert()], [incident()]
    feed.poll()
    assert before.items.keys() == {ALERT_ID}
    assert before.problems.all() == ()


def test_failures_of_both_sides_are_both_reported(before: Stage) -> None:
    before.opsgenie.opened = before.pagerduty.open_set = Unknown("500")
    with pytest.raises(Unknown):
        before.alert_feed().poll()
    assert [problem.side for problem in before.problems.all()] == [Side.PAGERDUTY]


def test_a_database_without_a_stored_query_indicates_no_change_of_it(stage: Stage) -> None:
    with stage.database.writing() as unit:
        unit.cursors.connection.exec_driver_sql("DELETE FROM cursors WHERE name = 'query'")
    stage.opsgenie.opened = [alert(id="old", created_at=at(-90_000))]
    stage.alert_feed().poll()
    assert stage.standing.query == "team: a"
    assert stage.items == {}
