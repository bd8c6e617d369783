"""The simulated account: its data, its settings, and what its key may see."""

from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

from reconciler.sandbox.due_queue import DueQueue
from reconciler.sandbox.journal import Journal
from reconciler.sandbox.opsgenie.answers import Answers
from reconciler.sandbox.opsgenie.state import Alert, Alerts, StoredAlert
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Refused


class Act(NamedTuple):
    """When somebody does something, under which name, and whether "via web" or "via API"."""

    at: datetime
    who: str
    via: str


class Account:
    """What the API and the web interface have in common. `settings` may be replaced at any time.

    `due` holds accepted writes, ends of snoozes and escalation steps.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings, journal: Journal) -> None:
        self.clock = clock
        self.settings = settings
        self.journal = journal
        self.alerts = Alerts(settings.seed)
        self.answers = Answers(self.alerts)
        self.due = DueQueue()
        self.pings: dict[str, deque[datetime]] = {}
        """When each heartbeat was pinged last, by its name."""

    def find(self, identifier: str) -> StoredAlert:
        """An alert by id, tiny id, or alias of an open one. Refused (404) when there is none."""
        alerts = self.alerts
        stored = alerts.get(identifier) or alerts.by_tiny(identifier) or alerts.by_alias(identifier)
        if stored is None:
            raise Refused(f"no such alert: {identifier}", 404)
        return stored

    def lookup(self, kind: str, identifier: str) -> StoredAlert | None:
        """An alert that the key may see, by an identifier of `kind` id, tiny or alias."""
        alerts = self.alerts
        stored = {"id": alerts.get, "tiny": alerts.by_tiny, "alias": alerts.by_alias}[kind](identifier)
        return stored if stored is not None and self.sees(stored.now) else None

    def sees(self, alert: Alert) -> bool:
        """Whether the key may see an alert at all."""
        settings = self.settings
        return not settings.blind and (not settings.team_tags or bool(set(settings.team_tags) & set(alert.tags)))

    def readable_until(self) -> datetime:
        """The time that reads by id show: `detail_lag` seconds ago."""
        return self.clock.now() - timedelta(seconds=self.settings.detail_lag)
