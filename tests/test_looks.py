"""Where a row of a list makes us look, and whether a missing alert is gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from worlds import ALERT_ID, alert, at, incident, pair, policy, sighting

from reconciler.absence import Absence
from reconciler.core import model
from reconciler.looks import Horizons, Looks, Origin
from reconciler.memory import Memory
from reconciler.sight import Eyes
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade

NOW = at(3600)
HOUR = timedelta(hours=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path}/looks.db")
    upgrade(made)
    yield made
    made.close()


def looks(database: Database, *pairs: model.Pair) -> Looks:
    _save(database, *pairs)
    origin = Origin(at(0), at(0) - HOUR)
    return Looks(database, Horizons(HOUR, timedelta(seconds=300), timedelta(days=30)), origin, NOW, Memory())


def _save(database: Database, *pairs: model.Pair) -> None:
    with database.writing() as books:
        books.snapshot.save_pairs([replace(one, swept_at=one.swept_at or NOW) for one in pairs])


def test_a_row_without_a_readable_state_says_nothing(database: Database) -> None:
    found = looks(database, pair(acknowledged=True))
    found.compare_alerts([alert(open=None, acknowledged=None)])
    assert found.by_alert == {}


def test_an_open_alert_that_is_older_than_the_first_start_has_entered_the_query(database: Database) -> None:
    found = looks(database)
    old = alert(created_at=at(0) - timedelta(days=3))
    found.compare_alerts([old, replace(old, id="closed", open=False)])
    assert found.by_alert[ALERT_ID].news
    assert found.by_alert[ALERT_ID].by_key  # it may have its incident from an earlier life
    assert not found.by_alert["closed"].tracked


@pytest.mark.parametrize(("created", "closed", "news"), [(-60, 5, True), (-60, -5, False), (-7200, 5, False)])
def test_an_alert_that_is_closed_before_a_list_shows_it_is_news_where_it_was_open_at_the_first_start(
    database: Database, created: float, closed: float, news: bool
) -> None:
    found = looks(database)
    found.compare_alerts([alert(open=False, created_at=at(created), closed_at=at(closed))])
    look = found.by_alert[ALERT_ID]
    assert (look.news, look.by_key, look.tracked) == (news, news, news)


def test_an_alert_that_could_not_be_read_when_it_was_news_is_news_though_it_is_closed_by_now(
    database: Database,
) -> None:
    found = looks(database)
    found.compare_alerts([alert(open=False, created_at=at(-60), closed_at=at(-5))])
    found.unread({ALERT_ID: {model.Side.PAGERDUTY}})
    assert found.by_alert[ALERT_ID].tracked
    assert found.by_alert[ALERT_ID].by_key


@pytest.mark.parametrize("tracked", [True, False])
def test_a_priority_that_changed_makes_us_look(database: Database, *, tracked: bool) -> None:
    base = replace(pair().opsgenie, priority="P4")
    found = looks(database, pair(None, tracked=tracked, opsgenie=base))
    found.compare_alerts([alert(priority="P1")])
    look = found.by_alert[ALERT_ID]
    assert look.row is not None
    assert look.by_key is not tracked


def test_a_priority_that_was_never_read_is_no_change(database: Database) -> None:
    unread = replace(pair().opsgenie, priority="")
    found = looks(database, pair(None, tracked=False, opsgenie=unread))
    found.compare_alerts([alert(priority="P1")])
    assert found.by_alert == {}


def test_an_alert_that_was_missing_and_is_listed_again_is_read(database: Database) -> None:
    base = replace(pair().opsgenie, open=False, deleted=True, missing_since=at(1))
    found = looks(database, pair(opsgenie=base))
    found.compare_alerts([alert()])
    assert found.by_alert[ALERT_ID].alert


def test_a_baseline_stamped_in_the_future_hides_nothing(database: Database) -> None:
    found = looks(database, pair(updated_at=NOW + timedelta(days=300)))
    found.compare_alerts([alert(acknowledged=True, updated_at=at(3000))])
    assert found.by_alert[ALERT_ID].alert


def test_another_open_incident_with_the_alerts_key_is_a_twin(database: Database) -> None:
    found = looks(database, pair())
    twin = incident(id="PINC2", number=4712)
    found.compare_incidents([incident(), twin])
    assert found.by_alert[ALERT_ID].twins == [twin]


def test_all_pairs_of_an_incident_are_looked_at_when_it_moves(database: Database) -> None:
    found = looks(database, pair(), pair(alert_id="a-2"))
    found.compare_incidents([incident("acknowledged")])
    assert {alert_id for alert_id, look in found.by_alert.items() if look.incident} == {ALERT_ID, "a-2"}


def test_pairs_that_page_nobody_or_are_unexplained_are_found_by_one_statement(database: Database) -> None:
    _save(database, pair(), pair(alert_id="a-2", unpaged="why"), pair(alert_id="a-3", unexplained_since=NOW))
    with database.reading() as books:
        assert {one.alert_id for one in books.snapshot.unsettled()} == {"a-2", "a-3"}
        assert [one.alert_id for one in books.snapshot.unpaged()] == ["a-2"]
        assert [one.alert_id for one in books.snapshot.unexplained()] == ["a-3"]


# -- absence --


class Listing:
    def __init__(self, *rows: model.Alert) -> None:
        self.rows = list(rows)
        self.asked = 0

    def recent_alerts(self, since: object) -> list[model.Alert]:
        assert since is None
        self.asked += 1
        return self.rows


def judged(database: Database, listing: Listing, memory: Memory, *missing: model.Pair) -> tuple[bool, bool, str]:
    """Whether the key is blind, whether it sees others, and the words for that."""
    seeing = Eyes(cast("Any", listing), cast("Any", None), lambda: False, policy(), NOW, memory)
    absence = Absence(seeing, database)
    seen = absence.judged(tuple(sighting(alert_id=one.alert_id, pair=one, missing=True) for one in missing))
    return memory.blind is not None, all(one.sees_others for one in seen), str(memory.blind or "")


def row(alert_id: str, created: float = 0) -> model.Alert:
    return alert(id=alert_id, created_at=at(created))


GONE = tuple(pair(alert_id=f"gone-{number}") for number in range(3))
THERE = tuple(pair(alert_id=f"there-{number}") for number in range(3))


def test_one_missing_alert_needs_a_list_that_shows_another(database: Database) -> None:
    _save(database, *GONE)
    assert judged(database, Listing(row("gone-0")), Memory(), GONE[0])[1] is False
    assert judged(database, Listing(row("other")), Memory(), GONE[0])[1] is True


def test_several_need_as_many_that_were_known_before(database: Database) -> None:
    _save(database, *GONE, *THERE)
    for shown, blind, sees in ((0, True, False), (2, False, False), (3, False, True)):
        listing = Listing(*(row(one.alert_id) for one in THERE[:shown]))
        found = judged(database, listing, Memory(), *GONE)
        assert found[:2] == (blind, sees)
        assert bool(found[2]) == blind
        assert listing.asked == 1


def test_alerts_of_another_teams_key_are_no_witnesses(database: Database) -> None:
    """They are old, and were first seen when ours were missing already."""
    _save(database, *GONE, *THERE)
    memory = Memory()
    memory.meet((one.alert_id for one in THERE), NOW)
    blind, sees, words = judged(database, Listing(*(row(one.alert_id) for one in THERE)), memory, *GONE)
    assert (blind, sees) == (True, False)
    assert "sees none of the 3 alerts" in words


def test_those_that_were_missing_in_earlier_cycles_count(database: Database) -> None:
    _save(database, *GONE)
    memory = Memory()
    listing = Listing(row("another team's"))
    for one in GONE:
        blind, sees, _ = judged(database, listing, memory, one)
    assert (blind, sees) == (True, False)


def test_what_is_seen_again_or_is_known_to_be_deleted_is_not_missing(database: Database) -> None:
    memory = Memory()
    judged(database, Listing(), memory, *GONE)
    seeing = Eyes(cast("Any", None), cast("Any", None), lambda: False, policy(), NOW, memory)
    deleted = pair(alert_id="gone-1", opsgenie=replace(GONE[1].opsgenie, open=False, deleted=True))
    Absence(seeing, database).judged(
        (
            sighting(alert_id="gone-0", pair=GONE[0], alert=alert(id="gone-0")),
            sighting(alert_id="gone-1", pair=deleted, missing=True),
        )
    )
    assert set(memory.missing) == {"gone-2"}
    assert memory.blind is None
    assert memory.to_check(timedelta(seconds=1), NOW + timedelta(seconds=2)) == ["gone-2"]
