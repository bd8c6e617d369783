"""The watches are wired to the program that they tell of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from reconciler.core.model import Side
from reconciler.errors import Refused
from reconciler.reconcile.problems import Problem
from reconciler.runtime.bootstrap import assemble
from reconciler.runtime.program import Program
from reconciler.runtime.route_jobs import RouteJobs
from reconciler.runtime.route_schedule import RouteSchedule
from reconciler.runtime.schedule import Schedule
from reconciler.runtime.wiring import Wiring
from reconciler.store.migrate import upgrade
from tests.support.builders import at, pair
from tests.support.database import url
from tests.support.in_process import HOST, settings

SWITCH = "https://beats.example/1"
PING = f"{HOST}/opsgenie/v2/heartbeats/prod/ping"


class Bench:
    """The program of `once` after a good round, and what its watches have said."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        self.wiring: Wiring = assemble(settings(database_url=SecretStr(url(folder)), **chosen))
        upgrade(self.wiring.database)
        self.program: Program = self.wiring.whole(is_whole=True)
        for feed in ("opsgenie feed", "pagerduty feed"):
            self.program.rounds.polled(feed)
        self.said: list[str] = []

    def jobs(self) -> RouteJobs:
        """The route's jobs."""
        return self.wiring.jobs(RouteSchedule(Schedule(self.wiring.clock), "default"))

    def after_once(self) -> list[str]:
        """Send what is due; returns what is wrong with the watches themselves."""
        self.wiring.watches(self.program).after_once(self.said.append)
        return [words for words in self.said if words]


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(SWITCH)
        mock.get(PING, json={"result": "PONG"}, status=202)
        yield mock


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, heartbeat_url=SecretStr(SWITCH), opsgenie_heartbeat="prod")
    yield made
    made.wiring.database.close()


def test_every_configured_heartbeat_is_sent_after_a_good_run(bench: Bench, wire: responses.RequestsMock) -> None:
    assert bench.after_once() == []
    assert [call.request.url for call in wire.calls] == [SWITCH, PING]


def test_none_is_sent_while_a_vendor_refuses_us(bench: Bench, wire: responses.RequestsMock) -> None:
    bench.program.problems.put("account", [Problem(Side.PAGERDUTY, Refused("PAGERDUTY_API_KEY: 401"))])
    assert bench.after_once() == []
    assert not wire.calls


def test_none_is_sent_while_an_incident_pages_nobody(bench: Bench, wire: responses.RequestsMock) -> None:
    with bench.wiring.database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0), unpaged="incident #1 is assigned to nobody")])
    assert bench.after_once() == []
    assert not wire.calls


def test_nothing_is_sent_unless_it_is_configured(tmp_path: Path, wire: responses.RequestsMock) -> None:
    bench = Bench(tmp_path)
    bench.after_once()
    assert not wire.calls
    watches = bench.wiring.watches(bench.program).of_daemon(bench.jobs().reporter, None)
    assert [timed.source.name for timed in watches] == ["outage"]
    bench.wiring.database.close()


def test_the_daemon_reports_a_heartbeat_that_fails(bench: Bench, wire: responses.RequestsMock) -> None:
    wire.replace(responses.GET, SWITCH, status=500)
    reporter = bench.jobs().reporter
    _, timed = bench.wiring.watches(bench.program).of_daemon(reporter, None)
    assert timed.interval() == 10.0
    timed.source.poll()
    assert reporter.states.counts()["heartbeat"] == 1
    assert timed.interval() <= 10.0


def test_a_renewed_address_is_asked_from_then_on(bench: Bench, wire: responses.RequestsMock) -> None:
    other = "https://beats.example/2"
    wire.get(other)
    watches = bench.wiring.watches(bench.program)
    watches.use_heartbeat_url(bench.wiring.settings.model_copy(update={"heartbeat_url": SecretStr(other)}))
    watches.after_once(bench.said.append)
    assert [call.request.url for call in wire.calls] == [other, PING]


def test_where_no_address_is_configured_none_is_taken_from_a_file(
    tmp_path: Path, wire: responses.RequestsMock
) -> None:
    bench = Bench(tmp_path)
    watches = bench.wiring.watches(bench.program)
    watches.use_heartbeat_url(bench.wiring.settings.model_copy(update={"heartbeat_url": SecretStr(SWITCH)}))
    watches.after_once(bench.said.append)
    assert not wire.calls
    bench.wiring.database.close()
