"""Events of the reconciler that observers may count: committed plans, results of writes, saved baselines."""

from reconciler.core.model import Action, Pair, Plan, Status
from reconciler.core.policy import DecisionInput


class Events:
    """The observer's interface, of which every method may be overridden. This one ignores all events."""

    def committed(self, plan: Plan, inputs: DecisionInput) -> None:
        """A plan has been committed: baselines, results of earlier writes, echoes."""

    def outcome(self, action: Action, status: Status, reason: str) -> None:
        """A write has ended. `reason` is one of a few classes, never a free text."""

    def saved(self, pair: Pair) -> None:
        """A baseline has been moved by a write of the reconciler's own."""


NULL_EVENTS = Events()
"""The observer for programs that count nothing."""
