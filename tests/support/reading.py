"""Reading a pair from vendors whose answers a test sets, with the breakers and the clock of the product."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from reconciler.core.absence import Vanished
from reconciler.core.model import Observation, Side
from reconciler.core.work import ReadRequest
from reconciler.errors import Unknown
from reconciler.reconcile.fetch import Fetched, Fetcher
from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.store.cursors import Positions
from reconciler.vendors.call_context import CallPriority, current
from tests.support.builders import OG, PD, alert, incident, observation, pair, policy
from tests.support.clock import SimClock

NONE: frozenset[Side] = frozenset()
BOTH, ONLY_OG, ONLY_PD = frozenset(Side), frozenset({OG}), frozenset({PD})
SILENT = Unknown("500")


class Vendors:
    """A reader: a call returns or raises what the test has set for its name; calls are counted."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()
        self.contexts: list[tuple[str, CallPriority, float | None]] = []
        self.takes: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            self.asked[name] += 1
            self.contexts.append((name, current().priority, current().within))
            self.takes()
            answer = self.answers[name]
            answer = answer(*given) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@dataclass
class Scene:
    """A fetcher with two readers whose answers a test can change.

    `known` are pairs in the snapshot, `opened` is its number of open alerts; `vanished` is stored.
    """

    opsgenie: Vendors = field(default_factory=lambda: Vendors(alert=alert(), notes=[], acts=[]))
    pagerduty: Vendors = field(default_factory=lambda: Vendors(incident=incident(), notes=[], acts=[]))
    clock: SimClock = field(default_factory=SimClock)
    known: set[str] = field(default_factory=set)
    opened: int = 100
    vanished: Vanished | None = None
    stopping: bool = False
    saved: int = 0

    def __post_init__(self) -> None:
        self.breakers = ReadBreakers(self.clock)
        self.fetcher = Fetcher(
            cast("Any", self.opsgenie),
            cast("Any", self.pagerduty),
            cast("Any", self),
            self.breakers,
            self.clock,
            lambda: self.stopping,
        )

    @contextmanager
    def reading(self) -> Iterator[Any]:
        pairs = SimpleNamespace(
            pairs=lambda ids: {each: each for each in ids if each in self.known}, open_alerts=lambda: self.opened
        )
        yield SimpleNamespace(
            snapshot=pairs, cursors=SimpleNamespace(load=lambda _: Positions(vanished=self.vanished))
        )

    @contextmanager
    def writing(self) -> Iterator[Any]:
        def save(vanished: Vanished | None) -> None:
            self.vanished, self.saved = vanished, self.saved + 1

        yield SimpleNamespace(cursors=SimpleNamespace(save=save))

    def fetch(self, request: ReadRequest, known: Observation | None = None) -> Fetched:
        return self.fetcher.fetch(request, known or observation(pair=pair()), policy())

    @property
    def asked(self) -> int:
        return self.opsgenie.asked.total() + self.pagerduty.asked.total()


def other(number: int, **more: Any) -> Observation:
    return observation(alert_id=f"other-{number}", pair=pair(), **more)


INCIDENT = ReadRequest(incident=True)
