"""What users do by hand in the web interface. Their acts take effect at once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.sandbox.opsgenie import shapes
from reconciler.sandbox.opsgenie.account import Account, Act
from reconciler.sandbox.opsgenie.rules import WEB, Rules
from reconciler.sandbox.opsgenie.state import StoredAlert, frozen_details
from reconciler.sandbox.wire import Json


class People:
    """Acts as a user. `settle` brings the account up to date and returns the time.

    `alert_id` is an id, a tiny id or the alias of an open alert; `user` is any name. Acts return the alert as
    Opsgenie's GET by id has it, or raise Refused when they are impossible. Not thread-safe: the caller locks.
    """

    def __init__(self, account: Account, rules: Rules, settle: Callable[[], datetime]) -> None:
        self._account = account
        self._rules = rules
        self.alerts = account.alerts
        self.find = account.find
        self.settle = settle

    def create_alert(
        self, message: str, *, user: str, priority: str = "P3", description: str = "", tags: Iterable[str] = (),
        source: str = "", details: Mapping[str, Any] | None = None, alias: str | None = None,
        created_at: datetime | None = None,
    ) -> Json:  # fmt: skip
        """Create an alert, maybe with an earlier `created_at`, or count up the open alert of this alias."""
        self._account.people.add(user)
        stored = self._rules.create(
            Act(self.settle(), user, WEB), message, created_at=created_at, alias=alias, priority=priority,
            description=description, tags=tuple(tags), source=source, details=frozen_details(details or {}),
        )  # fmt: skip
        return shapes.detail(stored.now)

    def acknowledge(self, alert_id: str, user: str) -> Json:
        """Acknowledge."""
        return self._act(alert_id, user, "acknowledge", self._rules.acknowledge)

    def unacknowledge(self, alert_id: str, user: str) -> Json:
        """Un-acknowledge."""
        return self._act(alert_id, user, "unacknowledge", self._rules.unacknowledge)

    def close(self, alert_id: str, user: str) -> Json:
        """Close."""
        return self._act(alert_id, user, "close", self._rules.close)

    def add_note(self, alert_id: str, user: str, text: str) -> Json:
        """Add a note, also to a closed alert."""
        return self._act(alert_id, user, "note", partial(self._rules.note, text=text), text)

    def snooze(self, alert_id: str, user: str, seconds: float) -> Json:
        """Snooze."""
        return self._act(alert_id, user, "snooze", partial(self._rules.snooze, seconds=seconds))

    def set_priority(self, alert_id: str, user: str, priority: str) -> Json:
        """Change the priority, one of `rules.PRIORITIES`."""
        return self._act(
            alert_id, user, "priority", partial(self._rules.set_priority, priority=priority), priority
        )

    def delete(self, alert_id: str, user: str) -> Json:
        """Delete: the API answers 404 for the alert from then on. `state` has it still, as deleted."""
        return self._act(alert_id, user, "delete", self._rules.delete)

    def escalate(self, alert_id: str) -> Json:
        """A routing step, by nobody: moves `updatedAt` and nothing else."""
        now = self.settle()
        stored = self.find(alert_id)
        self.alerts.change(stored, now)
        return shapes.detail(stored.now)

    def _act(
        self, alert_id: str, user: str, verb: str, effect: Callable[[StoredAlert, Act], None],
        text: str = "",
    ) -> Json:  # fmt: skip
        act = Act(self.settle(), user, WEB)
        stored = self.find(alert_id)
        self._account.people.add(user)
        effect(stored, act)
        ref = stored.notes[-1].token if verb == "note" else ""
        self._account.journal.act(
            act.at, self._account.side, user, verb, alert_id=stored.now.id, text=text, ref=ref
        )
        return shapes.detail(stored.now)
