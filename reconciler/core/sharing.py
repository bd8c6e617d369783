"""How pods share routes: which locks a pod tries to take, which it gives up, and which pods count as alive.

A route is led by the pod that holds its lock. Each pod decides for itself, from what the database server shows to
all of them: the pods with the age of their last beat, and who holds which lock. No pod's own clock matters. Pods
whose files name the same routes share these equally: each holds at most its quota, the number of routes divided by
the number of those pods, rounded up. What is held within the quota stays where it is.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from one beat of a pod to the next, and after which a beat is overdue."""

    beat: float
    overdue: float

    @property
    def longest_gap(self) -> float:
        """Seconds between two beats up to which a pod's own beats count as regular."""
        return (self.beat + self.overdue) / 2


def timing(interval: float) -> Timing:
    """The timing for pods that poll once in so many seconds.

    A stopped pod is noticed after `overdue` + `beat` seconds at most: four fifths of an interval of 4 s or more,
    so that its routes are led again within that interval, and 3 s where the interval is shorter. `overdue` is more
    than two beats, as a server that stands still for less than a beat may delay one pod's beat by so much.
    """
    return Timing(min(max(interval / 4, 0.25), 5.0), min(max(interval * 0.55, 2.0), 15.0))


@dataclass(frozen=True, slots=True)
class Pod:
    """A process as the table `pods` shows it.

    `session` is the server's number of the session that holds its locks, and `lives` whether that session exists.
    `age` are the seconds since its last beat, by the server's clock. `routes` is how many routes it holds, and
    `knows` the digest of the routes that it shares with others.
    """

    name: str
    session: int
    started_at: datetime
    age: float
    routes: int
    knows: str
    lives: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """What one beat sees. `now` is the server's clock in seconds; `mine` and `locked` are locked routes.

    `mine` are locked by this pod's session, `locked` by any other.
    """

    now: float
    pods: tuple[Pod, ...]
    mine: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pulse:
    """How regular a pod's own beats are, in seconds of the server's clock. `late` is how late the last one was.

    While the server stands still, the beats of all pods become overdue at the same time, and the first pod to go
    on must not take the others for stopped. So a pod judges others only after its own beats have been regular for
    as long as it takes a beat to be overdue, and allows them the time by which its own last beat was late.
    """

    last: float
    regular_since: float
    late: float = 0.0

    def finds_stopped(self, pod: Pod, timing: Timing) -> bool:
        """Whether that pod's beat is overdue although its session lives: it is stopped, or cut off."""
        may_judge = self.last - self.regular_since >= timing.overdue
        return may_judge and pod.lives and pod.age > timing.overdue + self.late


def beaten(pulse: Pulse | None, now: float, timing: Timing) -> Pulse:
    """The pulse after a beat at this time of the server's clock; before the first beat it is None."""
    if pulse is None or not 0 <= now - pulse.last <= timing.longest_gap:
        return Pulse(now, now)
    return Pulse(now, pulse.regular_since, max(0.0, now - pulse.last - timing.beat))


@dataclass(frozen=True, slots=True)
class Decision:
    """The next steps of a pod: sessions of stopped pods to end, locks to try in order, and routes to hand over."""

    end: tuple[Pod, ...] = ()
    take: tuple[str, ...] = ()
    hand_over: frozenset[str] = frozenset()


def decide(
    me: str, view: View, known: Collection[str], timing: Timing, pulse: Pulse, again: Collection[str] = ()
) -> Decision:
    """Decide for the pod `me`, which knows these routes; a route that it holds and does not know is handed over.

    Pods that know other routes do not count for its quota: they might not know what it leaves to them. A pod that
    could not lead a route no longer knows it. `again` are such routes that it tries once more, if they are free.
    """
    others = [pod for pod in view.pods if pod.name != me and pod.lives]
    stopped = tuple(pod for pod in others if pulse.finds_stopped(pod, timing))
    ours = digest(known)
    share = quota(len(known), 1 + sum(pod.knows == ours for pod in others if pod not in stopped))
    kept = in_order(me, view.mine.intersection(known))
    free, again = (set(routes) - view.mine - view.locked for routes in (known, again))
    return Decision(
        stopped,
        (*in_order(me, free)[: max(0, share - len(kept))], *in_order(me, again)),
        frozenset(kept[share:]) | view.mine.difference(known),
    )


def quota(routes: int, pods: int) -> int:
    """The most routes that one of so many pods holds."""
    return math.ceil(routes / pods)


def in_order(me: str, routes: Collection[str]) -> list[str]:
    """The routes in this pod's own order, by rendezvous hashing: first what it takes first and keeps longest.

    The order differs from pod to pod, so that pods which find the same routes free mostly try different ones.
    """
    return sorted(routes, key=lambda route: sha256(f"{me}\0{route}".encode()).digest())


def digest(routes: Collection[str]) -> str:
    """A short text that is the same for the same names of routes; empty for none."""
    return sha256("\0".join(sorted(routes)).encode()).hexdigest()[:16] if routes else ""
