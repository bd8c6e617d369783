"""Which writes count for the lag: those that were done, since a moment, among the newest."""

from reconciler.core.model import Kind, Settlement, Status
from reconciler.store.database import Database
from reconciler.store.lags import Mirrored, mirrored
from tests.support.builders import action, at


def written(database: Database, number: int, *, acted: float, done: float, status: Status = Status.DONE) -> None:
    made = action(Kind.PAGERDUTY_NOTE, key=f"note {number}", at=at(acted), id=0)
    with database.writing() as unit:
        unit.outbox.add([made], at(acted))
        (mine,) = [each for each in unit.outbox.of([made.alert_id])[made.alert_id] if each.key == made.key]
        unit.outbox.settle(Settlement(mine.id, status), at(done))


def found(database: Database, since: float, most: int = 100) -> Mirrored:
    with database.reading() as unit:
        return mirrored(unit, at(since), most)


def test_only_writes_that_were_done_since_then_count(database: Database) -> None:
    assert found(database, 0) == Mirrored()
    written(database, 1, acted=0, done=5)
    written(database, 2, acted=10, done=12)
    written(database, 3, acted=11, done=13, status=Status.DEAD)
    written(database, 4, acted=11, done=13, status=Status.DROPPED)
    assert found(database, 6).times == ((at(10), at(12)),)


def test_a_storm_is_cut_to_the_newest_and_that_is_said(database: Database) -> None:
    for number in range(4):
        written(database, number, acted=number, done=number + 1)
    assert found(database, 0, most=3) == Mirrored(tuple((at(n), at(n + 1)) for n in (1, 2, 3)), is_cut=True)
    assert not found(database, 0, most=4).is_cut
    assert not found(database, 2, most=3).is_cut, "what was left out is older than what was asked for"
