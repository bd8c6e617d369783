"""Log of writes, one line each: what was done, what is in flight or of unknown outcome, what is dead."""

from collections.abc import Callable, Iterable, Mapping

from reconciler.core.mapping import SECOND_INCIDENT
from reconciler.core.model import Action, Kind, Status
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import PairNames, names_of, state_of

log = get_logger(__name__)

_SAY: Mapping[str, Callable[..., object]] = {"dead": log.error, "unknown": log.warning}
"""Log level by state; every other state is logged as information."""


def _names_a_second(action: Action) -> bool:
    """Whether the action is the note that names an incident which nobody follows: an error, logged once."""
    return action.kind is Kind.PAGERDUTY_NOTE and action.reason.startswith(SECOND_INCIDENT)


class ActionLog:
    """Logs each state of an action once, although an open one is checked again and again."""

    def __init__(self) -> None:
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
            second = _names_a_second(action)
            write: Callable[..., object] = log.error if second else _SAY.get(state, log.info)
            write(
                f"{name.words}: {action.reason}" if second else f"{action.kind.value} {state}: {name.words}",
                kind=action.kind.value,
                state=state,
                **name.fields(),
                reason=action.reason,
                **({"error": action.error} if action.error else {}),
            )
