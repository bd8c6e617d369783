"""What is wrong with PAGERDUTY_PRIORITIES, said for as long as it lasts."""

from collections.abc import Callable

from reconciler.core.model import Side
from reconciler.reconcile.priorities import Priorities


class PriorityWatch:
    """A watch that asks nobody: it only says what reading and using the priorities has shown."""

    name = "priorities"
    side: Side | None = None

    def __init__(self, priorities: Priorities, say: Callable[[str], None]) -> None:
        self._priorities = priorities
        self._say = say

    def poll(self) -> bool:
        """Say what is wrong; an empty text ends that."""
        self._say(self._priorities.words)
        return True
