"""What becomes of writes, one line each: what was done, what waits for an answer, what is dead."""

from collections.abc import Callable, Iterable, Mapping

from reconciler.core.mapping import SECOND_INCIDENT
from reconciler.core.model import Action, Kind, Status
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import state_of

log = get_logger(__name__)

_SAY: Mapping[str, Callable[..., object]] = {"dead": log.error, "unknown": log.warning}
"""How loudly; everything else is information."""


def _names_a_second(action: Action) -> bool:
    """Whether it is the note by which people learn of an incident that nobody follows: an error, said once."""
    return action.kind is Kind.PAGERDUTY_NOTE and action.reason.startswith(SECOND_INCIDENT)


class ActionLog:
    """Says each thing once: what is unknown or in flight is asked about in every cycle."""

    def __init__(self) -> None:
        self._said: dict[int, str] = {}

    def news(self, actions: Iterable[Action]) -> list[Action]:
        """Those of which something is to be said. What merely waits is the business of the state log."""
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

    def say(self, actions: Iterable[Action], names: Mapping[str, str]) -> None:
        """One line each. `names` are what people call the alerts, by id."""
        for action in actions:
            state = state_of(action)
            name = names.get(action.alert_id, f"alert {action.alert_id}")
            second = _names_a_second(action)
            write: Callable[..., object] = log.error if second else _SAY.get(state, log.info)
            write(
                f"{name}: {action.reason}" if second else f"{action.kind.value} {state}: {name}",
                kind=action.kind.value,
                status=state,
                reason=action.reason,
                alert=action.alert_id,
                incident=action.incident_id,
                **({"why": action.error} if action.error else {}),
            )
