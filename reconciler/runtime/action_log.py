"""Log of writes, one line each: what was done, what is in flight or of unknown outcome, what is dead."""

from collections.abc import Callable, Iterable, Mapping

from reconciler.core.mapping import SECOND_INCIDENT
from reconciler.core.model import Action, Kind, Status
from reconciler.core.product import OPSGENIE, Product
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import PairNames, names_of, state_of

log = get_logger(__name__)

DEAD, SECOND = "dead", "second_incident"
SUBJECTS = (DEAD, SECOND)
"""Subjects of the lines that are errors."""


def _subject(action: Action) -> str:
    """What needs a person: the note that names an incident which nobody follows, or a dead action; else empty."""
    if action.kind is Kind.PAGERDUTY_NOTE and action.reason.startswith(SECOND_INCIDENT):
        return SECOND
    return DEAD if action.status is Status.DEAD else ""


class ActionLog:
    """Logs each state of an action once, although an open one is checked again and again."""

    def __init__(self, product: Product = OPSGENIE) -> None:
        self._product = product
        self._said: dict[int, str] = {}

    def news(self, actions: Iterable[Action]) -> list[Action]:
        """The actions to log. Actions that only wait are left to the state log."""
        news = []
        for action in actions:
            if action.status is Status.SENT:
                if self._said.get(action.id) == action.error:
                    continue
                self._said[action.id] = action.error
            else:
                self._said.pop(action.id, None)
            if action.status is not Status.PLANNED:
                news.append(action)
        return news

    def say(self, actions: Iterable[Action], names: Mapping[str, PairNames]) -> None:
        """Log one line for each action. `names` are the pairs' names, by alert id."""
        for action in actions:
            state = state_of(action)
            name = names.get(action.alert_id) or names_of(action.alert_id)
            subject, kind = _subject(action), self._product.kind(action.kind)
            is_second = subject == SECOND
            calm = log.warning if state == "unknown" else log.info
            write: Callable[..., object] = log.error if subject else calm
            write(
                f"{name.words}: {action.reason}" if is_second else f"{kind} {state}: {name.words}",
                **({"subject": subject} if subject else {}),
                kind=kind,
                state=state,
                **name.fields(),
                reason=action.reason,
                **({"error": action.error} if action.error else {}),
            )
