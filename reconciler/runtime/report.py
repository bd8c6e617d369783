"""What a run of `once` came to, collected from the pairs' outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from reconciler.core.model import Action, Echo
from reconciler.core.plan import in_order
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run.

    `actions` are those that were planned, tried or open, as they stand at the end. `names` are what people call
    the alerts of these actions, by alert id. `left` is how many pairs were not reconciled, for want of rate.
    """

    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
    echoes: tuple[Echo, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    left: int = 0
    reconciled: int = 0


class Collector:
    """Collects outcomes. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._actions: dict[str, Action] = {}
        self._events: dict[int, Problem] = {}
        self._standing: dict[str, tuple[Problem, ...]] = {}
        self._echoes: list[Echo] = []
        self._names: dict[str, str] = {}
        self._pairs: set[str] = set()

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        """One pair."""
        alert_id = outcome.item.alert_id
        with self._lock:
            self._actions |= {action.key: action for action in outcome.actions}
            self._events |= {id(problem.error): problem for problem in outcome.events}
            self._standing[alert_id] = outcome.standing
            self._echoes += outcome.echoes
            self._pairs.add(alert_id)
            if outcome.name:
                self._names[alert_id] = outcome.name

    def report(self, problems: tuple[Problem, ...], left: int) -> Report:
        """All of it; `problems` are those of no single pair, which are said first."""
        with self._lock:
            events = tuple(self._events.values())
            standing = (one for mine in self._standing.values() for one in mine if not is_stated(one, events))
            found = (*problems, *standing, *events)
            by_words = {(each.side, each.alert_id, str(each.error)): each for each in found}
            return Report(
                in_order(self._actions.values()),
                tuple(by_words.values()),
                tuple(self._echoes),
                dict(self._names),
                left,
                len(self._pairs),
            )


def is_stated(waits: Problem, events: tuple[Problem, ...]) -> bool:
    """Whether an event of the same alert says already why an action waits."""
    why = str(waits.error).partition(" waits: ")[2]
    mine = (str(event.error) for event in events if event.alert_id == waits.alert_id)
    return bool(why) and any(why in text for text in mine)
