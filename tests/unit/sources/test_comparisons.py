"""Lists and single incidents against the snapshot in the database."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Side
from reconciler.core.work import ReadRequest, Reason, WorkItem
from reconciler.errors import Forbidden, Missing, Unknown
from reconciler.sources.comparisons import of_absent, of_alerts, of_incidents, of_stranger
from reconciler.store.cursors import Origin
from tests.support.builders import alert, at, incident, pair
from tests.support.sources import Stage

NOW = at(3600)


def test_alerts_are_compared_with_their_own_pairs(stage: Stage) -> None:
    stage.save(pair())
    bounds = stage.horizons.bounds(Origin(at(0), at(0)), NOW)
    rows = [alert(), alert(id="new", created_at=at(10)), alert(id="moved")]
    stage.save(pair(alert_id="moved", acknowledged=True))
    found = of_alerts(stage.database, rows, bounds, Reason.FEED)
    assert [(item.alert_id, item.request.is_new) for item in found] == [("new", True), ("moved", False)]
    assert of_alerts(stage.database, [], bounds, Reason.FEED) == []


def test_an_alert_that_waits_to_be_a_baseline_is_not_taken_for_a_new_one(stage: Stage) -> None:
    bounds = stage.horizons.bounds(Origin(at(0), at(0)), NOW)
    rows = [alert(id="old", created_at=at(10)), alert(id="new", created_at=at(10))]
    with stage.database.writing() as unit:
        unit.work.add([WorkItem("old", NOW, ReadRequest(is_baseline=True)), WorkItem("new", NOW)])
    assert [item.alert_id for item in of_alerts(stage.database, rows, bounds, Reason.FEED)] == ["new"]


def test_incidents_are_compared_by_id_and_by_key(stage: Stage) -> None:
    stage.save(pair(), pair(None, alert_id="bare"))
    strangers = [incident(id=f"P{key}", key=key) for key in ("bare", "", "unknown")]
    rows = [incident("acknowledged"), *strangers]
    found = of_incidents(stage.database, rows, NOW, Reason.SWEEP)
    assert [(item.alert_id, item.request.incident, item.request.adopt) for item in found] == [
        ("a-1", True, None),
        ("bare", True, strangers[0]),
    ]
    assert of_incidents(stage.database, [], NOW, Reason.SWEEP) == []


@pytest.mark.parametrize(("side", "listed"), [(Side.ALERTS, "a-1"), (Side.PAGERDUTY, "PINC1")])
def test_a_pair_that_is_open_here_and_not_listed_there_is_read_on_that_side(
    stage: Stage, side: Side, listed: str
) -> None:
    stage.save(pair())
    assert of_absent(stage.database, side, {listed}, NOW, Reason.SWEEP) == []
    (item,) = of_absent(stage.database, side, set(), NOW, Reason.SWEEP)
    assert (item.alert_id, [*item.request.sides], [*item.reasons]) == ("a-1", [side], [Reason.SWEEP])


def test_an_incident_that_no_pair_follows_is_read_for_its_key(stage: Stage) -> None:
    stage.save(pair(None))
    reader: Any = stage.pagerduty
    stage.pagerduty.incidents = incident(id="PX")
    (item,) = of_stranger(reader, stage.database, "PX", NOW, Reason.WEBHOOK)
    assert (item.alert_id, item.request.adopt) == ("a-1", incident(id="PX"))


def test_an_incident_that_is_gone_or_hidden_is_no_problem_and_silence_is_one(stage: Stage) -> None:
    reader: Any = stage.pagerduty
    for error in (Missing("404"), Forbidden("403")):
        stage.pagerduty.incidents = error
        assert of_stranger(reader, stage.database, "PX", NOW, Reason.WEBHOOK) == []
    stage.pagerduty.incidents = Unknown("500")
    with pytest.raises(Unknown):
        of_stranger(reader, stage.database, "PX", NOW, Reason.WEBHOOK)


def test_only_what_is_open_here_can_be_absent_there(stage: Stage) -> None:
    over = replace(pair("resolved"), alerts=replace(pair().alerts, open=False))
    stage.save(over)
    assert [of_absent(stage.database, side, set(), NOW, Reason.SWEEP) for side in Side] == [[], []]
