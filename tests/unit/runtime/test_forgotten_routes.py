"""Routes that no file names: who may note them, and who may delete their rows."""

from datetime import timedelta

import pytest

from reconciler.runtime import forgotten_routes
from reconciler.runtime.forgotten_routes import EVERY, FIRST, ForgottenRoutes
from reconciler.store import removed_routes
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.removed_routes import mark_removed
from reconciler.store.routes import stored_routes
from tests.support.builders import at, pair
from tests.support.clock import SimClock

RETENTION = timedelta(days=30)
SERVER = "postgresql://user@server/name"


class Lock:
    """The lock of one route. `free`: no other process has it; `held` while this one does."""

    def __init__(self) -> None:
        self.free: bool | Exception = True
        self.held = False
        self.asked = 0

    def acquire(self) -> bool:
        self.asked += 1
        if isinstance(self.free, Exception):
            raise self.free
        self.held = self.free
        return self.free

    def release(self) -> None:
        self.held = False


class Bench:
    """A database with the routes `kept` and `gone`, and a process whose file has the first only."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, SimClock()
        self.leads = True
        self.followed = {"kept"}
        self.lock = Lock()
        for name in ("kept", "gone"):
            self.of(name).lead()
            with self.of(name).writing() as unit:
                unit.snapshot.save_pairs([pair(swept_at=at(0))])

    def of(self, name: str) -> Database:
        return self.database.for_route(name)

    def forgotten(self, url: str = "sqlite:////reconciler.db") -> ForgottenRoutes:
        return ForgottenRoutes(
            self.database, url, RETENTION, self.clock, lambda: self.followed, lambda: self.leads
        )

    def removed(self) -> set[str]:
        return set(stored_routes(self.database).removed)

    def names(self) -> tuple[str, ...]:
        return stored_routes(self.database).names

    def pairs(self, name: str) -> int:
        with self.of(name).reading() as unit:
            return len(unit.snapshot.pairs(["a-1"]))


@pytest.fixture
def bench(database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(database)
    monkeypatch.setattr(forgotten_routes, "lock_for", lambda _url, _route: made.lock)
    return made


def test_a_route_is_noted_once_and_deleted_after_the_retention(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    looker = bench.forgotten()
    for _ in range(2):
        looker.look()
    assert (bench.removed(), looker.known) == ({"gone"}, 1)
    assert caplog.text.count("route gone: is in the database and in no routes file") == 1
    bench.clock.advance(RETENTION.total_seconds() - 1)
    looker.look()
    assert bench.pairs("gone") == 1
    bench.clock.advance(1)
    looker.look()
    assert (bench.names(), bench.pairs("kept")) == (("kept",), 1)
    looker.look()
    assert looker.known == 0


def test_a_process_that_stands_by_on_a_file_touches_nothing(bench: Bench) -> None:
    """The leader may have another routes file, which names the route."""
    bench.leads = False
    looker = bench.forgotten()
    looker.look()
    assert (bench.removed(), looker.known) == (set(), 1)
    mark_removed(bench.of("gone"), bench.clock.now())
    bench.clock.advance(RETENTION.total_seconds())
    looker.look()
    assert bench.pairs("gone") == 1


@pytest.mark.parametrize("free", [False, DatabaseDown("away")], ids=["led elsewhere", "not known"])
def test_a_route_that_another_pod_may_lead_is_left_alone(bench: Bench, free: bool | Exception) -> None:
    bench.lock.free = free
    looker = bench.forgotten(SERVER)
    looker.look()
    mark_removed(bench.of("gone"), bench.clock.now())
    bench.clock.advance(RETENTION.total_seconds())
    looker.look()
    assert bench.pairs("gone") == 1
    assert not bench.lock.held


def test_the_lock_is_held_while_rows_are_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    monkeypatch.setattr(forgotten_routes, "forget", lambda *_: held.append(bench.lock.held))
    mark_removed(bench.of("gone"), bench.clock.now())
    bench.clock.advance(RETENTION.total_seconds())
    bench.forgotten(SERVER).look()
    assert (held, bench.lock.held) == ([True], False)


@pytest.mark.parametrize("url", ["sqlite:////reconciler.db", SERVER])
@pytest.mark.parametrize("what", ["added again", "led elsewhere", "the program stops"])
def test_the_deletion_ends_when_the_route_may_be_led_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, url: str, what: str
) -> None:
    monkeypatch.setattr(removed_routes, "AT_ONCE", 1)
    with bench.of("gone").writing() as unit:
        unit.snapshot.save_pairs([pair(alert_id="a-2", swept_at=at(0))])
    mark_removed(bench.of("gone"), bench.clock.now())
    bench.clock.advance(RETENTION.total_seconds())

    def wait(_: float) -> bool:
        if what == "added again":
            bench.followed.add("gone")
        elif what == "led elsewhere":
            bench.leads = bench.lock.free = False
        return what == "the program stops"

    monkeypatch.setattr(bench.clock, "wait", wait)
    bench.forgotten(url).look()
    with bench.of("gone").reading() as unit:
        assert len(unit.snapshot.pairs(["a-1", "a-2"])) == 1
    assert "rows are deleted" not in caplog.text


def test_the_lock_of_a_route_of_this_process_is_never_asked_for(bench: Bench) -> None:
    bench.followed.add("gone")
    looker = bench.forgotten(SERVER)
    looker.look()
    assert (bench.lock.asked, bench.removed(), looker.known) == (0, set(), 0)


def test_the_first_look_is_repeated_soon_until_it_could_be_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_file, on_server = bench.forgotten(), bench.forgotten(SERVER)
    bench.leads = False
    on_file.look()
    assert (on_file.next_in(), on_server.next_in()) == (FIRST, FIRST)
    on_server.look()
    bench.leads = True
    on_file.look()
    assert (on_file.next_in(), on_server.next_in()) == (EVERY, EVERY)

    def away(_database: Database) -> None:
        raise DatabaseDown("away")

    monkeypatch.setattr(forgotten_routes, "stored_routes", away)
    on_file.look()
