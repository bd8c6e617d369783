"""A move waits for the lock and for what is under way, and fences whoever led before."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.model import Kind, Status
from reconciler.errors import Misconfigured, Transient
from reconciler.operations.migrating import Choices
from reconciler.runtime.moving import Mover, Sides, is_there, refuse_without_copy
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, Superseded, open_database
from reconciler.store.lock import Lock as AnyLock
from tests.support.builders import action, alert, at, pair
from tests.support.clock import SimClock
from tests.support.database import url
from tests.support.moves import Alerts


class Lock(AnyLock):
    """Free after some attempts."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.held = False

    def acquire(self) -> bool:
        """Ours once the others are gone."""
        self.busy -= 1
        self.held = self.busy < 0
        return self.held

    def release(self) -> None:
        """Not ours any more."""
        self.held = False


def begin(database: Database, **more: Any) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([replace(pair(), swept_at=at(0), alias="disk")])
        unit.cursors.save(origin=Origin(at(-100), at(-3700)), polled_alerts=at(50), **more)


def mover(database: Database, there: Alerts, lock: Lock | None = None, said: list[str] | None = None) -> Mover:
    both = Sides(there, Alerts(), "jsm", "", timedelta(seconds=120), timedelta(days=30))
    say = (said if said is not None else []).append
    return Mover(database, lock or Lock(), both, SimClock(60.0), lambda _words: None, lambda: Path("copy"), say)


def ids(database: Database) -> set[str]:
    with database.reading() as unit:
        return set(unit.snapshot.pairs(["a-1", "j-1"]))


def test_a_move_is_made_once_keeps_a_copy_and_fences_whoever_led_before(
    database: Database, tmp_path: Path
) -> None:
    begin(database)
    daemon = open_database(url(tmp_path))
    daemon.lead()
    assert not is_there(database, "jsm", at(60))
    lock = Lock(busy=3)
    made = mover(database, Alerts().put(alert(id="j-1", alias="disk")), lock).move(Choices())
    assert (made.seen.obstacles, made.backup, ids(database)) == ((), Path("copy"), {"j-1"})
    assert is_there(database, "jsm", at(60))
    assert not lock.held
    with pytest.raises(Superseded), daemon.writing() as unit:
        unit.cursors.save(query="from the old daemon")
    daemon.close()


def test_an_obstacle_leaves_everything_as_it_is(database: Database) -> None:
    begin(database)
    made = mover(database, Alerts()).move(Choices())
    assert [each.kind for each in made.seen.obstacles] == ["blind"]
    assert (made.backup, ids(database)) == (None, {"a-1"})


def test_the_lock_is_not_waited_for_for_ever(database: Database) -> None:
    begin(database)
    with pytest.raises(Transient, match="another reconciler is at work on this database: stop it first"):
        mover(database, Alerts(), Lock(busy=1000)).move(Choices())
    database.lead()
    process = database.holder.rpartition(":")[0]
    with pytest.raises(Transient, match=rf"another reconciler \({process}\) is at work"):
        mover(database, Alerts(), Lock(busy=1000)).move(Choices())


def test_what_was_mirrored_a_moment_ago_is_waited_for(database: Database) -> None:
    begin(database)
    with database.writing() as unit:
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE, Status.DONE, at=at(40))], at(40))
    said: list[str] = []
    there = Alerts().put(alert(id="j-1", alias="disk"))
    assert mover(database, there, said=said).move(Choices()).seen.now == at(160)
    assert said == ["waiting 100 s: JSM may not show yet what was mirrored a moment ago"]
    assert there.asked.count("open") == 2


def test_before_a_first_start_there_is_nothing_to_move(database: Database) -> None:
    with pytest.raises(Misconfigured, match="set ALERT_SOURCE=jsm"):
        is_there(database, "jsm", at(60))


def test_postgresql_is_backed_up_by_its_own_means(tmp_path: Path) -> None:
    refuse_without_copy(url(tmp_path))
    with pytest.raises(Misconfigured, match="pg_dump"):
        refuse_without_copy("postgresql+psycopg://host/name")
