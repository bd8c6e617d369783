"""Feedback from pairs' outcomes to the sources."""

from reconciler.core.model import Kind
from reconciler.reconcile.pair import Outcome
from reconciler.sources.pace import Pace
from reconciler.sources.repetitions import Repetitions
from reconciler.vendors.ports import Clock


class Feedback:
    """Notes for each recurring alert whether reading its notes has shown a new one."""

    def __init__(self, repetitions: Repetitions, pace: Pace, clock: Clock) -> None:
        self._repetitions = repetitions
        self._pace = pace
        self._clock = clock

    def reconciled(self, outcome: Outcome, _seconds: float) -> None:
        """Note that a pair has been reconciled."""
        if not outcome.item.request.repeated:
            return
        is_fruitful = any(action.kind is Kind.PAGERDUTY_NOTE for action in outcome.actions)
        self._repetitions.read(outcome.item.alert_id, fruitful=is_fruitful)
        if is_fruitful:
            self._pace.noticed(self._clock.monotonic())
