"""The heartbeats of several routes: sent while every one that is led is well."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from reconciler.core.model import Side
from reconciler.errors import Refused, Transient
from reconciler.reconcile.problems import Problem
from reconciler.runtime import shared_heartbeats
from reconciler.runtime.heartbeats import BETWEEN_TRIES
from reconciler.runtime.rounds import FEEDS, Rounds
from reconciler.runtime.shared_heartbeats import Ran, SharedHeartbeats
from tests.support.clock import SimClock
from tests.support.in_process import settings


class One:
    """A route with feeds of its own."""

    def __init__(self, name: str, clock: SimClock) -> None:
        self.name, self.rounds = name, Rounds(clock)
        self.unpaged = ""
        self.problems: tuple[Problem, ...] = ()

    def poll(self, *feeds: str) -> None:
        for feed in feeds or FEEDS:
            self.rounds.polled(feed)

    def ran(self) -> Ran:
        program: Any = SimpleNamespace(rounds=self.rounds, wrong=lambda: self.problems)
        return Ran(self.name, program, lambda: self.unpaged)


class Bench:
    """Two routes that are led, and a heartbeat with Opsgenie. `pinged` are the keys of the pings."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SimClock()
        self.a, self.b = One("a", self.clock), One("b", self.clock)
        self.led = [self.a, self.b]
        self.pinged: list[str] = []
        self.said: list[str] = []
        self.settings = settings(opsgenie_heartbeat="prod", heartbeat_interval_seconds=60)
        monkeypatch.setattr(shared_heartbeats, "OpsgenieHeartbeat", self._heartbeat)
        self.heartbeats = SharedHeartbeats(
            self.settings,
            lambda: [each.ran() for each in self.led],
            self.clock,
            self.said.append,
            lambda: self.settings,
        )

    def _heartbeat(self, http: Any, name: str) -> Any:
        def ping() -> None:
            self.pinged.append(http._session._keys._headers["Authorization"])

        return SimpleNamespace(name=name, ping=ping)

    def pings(self, after: float = 60.0) -> int:
        """The pings that are sent now, once they are due again."""
        self.clock.advance(after)
        before = len(self.pinged)
        self.heartbeats.poll()
        return len(self.pinged) - before


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_a_ping_follows_a_good_poll_of_every_route(bench: Bench) -> None:
    assert bench.pings() == 0
    bench.a.poll()
    assert bench.pings() == 0
    bench.b.poll("opsgenie feed")
    assert bench.pings() == 0
    bench.b.poll("pagerduty feed")
    assert bench.pings() == 1
    bench.a.poll()
    bench.a.poll()
    assert bench.pings() == 0, "the other one has not been polled since"
    bench.b.poll()
    assert bench.pings() == 1


@pytest.mark.parametrize("wrong", ["refused", "unpaged", "failing"])
def test_one_route_that_is_not_well_ends_the_pings(bench: Bench, wrong: str) -> None:
    for one in bench.led:
        one.poll()
    if wrong == "refused":
        bench.b.problems = (Problem(Side.PAGERDUTY, Refused("401")),)
    elif wrong == "unpaged":
        bench.b.unpaged = "an alert pages nobody"
    else:
        bench.b.rounds.polled("pagerduty feed", Transient("500"))
    assert bench.pings() == 0
    bench.b.problems, bench.b.unpaged = (), ""
    bench.b.poll()
    assert bench.pings() == 1


def test_who_leads_nothing_pings_nothing(bench: Bench) -> None:
    for one in bench.led:
        one.poll()
    led, bench.led = bench.led, []
    assert bench.pings() == 0
    bench.led = led
    assert bench.pings() == 1


def test_a_route_that_is_led_elsewhere_now_is_not_waited_for(bench: Bench) -> None:
    for one in bench.led:
        one.poll()
    assert bench.pings() == 1
    bench.led = [bench.a]
    bench.a.poll()
    assert bench.pings() == 1


def test_opsgenies_heartbeat_is_asked_with_the_present_key_of_the_first_route(bench: Bench) -> None:
    for key in ("old", "new"):
        for one in bench.led:
            one.poll()
        bench.settings = bench.settings.model_copy(update={"opsgenie_api_key": SecretStr(key)})
        assert bench.pings() == 1
    assert bench.pinged == ["GenieKey old", "GenieKey new"]


def test_the_next_check_is_when_a_ping_is_due_or_soon_while_a_good_round_is_waited_for(bench: Bench) -> None:
    assert bench.heartbeats.next_in() == BETWEEN_TRIES
    for one in bench.led:
        one.poll()
    bench.pings(0.0)
    bench.clock.advance(25)
    assert bench.heartbeats.next_in() == 35


def test_a_new_address_is_asked_from_then_on(bench: Bench) -> None:
    with_url = settings(heartbeat_url=SecretStr("https://one.example/x"))
    made = SharedHeartbeats(with_url, lambda: (), bench.clock, bench.said.append)
    made.use(with_url.model_copy(update={"heartbeat_url": SecretStr("https://two.example/y")}))
    assert cast("Any", made._url)._url == "https://two.example/y"
    bench.heartbeats.use(with_url)
