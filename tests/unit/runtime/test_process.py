"""The process of several routes: what it counts and tells for which of them, and what a reload leaves of it."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.observability import logs
from reconciler.observability.health import Health
from reconciler.observability.metrics import Metrics
from reconciler.routes import load_routes
from reconciler.runtime import process as process_module
from reconciler.runtime.process import FORGOTTEN, REMINDERS, ROUTES, SHARED_HEARTBEAT, Process
from reconciler.runtime.renewal import Given
from reconciler.runtime.route_jobs import SECRETS
from reconciler.runtime.shares import FileShares
from reconciler.runtime.wiring import Wiring
from reconciler.store.database import Database
from reconciler.store.lock import FileLock
from reconciler.vendors.call_context import for_route
from reconciler.vendors.http import RequestRecord
from tests.support.clock import SimClock
from tests.support.database import url
from tests.support.routes import COMMON, TWO, environ_of

THREE = f"{TWO}\n[routes.new]\nquery = 'tag: new'\nservice = 'PNEW001'\n"
ASKED = RequestRecord("Opsgenie", "GET", "/v2/alerts", 200, "done", 0.1)


class Bench:
    """A process on a database of its own, whose jobs run when a test calls them."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.file = folder, folder / "routes.toml"
        self.file.write_text(TWO)
        self.clock = SimClock()
        environ = environ_of(self.file, COMMON | {"DATABASE_URL": url(folder), "REMIND_SECONDS": "60"})
        self.given = Given(environ, None)
        self.stop = threading.Event()
        self.process = Process(
            load_routes(environ, None),
            self.given,
            self.stop,
            self.clock,
            database,
            FileShares(FileLock(folder / "reconciler.db"), timedelta(seconds=10)),
            lambda _settings: Metrics(Health(10.0, self.clock.monotonic), self.clock),
        )

    def reload(self, text: str) -> None:
        self.file.write_text(text)
        self.process._watch.check()

    def lead(self, *names: str) -> None:
        for name in names:
            self.process.daemon.routes[name].lead()

    def requests(self) -> dict[str, float]:
        """The requests that are counted of each route."""
        return {
            name: sum(
                sample.value
                for family in metrics.families()
                for sample in family.samples
                if sample.name == "reconciler_requests_total"
            )
            for name, metrics in self.process.metrics().items()
        }


@pytest.fixture
def bench(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(logs, "_surroundings", logs._surroundings)
    made = Bench(tmp_path, database)
    yield made
    made.process.daemon._stop()


def test_a_request_that_serves_several_routes_is_counted_for_the_one_that_made_it(bench: Bench) -> None:
    before = bench.requests()
    for name, count in (("shop", 2), ("bank", 1), ("gone", 1), ("", 1)):
        for _ in range(count):
            with for_route(name):
                bench.process._on_request(ASKED)
    assert {name: count - before[name] for name, count in bench.requests().items()} == {"shop": 2, "bank": 1}


def test_metrics_and_health_are_those_of_the_routes_of_the_file(bench: Bench) -> None:
    shop = bench.process.metrics()["shop"]
    bench.reload(THREE.replace("[routes.bank]", "[routes.other]"))
    assert [*bench.process.metrics()] == [*bench.process.health()] == ["shop", "other", "new"]
    assert bench.process.metrics()["shop"] is shop


def test_a_hint_goes_to_every_route_that_is_led(bench: Bench) -> None:
    bench.lead("shop")
    bench.process.put(Hint(Side.ALERTS, "a-1"))
    waiting = {name: route.program.hints.waiting._waiting for name, route in bench.process.daemon.routes.items()}
    assert {name: len(found) for name, found in waiting.items()} == {"shop": 1, "bank": 0}


def test_a_route_is_woken_by_its_name_and_one_that_is_gone_by_nothing(bench: Bench) -> None:
    bench.process._wake(["shop", "gone"])
    feeds = {name: route.program.feed for name, route in bench.process.daemon.routes.items()}
    assert {name: feed._asked for name, feed in feeds.items()} == {"shop": True, "bank": False}


def test_the_jobs_of_the_process_are_those_of_several_routes(bench: Bench) -> None:
    assert {*bench.process.daemon._extra} == {ROUTES, SECRETS, SHARED_HEARTBEAT, FORGOTTEN, REMINDERS}


def test_the_first_line_of_the_log_names_the_file_and_no_secret(bench: Bench) -> None:
    about = bench.process.daemon._about()
    assert (about["routes"], about["file"]) == (2, str(bench.file))
    assert not {*map(str, about.values())} & {*bench.process.routes.secret_values()} - {about["database"]}


def test_a_reload_that_fails_leaves_the_routes_their_metrics_and_their_settings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (bench.process.metrics(), dict(bench.process.daemon.routes), bench.process.routes)
    monkeypatch.setattr(process_module, "Wiring", _breaks("new", Wiring))
    changed = THREE.replace("tag: bank", "tag: banks")
    bench.reload(changed)
    assert (bench.process.metrics(), dict(bench.process.daemon.routes), bench.process.routes) == before
    monkeypatch.undo()
    bench.clock.advance(31)
    bench.process._watch.check()
    assert [*bench.process.daemon.routes] == ["shop", "bank", "new"]
    assert bench.process.daemon.routes["shop"] is before[1]["shop"]
    assert bench.process.routes.names() == ("shop", "bank", "new")


def _breaks(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def wiring(settings: Any, stop: Any, database: Database, *more: Any) -> Any:
        if database.route == name:
            raise ValueError(name)
        return make(settings, stop, database, *more)

    return wiring


def test_a_changed_route_begins_anew_and_leads_with_the_lock_that_it_had(bench: Bench) -> None:
    bench.lead("shop", "bank")
    former = bench.process.daemon.routes["bank"]
    bench.reload(TWO.replace("PBANK01", "PBANK02"))
    present = bench.process.daemon.routes["bank"]
    assert present is not former
    former.lead()
    assert not former.leadership.leads
    present.lead()
    assert present.leadership.leads
    assert present.leadership.epoch == former.leadership.epoch + 1
    assert not FileLock(bench.folder / "reconciler.db").acquire(), "no other process could begin meanwhile"


def test_keys_that_change_at_the_same_time_are_shared_anew(bench: Bench) -> None:
    old = (*bench.process._shared._alerts,)
    (bench.folder / "key").write_text("other-key-1234")
    bench.reload(TWO.replace('service = "P', 'opsgenie_api_key_file = "key"\nservice = "P'))
    (new,) = bench.process._shared._alerts
    assert new not in old
    readers = bench.process._shared._alerts[new].shared
    assert {name: member.query for name, member in readers._setup.members.items()} == {
        "shop": "tag: shop", "bank": "tag: bank",
    }  # fmt: skip
    assert len(bench.process._connections._limiters) == 2


def test_a_removed_route_is_still_counted_among_the_routes_of_this_process_while_it_is_drained(
    bench: Bench,
) -> None:
    bench.lead("shop", "bank")
    bench.reload(TWO.partition("[routes.bank]")[0])
    assert [*bench.process.daemon.routes] == ["shop"]
    bench.process._forgotten.look()
    assert bench.process.removed() == 0
    bench.process.daemon._look_at_drained()
    bench.process._forgotten.look()
    assert bench.process.removed() == 1


def test_a_lasting_state_of_the_process_is_told_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.process._say("heartbeat", "refused")
    bench.clock.advance(61)
    caplog.clear()
    bench.process._remind()
    assert "still refused" in caplog.text


def test_each_line_of_a_route_names_it(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert logs._surroundings() == {}
    with for_route("shop"):
        assert logs._surroundings() == {"route": "shop"}
    bench.lead("bank")


def test_a_refused_file_is_among_the_states_of_a_route_that_is_led(bench: Bench) -> None:
    def told() -> dict[str, list[str]]:
        routes = bench.process.daemon.routes
        return {name: [each.subject for each in route.reporter.states.lasting()] for name, route in routes.items()}

    bench.lead("bank")
    bench.reload("[[")
    assert told() == {"shop": [], "bank": ["routes"]}
    bench.process.daemon.routes["bank"].leadership.lose()
    bench.lead("shop")
    bench.process._say("routes", "still refused")
    assert told() == {"shop": ["routes"], "bank": []}
    bench.process._say("routes", "")
    assert told() == {"shop": [], "bank": []}
