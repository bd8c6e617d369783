"""The simulated PagerDuty as a whole: its API, and what its users do on the website.

Every change takes effect at once. Timeouts are applied when the next call comes in, stamped with their due time.
"""

from datetime import datetime

from reconciler.sandbox.journal import Journal
from reconciler.sandbox.pagerduty.account import Account
from reconciler.sandbox.pagerduty.routes import PagerDutyRoutes
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.shapes import incident_json, note_json, whole
from reconciler.sandbox.pagerduty.state import OMAR, StoredIncident, User
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Refused, Request, Response

_WEB: Json = {"type": "website"}


class PagerDutyApi:
    """`handle` answers calls of the API; the other methods act as a user of the website, or read the whole state.

    `user` is an id, a name or an e-mail of one of `state.USERS`, or one of `state.AGENTS`; `incident_id` an id, a
    number or a key. Acts that are not possible raise Refused. Not thread-safe: the caller locks.
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
        alert_keys: tuple[str, ...] = (),
    ) -> Json:  # fmt: skip
        """Create an incident, even if one of this key is open; with `alert_keys` it has child alerts."""
        now, who = self._account.settle(), self._account.person(user)
        channel = {"type": "web_trigger", "summary": title, "subject": title, "details": body}
        stored = self._rules.create(
            now, who, channel, title=title, key=key, urgency=urgency, body=body, alert_keys=alert_keys
        )
        return self._done(stored, now, who, "create", title)

    def acknowledge(self, incident_id: str, user: str) -> Json:
        """Acknowledge, maybe once more."""
        now, stored, who = self._open(incident_id, user)
        self._rules.acknowledge(stored, now, who, _channel(who))
        return self._done(stored, now, who, "acknowledge")

    def unacknowledge(self, incident_id: str, user: str) -> Json:
        """Un-acknowledge."""
        now, stored, who = self._acknowledged(incident_id, user)
        self._rules.unacknowledge(stored, now, who, _channel(who))
        return self._done(stored, now, who, "unacknowledge")

    def retrigger(self, incident_id: str, user: str) -> Json:
        """Make an acknowledged incident triggered without a log entry, as some changes of urgency do."""
        now, stored, who = self._acknowledged(incident_id, user)
        self._rules.trigger(stored, now, "retriggered without a log entry")
        return self._done(stored, now, who, "retrigger")

    def resolve(self, incident_id: str, user: str) -> Json:
        """Resolve."""
        now, stored, who = self._open(incident_id, user)
        self._rules.resolve(stored, now, who, _channel(who))
        return self._done(stored, now, who, "resolve")

    def reopen(self, incident_id: str, user: str) -> Json:
        """Make a resolved incident triggered."""
        now, stored, who = self._any(incident_id, user)
        if stored.now.is_open:
            raise Refused("the incident is not resolved")
        self._rules.reopen(stored, now, who, _WEB)
        return self._done(stored, now, who, "reopen")

    def snooze(self, incident_id: str, user: str, seconds: float) -> Json:
        """Snooze an acknowledged incident."""
        now, stored, who = self._acknowledged(incident_id, user, "only an acknowledged incident can be snoozed")
        self._rules.snooze(stored, now, who, seconds, _WEB)
        return self._done(stored, now, who, "snooze")

    def reassign(self, incident_id: str, user: str, to: str = OMAR.id) -> Json:
        """Assign to another user."""
        now, stored, who = self._open(incident_id, user)
        self._rules.assign(stored, now, who, self._account.person(to), _WEB)
        return self._done(stored, now, who, "reassign")

    def merge(self, incident_id: str, user: str, into: str) -> Json:
        """Merge into another incident."""
        now, stored, who = self._open(incident_id, user)
        target = self.find(into)
        if target is stored:
            raise Refused("an incident cannot be merged into itself")
        self._rules.merge(stored, now, who, target, _WEB)
        return self._done(stored, now, who, "merge", target.now.id)

    def add_note(self, incident_id: str, user: str, text: str) -> Json:
        """Add a note, also to a resolved incident; returns the note."""
        now, stored, who = self._any(incident_id, user)
        note = self._rules.note(stored, now, who, text)
        self._account.record(stored, now, who, "note", text, note.id)
        return note_json(note)

    def edit_note(self, incident_id: str, user: str, note_id: str, text: str) -> Json:
        """Edit a note; returns it."""
        now, stored, who = self._any(incident_id, user)
        note = self._rules.edit_note(stored, now, self._account.note(stored, note_id), text)
        self._account.record(stored, now, who, "edit_note", text, note.id)
        return note_json(note)

    def delete_note(self, incident_id: str, user: str, note_id: str) -> None:
        """Delete a note. The log has no entry about it (none is documented)."""
        now, stored, who = self._any(incident_id, user)
        stored.notes.remove(self._account.note(stored, note_id))
        self._account.record(stored, now, who, "delete_note", ref=note_id)

    def state(self) -> Json:
        """Everything: `{"incidents": [incident + notes + log_entries + body], "pages": […]}`, oldest first."""
        self._account.settle()
        return {"incidents": list(map(whole, self.incidents.entries())), "pages": list(self.pages)}

    def _any(self, incident_id: str, user: str) -> tuple[datetime, StoredIncident, User]:
        return self._account.settle(), self.find(incident_id), self._account.person(user)

    def _open(self, incident_id: str, user: str) -> tuple[datetime, StoredIncident, User]:
        now, stored, who = self._any(incident_id, user)
        if not stored.now.is_open:
            raise Refused("the incident is resolved")
        return now, stored, who

    def _acknowledged(
        self, incident_id: str, user: str, otherwise: str = "the incident is not acknowledged"
    ) -> tuple[datetime, StoredIncident, User]:
        now, stored, who = self._open(incident_id, user)
        if stored.now.status != "acknowledged":
            raise Refused(otherwise)
        return now, stored, who

    def _done(self, stored: StoredIncident, now: datetime, who: User, verb: str, text: str = "") -> Json:
        self._account.record(stored, now, who, verb, text)
        return incident_json(stored.now)


def _channel(who: User) -> Json:
    """The channel of an act: a user's is the website, another agent's is "auto"."""
    return _WEB if who.kind == "user_reference" else {"type": "auto"}
