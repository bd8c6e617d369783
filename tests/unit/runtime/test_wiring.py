"""One route's wiring: what it shares with others, and what it leaves to the whole process."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from reconciler.core.model import Side
from reconciler.routes import Route
from reconciler.runtime.connections import Connections
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.runtime.wiring import Wiring, about_route
from reconciler.store.database import Database
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.json_fields import ignore
from tests.support.clock import SimClock
from tests.support.database import url
from tests.support.in_process import settings


class Bench:
    """Two routes with one key."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.clock = SimClock()
        self.connections = Connections(self.clock)
        self.shared = SharedKeys(
            database, self.connections, self.clock, lambda _: None, ignore, lambda _names: None
        )
        chosen: dict[str, Any] = {
            "database_url": url(folder),
            "heartbeat_url": SecretStr("https://beat.example/x"),
            "opsgenie_heartbeat": "prod",
        }
        self.routes = [Route(name, settings(opsgenie_query=f"tag: {name}", **chosen)) for name in ("a", "b")]
        self.shared.use(self.routes, ["a", "b"])
        self.wirings = [self._wiring(route, database) for route in self.routes]
        self.schedule = Schedule(self.clock)
        self.jobs = [each.jobs(RouteSchedule(self.schedule, each.route.name)) for each in self.wirings]

    def _wiring(self, route: Route, database: Database) -> Wiring:
        lock: Any = SimpleNamespace(acquire=lambda: True, release=lambda: None)
        return Wiring(
            route.settings,
            threading.Event(),
            database.for_route(route.name),
            None,
            self.clock,
            self.connections,
            self.shared,
            route,
            lock,
        )


@pytest.fixture
def bench(tmp_path: Path, database: Database) -> Iterator[Bench]:
    made = Bench(tmp_path, database)
    yield made
    for each in made.wirings:
        each.database.close()


def test_routes_with_one_key_share_its_rates_and_its_list(bench: Bench) -> None:
    a, b = bench.wirings
    assert all(a.limiters[side] is b.limiters[side] for side in Side)
    assert a.lock is not b.lock
    readers = [cast("Any", jobs.program.feed)._reader for jobs in bench.jobs]
    assert readers[0]._shared is readers[1]._shared
    assert [reader._name for reader in readers] == ["a", "b"]


def test_heartbeats_are_the_whole_process_s(bench: Bench) -> None:
    assert [timed.source.name for timed in bench.jobs[0]._watches] == ["outage"]


def test_a_new_key_of_one_route_reaches_what_all_share_and_no_other_routes_own_sessions(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Http] = []
    monkeypatch.setattr(Http, "use_key", lambda self, _header: taken.append(self))
    a, b = bench.wirings
    new = a.settings.model_copy(update={"pagerduty_api_key": SecretStr("new")})
    a._use_key(a._use_pagerduty_key, Side.PAGERDUTY, bench.jobs[0].program, bench.jobs[0].schedule, new)
    (shared,) = (key.session for key in bench.shared._pagerduty.values())
    assert taken == [shared, a._sessions[Side.PAGERDUTY]]
    b._use_key(b._use_pagerduty_key, Side.PAGERDUTY, bench.jobs[1].program, bench.jobs[1].schedule, new)
    assert taken[2:] == [b._sessions[Side.PAGERDUTY]]


def test_a_request_of_a_route_is_counted_by_its_jobs(bench: Bench) -> None:
    heard: list[RequestRecord] = []
    bench.wirings[0].on_request = heard.append
    record = RequestRecord("Opsgenie", "GET", "/v2/alerts", 200, "done", 0.1)
    bench.jobs[0].on_request(record)
    bench.jobs[1].on_request(record)
    assert heard == [record]


def test_what_a_route_mirrors_is_told_without_a_secret() -> None:
    chosen = settings(opsgenie_query="tag: x")
    about = about_route(chosen)
    assert about == {
        "service": chosen.pagerduty_service_id, "user": chosen.pagerduty_user, "query": "tag: x",
    }  # fmt: skip
