"""Many routes, several pods, one database and one account of each vendor, in simulated time."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from reconciler.observability.logs import configure
from reconciler.routes import Route, Routes
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.pagerduty.directory import JANE, OMAR
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Refused
from reconciler.settings import Settings
from reconciler.store.routes import routes_in
from reconciler.vendors import http as product_http
from reconciler.vendors import session as product_session
from reconciler.vendors.call_context import current
from tests.support.in_process import settings as product_settings
from tests.support.shared_routes import Server
from tests.support.simulation.routes.hub import Hub, HubClock, Patch, patched
from tests.support.simulation.routes.pod import Pod, of_pods
from tests.support.simulation.routes.threads import of_product
from tests.support.simulation.schedule import KINDS, LATE, POLL, STALENESS, TOO_LATE
from tests.support.simulation.store import _SHELF, Crash, _engine
from tests.support.simulation.world import CUSTOMERS, _without_deadline

ENGINEERS = (JANE.id, OMAR.id)
SWEEP = 40.0
FILE = Path("/nonexistent/routes.toml")
CALM = 3 * POLL + STALENESS + LATE + SWEEP
"""Seconds after the last trouble by which everything is over."""
LONG_AGO = 60.0
"""Seconds after which a pod that was in trouble has noticed what it missed."""
TRANSIENT = {
    kind: tuple(
        what for what in whats
        if what.partition("_")[0] in {"drop", "hang", "500", "503", "429", "truncated", "empty", "stale", "skip",
                                      "repeat", "refused", "html"}
        and what not in {"html_302", "html_404", "html_407"}
    )
    for kind, whats in KINDS.items() if kind.partition(".")[0] in {"og", "pd"}
}  # fmt: skip
"""What may go wrong with a call, by its kind."""


WRITES = ("og.ack", "og.unack", "og.note", "pd.create", "pd.status", "pd.note")


@dataclass(frozen=True, slots=True)
class Line:
    """A route of the file. `changes` are fields of its settings that are its own."""

    name: str
    query: str
    service: str
    is_shared: bool = False
    changes: tuple[tuple[str, Any], ...] = ()


@dataclass
class Raised:
    """An alert that a person raised. `tags` decide which routes it matches; `changed_at`: its state, last."""

    id: str
    at: float
    tags: tuple[str, ...]
    changed_at: float = float("-inf")


@dataclass
class Parts:
    """What a mutant replaces. `quota_is_checked` is false where moves are not over at the end."""

    patches: tuple[Patch, ...] = ()


class RoutesWorld:
    """One run. `problems` says what must never happen and has happened."""

    late, too_late = LATE, TOO_LATE

    def __init__(self, seed: int, lines: tuple[Line, ...], services: int, parts: Parts | None = None) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a simulation
        self.hub = Hub()
        self.vendors_time = HubClock(self.hub)
        self.sandbox = Sandbox(self.vendors_time, SandboxSettings(seed=seed, services=services, write_lag=0.2))
        self.parts = parts or Parts()
        self.server = Server()
        _SHELF.put_empty()
        self.engine = _engine()
        self.engine.dispose()
        self.outages: dict[str, str] = {}
        self.in_transaction: str | None = None
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self.pods: list[Pod] = []
        self.alerts: list[Raised] = []
        self.files: list[tuple[float, tuple[Line, ...]]] = [(0.0, lines)]
        self.faults = 0.0
        """Probability of a fault of a call."""
        self.crashes = 0.0
        """Probability of a crash at a commit."""
        self.slowness = 0.0
        """Probability that a write to a vendor takes seconds."""
        self.freezes = 0.0
        """Probability that the pod is stopped just before a write to a vendor takes effect."""
        self.metrics_of: Callable[[Settings], Any] = lambda _settings: None
        self._base = product_settings(
            database_url=SecretStr("postgresql+psycopg://simulated/reconciler"),
            poll_interval_seconds=POLL,
            sweep_interval_seconds=SWEEP,
            staleness_seconds=STALENESS,
        )
        self.settings_of_process: dict[str, Any] = {}
        self._started = 0

    # -- the run --

    @contextmanager
    def simulated(self) -> Iterator[None]:
        """Inside the block the product waits in simulated time."""
        configure("text", "CRITICAL", ())
        jitter = random.Random(1)  # noqa: S311 - a simulation
        patches: list[Patch] = [
            (product_http, "random", jitter),
            (product_session, "exchange", _without_deadline),
            *of_product(self.hub, self._met),
            *of_pods(self),
            *self.parts.patches,
        ]
        with patched(patches):
            try:
                yield
            finally:
                for pod in self.pods:
                    self.hub.kill(pod)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.hub.run(self.hub.passed + seconds)

    # -- the routes file --

    @property
    def lines(self) -> tuple[Line, ...]:
        """The file as it is now."""
        return self.files[-1][1]

    def routes(self) -> Routes:
        """The routes of the file."""
        return Routes(tuple(map(self._route, self.lines)), FILE)

    def rewrite(self, lines: tuple[Line, ...]) -> None:
        """Write another file; each pod reads it within a few seconds."""
        self.files.append((self.hub.passed, lines))
        routes = self.routes()
        for pod in self.pods:
            self.hub.at(self.hub.passed + self.chance.uniform(0.0, 2.0), partial(pod.reload, routes), pod)

    def _route(self, line: Line) -> Route:
        chosen = {"opsgenie_query": line.query, "pagerduty_service_id": line.service,
                  **self.settings_of_process, **dict(line.changes)}  # fmt: skip
        return Route(line.name, self._base.model_copy(update=chosen), line.is_shared)

    # -- pods --

    def join(self) -> Pod:
        """Start a pod."""
        self._started += 1
        pod = Pod(self, f"pod-{self._started:03}")
        self.pods.append(pod)
        pod.start(self.routes())
        return pod

    def kill(self, pod: Pod) -> None:
        """Kill -9: the server notices at once."""
        self.counts["killed"] += 1
        self.hub.kill(pod)
        self.server.close(pod.session.number)
        self.pods.remove(pod)

    def leave(self, pod: Pod) -> None:
        """SIGTERM."""
        pod.is_leaving = True

    def ended(self, pod: Pod) -> None:
        """Note that a process has ended by itself."""
        if pod in self.pods:
            self.counts["left"] += 1
            self.kill(pod)
            self.counts["killed"] -= 1

    def disturb(self, pod: Pod, what: str, seconds: float) -> None:
        """Stop a pod, or cut it off from the database, for so long."""
        if pod.is_dead:
            return
        self.counts[what] += 1
        pod.troubled_until = self.hub.passed + seconds
        if what in ("stopped", "frozen"):
            self.hub.stop(pod)
        else:
            pod.is_cut = pod.session.is_cut = True
        self.hub.at(self.hub.passed + seconds, partial(self._heal, pod))

    def _heal(self, pod: Pod) -> None:
        pod.is_cut = pod.session.is_cut = False
        if not pod.is_dead:
            self.hub.go_on(pod)

    def stored_routes(self) -> tuple[str, ...]:
        """The routes of which the database has rows."""
        with self.engine.connect() as connection:
            return routes_in(connection)

    # -- what the parts of pods tell --

    def called(self, pod: Pod, kind: str) -> str:
        """A call goes out; returns the fault that it meets."""
        self.counts[f"{kind}"] += 1
        if kind in WRITES:
            self.check_lock(pod)
        if kind in WRITES and self.chance.random() < self.freezes and sum(each.is_well for each in self.pods) > 1:
            self.disturb(pod, "frozen", self.chance.uniform(5.0, 40.0))
            self.hub.wait(0)
        if kind in WRITES and self.chance.random() < self.slowness:
            self.hub.wait(self.chance.uniform(2.0, 12.0))
        whats = TRANSIENT.get(kind, ())
        if not whats or self.chance.random() >= self.faults:
            return ""
        self.counts["faults"] += 1
        return self.chance.choice(whats)

    def check_lock(self, pod: Pod) -> None:
        """Note a write to a vendor by a pod that has not the route's lock, unless it was stopped or cut off."""
        route = current().route
        if pod.is_dead:
            return
        if pod.was_well_since(self.hub.passed - LONG_AGO) and self.server.leader(route) != pod.name:
            self.problems.append(
                f"WITHOUT LOCK {pod.name} writes for {route}, which {self.server.leader(route)} leads"
            )

    def before_commit(self, pod: Pod) -> bool:
        """Whether the pod dies before this commit."""
        return self._dies(pod)

    def after_commit(self, pod: Pod) -> None:
        """The pod may die after a commit."""
        if self._dies(pod):
            raise Crash

    def _dies(self, pod: Pod) -> bool:
        if not self.crashes or self.chance.random() >= self.crashes or sum(each.is_well for each in self.pods) < 2:
            return False
        pod.is_dead = True
        self.counts["crashed"] += 1
        self.hub.at(self.hub.passed, partial(self._crashed, pod))
        return True

    def _crashed(self, pod: Pod) -> None:
        if pod in self.pods:
            self.kill(pod)
            self.hub.at(self.hub.passed + 5.0, lambda: (self.join(), None)[1])

    def wrote(self, route: str, leader: tuple[int, str], writer: tuple[int, str]) -> None:
        """Note the epoch of a leader's transaction that the database accepts."""
        if leader != writer:
            self.problems.append(f"LED BY TWO {route}: {writer} wrote after {leader} had begun")

    def _met(self, error: Exception, where: str) -> None:
        self.problems.append(f"BROKEN {type(error).__name__}: {error} ({where})")

    # -- people --

    def raise_alert(self, *tags: str) -> Raised:
        """Raise an alert with these tags."""
        made = self.sandbox.opsgenie.create_alert(
            f"alert {len(self.alerts)}", user=self.chance.choice(CUSTOMERS), tags=list(tags)
        )
        self.alerts.append(Raised(made["id"], self.hub.passed, tags))
        return self.alerts[-1]

    def act(self, raised: Raised, side: str, verb: str, text: str = "") -> None:
        """Let a person do something about an alert, if that is possible."""
        try:
            if side == "og":
                self._act(self.sandbox.opsgenie, raised.id, self.chance.choice(CUSTOMERS), verb, text)
            else:
                incidents = self.sandbox.pagerduty.incidents.by_key(raised.id)
                stored = self.chance.choice(list(incidents))
                self._act(self.sandbox.pagerduty, stored.now.id, self.chance.choice(ENGINEERS), verb, text)
        except (Refused, IndexError):
            self.counts["not possible"] += 1
        else:
            self.counts[f"{side} {verb}"] += 1

    def _act(self, machine: Any, target: str, who: str, verb: str, text: str) -> None:
        if verb == "note":
            machine.add_note(target, who, text)
        else:
            getattr(machine, verb)(target, who)

    # -- the end --

    def calm(self, seconds: float = CALM) -> None:
        """End all troubles, and let everything settle."""
        self.faults = self.crashes = self.freezes = self.slowness = 0.0
        for pod in list(self.pods):
            self._heal(pod)
        self.run(seconds)

    def check_shares(self) -> None:
        """Note where routes are led by none or by two, or a pod leads more than its share."""
        most = ceil(len(self.lines) / len(self.pods))
        led = {pod.name: pod.leads() for pod in self.pods}
        for name, routes in led.items():
            if len(routes) > most:
                self.problems.append(f"SHARE {name} leads {len(routes)} routes, more than {most}")
        every = sorted(route for routes in led.values() for route in routes)
        if every != sorted(line.name for line in self.lines):
            self.problems.append(f"SHARE {len(every)} leads of {len(self.lines)} routes")
