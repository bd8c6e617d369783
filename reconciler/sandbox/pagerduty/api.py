"""The simulated PagerDuty as a whole: its API, and what its users do on the website.

Every change takes effect at once. Timeouts are applied when the next call comes in, stamped with their due time.
"""

from reconciler.sandbox.journal import Journal
from reconciler.sandbox.pagerduty.account import Account, Act
from reconciler.sandbox.pagerduty.directory import OMAR, SERVICE_ID
from reconciler.sandbox.pagerduty.routes import PagerDutyRoutes
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.shapes import incident_json, note_json, whole
from reconciler.sandbox.pagerduty.state import StoredIncident
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Refused, Request, Response


class PagerDutyApi:
    """`handle` answers calls of the API; the other methods act as a user of the website, or read the whole state.

    `incident_id` is an id, number or key; `user` an id, name or e-mail of one of `directory.USERS`, or one
    of `directory.AGENTS`. Acts that are not possible raise Refused. Not thread-safe: the caller locks.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings, journal: Journal | None = None) -> None:
        self._account = Account(clock, settings, journal or Journal())
        self._rules = Rules(self._account)
        self._routes = PagerDutyRoutes(self._account, self._rules)
        self.incidents = self._account.incidents
        self.pages = self._account.pages
        self.find = self._account.find

    @property
    def settings(self) -> SandboxSettings:
        """The settings, which may be replaced at any time."""
        return self._account.settings

    @settings.setter
    def settings(self, settings: SandboxSettings) -> None:
        self._account.settings = settings

    def handle(self, request: Request) -> Response:
        """Answer one API call; paths begin with /incidents, /log_entries, /users, /services and the like."""
        self._account.settle()
        return self._routes.handle(request)

    def create_incident(
        self, title: str, *, user: str = OMAR.id, urgency: str = "high", key: str = "", body: str = "",
        alert_keys: tuple[str, ...] = (), service_id: str = SERVICE_ID,
    ) -> Json:  # fmt: skip
        """Create an incident, even if one of this key is open; with `alert_keys` it has child alerts."""
        if service_id not in self._account.services():
            raise Refused(f"no such service: {service_id}", 400)
        channel = {"type": "web_trigger", "summary": title, "subject": title, "details": body}
        act = self._act(user)._replace(channel=channel)
        stored = self._rules.create(
            act, title=title, key=key, urgency=urgency, body=body, alert_keys=alert_keys, service_id=service_id
        )
        return self._done(stored, act, "create", title)

    def acknowledge(self, incident_id: str, user: str) -> Json:
        """Acknowledge, maybe once more."""
        stored, act = self._open(incident_id, user)
        self._rules.acknowledge(stored, act)
        return self._done(stored, act, "acknowledge")

    def unacknowledge(self, incident_id: str, user: str) -> Json:
        """Un-acknowledge."""
        stored, act = self._acknowledged(incident_id, user)
        self._rules.unacknowledge(stored, act)
        return self._done(stored, act, "unacknowledge")

    def retrigger(self, incident_id: str, user: str) -> Json:
        """Make an acknowledged incident triggered without a log entry, as some changes of urgency do."""
        stored, act = self._acknowledged(incident_id, user)
        self._rules.trigger(stored, act.at, "retriggered without a log entry")
        return self._done(stored, act, "retrigger")

    def resolve(self, incident_id: str, user: str) -> Json:
        """Resolve."""
        stored, act = self._open(incident_id, user)
        self._rules.resolve(stored, act)
        return self._done(stored, act, "resolve")

    def reopen(self, incident_id: str, user: str) -> Json:
        """Make a resolved incident triggered."""
        stored, act = self._any(incident_id, user)
        if stored.now.is_open:
            raise Refused("the incident is not resolved")
        self._rules.reopen(stored, act)
        return self._done(stored, act, "reopen")

    def snooze(self, incident_id: str, user: str, seconds: float) -> Json:
        """Snooze an acknowledged incident."""
        stored, act = self._acknowledged(incident_id, user, "only an acknowledged incident can be snoozed")
        self._rules.snooze(stored, act, seconds)
        return self._done(stored, act, "snooze")

    def reassign(self, incident_id: str, user: str, to: str = OMAR.id) -> Json:
        """Assign to another user."""
        stored, act = self._open(incident_id, user)
        self._rules.assign(stored, act, self._account.person(to))
        return self._done(stored, act, "reassign")

    def merge(self, incident_id: str, user: str, into: str) -> Json:
        """Merge into another incident."""
        stored, act = self._open(incident_id, user)
        target = self.find(into)
        if target is stored:
            raise Refused("an incident cannot be merged into itself")
        self._rules.merge(stored, act, target)
        return self._done(stored, act, "merge", target.now.id)

    def add_note(self, incident_id: str, user: str, text: str) -> Json:
        """Add a note, also to a resolved incident; returns the note."""
        stored, act = self._any(incident_id, user)
        note = self._rules.note(stored, act, text)
        self._account.record(stored, act, "note", text, note.id)
        return note_json(note)

    def edit_note(self, incident_id: str, user: str, note_id: str, text: str) -> Json:
        """Edit a note; returns it."""
        stored, act = self._any(incident_id, user)
        note = self._rules.edit_note(stored, act, self._account.note(stored, note_id), text)
        self._account.record(stored, act, "edit_note", text, note.id)
        return note_json(note)

    def delete_note(self, incident_id: str, user: str, note_id: str) -> None:
        """Delete a note. The log has no entry about it (none is documented)."""
        stored, act = self._any(incident_id, user)
        stored.notes.remove(self._account.note(stored, note_id))
        self._account.record(stored, act, "delete_note", ref=note_id)

    def state(self) -> Json:
        """Everything: `{"incidents": [incident + notes + log_entries + body], "pages": […]}`, oldest first."""
        self._account.settle()
        return {"incidents": list(map(whole, self.incidents.entries())), "pages": list(self.pages)}

    def _act(self, user: str) -> Act:
        """What a user does on the website now, or another agent by itself."""
        at, who = self._account.settle(), self._account.person(user)
        return Act(at, who, {"type": "website" if who.kind == "user_reference" else "auto"})

    def _any(self, incident_id: str, user: str) -> tuple[StoredIncident, Act]:
        self._account.settle()
        return self.find(incident_id), self._act(user)

    def _open(self, incident_id: str, user: str) -> tuple[StoredIncident, Act]:
        stored, act = self._any(incident_id, user)
        if not stored.now.is_open:
            raise Refused("the incident is resolved")
        return stored, act

    def _acknowledged(
        self, incident_id: str, user: str, otherwise: str = "the incident is not acknowledged"
    ) -> tuple[StoredIncident, Act]:
        stored, act = self._open(incident_id, user)
        if stored.now.status != "acknowledged":
            raise Refused(otherwise)
        return stored, act

    def _done(self, stored: StoredIncident, act: Act, verb: str, text: str = "") -> Json:
        self._account.record(stored, act, verb, text)
        return incident_json(stored.now)
