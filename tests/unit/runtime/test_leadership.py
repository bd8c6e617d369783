"""Leadership: the holder of the lock works, and a new leader loads all unfinished work from the database."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.core.model import Kind, Status
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything
from reconciler.errors import Misconfigured
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.leadership import Leadership, stored_work
from reconciler.runtime.pauses import Pauses
from reconciler.store import troubles
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, DatabaseDown, Superseded, open_database
from reconciler.store.schema import leader
from reconciler.store.source import OtherSource, other_source
from reconciler.store.standbys import known
from tests.support.builders import action, alert, at, pair, policy
from tests.support.clock import SimClock

INTERVAL = timedelta(seconds=10)


class Lock:
    """A lock that the test grants and revokes."""

    def __init__(self) -> None:
        self.free = True
        self.left = 1_000
        self.released = 0
        self.declined = 0
        self.error: Exception | None = None

    def acquire(self) -> bool:
        self.left -= 1
        if self.error is not None:
            raise self.error
        return self.free and self.left >= 0

    def release(self) -> None:
        self.released += 1

    def decline(self) -> None:
        self.declined += 1


class Process:
    """One process on a shared database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SimClock()
        self.lock = Lock()
        self.queue = WorkQueue(self.clock)
        self.breakers = WriteBreakers(self.clock)
        self.pauses = Pauses(database, self.clock, self.breakers)
        self.taken_in: list[int] = []
        self.leadership = Leadership(database, self.lock, self.queue, self.clock, INTERVAL, self.pauses)
        self.leadership.do_first(lambda: self.taken_in.append(self.queue.size()))

    def confirm(self) -> bool:
        return self.leadership.confirm(policy())

    def leased(self) -> list[str]:
        found = []
        while (item := self.queue.lease()) is not None:
            found.append(item.alert_id)
        return found


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


def test_what_must_be_held_back_is_taken_in_before_any_work_is_given_out(process: Process) -> None:
    with process.database.writing() as unit:
        unit.snapshot.save_pairs([pair(None, swept_at=at(0))])
        unit.outbox.add([action(Kind.CREATE_INCIDENT)], process.clock.now())
    assert process.confirm()
    assert (process.taken_in, process.queue.size()) == ([0], 1)
    assert process.confirm()
    assert process.taken_in == [0]


def epoch_of(database: Database) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(select(leader.c.epoch)).scalar_one())


def new_alert(alert_id: str) -> WorkItem:
    request = replace(everything(), is_new=True, row=alert(id=alert_id))
    return WorkItem(alert_id, at(0), request, Priority.PAGE, frozenset({Reason.NEW_ALERT}))


def store_unfinished_work(database: Database) -> None:
    """Stores a page, a planned note, a write in doubt, and unsettled pairs.

    A pair whose alert is missing is left to the sweep, which reads every open pair.
    """
    unsettled = [
        pair(alert_id="unpaged", unpaged="assigned to nobody", swept_at=at(0)),
        pair(alert_id="unexplained", unexplained_since=at(50), swept_at=at(0)),
        pair(alert_id="missing", swept_at=at(0)),
        pair(alert_id="settled", swept_at=at(0)),
    ]
    unsettled[2] = replace(unsettled[2], alerts=replace(unsettled[2].alerts, missing_since=at(40)))
    sent = action(Kind.PAGERDUTY_NOTE, Status.SENT, alert_id="sent", key="sent")
    done = action(Kind.PAGERDUTY_NOTE, Status.DONE, alert_id="done", key="done")
    with database.writing() as unit:
        unit.work.add([new_alert("page")])
        unit.snapshot.save_pairs(unsettled)
        unit.outbox.add([action(Kind.ALERT_NOTE, alert_id="planned", key="planned"), sent, done], at(50))


def test_a_new_leader_loads_all_unfinished_work(database: Database, process: Process) -> None:
    store_unfinished_work(database)
    process.queue.add([WorkItem("from before", at(0))])
    assert process.confirm()
    assert process.leadership.leads
    left = {"page", "planned", "sent", "unpaged", "unexplained"}
    assert process.queue.known([*left, "missing", "settled", "done", "from before"]) == left


def test_loaded_work_keeps_its_priority_and_its_request(database: Database) -> None:
    store_unfinished_work(database)
    clock = SimClock()
    found = {item.alert_id: item for item in stored_work(database, policy(), clock, INTERVAL)}
    assert found["page"].priority is Priority.PAGE
    assert found["page"].request.row == alert(id="page")
    assert found["planned"].due_at == clock.now()
    assert found["planned"].request == ReadRequest()
    assert found["sent"].request == ReadRequest(incident_notes=True)
    assert found["unpaged"].request == ReadRequest(incident=True)
    assert {found[key].priority for key in ("planned", "sent", "unpaged", "unexplained")} == {Priority.UNSETTLED}


def test_a_continuing_leader_loads_nothing_again(database: Database, process: Process) -> None:
    store_unfinished_work(database)
    process.confirm()
    process.queue.clear()
    assert process.confirm()
    assert process.queue.size() == 0


def test_a_standby_has_no_work_and_takes_over_once_the_lock_is_free(database: Database, process: Process) -> None:
    store_unfinished_work(database)
    process.lock.free = False
    process.queue.add([WorkItem("from before", at(0))])
    assert not process.confirm()
    assert (process.leadership.leads, process.queue.size()) == (False, 0)
    process.lock.free = True
    assert process.confirm()
    assert process.queue.holds("page")
    assert process.leadership.news == ["took over in epoch 1: the other reconciler has let go, this one leads now"]


def test_losing_the_lock_ends_leadership(process: Process) -> None:
    process.confirm()
    process.lock.free = False
    assert not process.confirm()
    assert not process.leadership.leads


def test_the_work_is_loaded_again_after_the_database_was_unreachable(database: Database, process: Process) -> None:
    process.confirm()
    store_unfinished_work(database)
    process.leadership.lose()
    assert not process.leadership.leads
    assert process.lock.released == 0
    assert process.confirm()
    assert "page" in process.leased()
    assert process.leadership.news == []


def test_giving_up_leadership_releases_the_lock_and_clears_the_work(database: Database, process: Process) -> None:
    store_unfinished_work(database)
    process.confirm()
    process.leadership.give_up()
    assert (process.leadership.leads, process.queue.size(), process.lock.released) == (False, 0, 1)


def test_a_superseded_leader_cannot_write(database: Database, process: Process) -> None:
    process.confirm()
    other = open_database(str(database.engine.url))
    assert Process(other).confirm()
    with pytest.raises(Superseded), database.writing():
        pass
    other.close()


@pytest.mark.parametrize("error", [DatabaseDown("away"), Misconfigured("DATABASE_URL: a pooler")])
def test_an_unavailable_lock_ends_leadership(process: Process, error: Exception) -> None:
    process.lock.error = error
    with pytest.raises(type(error)):
        process.confirm()
    assert not process.leadership.leads


def test_a_process_that_cannot_lead_leaves_the_lock_to_others(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: Database) -> str:
        raise Misconfigured("DATABASE_URL: its schema is at revision 9999, which this version does not know")

    monkeypatch.setattr("reconciler.runtime.leadership.check", unknown)
    with pytest.raises(Misconfigured):
        process.confirm()
    assert process.lock.declined == 1
    assert not process.leadership.leads


def test_a_new_database_is_migrated_and_reported_as_new(tmp_path: object) -> None:
    database = open_database(f"sqlite:///{tmp_path}/new.db")
    process = Process(database)
    assert process.confirm()
    assert process.leadership.news == ["new database: nothing is known yet, a first start follows"]
    database.close()


def test_a_process_stopped_while_it_checked_the_lock_supersedes_no_leader(process: Process) -> None:
    assert process.confirm()
    epoch = epoch_of(process.database)
    process.leadership.lose()
    process.lock.left = 1  # at the next check another process holds it
    assert not process.confirm()
    assert (process.leadership.leads, epoch_of(process.database)) == (False, epoch)


def test_a_standby_is_noted_once_a_minute_until_it_leads(database: Database, process: Process) -> None:
    first = Process(Database(database.engine))
    assert first.confirm()

    began = process.clock.now()

    def noted() -> list[float]:
        with database.reading() as unit:
            return [(each.at - began).total_seconds() for each in known(unit, process.clock.now())]

    process.lock.free = False
    assert not process.confirm()
    assert [process.leadership.stand_by() for _ in range(2)] == [first.database.holder] * 2
    process.clock.wait(59.0)
    process.leadership.stand_by()
    assert noted() == [0.0]
    process.clock.wait(1.0)
    process.leadership.stand_by()
    assert noted() == [60.0]
    process.lock.free = True
    assert process.confirm()
    assert noted() == []
    assert (process.leadership.epoch, process.leadership.since) == (2, process.clock.now())


def test_a_removed_file_is_a_lost_database_even_while_the_lock_is_held(process: Process, tmp_path: Path) -> None:
    assert process.confirm()
    (tmp_path / "reconciler.db").unlink()
    with pytest.raises(DatabaseDown, match="was removed or replaced while in use"):
        process.confirm()
    process.leadership.lose()
    assert process.confirm()
    assert process.leadership.news == ["new database: nothing is known yet, a first start follows"]
    assert process.confirm(), "the new file is the one that is in use"


@pytest.mark.parametrize("route", ["", "shop"])
def test_a_route_of_another_product_is_not_led_and_the_database_says_why_if_there_are_others(
    database: Database, route: str
) -> None:
    process = Process(database)
    assert process.confirm()
    process.leadership = Leadership(
        database, process.lock, process.queue, process.clock, INTERVAL, process.pauses, "jsm", route
    )
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(at(0), at(0)))
    other = database.for_route(database.route)
    other.lead()  # whoever has moved it
    with pytest.raises(OtherSource):
        process.leadership.confirm(policy())
    assert (process.lock.declined, process.leadership.leads) == (1, False)
    with database.reading() as unit:
        kept = [trouble.words for trouble in troubles.load(unit)]
    assert kept == ([other_source("opsgenie", "jsm", "shop")] if route else [])
