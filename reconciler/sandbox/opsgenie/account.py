"""The simulated account: its data, its settings, and what its key may see."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from reconciler.sandbox.copies import Copies
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


@dataclass(frozen=True, slots=True)
class Change:
    """What has just happened to an alert: the rule that did it, and the arguments of that rule."""

    verb: str
    stored: StoredAlert
    act: Act
    arguments: dict[str, Any] = field(default_factory=dict)


class Account:
    """What the API and the web interface have in common. `settings` may be replaced at any time.

    `due` holds accepted writes, ends of snoozes and escalation steps. `side` is where the journal says that people
    have acted. `is_jsm` tells that these are alerts of Jira Service Management.
    """

    def __init__(
        self, clock: Clock, settings: SandboxSettings, journal: Journal, *,
        side: str = "opsgenie", is_jsm: bool = False, alerts: Alerts | None = None, due: DueQueue | None = None,
    ) -> None:  # fmt: skip
        self.clock = clock
        self.settings = settings
        self.journal = journal
        self.side = side
        self.is_jsm = is_jsm
        self.alerts = alerts or Alerts(settings.seed)
        self.answers = Answers(self.alerts)
        self.due = due or DueQueue()
        self.copies = Copies()
        self.people: set[str] = set()
        """The names of those who have acted in the web interface: users, as opposed to names in API calls."""
        self.has_moved = False
        """Whether the alerts were moved to another product: then `opsgenie_mode` holds."""
        self.on_change: Callable[[Change], None] = lambda _: None
        """Told of every change, once it is made."""
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

    @property
    def notes_bump_updated_at(self) -> bool:
        """Whether a note moves `updatedAt`."""
        settings = self.settings
        return settings.jsm_notes_bump_updated_at if self.is_jsm else settings.notes_bump_updated_at

    def readable_until(self) -> datetime:
        """The time that reads by id show: `detail_lag` seconds ago, or that of an older copy."""
        return self.clock.now() - timedelta(seconds=self.settings.detail_lag) - self.copies.behind

    def is_readable(self, stored: StoredAlert) -> bool:
        """Whether reads by id find an alert: what is too young for the copy that answers is not found."""
        is_fresh = stored.since > self.clock.now() - timedelta(seconds=self.settings.fresh_404)
        return not is_fresh and stored.as_of(self.readable_until()) is not None
