"""Pods share routes in simulated time, while they and their server are disturbed by chance."""

from collections.abc import Callable

import pytest

from reconciler.core import sharing
from reconciler.core.sharing import Pulse
from tests.support.shared_routes import Trouble, World

SEEDS = range(6)


def disturbed(seed: int, change: Callable[[World], None] = lambda _: None) -> World:
    """Five pods and fifty routes, disturbed for ten minutes, then left alone; until the first problem."""
    world = World(seed)
    change(world)
    for _ in range(5):
        world.join()
    trouble = Trouble(world, mean=12.0)
    for _ in range(20):
        world.run(30, trouble)
        innocent = set(world.server.ended) - trouble.unlucky
        world.problems += [f"{name} was ended although nothing was the matter with it" for name in innocent]
        if world.problems:
            return world
    for pod in world.pods.values():
        pod.away_until.clear()
    world.run(4 * world.interval)
    world.settled()
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_one_pod_writes_for_each_route_and_each_is_led_within_an_interval(seed: int) -> None:
    assert disturbed(seed).problems == []


@pytest.mark.parametrize("interval", [1.0, 4.0, 60.0])
@pytest.mark.parametrize("kind", ["stopped", "cut", "hung"])
def test_a_pod_in_trouble_loses_its_routes_within_an_interval(kind: str, interval: float) -> None:
    world = World(1, interval=interval)
    pods = [world.join() for _ in range(3)]
    world.run(max(6 * interval, 20.0))
    pods[0].trouble(kind, 10 * interval + 30)
    lost = set(pods[0].leads)
    world.run(max(interval, 3.0 + world.jitter + world.STEP))
    assert lost
    assert lost <= set(pods[1].leads) | set(pods[2].leads)
    world.run(10 * interval + 30)
    world.run(max(4 * interval, 10.0))
    world.settled()
    assert [problem for problem in world.problems if "no leader" not in problem] == []
    assert world.server.ended == [pods[0].name]


def _without_fencing(world: World) -> None:
    world.server.fenced = False


def _without_termination(world: World) -> None:
    world.server.ends = False


def test_a_world_without_fencing_is_caught() -> None:
    assert any("after" in problem for seed in SEEDS for problem in disturbed(seed, _without_fencing).problems)


def test_a_world_in_which_no_session_is_ended_is_caught() -> None:
    found = disturbed(0, _without_termination).problems
    assert any("has no leader" in problem for problem in found)


def test_pods_without_a_quota_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "quota", lambda routes, _pods: routes)
    world = World(0)
    for _ in range(5):
        world.join()
    world.run(40)
    world.settled()
    assert any("more than 10" in problem for problem in world.problems)


def test_pods_that_judge_others_after_the_server_stood_still_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pulse, "finds_stopped", lambda _, pod, timing: pod.age > timing.overdue)
    assert any("nothing was the matter" in problem for seed in SEEDS for problem in disturbed(seed).problems)


def test_pods_that_join_one_after_another_share_equally_with_as_few_moves_as_possible() -> None:
    world = World(3)
    counts: list[list[int]] = []
    moves: list[int] = []
    for _ in range(5):
        world.join()
        world.run(4 * world.interval)
        counts.append(sorted(world.counts()))
        moves.append(len(world.moves) - sum(moves))
    assert counts == [[50], [25, 25], [16, 17, 17], [11, 13, 13, 13], [10, 10, 10, 10, 10]]
    assert moves == [50, 25, 16, 11, 10]
    world.settled()
    assert world.problems == []


def test_a_pod_that_leaves_frees_its_routes_at_once() -> None:
    world = World(4)
    pods = [world.join() for _ in range(3)]
    world.run(40)
    world.leave(pods[0])
    world.run(pods[1].shares.beat_every + world.jitter + world.STEP)
    assert world.counts() == [25, 25]
    world.settled()
    assert world.problems == []
