"""The simulated vendors with what they share: clock, journal, settings and faults."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reconciler.sandbox.due_queue import DueQueue
from reconciler.sandbox.expected import Expected
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.journal import Journal, stamp
from reconciler.sandbox.jsm.api import JsmApi
from reconciler.sandbox.opsgenie.api import OpsgenieApi
from reconciler.sandbox.pagerduty.api import PagerDutyApi
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, StampClock, SystemClock


class Vendors:
    """What the control API works on. Not thread-safe: the caller locks."""

    def __init__(self, clock: Clock | None = None, settings: SandboxSettings | None = None) -> None:
        self.clock = StampClock(clock or SystemClock())
        self.faults = Faults(self.clock)
        self._initial = settings or SandboxSettings()
        self.reset()

    def reset(self) -> None:
        """Begin anew: no alerts, no incidents, no faults, the initial settings."""
        self.journal = Journal()
        self.opsgenie = OpsgenieApi(self.clock, self._initial, self.journal)
        self.jsm = JsmApi(self.opsgenie)
        self.pagerduty = PagerDutyApi(self.clock, self._initial, self.journal)
        self.late = DueQueue()
        self.expected: Expected | None = None
        self.faults.clear()

    @property
    def settings(self) -> SandboxSettings:
        """The settings of all vendors."""
        return self.opsgenie.settings

    @settings.setter
    def settings(self, settings: SandboxSettings) -> None:
        self.opsgenie.settings = self.pagerduty.settings = settings
        self.jsm.use(settings)

    def change(self, changes: Mapping[str, Any], for_seconds: float | None = None) -> None:
        """Change settings; with `for_seconds`, these get their former values back after that time."""
        before = self.settings.as_json()
        self.settings = self.settings.changed(changes)
        if for_seconds is not None:
            former = {name: before[name] for name in changes}
            due = self.clock.now() + timedelta(seconds=for_seconds)
            self.late.put(due, lambda _: setattr(self, "settings", self.settings.changed(former)))

    def state(self) -> Json:
        """Everything, as GET /control/state answers it."""
        self.late.apply(self.clock.now())
        return {
            "now": stamp(self.clock.now()),
            "opsgenie": self.opsgenie.state(),
            **self.jsm.state(),
            "pagerduty": self.pagerduty.state(),
            "journal": self.journal.acts_json(),
            **self._routes(),
        }

    def _routes(self) -> Json:
        """On which services each alert is to have an incident, as it was raised; nothing unless that was said."""
        if self.expected is None:
            return {}
        raised = (stored.first for stored in self.opsgenie.alerts.entries())
        return {"routes": self.expected.services_of(raised)}
