"""PAGERDUTY_PRIORITIES: the list of priorities is read while a name is missing, and what is wrong is said."""

from collections.abc import Callable

from reconciler.core.model import Side
from reconciler.reconcile.priorities import Priorities


class PriorityWatch:
    """A watch. `say` takes what is wrong with the priorities; an empty text ends that."""

    name = "priorities"
    side: Side | None = None

    def __init__(self, priorities: Priorities, say: Callable[[str], None]) -> None:
        self._priorities = priorities
        self._say = say

    def poll(self) -> bool:
        """Read the list if that is due, and say what is wrong."""
        self._priorities.refresh()
        self._say(self._priorities.words)
        return True
