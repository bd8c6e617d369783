"""The report of a run of `once`, collected from the pairs' outcomes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from reconciler.core.model import Action, Echo
from reconciler.core.pause import Pause
from reconciler.core.plan import in_order
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import RateLimited
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run.

    `actions` are those that were planned, tried or open, in their final state. `names` are the display names of
    their alerts, by alert id. Of `pairs` alerts, `unread` were not read, because the rate limit or a circuit
    breaker admits no more calls; of `partly` a list's row was read, and something follows from it, but no more.
    `rate_limited` is the rate limiter's error. `pauses` are operators' pauses. `late` are the numbers of late
    alerts by how they are treated, `orders` what became of operators' orders, by alert. `stopped` is the signal
    that ended the run before its end, and `left` the number of alerts that were in the queue then. `product`
    raises the alerts.
    """

    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
    echoes: tuple[Echo, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    pairs: int = 0
    unread: int = 0
    partly: int = 0
    rate_limited: RateLimited | None = None
    pauses: tuple[Pause, ...] = ()
    late: Mapping[str, int] = field(default_factory=dict)
    orders: tuple[tuple[str, str], ...] = ()
    stopped: str = ""
    left: int = 0
    product: Product = OPSGENIE


class Collector:
    """Collects outcomes. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._actions: dict[str, Action] = {}
        self._events: dict[int, Problem] = {}
        self._standing: dict[str, tuple[Problem, ...]] = {}
        self._echoes: list[Echo] = []
        self._names: dict[str, str] = {}
        self._is_read: dict[str, bool] = {}
        self._rate_limited: RateLimited | None = None
        self._late: Counter[str] = Counter()
        self._orders: list[tuple[str, str]] = []

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        """Collect the outcome of one pair."""
        alert_id = outcome.item.alert_id
        with self._lock:
            self._actions |= {action.key: action for action in outcome.actions}
            self._events |= {id(problem.error): problem for problem in outcome.events}
            limits = [each.error for each in outcome.standing if isinstance(each.error, RateLimited)]
            self._standing[alert_id] = tuple(each for each in outcome.standing if each.error not in limits)
            self._rate_limited = limits[0] if limits else self._rate_limited
            self._is_read[alert_id] = not (limits or outcome.blocked)
            self._echoes += outcome.echoes
            self._late[outcome.late] += 1
            if outcome.verdict is not None:
                self._orders.append((alert_id, outcome.verdict.words))
            if outcome.name:
                self._names[alert_id] = outcome.name

    def report(self, problems: tuple[Problem, ...]) -> Report:
        """The whole report. `problems` are those of no single pair, which come first."""
        with self._lock:
            events = tuple(self._events.values())
            standing = (one for mine in self._standing.values() for one in mine if not is_stated(one, events))
            found = (*problems, *standing, *events)
            acted = {action.alert_id for action in self._actions.values()}
            unread = [alert_id for alert_id, is_read in self._is_read.items() if not is_read]
            by_words = {(each.side, each.alert_id, str(each.error)): each for each in found}
            return Report(
                in_order(self._actions.values()),
                tuple(by_words.values()),
                tuple(self._echoes),
                dict(self._names),
                len(self._is_read),
                sum(alert_id not in acted for alert_id in unread),
                sum(alert_id in acted for alert_id in unread),
                self._rate_limited,
                late=dict(self._late),
                orders=tuple(self._orders),
            )


def is_stated(waits: Problem, events: tuple[Problem, ...]) -> bool:
    """Whether an event of the same alert already states why an action waits."""
    why = str(waits.error).partition(" waits: ")[2]
    mine = (str(event.error) for event in events if event.alert_id == waits.alert_id)
    return bool(why) and any(why in text for text in mine)
