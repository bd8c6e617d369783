"""What a step works with: both sides, who the automation user is, and waits that end in time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reconciler.core.model import Person
from reconciler.probe.alerts import Alerts
from reconciler.probe.incidents import Incidents
from reconciler.probe.objects import Created
from reconciler.probe.wire import Api, Halt, Json, NotSettled
from reconciler.vendors.json_fields import text
from reconciler.vendors.ports import Clock

PATIENCE = 20.0
"""Seconds that a step waits for an effect which it needs."""
IMPATIENCE = 3.0
"""The same for a request's status, once another request of the run has shown that it does not come."""
SHORTEST = 0.01
"""The shortest wait in seconds: a shorter one may not advance a floating-point clock at all."""
EVERY = 1.0
"""Seconds between two reads while an effect is waited for."""

Found = TypeVar("Found")
Ways = Callable[[str, Person], Iterable[tuple[str, dict[str, Any]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertUser:
    """Whom the alert side's acts of ours belong to: each form in which a user may be shown, with its words."""

    forms: Mapping[str, str]
    kind: str = ""
    refusal: str = ""

    def form(self, owner: str) -> str:
        """In which form a record names our own user; other words if it names somebody or something else."""
        if not owner:
            return "nobody"
        return self.forms.get(owner) or (
            "nobody in particular (Alert API)" if owner == "Alert API" else "another name"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run's tools.

    `clock` ends a wait when the operator asks to stop. `email` and `person` are the automation user's in
    PagerDuty. `ways` are the client's ways to un-acknowledge, by the escalation policy's id and the automation
    user. `keyed` is JSM's integration API, if its key is given. `staleness` is STALENESS_SECONDS. `halt` ends the
    steps early.
    """

    incidents: Incidents
    alerts: Alerts
    clock: Clock
    halt: Halt
    email: str
    person: Person
    alert_user: AlertUser
    ways: Ways
    staleness: float
    keyed: Api | None = None
    receipts: dict[str, float] = field(default_factory=dict)
    """Ids of accepted requests of this run, each with the monotonic time of its acceptance."""
    unanswered: list[str] = field(default_factory=list)
    """Ids of those whose status did not come in time."""

    def pause(self, seconds: float) -> None:
        """Wait. Stopped if the operator asks to stop, NotSettled when the time of the whole run is over."""
        self.clock.wait(seconds)
        self.halt.check()

    def until(
        self, shown: Callable[[], Found], within: float = PATIENCE, every: float = EVERY
    ) -> tuple[Found, float]:
        """What is shown as soon as it is true, or at the end; and the seconds that passed."""
        began = self.clock.monotonic()
        while True:
            found = shown()
            took = self.clock.monotonic() - began
            if found or took >= within:
                return found, took
            self.pause(max(SHORTEST, min(every, within - took)))

    def steady(self, read: Callable[[], Found], within: float = PATIENCE) -> Found:
        """What two reads in a row show, since two copies of the data may take turns; else what the last shows."""
        found, _ = self.until(lambda: (first,) if (first := read()) and first == read() else (), within)
        return found[0] if found else read()

    def new_incident(self, urgency: str = "low") -> Json:
        """A new incident, as the answer shows it, that can be read by its id. NotSettled if it does not appear."""
        incident = self.incidents.created(urgency=urgency)
        incident_id = text(incident.get("id"))
        if not self.steady(lambda: self.incidents.incident(incident_id)):
            raise NotSettled(f"a new incident is not found by its id within {PATIENCE:g} s")
        return incident

    def status(self, incident_id: str, expected: str) -> str:
        """The incident's status as soon as it is the expected one, or at the end."""
        is_shown, _ = self.until(lambda: self.incidents.status(incident_id) == expected)
        return expected if is_shown else self.incidents.status(incident_id)

    def requested_alert(self) -> tuple[Created, Json]:
        """A new alert that has been accepted, and what became of the request. NotSettled if that failed."""
        one, reply = self.alerts.create()
        outcome = self.settled(text(reply.body.get("requestId")))
        if outcome.get("isSuccess") is False:
            self.alerts.forget(one)
            raise NotSettled(f"a new alert is accepted, but not created: {text(outcome.get('status'))}")
        return one, outcome

    def new_alert(self) -> Created:
        """A new alert that can be read by its id. NotSettled if it does not appear in time."""
        one, _ = self.requested_alert()
        row, _ = self.until(lambda: self.alerts.by_alias(one.key))
        if not row:
            raise NotSettled(f"a new alert is not found by its alias within {PATIENCE:g} s")
        one = self.alerts.known(one, row)
        if not self.steady(lambda: self.alerts.alert(one.id)):
            raise NotSettled(f"a new alert is not found by its id within {PATIENCE:g} s")
        return one

    def settled(self, request_id: str) -> Json:
        """What became of an accepted request; empty if that is not known in time."""
        if not request_id:
            return {}
        self.receipts[request_id] = self.clock.monotonic()
        outcome, _ = self.until(
            lambda: self.alerts.outcome(request_id), IMPATIENCE if self.unanswered else PATIENCE
        )
        if not outcome:
            self.unanswered.append(request_id)
        return outcome

    def acted(self, alert_id: str, verb: str, user: str = "") -> Json:
        """Carry an act out, and wait for its outcome. NotSettled if it is refused."""
        reply = self.alerts.act(alert_id, verb, user).needed(f"{verb} of an alert")
        return self.settled(text(reply.body.get("requestId")))

    def noted(self, alert_id: str, words: str) -> Json:
        """Add a note, and wait until it is there: the answer where the note is in it, else the outcome."""
        reply = self.alerts.note(alert_id, words).needed("a note on an alert")
        if text(reply.body.get("note")):
            return reply.body
        return self.settled(text(reply.body.get("requestId")))

    def acknowledged(self, alert_id: str) -> bool:
        """Acknowledge an alert, and wait until it shows that."""
        self.acted(alert_id, "acknowledge")
        found, _ = self.until(lambda: is_acknowledged(self.alerts.alert(alert_id)))
        return found


def is_acknowledged(row: Json) -> bool:
    """Whether an alert says that it is acknowledged, in its flag or by its status."""
    return row.get("acknowledged") is True or text(row.get("status")) == "acked"
