"""What JSM's two APIs work on: the alerts, and who may see which of them."""

from collections.abc import Callable
from datetime import datetime

from reconciler.sandbox.jsm import directory, errors
from reconciler.sandbox.opsgenie.account import Account
from reconciler.sandbox.opsgenie.rules import Rules
from reconciler.sandbox.opsgenie.state import Alert, StoredAlert
from reconciler.sandbox.opsgenie.write_queue import WriteEffect, WriteQueue
from reconciler.sandbox.settings import EVERY
from reconciler.sandbox.wire import Json, Refused


class Site:
    """The account with its rules and its queue of accepted writes."""

    def __init__(self, account: Account, rules: Rules, queue: WriteQueue) -> None:
        self.account = account
        self.rules = rules
        self.queue = queue

    def sees(self, alert: Alert) -> bool:
        """Whether the token's user may see an alert at all."""
        hidden = self.account.settings.jsm_blind_teams
        return self.account.sees(alert) and EVERY not in hidden and not set(hidden) & set(alert.tags)

    def visible(self, identifier: str) -> StoredAlert | None:
        """An alert by id that the token's user may see."""
        stored = self.account.alerts.get(identifier)
        return stored if stored is not None and self.sees(stored.now) else None

    def readable(self, identifier: str) -> StoredAlert:
        """An alert to read, by its id: 404 for a tiny id (observed), 403 for one of `refused_alerts`."""
        stored = self.visible(identifier)
        refused = self.account.settings.refused_alerts
        if stored is not None and {stored.now.id, stored.now.tiny_id} & set(refused):
            raise errors.refusal(403, "The alert is not visible")
        if stored is None or not self.account.is_readable(stored):
            raise errors.refusal(404, "Alert does not exist")
        return stored

    def name(self, name: str) -> str:
        """A name as the site shows it."""
        return directory.shown(name, self.account.people, self.account.settings.jsm_owner_form)


class ApiQueue:
    """The queue, as one of the two APIs uses it: it knows the outcomes of its own writes alone.

    `fails` says why an accepted write fails, given its action; an empty text: it does not.
    """

    def __init__(self, queue: WriteQueue, fails: Callable[[str], str]) -> None:
        self._queue = queue
        self._fails = fails
        self._accepted: set[str] = set()

    def accept(self, action: str, effect: WriteEffect) -> str:
        """Accept a write; returns the request id."""
        request_id = self._queue.accept(action, self._unless_it_fails(action, effect))
        self._accepted.add(request_id)
        return request_id

    def outcome(self, request_id: str) -> Json | None:
        """The outcome of a write that was accepted here; None while it is not processed, and for any other one."""
        known = request_id in self._accepted and self._queue.knows(request_id)
        return self._queue.outcomes[request_id] if known else None

    def _unless_it_fails(self, action: str, effect: WriteEffect) -> WriteEffect:
        def carry_out(at: datetime) -> tuple[str, StoredAlert]:
            if words := self._fails(action):
                raise Refused(words)
            return effect(at)

        return carry_out
