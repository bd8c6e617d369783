"""What sources learn from the pairs' outcomes."""

from reconciler.core.model import Kind
from reconciler.reconcile.pair import Outcome
from reconciler.sources.repetitions import Repetitions


class Feedback:
    """Says of each alert that recurred whether reading its notes has brought a new one."""

    def __init__(self, repetitions: Repetitions) -> None:
        self._repetitions = repetitions

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        """A pair has been reconciled."""
        if outcome.item.request.repeated:
            noted = any(action.kind is Kind.PAGERDUTY_NOTE for action in outcome.actions)
            self._repetitions.read(outcome.item.alert_id, fruitful=noted)
