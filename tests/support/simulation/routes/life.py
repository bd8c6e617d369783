"""A random life of many routes and several pods, by its seed: what people do, and what goes wrong meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.support.simulation.routes.judge import findings
from tests.support.simulation.routes.world import Line, Parts, RoutesWorld
from tests.support.simulation.schedule import POLL

FROM_OPSGENIE = ("note", "note", "acknowledge", "unacknowledge", "close")
FROM_PAGERDUTY = ("note", "note", "acknowledge", "unacknowledge", "resolve")
QUIET = 90.0
"""Seconds before a route is removed in which nobody does anything about its alerts: what it has not seen by then
is not followed any more."""
LONGEST = 40.0
"""Seconds for which a pod is stopped or cut off at most: less than STALENESS_SECONDS, beyond which a request of a
pod that was stopped may take effect after another pod has made it again."""
APART = 45.0
"""Seconds between two changes of one alert's state: a shorter one may be over before anybody has seen it."""
MOMENT = 2.0
"""Seconds between two events, on average."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a life is. `seconds` are those with troubles."""

    routes: int = 5
    pods: int = 3
    seconds: float = 90.0
    moment: float = MOMENT
    faults: float = 0.01
    crashes: float = 0.001
    freezes: float = 0.02
    slowness: float = 0.2


SMALL = Size()
LARGE = Size(routes=50, pods=5, seconds=60.0, moment=0.5, faults=0.003, crashes=0.0002, freezes=0.01)
"""Fifty routes on five pods."""


class Life:
    """One run. `leaving` are routes that are about to be removed."""

    def __init__(self, seed: int, size: Size = SMALL, parts: Parts | None = None) -> None:
        self.seed = seed
        self.size = size
        lines = [Line(f"r{n:02}", f"tag: t{n}", f"PSVC{n + 1:03}") for n in range(size.routes)]
        self.world = RoutesWorld(seed, tuple(lines), size.routes + 3, parts)
        self.chance = self.world.chance
        for n in self.chance.sample(range(size.routes), min(3, size.routes)):
            lines[n] = replace(lines[n], is_shared=True)
        if self.chance.random() < 0.3:
            lines.append(Line("rest", "", f"PSVC{size.routes + 1:03}", is_shared=self.chance.random() < 0.3))
        self.spare = Line("spare", "tag: spare", f"PSVC{size.routes + 2:03}", is_shared=self.chance.random() < 0.5)
        if self.chance.random() < 0.5:  # on the service of another route
            self.spare = replace(self.spare, service=lines[0].service, is_shared=False)
        self.world.files = [(0.0, tuple(lines))]
        self.leaving_at = float("inf")

    def play(self) -> list[str]:
        """Run the life to its end; returns the findings."""
        world, size = self.world, self.size
        with world.simulated():
            for _ in range(size.pods):
                world.join()
                world.run(self.chance.random())
            world.run(4 * POLL)
            world.faults, world.crashes = size.faults, size.crashes
            world.freezes, world.slowness = size.freezes, size.slowness
            ends = world.hub.passed + size.seconds
            while world.hub.passed < ends:
                world.run(self.chance.expovariate(1 / size.moment))
                self._happen()
            world.calm()
            while len(world.pods) < min(2, size.pods):
                world.join()
            world.run(4 * POLL)
            world.check_shares()
            return findings(world)

    def _happen(self) -> None:
        doing: list[tuple[float, Callable[[], None]]] = [
            (4.0, self._raise),
            (6.0, self._act),
            (0.5, self._kill),
            (0.5, lambda: self._disturb("stopped")),
            (0.5, lambda: self._disturb("cut")),
            (0.4, self._join),
            (0.3, self._leave),
            (0.5, self._rewrite),
        ]
        weights = [weight for weight, _ in doing]
        self.chance.choices([what for _, what in doing], weights)[0]()

    # -- people --

    def _raise(self) -> None:
        tags = self.chance.sample([f"t{n}" for n in range(self.size.routes)], self.chance.choice((1, 1, 1, 2)))
        if self._is_spare_here() and self.chance.random() < 0.3:
            tags.append("spare")
        self.world.raise_alert(*tags)

    def _act(self) -> None:
        alerts = [each for each in self.world.alerts if "spare" not in each.tags or self._is_spare_here()]
        if not alerts:
            return
        raised = self.chance.choice(alerts[-20:])
        side = self.chance.choice(("og", "pd"))
        verb = self.chance.choice(FROM_OPSGENIE if side == "og" else FROM_PAGERDUTY)
        now = self.world.hub.passed
        if verb != "note":
            if now - raised.changed_at < APART:
                return
            raised.changed_at = now
        self.world.act(raised, side, verb, f"note {self.chance.randrange(1000)}")

    def _is_spare_here(self) -> bool:
        """Whether the spare route is in the file, and stays for a while."""
        here = any(line.name == "spare" for line in self.world.lines)
        return here and self.world.hub.passed < self.leaving_at

    # -- troubles --

    def _well(self) -> list[str]:
        return [pod.name for pod in self.world.pods if pod.is_well]

    def _kill(self) -> None:
        if len(self._well()) < 2:
            return
        pod = self.chance.choice(self.world.pods)
        if pod.is_well or len(self._well()) >= 1:
            self.world.kill(pod)
        if len(self.world.pods) < self.size.pods:
            self.world.hub.at(self.world.hub.passed + self.chance.uniform(0.5, 15.0), self._join)

    def _disturb(self, what: str) -> None:
        well = [pod for pod in self.world.pods if pod.is_well]
        if len(well) >= 2:
            self.world.disturb(self.chance.choice(well), what, self.chance.uniform(1.0, LONGEST))

    def _join(self) -> None:
        if len(self.world.pods) < self.size.pods + 1:
            self.world.join()

    def _leave(self) -> None:
        well = [pod for pod in self.world.pods if pod.is_well]
        if len(well) >= 2:
            self.world.leave(self.chance.choice(well))

    def _rewrite(self) -> None:
        """Another file: other order, other sharing, or the spare route that comes and goes."""
        world, lines = self.world, list(self.world.lines)
        names = [line.name for line in lines]
        match self.chance.choice(("order", "shared", "spare", "spare")):
            case "order":
                rest = [line for line in lines if not line.query]
                lines = [line for line in lines if line.query]
                self.chance.shuffle(lines)
                lines += rest
            case "shared":
                n = self.chance.randrange(len(lines))
                lines[n] = replace(lines[n], is_shared=not lines[n].is_shared)
            case _ if "spare" not in names:
                lines.insert(self.chance.randrange(len([line for line in lines if line.query])), self.spare)
                self.leaving_at = float("inf")
            case _:
                if self.leaving_at == float("inf"):
                    self.leaving_at = world.hub.passed
                    world.hub.at(world.hub.passed + QUIET, self._remove_spare)
                return
        world.counts["rewritten"] += 1
        world.rewrite(tuple(lines))

    def _remove_spare(self) -> None:
        self.world.counts["route removed"] += 1
        self.world.rewrite(tuple(line for line in self.world.lines if line.name != "spare"))


def play(seed: int, size: Size = SMALL, parts: Parts | None = None) -> list[str]:
    """The findings of one life."""
    return Life(seed, size, parts).play()
