"""What routes with one key share, and that a new value of the key reaches all of it."""

from dataclasses import replace
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from reconciler.core.model import Side
from reconciler.errors import Refused
from reconciler.routes import Route
from reconciler.runtime import shared_keys
from reconciler.runtime.connections import Connections
from reconciler.runtime.sessions import session
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.settings import SandboxSettings
from reconciler.settings import SecretFile
from reconciler.sources.shared_alerts import SharedReader
from reconciler.store.database import Database
from reconciler.vendors.call_context import current, for_route
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.json_fields import ignore
from tests.support.builders import at, pair
from tests.support.clock import SimClock
from tests.support.in_process import answer_to, asked_of, settings


class Wire(BaseAdapter):
    """Carries requests to the sandbox, and notes the authorization of each."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.sent: list[str] = []

    def send(self, request: requests.PreparedRequest, *_more: Any, **_named: Any) -> requests.Response:
        self.sent += [str(request.headers["Authorization"])] if "Authorization" in request.headers else []
        return answer_to(request, self.sandbox.handle(asked_of(request)))  # type: ignore[arg-type]

    def close(self) -> None:
        """There is no connection."""


class Bench:
    """Routes on one key, which is in a file."""

    def __init__(self, database: Database, source: str) -> None:
        self.clock = SimClock()
        is_jsm = source != "opsgenie"
        self.wire = Wire(Sandbox(self.clock, SandboxSettings(jsm_only=is_jsm, noise=False)))
        self.by_route: list[str] = []
        self.readers: dict[str, SharedReader] = {}
        self.woken: list[str] = []
        self.variable = "JSM_API_TOKEN" if is_jsm else "OPSGENIE_API_KEY"
        self.source = source
        self.connections = Connections(self.clock)
        self.keys = SharedKeys(database, self.connections, self.clock, self._on_request, ignore, self.woken.extend)

    def _on_request(self, _record: RequestRecord) -> None:
        self.by_route.append(current().route)

    def route(self, name: str, value: str = "", **chosen: Any) -> Route:
        """A route whose key has this value; the sandbox's if there is none."""
        query = {"jsm_query" if self.source != "opsgenie" else "opsgenie_query": f"tag: {name}"}
        made = settings(self.source, **(query | chosen))
        if value:
            made = made.model_copy(update={self.variable.lower(): SecretStr(value)})
        files = tuple(SecretFile(one, f"/keys/{one}", one) for one in (self.variable, "PAGERDUTY_API_KEY"))
        return Route(name, made, files=files)

    def poll(self, route: Route) -> None:
        """List the route's alerts through what is shared, with the reader that it was given when it began."""
        if route.name not in self.readers:
            self.readers[route.name] = self.keys.alerts(route).reader(route.name, f"tag: {route.name}")
        with for_route(route.name):
            self.readers[route.name].changes(self.clock.now(), None)

    def sent(self) -> set[str]:
        """The keys that were sent since this was last asked."""
        found = set(self.wire.sent)
        self.wire.sent.clear()
        return found


@pytest.fixture(params=["opsgenie", "jsm"])
def bench(request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(database, request.param)

    def simulated(*given: Any, **named: Any) -> Http:
        http = session(*given, **named)
        http._session.requests.mount("https://", made.wire)
        return http

    monkeypatch.setattr(shared_keys, "session", simulated)
    return made


def test_one_list_serves_all_routes_of_a_key_and_is_counted_for_who_asked(bench: Bench) -> None:
    a, b = bench.route("a"), bench.route("b")
    bench.keys.use([a, b], ["a", "b"])
    assert bench.keys.alerts(a) is bench.keys.alerts(b)
    bench.poll(a)
    count = len(bench.wire.sent)
    assert count > 0
    bench.poll(b)
    assert len(bench.wire.sent) == count
    assert set(bench.by_route) == {"a"}


def test_another_key_shares_nothing(bench: Bench) -> None:
    a = bench.route("a")
    b = replace(bench.route("b", "another key"), files=())
    bench.keys.use([a, b], ["a", "b"])
    assert bench.keys.alerts(a) is not bench.keys.alerts(b)


def test_what_is_shared_ends_with_the_last_route_of_its_key(bench: Bench) -> None:
    a, b = bench.route("a"), replace(bench.route("b"), files=())
    bench.keys.use([a, b], ["a", "b"])
    kept, gone = bench.keys.alerts(a), bench.keys.alerts(b)
    bench.keys.use([a], ["a"])
    assert (len(bench.keys._alerts), len(bench.keys._pagerduty)) == (1, 1)
    assert bench.keys.alerts(a) is kept
    assert bench.keys.alerts(b) is not gone


@pytest.mark.parametrize("renews", ["a", "b"])
def test_a_new_value_is_used_for_all_whoever_of_them_notices_it(bench: Bench, renews: str) -> None:
    a, b = bench.route("a"), bench.route("b")
    bench.keys.use([a, b], ["a", "b"])
    bench.poll(a)
    (before,) = bench.sent()
    renewed = a if renews == "a" else b
    bench.keys.renewed(renewed, bench.route("a", "new key").settings, Side.ALERTS)
    bench.clock.advance(60)
    with pytest.raises(Refused):
        bench.poll(a)
    (after,) = bench.sent()
    assert after != before


def test_a_value_that_is_in_use_already_is_not_taken_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    a = bench.route("a")
    bench.keys.use([a], ["a"])
    reader = bench.keys.alerts(a).reader("a", "tag: a")  # noqa: F841 - its session is in use
    taken: list[str] = []
    monkeypatch.setattr(Http, "use_key", lambda _self, header: taken.append(header))
    for _ in range(3):
        bench.keys.renewed(a, a.settings, Side.ALERTS)
        bench.keys.renewed(a, a.settings, Side.PAGERDUTY)
    assert taken == []
    for _ in range(3):
        bench.keys.renewed(a, bench.route("a", "new key").settings, Side.ALERTS)
    assert len(set(taken)) == 1
    count = len(taken)
    bench.keys.renewed(a, bench.route("a", "new key").settings, Side.ALERTS)
    assert len(taken) == count


def test_routes_that_change_together_with_their_key_use_its_new_value(bench: Bench) -> None:
    """None of the former routes is there any more to notice that the file has changed."""
    a = bench.route("a")
    bench.keys.use([a], ["a"])
    bench.poll(a)
    (before,) = bench.sent()
    again = bench.route("a", "new key", staleness_seconds=7)
    bench.readers.clear()
    bench.keys.alerts(again)
    bench.keys.use([again], ["a"])
    bench.clock.advance(60)
    with pytest.raises(Refused):
        bench.poll(again)
    assert bench.sent() != {before}


def test_a_route_that_changes_its_key_counts_with_both_until_it_has_ended(bench: Bench) -> None:
    before, other = bench.route("b"), bench.route("a")
    after = replace(bench.route("b"), files=())
    kept, new = bench.keys.alerts(other), bench.keys.alerts(after)
    bench.keys.use([other, before, after], ["a", "b"])
    assert bench.keys.alerts(other) is kept
    assert bench.keys.alerts(after) is new
    assert [[*each._setup.members] for each in (kept, new)] == [["a", "b"], ["b"]]


def test_a_route_that_changes_its_query_counts_as_it_was_until_it_has_ended(bench: Bench) -> None:
    query = "jsm_query" if bench.source != "opsgenie" else "opsgenie_query"
    before, after = bench.route("a"), bench.route("a", **{query: "tag: other"})
    bench.keys.use([before, after], ["a"])
    assert bench.keys.alerts(after)._setup.members["a"].query == "tag: a"


def test_our_own_user_is_asked_again_with_a_new_token_of_jsm(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[object] = []

    def forget(people: object) -> None:
        forgotten.append(people)

    monkeypatch.setattr("reconciler.vendors.jsm.people.People.forget", forget)
    a = bench.route("a")
    bench.keys.use([a], ["a"])
    readers = [bench.keys.alerts(a).reader(name, "tag: a") for name in ("a", "b")]
    bench.keys.renewed(a, bench.route("a", "new key").settings, Side.ALERTS)
    assert len(forgotten) == (len(readers) if bench.source == "jsm" else 0)


def test_pagerdutys_log_is_read_once_and_its_rival_is_what_is_open_of_all_routes(
    bench: Bench, database: Database
) -> None:
    a, b = bench.route("a"), bench.route("b")
    bench.keys.use([a, b], [])
    shared = [bench.keys.pagerduty(each) for each in (a, b)]
    assert shared[0].open_set() == 1, "also while no route is led here"
    for name in ("a", "b"):
        with database.for_route(name).writing() as unit:
            unit.snapshot.save_pairs([pair(alert_id=f"a-{number}", swept_at=at(0)) for number in range(150)])
    bench.keys.use([a, b], ["a", "b"])
    assert shared[0].open_set() == 1, "counted once an interval"
    bench.clock.advance(10)
    assert [each.open_set() for each in shared] == [4, 4]
    for each in shared:
        each.log.log_entries(bench.clock.now(), lambda _page: True)
    assert len(bench.wire.sent) == 1
