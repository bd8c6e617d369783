"""Every pair is looked for by as few reads as its alert needs, and what both products show is brought together."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.matching import Match
from reconciler.core.model import Alert, Kind, Pair, Side, Status
from reconciler.core.work import ReadRequest, WorkItem
from reconciler.errors import Refused
from reconciler.operations.migration_reads import Horizon, Readings, read, stored
from reconciler.store.cursors import Origin
from reconciler.store.database import Database
from reconciler.store.read_only import in_memory
from tests.support.builders import ANA, T0, act, action, alert, at, note, pair
from tests.support.moves import Alerts


@pytest.fixture
def database() -> Database:
    """Made without migrations, which take longer than all of these tests."""
    return in_memory()


NOW = at(3600)
HORIZON = Horizon(NOW, timedelta(seconds=120), timedelta(days=30))
SWEPT = replace(pair(), swept_at=at(3000), alias="disk")
THERE = alert(id="j-1", alias="disk", updated_at=at(100))


def fill(database: Database, *pairs: Pair, polled: float = 3590, **more: Any) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs(pairs)
        unit.cursors.save(origin=Origin(at(-100), at(-3700)), polled_alerts=at(polled), **more)


def reading(database: Database, there: Alerts, here: Alerts | None = None) -> Readings:
    return read(stored(database, NOW), there, here, HORIZON, lambda _words: None)


def test_an_alert_in_the_open_list_costs_its_notes_only(database: Database) -> None:
    fill(database, SWEPT)
    there = Alerts().put(THERE)
    found = reading(database, there)
    assert there.asked == ["open", "notes j-1"]
    assert [each.verdict.match for each in found.found] == [Match.REKEYED]
    assert [each.pair.alert_id for each in found.moved] == ["j-1"]
    assert (found.unmatched, found.sees_any, found.ahead) == ((), True, None)


class OfOneRoute(Alerts):
    """A route's list of open alerts leaves out those of other routes; the other lists do not."""

    def open_alerts(self) -> Iterator[list[Alert]]:
        """Those of this route."""
        return (page for page in super().open_alerts() if "theirs" not in {row.id for row in page})


def test_another_routes_open_alert_is_not_taken_for_an_unknown_one(database: Database) -> None:
    fill(database, SWEPT)
    closed = replace(THERE, open=False, updated_at=at(200))
    unknown = [alert(id=each, message=each, updated_at=at(300)) for each in ("theirs", "ours")]
    found = reading(database, OfOneRoute().put(closed, *unknown))
    assert [each.id for each in found.unmatched] == ["ours"]


def test_a_closed_alert_is_found_in_the_recent_list_and_its_log_says_who(database: Database) -> None:
    fill(database, SWEPT)
    there = Alerts().put(replace(THERE, open=False, updated_at=at(200)))
    found = reading(database, there)
    assert there.asked == ["open", "recent", "log j-1", "notes j-1"]
    assert found.found[0].verdict.match is Match.DIFFERS


def test_an_alert_in_no_list_is_read_by_its_id(database: Database) -> None:
    fill(database, SWEPT)
    there = Alerts(hidden={"a-1"}).put(alert(alias="disk"))
    assert reading(database, there).found[0].verdict.match is Match.SAME
    assert there.asked == ["open", "recent", "alert a-1", "notes a-1"]


def test_an_alert_that_is_nowhere_is_missing_and_a_finished_one_is_not_read(database: Database) -> None:
    over = replace(
        SWEPT, alert_id="a-2", alerts=replace(SWEPT.alerts, open=False), incident_id=None, pagerduty=None
    )
    unknown = replace(SWEPT, alert_id="a-3", created_at=None)
    fill(database, SWEPT, over, unknown)
    there = Alerts()
    found = reading(database, there)
    assert {each.verdict.match for each in found.found} == {Match.MISSING}
    assert (found.moved, found.sees_any) == ((), False)
    assert there.asked == ["open", "recent", "alert a-1", "alert a-3"]


def test_an_alert_is_found_again_by_the_id_that_it_had_before(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.connection.exec_driver_sql(
            "INSERT INTO moved VALUES ('default', 'a-1', 'j-1', '2026-11-23')"
        )
    fill(database, replace(SWEPT, alert_id="j-1"))
    listed, by_id = Alerts().put(alert(alias="")), Alerts(hidden={"a-1"}).put(alert(alias=""))
    for there in (listed, by_id):
        found = reading(database, there)
        assert found.moved[0].pair.alert_id == "a-1"
        assert found.moved[0].actions == ()
    assert "alert j-1" in by_id.asked


def test_nothing_is_read_of_an_alert_that_pages_nobody(database: Database) -> None:
    fill(database, replace(SWEPT, tracked=False, incident_id=None, incident_number=None, pagerduty=None))
    there = Alerts().put(replace(THERE, acknowledged=True))
    reading(database, there)
    assert there.asked == ["open"]


def test_notes_of_the_old_product_are_read_only_where_some_would_be_news(database: Database) -> None:
    fill(database, SWEPT)
    with database.writing() as unit:
        unit.snapshot.save_notes([("a-1", Side.ALERTS, "t1"), ("a-1", Side.PAGERDUTY, "PN")])
    known, news = note("f1", ANA, "look", 3500), note("f2", ANA, "new", 3501)
    here = Alerts(alert_notes={"a-1": [replace(known, id="t1")]}).put(alert(updated_at=T0))
    quiet = Alerts().put(THERE)
    reading(database, quiet, here)
    assert "notes a-1" not in here.asked
    found = reading(database, Alerts(alert_notes={"j-1": [known, news]}).put(THERE), here)
    assert "notes a-1" in here.asked
    assert (found.moved[0].notes, found.moved[0].news) == (frozenset({"f1"}), (news,))


def test_an_alert_that_is_deleted_meanwhile_has_no_notes(database: Database) -> None:
    fill(database, SWEPT)

    class Fleeting(Alerts):
        def notes(self, alert_id: str, until: Any = None) -> list[Any]:
            self.alerts.clear()
            return super().notes(alert_id, until)

    assert reading(database, Fleeting().put(THERE)).moved[0].news == ()


def test_what_the_old_product_shows_beyond_the_last_poll_is_ahead(database: Database) -> None:
    fill(database, SWEPT)
    here = Alerts().put(alert(updated_at=T0), alert(id="a-9", created_at=at(3595), updated_at=at(3595)))
    assert reading(database, Alerts().put(THERE), here).ahead == ("a-9",)
    here.put(alert(acknowledged=True, updated_at=at(3599)))
    assert reading(database, Alerts().put(THERE), here).ahead == ("a-1", "a-9")


def test_before_a_first_start_nothing_is_ahead(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([SWEPT])
    assert reading(database, Alerts().put(THERE), Alerts()).ahead == ()


def test_the_snapshot_has_everything_that_belongs_to_a_pair_and_what_waits_without_one(database: Database) -> None:
    fill(database, SWEPT)
    with database.writing() as unit:
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE, Status.DONE)], NOW)
        unit.work.add([WorkItem("a-1", NOW), WorkItem("a-7", NOW, ReadRequest(is_new=True))])
    found = stored(database, NOW)
    assert [each.kind for each in found.mine["a-1"]] == [Kind.PAGERDUTY_NOTE]
    assert [item.alert_id for item in found.waiting] == ["a-7"]


def test_a_refusal_is_not_taken_for_an_answer(database: Database) -> None:
    fill(database, SWEPT)
    with pytest.raises(Refused):
        reading(database, Alerts(refusal=Refused("no right")))


def test_the_log_is_read_where_the_state_differs(database: Database) -> None:
    fill(database, SWEPT)
    there = Alerts(logs={"j-1": [act("acknowledge", ANA, 3000)]}).put(replace(THERE, acknowledged=True))
    found = reading(database, there)
    assert found.found[0].acts == (act("acknowledge", ANA, 3000),)
