"""What a pod's beats and releases do, over a simulated server."""

from datetime import timedelta

import pytest

from reconciler.errors import Misconfigured
from reconciler.runtime.pod_shares import Change, PodShares
from reconciler.store.database import DatabaseDown
from reconciler.store.lock import POOLED
from tests.support.clock import SimClock
from tests.support.shared_routes import Server, SimulatedSession

INTERVAL = timedelta(seconds=10)
ROUTES = frozenset({"a", "b", "c", "d"})


class Process:
    """One pod on the server, whose clock is that of all."""

    def __init__(self, server: Server, name: str) -> None:
        self.clock = SimClock()
        self.session = SimulatedSession(server, name)
        self.shares = PodShares(self.session, self.clock, INTERVAL)
        self.shares.know(ROUTES)

    def leads(self) -> set[str]:
        return {route for route in ROUTES if self.shares.lock(route).acquire()}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def first(server: Server) -> Process:
    return Process(server, "first")


@pytest.fixture
def second(server: Server) -> Process:
    return Process(server, "second")


def hand_over(process: Process) -> set[str]:
    """Give up what is to be handed over, as the daemon does."""
    routes = set(process.shares.to_hand_over())
    for route in routes:
        process.shares.lock(route).release()
    return routes


def pass_beat(server: Server, *processes: Process) -> None:
    """Let the time between two beats pass, on the server and for these processes."""
    server.now += 2.5
    for process in processes:
        process.clock.advance(2.5)


def test_before_the_first_beat_no_lock_is_held(first: Process) -> None:
    assert first.leads() == set()
    assert first.shares.beat() == Change(ROUTES)
    assert first.leads() == ROUTES
    assert first.shares.beat() == Change()


def test_the_routes_are_shared_with_a_pod_that_joins(first: Process, second: Process) -> None:
    first.shares.beat()
    assert second.shares.beat() == Change()
    first.shares.beat()
    handed = hand_over(first)
    assert len(handed) == 2
    assert first.leads() == ROUTES - handed
    assert second.shares.beat() == Change(frozenset(handed))
    assert second.leads() == handed
    assert [pod.name for pod in second.shares.pods] == ["first", "second"]
    first.shares.beat()
    assert first.shares.to_hand_over() == frozenset()


def test_a_route_is_kept_until_the_daemon_has_given_it_up(first: Process, second: Process) -> None:
    first.shares.beat()
    second.shares.beat()
    for _ in range(3):
        first.shares.beat()
        assert len(first.shares.to_hand_over()) == 2
        assert first.leads() == ROUTES
        assert second.shares.beat() == Change()


def test_a_released_route_is_free_at_once(server: Server, first: Process) -> None:
    first.shares.beat()
    first.shares.lock("a").release()
    assert server.leader("a") == ""
    assert first.leads() == ROUTES - {"a"}
    assert first.shares.beat() == Change(frozenset("a"))


def test_a_lost_session_loses_every_route_at_once_and_the_pod_joins_anew(server: Server, first: Process) -> None:
    first.shares.beat()
    server.close(first.session.number)
    with pytest.raises(DatabaseDown):
        first.shares.beat()
    for route in ROUTES:  # so that each says what is wrong, instead of standing by
        with pytest.raises(DatabaseDown, match="the session has ended"):
            first.shares.lock(route).acquire()
    assert first.shares.beat() == Change(ROUTES)
    assert first.leads() == ROUTES


def test_a_pooler_is_named_by_every_route(first: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def pooled(*_: object) -> None:
        raise Misconfigured(POOLED)

    monkeypatch.setattr(first.session, "beat", pooled)
    with pytest.raises(Misconfigured):
        first.shares.beat()
    with pytest.raises(Misconfigured, match="pooler"):
        first.shares.lock("a").acquire()


def test_a_lock_that_was_lost_alone_is_noticed(server: Server, first: Process) -> None:
    first.shares.beat()
    server.locks["b"] = server.open("somebody")
    assert first.shares.beat() == Change(lost=frozenset("b"))
    assert first.leads() == ROUTES - {"b"}


def test_a_pod_that_was_stopped_claims_nothing_before_its_next_beat(server: Server, first: Process) -> None:
    """Between two beats it may have lost its locks: it must not begin to lead on the strength of the last one."""
    first.shares.beat()
    first.clock.advance(5.4)
    assert first.leads() == ROUTES
    first.clock.advance(0.2)
    with pytest.raises(DatabaseDown, match="has not confirmed the locks of this process for 6 s"):
        first.shares.lock("a").acquire()
    server.now += 5.6
    assert first.shares.beat() == Change(ROUTES)  # they are still its own: it may lead them again
    assert first.leads() == ROUTES


def test_a_stopped_pod_is_ended_and_its_routes_are_taken_in_the_same_beat(
    server: Server, first: Process, second: Process, caplog: pytest.LogCaptureFixture
) -> None:
    first.shares.beat()
    second.shares.beat()
    for _ in range(2):
        pass_beat(server, second)
        assert second.shares.beat() == Change()
    pass_beat(server, second)
    assert second.shares.beat() == Change(ROUTES)
    assert server.ended == ["first"]
    assert "ended the database session of another reconciler" in caplog.text
    assert "'pod': 'first'" in caplog.text


def test_a_session_that_may_not_be_ended_is_named_once(
    server: Server,
    first: Process,
    second: Process,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(second.session, "end", lambda _: False)
    first.shares.beat()
    for _ in range(6):
        pass_beat(server, second)
        assert second.shares.beat() == Change()
    assert caplog.text.count("pg_signal_backend") == 1


def test_a_pod_that_leaves_gives_everything_up_and_counts_no_more(
    server: Server, first: Process, second: Process
) -> None:
    first.shares.beat()
    first.shares.know(())
    first.shares.beat()
    assert first.shares.to_hand_over() == ROUTES
    first.shares.lock("a").release()
    assert second.shares.beat() == Change(frozenset("a"))
    first.shares.close()
    assert first.leads() == set()
    assert second.shares.beat() == Change(ROUTES - {"a"})
    assert list(server.rows) == ["second"]


def test_a_release_whose_session_fails_loses_every_route(server: Server, first: Process) -> None:
    first.shares.beat()
    server.close(first.session.number)
    first.shares.lock("a").release()
    assert first.leads() == set()
    assert first.shares.beat() == Change(ROUTES)


def test_a_release_during_a_beat_is_left_to_that_beat(
    server: Server, first: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.runtime.pod_shares.BUSY", 0)
    first.shares.beat()
    beat = first.session.beat

    def released_meanwhile(*given: object) -> object:
        first.shares.lock("a").release()
        assert first.leads() == ROUTES - {"a"}
        return beat(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(first.session, "beat", released_meanwhile)
    first.shares.beat()
    assert first.leads() == ROUTES - {"a"}
    assert server.leader("a") == ""


def decline(process: Process, routes: frozenset[str] = ROUTES) -> frozenset[str]:
    """Fail to lead any of these routes, as a version that does not know the schema does."""
    held = frozenset(process.leads()) & routes
    for route in held:
        process.shares.lock(route).decline()
    return held


def test_a_pod_that_cannot_lead_leaves_every_route_to_another(
    server: Server, first: Process, second: Process
) -> None:
    """It tries each again, which disturbs the other at most once in ten minutes."""
    incomplete = []
    for beat in range(480):  # 20 minutes
        pass_beat(server, first, second)
        first.shares.beat()
        decline(first)
        second.shares.beat()
        hand_over(second)
        if second.leads() != ROUTES:
            incomplete.append(beat)
    assert incomplete == [0, 240, 241]


def test_pods_that_cannot_lead_a_route_share_the_others(server: Server, first: Process, second: Process) -> None:
    for _ in range(30):
        pass_beat(server, first, second)
        for each in (first, second):
            each.shares.beat()
            hand_over(each)
            decline(each, frozenset("a"))
    assert sorted([len(first.leads()), len(second.leads())]) == [1, 2]
    assert first.leads() | second.leads() == ROUTES - {"a"}


def test_a_route_that_could_not_be_led_is_tried_again_while_it_is_free(server: Server, first: Process) -> None:
    first.shares.beat()
    decline(first, frozenset("a"))
    for _ in range(5):
        pass_beat(server, first)
        assert first.shares.beat() == Change()
    pass_beat(server, first)
    assert first.shares.beat() == Change(frozenset("a"))
    pass_beat(server, first)
    assert first.shares.beat() == Change()
    assert first.leads() == ROUTES


def test_after_a_while_a_pod_counts_again_for_a_route_that_it_could_not_lead(
    server: Server, first: Process, second: Process
) -> None:
    first.shares.beat()
    decline(first)
    for _ in range(241):
        second.shares.beat()
        first.shares.beat()
        pass_beat(server, first, second)
    second.shares.beat()
    assert len(hand_over(second)) == 2
    first.shares.beat()
    assert len(first.leads()) == 2
