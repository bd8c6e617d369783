"""PagerDuty's feed: the log, what is read instead of it, and incidents that are not ours."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from worlds import ALERT_ID, BOT, at, incident, pair, policy

from reconciler import cursors
from reconciler.core import model
from reconciler.core.model import Act, Actor, Side
from reconciler.errors import Missing, NotExecuted, Permanent, Refused, Unknown
from reconciler.feeds import WINDOWS_REFUSED, Feeds, Hint
from reconciler.logcost import LogCost
from reconciler.looks import Horizons, Looks, Origin
from reconciler.memory import Memory
from reconciler.sight import Eyes
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from reconciler.vendors.ports import LogPage

HOUR = timedelta(hours=1)
TWIN = incident(id="PINC2", number=4712)


class PagerDuty:
    """Its log, open set and incidents; each an answer or an error."""

    def __init__(self, log: Any, open_set: Any = (), incidents: Any = TWIN) -> None:
        self.log, self.open_set, self.incidents = log, open_set, incidents
        self.asked: Counter[str] = Counter()

    def log_entries(self, _since: object, _enough: object) -> LogPage:
        return cast("LogPage", self._answer("log", self.log))

    def open_incidents(self) -> list[model.Incident]:
        return list(self._answer("open set", self.open_set))

    def incident(self, _id: str) -> model.Incident:
        return cast("model.Incident", self._answer("incident", self.incidents))

    def _answer(self, what: str, answer: Any) -> Any:
        self.asked[what] += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path}/feeds.db")
    upgrade(made)
    with made.writing() as books:
        books.snapshot.save_pairs([replace(pair(), swept_at=at(0))])
    yield made
    made.close()


def feeds(database: Database, pagerduty: PagerDuty, memory: Memory, second: float = 3600) -> Feeds:
    now = at(second)
    eyes = Eyes(cast("Any", None), cast("Any", pagerduty), lambda: False, policy(), now, memory)
    horizons = Horizons(HOUR, timedelta(seconds=300), timedelta(days=30))
    looks = Looks(database, horizons, Origin(at(0), at(0)), now, memory)
    return Feeds(eyes, looks, LogCost(), busy=False)


STORED = {"pagerduty": cursors.LogMark(at(3500)).stored()}


@pytest.mark.parametrize("error", [Permanent("400", 400), Refused("403"), Unknown("too large")], ids=repr)
def test_without_the_log_the_open_set_is_read(database: Database, error: Exception) -> None:
    found = feeds(database, PagerDuty(error, [incident("acknowledged")]), Memory())
    found.pagerduty(STORED, 1)
    assert found.looks.by_alert[ALERT_ID].incident
    assert found.cursors.keys() == {"polled.pagerduty"}
    assert len(found.eyes.take_problems()) == 1


def test_without_any_connection_nothing_else_is_asked(database: Database) -> None:
    pagerduty = PagerDuty(NotExecuted("no connection"))
    feeds(database, pagerduty, Memory()).pagerduty(STORED, 1)
    assert pagerduty.asked == {"log": 1}


def test_a_window_that_stays_refused_is_begun_anew_and_swept(database: Database) -> None:
    memory, pagerduty = Memory(), PagerDuty(Permanent("400", 400))
    for _ in range(WINDOWS_REFUSED):
        found = feeds(database, pagerduty, memory)
        found.pagerduty(STORED, 1)
    assert cursors.log_mark(found.cursors["pagerduty"], at(3600), at(0)).at == at(3600) - policy().staleness
    assert found.sweep_now


def test_an_outage_of_the_whole_vendor_leaves_the_window_as_it_is(database: Database) -> None:
    memory, pagerduty = Memory(), PagerDuty(Unknown("500"), Unknown("500"))
    for _ in range(3 * WINDOWS_REFUSED):
        found = feeds(database, pagerduty, memory)
        found.pagerduty(STORED, 1)
        assert (found.cursors, found.sweep_now) == ({}, False)


def test_an_entry_that_is_stamped_ahead_moves_the_watermark_no_further_than_now(database: Database) -> None:
    ahead = Act("L1", "trigger", at(9000), Actor.PERSON, None, "PELSE")
    found = feeds(database, PagerDuty(LogPage((ahead,), 1)), Memory())
    found.pagerduty(STORED, 1)
    assert cursors.log_mark(found.cursors["pagerduty"], at(3600), at(0)).at == at(3600)


RAISED = Act("L1", "trigger", at(3550), Actor.PERSON, BOT, "PINC2")


def test_a_late_second_incident_of_ours_is_noticed_by_its_log_entry_and_read_once(database: Database) -> None:
    memory, pagerduty = Memory(), PagerDuty(LogPage((RAISED,), 1))
    for number in range(2):
        found = feeds(database, pagerduty, memory)
        found.pagerduty(STORED, 1)
        twins = [TWIN] if number == 0 else []
        assert (found.looks.by_alert[ALERT_ID].twins if ALERT_ID in found.looks.by_alert else []) == twins
    assert pagerduty.asked["incident"] == 1


@pytest.mark.parametrize(("error", "asked"), [(Missing("404"), 1), (Unknown("500"), 2)], ids=repr)
def test_one_that_could_not_be_read_is_asked_for_again(database: Database, error: Exception, asked: int) -> None:
    memory, pagerduty = Memory(), PagerDuty(LogPage((RAISED,), 1), incidents=error)
    for _ in range(2):
        feeds(database, pagerduty, memory).pagerduty(STORED, 1)
    assert pagerduty.asked["incident"] == asked


def test_a_hint_at_another_incident_with_a_known_key_makes_it_be_read(database: Database) -> None:
    found = feeds(database, PagerDuty(LogPage()), Memory())
    assert not found.hinted([Hint(Side.PAGERDUTY, "PINC2", ALERT_ID)])
    assert found.looks.by_alert[ALERT_ID].twins == [TWIN]
