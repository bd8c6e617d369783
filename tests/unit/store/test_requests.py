"""Which routes operators have asked something of."""

from reconciler.core.model import Side
from reconciler.core.pause import Pause
from reconciler.core.work import WorkItem
from reconciler.store.database import Database
from reconciler.store.requests import asked
from tests.support.builders import at


def test_pauses_and_items_of_commands_ask_their_route(database: Database) -> None:
    assert asked(database) == frozenset()
    with database.for_route("paused").writing() as unit:
        unit.pauses.save([Pause(Side.PAGERDUTY, at(0), "maintenance")])
    with database.for_route("told").writing() as unit:
        unit.work.add([WorkItem("a", at(0))], external=True)
    with database.for_route("busy").writing() as unit:
        unit.work.add([WorkItem("a", at(0))])
    assert asked(database) == {"paused", "told"}


def test_what_was_taken_in_asks_no_more(database: Database) -> None:
    told = database.for_route("told")
    with told.writing() as unit:
        unit.work.add([WorkItem("a", at(0))], external=True)
        unit.work.take_in()
    assert asked(database) == frozenset()
