"""Pods that share routes, in simulated time: the product's shares over a simulated database server.

The server has sessions, advisory locks, the table of pods and the fencing epochs, and may stand still. The pods
are disturbed by chance: killed, stopped, cut off, hung with their beats alone, late, or given other routes.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reconciler.core.sharing import Pod, View, quota
from reconciler.runtime.pod_shares import PodShares
from reconciler.store.database import DatabaseDown, Superseded
from tests.support.clock import SimClock

STARTED = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass
class Row:
    """A row of the table of pods."""

    session: int
    seen_at: float
    knows: str


@dataclass
class Server:
    """The database server. `fenced` and `ends` are off where a mutant lacks them."""

    now: float = 1_000.0
    fenced: bool = True
    ends: bool = True
    rows: dict[str, Row] = field(default_factory=dict)
    sessions: dict[int, str] = field(default_factory=dict)
    locks: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, tuple[int, str]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    opened: int = 0

    def open(self, holder: str) -> int:
        """A new session; its number."""
        self.opened += 1
        self.sessions[self.opened] = holder
        return self.opened

    def close(self, session: int) -> None:
        """End a session, which releases its locks."""
        self.sessions.pop(session, None)
        self.locks = {route: owner for route, owner in self.locks.items() if owner != session}

    def lead(self, route: str, holder: str) -> int:
        """Begin a new epoch."""
        epoch = self.epochs.get(route, (0, ""))[0] + 1
        self.epochs[route] = epoch, holder
        return epoch

    def write(self, route: str, epoch: int, holder: str) -> None:
        """A transaction of a leader: Superseded if another has begun to lead since."""
        if self.fenced and self.epochs.get(route) != (epoch, holder):
            raise Superseded(route)

    def leader(self, route: str) -> str:
        """The pod that has the route's lock; empty for none."""
        return self.sessions.get(self.locks.get(route, 0), "")


class SimulatedSession:
    """The session of one pod. `is_cut`: nothing that it sends arrives."""

    def __init__(self, server: Server, holder: str) -> None:
        self.server = server
        self.holder = holder
        self.is_cut = False
        self.number = 0

    def beat(self, routes: Collection[str], knows: str) -> View:
        """Renew the row, and see the pods and the locks."""
        server = self.server
        if not self.number:
            for former in [number for number, holder in server.sessions.items() if holder == self.holder]:
                server.close(former)
            self.number = server.open(self.holder)
        self._check()
        server.rows[self.holder] = Row(self.number, server.now, knows)
        server.rows = {name: row for name, row in server.rows.items() if row.session in server.sessions}
        owners = {route: server.locks[route] for route in routes if route in server.locks}
        mine = frozenset(route for route, owner in owners.items() if owner == self.number)
        held = list(server.locks.values())
        pods = tuple(
            Pod(name, row.session, STARTED, server.now - row.seen_at, held.count(row.session), row.knows)
            for name, row in server.rows.items()
        )
        return View(server.now, pods, mine, frozenset(owners) - mine)

    def take(self, routes: Sequence[str]) -> frozenset[str]:
        """Take those of the locks that are free."""
        self._check()
        free = frozenset(route for route in routes if route not in self.server.locks)
        self.server.locks |= dict.fromkeys(free, self.number)
        return free

    def release(self, routes: Collection[str]) -> None:
        """Release locks of this session."""
        self._check()
        for route in routes:
            if self.server.locks.get(route) == self.number:
                del self.server.locks[route]

    def end(self, pod: Pod) -> bool:
        """End another pod's session."""
        self._check()
        if self.server.ends:
            self.server.ended.append(pod.name)
            self.server.close(pod.session)
        return True

    def close(self) -> None:
        """Leave, if the server can be reached."""
        if self.number and not self.is_cut:
            self.server.close(self.number)
            self.server.rows.pop(self.holder, None)
        self.number = 0

    def _check(self) -> None:
        if self.is_cut or self.number not in self.server.sessions:
            self.number = 0
            raise DatabaseDown("the session has ended", "away")


class SimulatedPod:
    """A process that leads routes: once an interval it confirms each lead, and all the time it writes."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.clock = SimClock(0.0)
        self.session = SimulatedSession(world.server, name)
        self.shares = PodShares(self.session, self.clock, timedelta(seconds=world.interval))
        self.leads: dict[str, int] = {}
        self.draining: dict[str, float] = {}
        self.known: frozenset[str] = frozenset()
        self.away_until: dict[str, float] = {}
        """Until when it is in which trouble: stopped, cut, hung."""
        self.next_beat = world.server.now + world.chance.random() * self.shares.beat_every
        self.next_lead = world.server.now
        self.since = world.server.now
        """Since when nothing is the matter with it."""

    def know(self, routes: Collection[str]) -> None:
        """Read another routes file."""
        self.known = frozenset(routes)
        self.shares.know(self.known)

    def trouble(self, kind: str, seconds: float) -> None:
        """Let something be the matter with it."""
        self.away_until[kind] = self.world.server.now + seconds
        self.session.is_cut = "cut" in self.away_until

    def is_well(self) -> bool:
        """Whether nothing is the matter."""
        return not self.away_until

    def step(self) -> None:
        """What it does in this moment."""
        now = self.world.server.now
        over = [kind for kind, until in self.away_until.items() if until <= now]
        for kind in over:
            del self.away_until[kind]
        if over and not self.away_until:
            self.since = now
        self.session.is_cut = "cut" in self.away_until
        if "stopped" in self.away_until:
            return
        if now >= self.next_beat and not {"hung", "cut"} & set(self.away_until):
            self.next_beat = now + self.shares.beat_every + self.world.chance.random() * self.world.jitter
            self._beat(now)
        if now >= self.next_lead:
            self.next_lead = now + self.world.interval
            for route in sorted(self.known | self.leads.keys()):
                self._lead(route)
        self._hand_over(now)
        if "cut" not in self.away_until:
            self._write()

    def _beat(self, now: float) -> None:
        try:
            change = self.shares.beat()
        except DatabaseDown:
            self.leads.clear()
            return
        self.world.moves += [(now, self.name, route) for route in sorted(change.taken)]
        for route in change.lost:
            self.leads.pop(route, None)
        for route in sorted(change.taken):
            self._lead(route)

    def _lead(self, route: str) -> None:
        try:
            holds = self.shares.lock(route).acquire()
        except DatabaseDown:
            holds = False
        if not holds or route in self.draining:
            self.leads.pop(route, None)
        elif route not in self.leads:
            self.leads[route] = self.world.server.lead(route, self.name)

    def _hand_over(self, now: float) -> None:
        """Give routes up once their writes in flight are over, which takes a while."""
        for route in sorted(self.shares.to_hand_over() - self.draining.keys()):
            self.draining[route] = now + self.world.chance.random()
        for route in [route for route, until in self.draining.items() if until <= now]:
            del self.draining[route]
            self.leads.pop(route, None)
            self.shares.lock(route).release()

    def _write(self) -> None:
        for route, epoch in list(self.leads.items()):
            try:
                self.world.server.write(route, epoch, self.name)
            except Superseded:
                del self.leads[route]
                self.shares.lock(route).release()
            else:
                self.world.wrote(route, epoch, self.name)


class World:
    """Pods over one server. `problems` says what must not happen and has happened."""

    STEP = 0.125

    def __init__(self, seed: int, routes: int = 50, interval: float = 10.0) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - chooses moments, not keys
        self.interval = interval
        self.jitter = 0.2
        self.server = Server()
        self.routes = frozenset(f"route {number}" for number in range(routes))
        self.pods: dict[str, SimulatedPod] = {}
        self.reloads: list[tuple[float, SimulatedPod, frozenset[str]]] = []
        self.moves: list[tuple[float, str, str]] = []
        self.problems: list[str] = []
        self.disturbed_at = self.server.now
        self._names = 0
        self._last: dict[str, tuple[int, str]] = {}
        self._wrote_at: dict[str, float] = {}

    def join(self) -> SimulatedPod:
        """A new pod."""
        self._names += 1
        pod = SimulatedPod(self, f"pod-{self._names}")
        pod.know(self.routes)
        self.pods[pod.name] = pod
        self.disturbed()
        return pod

    def kill(self, pod: SimulatedPod) -> None:
        """Kill -9: the server notices at once."""
        self.server.close(pod.session.number)
        del self.pods[pod.name]
        self.disturbed()

    def leave(self, pod: SimulatedPod) -> None:
        """SIGTERM: it releases its locks."""
        pod.shares.close()
        del self.pods[pod.name]
        self.disturbed()

    def reload(self, routes: Collection[str]) -> None:
        """Give every pod other routes, each at its own time."""
        self.routes = frozenset(routes)
        self.reloads = [
            (self.server.now + self.chance.random() * 3, pod, self.routes) for pod in self.pods.values()
        ]
        self.disturbed()

    def stand_still(self, seconds: float) -> None:
        """Let the server answer nobody for a while; time passes, also for the pods."""
        self._pass(seconds)
        for pod in self.pods.values():
            pod.away_until = {kind: max(until, self.server.now) for kind, until in pod.away_until.items()}
        self.disturbed()

    def disturbed(self) -> None:
        """Note that routes may be without a leader from now on."""
        self.disturbed_at = self.server.now

    def wrote(self, route: str, epoch: int, name: str) -> None:
        """Note a write that the server has accepted."""
        before = self._last.get(route, (0, ""))
        if epoch < before[0]:
            self.problems.append(f"{name} wrote {route} in epoch {epoch}, after {before[1]} in {before[0]}")
        self._last[route] = max(before, (epoch, name))
        self._wrote_at[route] = self.server.now

    def run(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass."""
        last = self.server.now + seconds
        while self.server.now < last:
            self._pass(self.STEP)
            each()
            for due in [due for due in self.reloads if due[0] <= self.server.now]:
                self.reloads.remove(due)
                due[1].know(due[2])
            pods = list(self.pods.values())
            self.chance.shuffle(pods)
            for pod in pods:
                if pod.name in self.pods:
                    pod.step()
            self._check_progress()

    def settled(self) -> None:
        """Check what holds once nothing has happened for a while: equal parts, and nothing that moves."""
        most = quota(len(self.routes), len(self.pods))
        for pod in self.pods.values():
            if len(pod.leads) > most:
                self.problems.append(f"{pod.name} leads {len(pod.leads)} routes, more than {most}")
        led = [route for pod in self.pods.values() for route in pod.leads]
        if sorted(led) != sorted(self.routes):
            self.problems.append(f"{len(led)} leads of {len(self.routes)} routes")
        moves = len(self.moves)
        self.run(3 * self.interval)
        if self.moves[moves:]:
            self.problems.append(f"moved although nothing had changed: {self.moves[moves:]}")

    def counts(self) -> list[int]:
        """How many routes each pod leads."""
        return [len(pod.leads) for pod in self.pods.values()]

    def _pass(self, seconds: float) -> None:
        self.server.now += seconds
        for pod in self.pods.values():
            pod.clock.advance(seconds)

    def _check_progress(self) -> None:
        """A route is led within one interval of the last disturbance, if a pod that is well can see it."""
        now = self.server.now
        steady = [pod for pod in self.pods.values() if pod.is_well() and now - pod.since > 2 * self.interval]
        if not steady or self.reloads:
            return
        for route in self.routes:
            silent = now - max(self._wrote_at.get(route, 0.0), self.disturbed_at)
            if silent > self.interval:
                self.problems.append(f"{route} has no leader for {silent:.1f} s at {now}")
                self.disturbed()


class Trouble:
    """Disturbs a world by chance, on average once in `mean` seconds. `done` counts what has happened."""

    def __init__(self, world: World, mean: float, most: int = 5) -> None:
        self._world = world
        self._mean = mean
        self._most = most
        self.done: dict[str, int] = {}
        self.unlucky: set[str] = set()
        """Pods that others had reason to end."""

    def __call__(self) -> None:
        """Maybe disturb."""
        world, chance = self._world, self._world.chance
        if chance.random() >= world.STEP / self._mean:
            return
        kind = chance.choice(["kill", "stopped", "cut", "hung", "join", "leave", "reload", "still", "slow"])
        pod = chance.choice(list(world.pods.values()))
        seconds = chance.choice([1.0, 4.0, 8.0, 15.0, 40.0]) * chance.uniform(0.8, 1.2)
        if kind in {"kill", "leave"}:
            if len(world.pods) == 1 or not any(p.is_well() for p in world.pods.values() if p is not pod):
                return
            world.kill(pod) if kind == "kill" else world.leave(pod)
        elif kind == "join":
            if len(world.pods) >= self._most:
                return
            world.join()
        elif kind == "reload":
            self._reload()
        elif kind == "still":
            world.stand_still(seconds)
        elif kind == "slow":  # a beat that is late, but not overdue
            pod.next_beat += 0.3 * pod.shares.beat_every
            self.unlucky.add(pod.name)  # together with a server that stands still, it is
        else:
            if all(p is pod or not p.is_well() for p in world.pods.values()):
                return
            pod.trouble(kind, seconds)
            self.unlucky.add(pod.name)
            world.disturbed()
        self.done[kind] = self.done.get(kind, 0) + 1

    def _reload(self) -> None:
        world, chance = self._world, self._world.chance
        kept = set(world.routes) - set(chance.sample(sorted(world.routes), 2))
        world.reload(kept | {f"route {chance.randrange(1_000)}" for _ in range(50 - len(kept))})
