"""Problems met while one pair's actions are delivered, passed on to the circuit breakers."""

from collections.abc import Iterable

from reconciler.core.model import Action, Kind, Status
from reconciler.core.product import Product
from reconciler.errors import RateLimited, ReconcilerError
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.write_breakers import WriteBreakers


class LastErrors:
    """The last error of each waiting action, by id: reported for as long as the action waits."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._by_id: dict[int, ReconcilerError] = {}

    def put(self, action: Action, error: ReconcilerError) -> None:
        """Store the error that the action has met."""
        self._by_id[action.id] = error

    def of(self, action: Action) -> ReconcilerError:
        """The error for which the action waits, built from its text if this process has not met it."""
        met = self._by_id.get(action.id)
        if met is not None and str(met) == action.error:
            return met
        return ReconcilerError(f"{self._product.kind(action.kind)} waits: {action.error}")

    def drop(self, actions: Iterable[Action]) -> None:
        """Forget actions that no longer wait."""
        for action in actions:
            self._by_id.pop(action.id, None)


class DeliveryProblems:
    """The problems of one delivery."""

    def __init__(self, breakers: WriteBreakers, last_errors: LastErrors) -> None:
        self.found: list[Problem] = []
        self._breakers = breakers
        self._last_errors = last_errors

    def add(self, action: Action, error: ReconcilerError) -> None:
        """Report an action's own error. Our own rate limit is not one."""
        if not isinstance(error, RateLimited):
            self._last_errors.put(action, error)
            self._report(action, error)

    def not_executed(self, action: Action, error: ReconcilerError) -> None:
        """Report that the vendor takes no such write now."""
        self.add(action, error)
        self._breakers.not_executed(action.kind, error)

    def unanswered(self, action: Action, error: ReconcilerError) -> None:
        """Report that there was no answer, or one that does not come from the vendor."""
        self.add(action, error)
        self._breakers.unanswered(action, error)

    def forbidden(self, action: Action, error: ReconcilerError) -> None:
        """Report that one object was refused with 403."""
        self.add(action, error)
        self._breakers.forbidden(action, error)

    def add_waiting(self, actions: Iterable[Action], tried: frozenset[int]) -> None:
        """Report why the actions that were not tried wait, for as long as they do.

        An error that keeps a lane's breaker open is reported once. An action's own refusal is reported while the
        action waits; that of a creation always. What a pause holds back does not count as failed.
        """
        for action in actions:
            if action.status is not Status.PLANNED or action.id in tried or self._breakers.is_paused(action):
                continue
            wait = self._breakers.waits_for(action)
            if wait is not None and wait.error is not None:
                self._report_once(action, wait.error)
            if action.error and (action.failing_since is not None or action.kind is Kind.CREATE_INCIDENT):
                self._report_once(action, self._last_errors.of(action))

    def _report_once(self, action: Action, error: ReconcilerError) -> None:
        if all(problem.error is not error for problem in self.found):
            self._report(action, error)

    def _report(self, action: Action, error: ReconcilerError) -> None:
        self.found.append(Problem(action.kind.side, error, action.alert_id))
