"""What a pod takes and gives up, by what the server shows."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from reconciler.core.sharing import Decision, Pod, Pulse, View, beaten, decide, digest, in_order, quota, timing

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TIMING = timing(10)
STEADY = Pulse(100, 50)
ROUTES = frozenset({"a", "b", "c", "d", "e"})


def pod(name: str, age: float = 0.0, routes: int = 0, knows: Iterable[str] = ROUTES, *, lives: bool = True) -> Pod:
    return Pod(name, 1, NOW, age, routes, digest(frozenset(knows)), lives)


def decided(view: View, known: frozenset[str] = ROUTES, pulse: Pulse = STEADY) -> Decision:
    return decide("me", view, known, TIMING, pulse)


def test_a_pod_alone_takes_every_free_route() -> None:
    assert set(decided(View(100, (pod("me"),))).take) == ROUTES
    assert set(decided(View(100, ())).take) == ROUTES  # before there is a table of pods
    assert set(decided(View(100, (pod("me"),), frozenset("a"), frozenset("b"))).take) == {"c", "d", "e"}


def test_a_pod_takes_no_more_than_its_quota() -> None:
    pods = pod("me"), pod("other")
    assert len(decided(View(100, pods)).take) == 3
    assert len(decided(View(100, pods, frozenset("ab"))).take) == 1
    assert decided(View(100, pods, frozenset("abc"))).take == ()


def test_a_pod_gives_up_what_exceeds_its_quota_and_always_the_same() -> None:
    pods = pod("me"), pod("other")
    found = decided(View(100, pods, ROUTES)).hand_over
    assert len(found) == 2
    assert decided(View(101, pods, ROUTES)).hand_over == found
    assert decided(View(102, pods, ROUTES - {min(found)})).hand_over == {max(found)}
    assert decided(View(103, pods, ROUTES - found)) == Decision()


def test_a_route_that_left_the_file_is_handed_over_and_takes_nobodys_place() -> None:
    view = View(100, (pod("me"),), frozenset({"a", "gone"}))
    found = decided(view)
    assert found.hand_over == {"gone"}
    assert set(found.take) == ROUTES - {"a"}
    assert decide("me", view, (), TIMING, STEADY).hand_over == {"a", "gone"}


def test_a_route_to_try_again_is_taken_only_if_it_is_free_and_whatever_the_quota() -> None:
    known, pods = ROUTES - {"a"}, (pod("me", knows=ROUTES - {"a"}), pod("other", knows=ROUTES - {"a"}))
    assert decide("me", View(100, pods, frozenset("bc")), known, TIMING, STEADY, {"a"}).take == ("a",)
    assert (
        decide("me", View(100, pods, frozenset("bc"), frozenset("a")), known, TIMING, STEADY, {"a"}) == Decision()
    )


def test_pods_that_know_other_routes_do_not_lower_the_quota() -> None:
    other = pod("other", knows=ROUTES - {"a"})
    assert set(decided(View(100, (pod("me"), other))).take) == ROUTES
    assert decided(View(100, (pod("me"), other), ROUTES)).hand_over == frozenset()


def test_a_stopped_pod_is_ended_and_no_longer_counts() -> None:
    pods = pod("me"), pod("other", TIMING.overdue + 0.1)
    found = decided(View(100, pods, frozenset("abc"), frozenset("d")))
    assert found.end == (pods[1],)
    assert found.take == ("e",)
    assert decided(View(100, (pods[0], pod("other", TIMING.overdue)))).end == ()


def test_a_pod_whose_session_has_ended_does_not_count_and_is_not_ended() -> None:
    found = decided(View(100, (pod("me"), pod("other", 99, lives=False))))
    assert found.end == ()
    assert len(found.take) == 5


def test_a_pod_never_takes_itself_for_stopped() -> None:
    assert decided(View(100, (pod("me", 99),))).end == ()


def test_after_the_server_stood_still_a_pod_gives_others_time_to_go_on() -> None:
    others = View(100, (pod("me"), pod("other", 8.0)))
    stalled = beaten(Pulse(92, 0), 100, TIMING)
    assert stalled == Pulse(100, 100)
    assert decided(others, pulse=stalled).end == ()
    pulse = stalled
    while pulse.last - pulse.regular_since < TIMING.overdue:
        assert decided(others, pulse=pulse).end == ()
        pulse = beaten(pulse, pulse.last + TIMING.beat, TIMING)
    assert len(decided(others, pulse=pulse).end) == 1


def test_a_pod_allows_others_as_much_delay_as_it_had_itself() -> None:
    pulse = beaten(Pulse(100, 50), 100 + TIMING.beat + 1, TIMING)
    assert pulse.late == 1
    assert decided(View(100, (pod("other", TIMING.overdue + 0.9),)), pulse=pulse).end == ()
    assert len(decided(View(100, (pod("other", TIMING.overdue + 1.1),)), pulse=pulse).end) == 1


def test_the_first_beat_and_a_clock_that_went_back_begin_a_new_pulse() -> None:
    assert beaten(None, 100, TIMING) == Pulse(100, 100)
    assert beaten(Pulse(100, 50), 99, TIMING) == Pulse(99, 99)
    assert beaten(Pulse(100, 50), 100 + TIMING.beat, TIMING) == Pulse(102.5, 50)


@pytest.mark.parametrize("interval", [4, 5, 10, 20, 60, 3600])
def test_a_stopped_pod_is_noticed_within_an_interval(interval: float) -> None:
    found = timing(interval)
    assert found.overdue + found.beat <= 0.8 * interval
    assert found.overdue > 2 * found.beat
    assert found.overdue >= 2
    assert 0.25 <= found.beat <= 5


@pytest.mark.parametrize("interval", [0.1, 1, 2, 3.9])
def test_below_four_seconds_it_is_noticed_within_about_three(interval: float) -> None:
    found = timing(interval)
    assert found.overdue + found.beat < 3.2
    assert found.overdue > 2 * found.beat


def test_pods_prefer_different_routes() -> None:
    routes = [f"route {number}" for number in range(50)]
    firsts = {in_order(f"pod {number}", routes)[0] for number in range(5)}
    assert len(firsts) > 2
    assert in_order("pod 1", routes) == in_order("pod 1", routes[::-1])


def test_names_of_routes_have_one_digest_in_any_order() -> None:
    assert digest(["a", "b"]) == digest(frozenset("ba"))
    assert len({digest(routes) for routes in (["a", "b"], ["ab"], ["a"], [])}) == 4
    assert digest([]) == ""


# -- properties --


@pytest.mark.parametrize("seed", range(20))
def test_by_chance_joining_and_leaving_each_route_is_led_and_no_more_moves_than_must(seed: int) -> None:
    """Fifty routes and up to five pods, whose beats come in any order; after each change they settle."""
    chance = random.Random(seed)  # noqa: S311 - chooses who joins and leaves
    routes = frozenset(f"route {number}" for number in range(50))
    held: dict[str, set[str]] = {"pod 0": set()}
    for change in range(60):
        joins = len(held) == 1 or (len(held) < 5 and chance.random() < 0.5)
        if joins:
            held[f"pod {change + 1}"] = set()
        else:
            del held[chance.choice(sorted(held))]
        must = _must_move(held, len(routes))
        moved = sum(_beat(name, held, routes) for _ in range(4) for name in chance.sample(sorted(held), len(held)))
        assert moved == must
        assert set().union(*held.values()) == routes
        assert sum(map(len, held.values())) == len(routes)
        assert max(map(len, held.values())) <= quota(len(routes), len(held))
        assert not any(_beat(name, held, routes) for name in held)  # nothing moves any more


def _must_move(held: dict[str, set[str]], routes: int) -> int:
    most = quota(routes, len(held))
    free = routes - sum(map(len, held.values()))
    return free + sum(max(0, len(mine) - most) for mine in held.values())


def _beat(name: str, held: dict[str, set[str]], routes: frozenset[str]) -> int:
    """One pod decides and acts at once; returns how many routes it has taken."""
    pods = tuple(pod(other, 0.0, len(mine), routes) for other, mine in held.items())
    locked = frozenset().union(*(mine for other, mine in held.items() if other != name))
    found = decide(name, View(100, pods, frozenset(held[name]), locked), routes, TIMING, STEADY)
    held[name] |= set(found.take)
    held[name] -= found.hand_over
    return len(found.take)
