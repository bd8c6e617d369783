"""Writes through the API: accepted at once (202), carried out later, with an outcome that can be asked for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.state import INTEGRATION, StoredAlert
from reconciler.sandbox.wire import Json, Refused, iso_short, parse_time

WriteEffect = Callable[[datetime], tuple[str, StoredAlert]]
"""Carries a write out; returns the status text of its outcome, and the alert. Raises Refused when it fails."""


class Accepts(Protocol):
    """Accepts writes."""

    def accept(self, action: str, effect: WriteEffect) -> str:
        """Carry a write out later; returns the request id. `action` goes into the outcome."""


class WriteQueue:
    """Accepted writes. `outcomes` has what GET /v2/alerts/requests/{id} answers; None is not processed yet."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._halted: list[Callable[[datetime], None]] = []
        self.outcomes: dict[str, Json | None] = {}

    def accept(self, action: str, effect: WriteEffect) -> str:
        """Carry a write out after `write_lag` seconds; returns the request id. `action` goes into the outcome."""
        request_id = self._account.alerts.uuid()
        self.outcomes[request_id] = None
        due = self._account.clock.now() + timedelta(seconds=self._account.settings.write_lag)
        self._account.due.put(due, partial(self._carry_out, request_id, action, effect))
        return request_id

    def knows(self, request_id: str) -> bool:
        """Whether a write was accepted under this id, and its outcome is not forgotten yet (`receipt_life`)."""
        if request_id not in self.outcomes:
            return False
        outcome, life = self.outcomes[request_id], self._account.settings.receipt_life
        if outcome is None or not life:
            return True
        return self._account.clock.now() - parse_time(outcome["processedAt"]) <= timedelta(seconds=life)

    def settle(self) -> datetime:
        """Apply what is due; returns the time. Writes that a halt has held up come first, in their order."""
        now = self._account.clock.now()
        if not self._account.settings.queue_halted:
            held_up, self._halted = self._halted, []
            for process in held_up:
                process(now)
        self._account.due.apply(now)
        return now

    def _carry_out(self, request_id: str, action: str, effect: WriteEffect, at: datetime) -> None:
        if self._account.settings.queue_halted:
            self._halted.append(partial(self._process, request_id, action, effect))
        else:
            self._process(request_id, action, effect, at)

    def _process(self, request_id: str, action: str, effect: WriteEffect, at: datetime) -> None:
        alert: StoredAlert | None = None
        if self._account.settings.writes_fail:
            status = "Something went wrong"
        else:
            try:
                status, alert = effect(at)
            except Refused as refusal:
                status = "Alert does not exist" if refusal.status == 404 else str(refusal)  # noqa: PLR2004 - HTTP
        self.outcomes[request_id] = {
            "success": alert is not None, "action": action, "processedAt": iso_short(at),
            "integrationId": INTEGRATION["id"], "isSuccess": alert is not None, "status": status,
            "alertId": alert.now.id if alert else "", "alias": alert.now.alias if alert else "",
        }  # fmt: skip
