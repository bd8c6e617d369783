"""PagerDuty: what its engineers do and what happens by itself, as one state machine.

Everything takes effect at once. Timeouts are applied at the start of every call, with their due time as stamp.
"""

from datetime import datetime

from reconciler.sandbox.due_queue import DueQueue
from reconciler.sandbox.journal import Journal, stamp
from reconciler.sandbox.pagerduty.routes import PagerDutyHttp
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.shapes import incident_json, log_entry_json, note_json
from reconciler.sandbox.pagerduty.state import AGENTS, BOT, OMAR, USERS, Entry, Incidents, Note, User
from reconciler.sandbox.rate_limit import SlidingMinute
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Refused, Request, Response

_WEB: Json = {"type": "website"}
_SILENT = ("disabled", "maintenance")
"""How a service stands where nobody is notified of its incidents."""


class PagerDutyApi:
    """The whole of PagerDuty. `settings` may be replaced at any time. Not thread-safe: the caller locks.

    `pages` has one `{incident_id, at, cause}` for each time that the on-call was notified.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings, journal: Journal | None = None) -> None:
        self.clock = clock
        self.settings = settings
        self.journal = journal or Journal()
        self.incidents = Incidents(settings.seed)
        self.limit = SlidingMinute()
        self.creations = SlidingMinute()
        self.pages: list[Json] = []
        self.dues = DueQueue()
        self.rules = Rules(self)
        self._http = PagerDutyHttp(self)

    def handle(self, request: Request) -> Response:
        """Answer one API call; paths begin with /incidents, /log_entries, /users, /services and the like."""
        self.settle()
        return self._http.handle(request)

    def settle(self) -> datetime:
        """Apply all that is due; returns the time."""
        now = self.clock.now()
        self.dues.apply(now)
        return now

    # What engineers do on the website. Each returns the incident and raises Refused when it is not possible.

    def create_incident(
        self, title: str, *, user: str = OMAR.id, urgency: str = "high", key: str = "", body: str = "",
        alert_keys: tuple[str, ...] = (),
    ) -> Json:  # fmt: skip
        """Create an incident by hand, whatever its key; with `alert_keys` it has child alerts of these keys."""
        now, who = self.settle(), self.person(user)
        channel = {"type": "web_trigger", "summary": title, "subject": title, "details": body}
        entry = self.rules.create(
            now, who, channel, title=title, key=key, urgency=urgency, body=body, alert_keys=alert_keys
        )
        return self._done(entry, now, who, "create", title)

    def acknowledge(self, incident_id: str, user: str) -> Json:
        """Acknowledge; again adds an acknowledger and starts the timeout over."""
        now, entry, who = self._open(incident_id, user)
        self.rules.acknowledge(entry, now, who, _channel(who))
        return self._done(entry, now, who, "acknowledge")

    def unacknowledge(self, incident_id: str, user: str) -> Json:
        """Un-acknowledge by hand: the on-call is paged again."""
        now, entry, who = self._open(incident_id, user)
        if entry.now.status != "acknowledged":
            raise Refused("the incident is not acknowledged")
        self.rules.log(entry, now, "unacknowledge_log_entry", f"Unacknowledged by {who.name}", who, _channel(who))
        self.rules.trigger(entry, now, "unacknowledged by hand")
        return self._done(entry, now, who, "unacknowledge")

    def retrigger(self, incident_id: str, user: str) -> Json:
        """It is triggered again and no log entry says so, as after some snoozes and changes of urgency."""
        now, entry, who = self._open(incident_id, user)
        if entry.now.status != "acknowledged":
            raise Refused("the incident is not acknowledged")
        self.rules.trigger(entry, now, "retriggered without a log entry")
        return self._done(entry, now, who, "retrigger")

    def resolve(self, incident_id: str, user: str) -> Json:
        """Resolve."""
        now, entry, who = self._open(incident_id, user)
        self.rules.resolve(entry, now, who, _channel(who))
        return self._done(entry, now, who, "resolve")

    def reopen(self, incident_id: str, user: str) -> Json:
        """Reopen what is resolved; it is triggered then."""
        now, entry, who = self.settle(), self.find(incident_id), self.person(user)
        if entry.now.is_open:
            raise Refused("the incident is not resolved")
        self.rules.reopen(entry, now, who, _WEB)
        return self._done(entry, now, who, "reopen")

    def snooze(self, incident_id: str, user: str, seconds: float) -> Json:
        """Snooze what is acknowledged: it is triggered again afterwards."""
        now, entry, who = self._open(incident_id, user)
        if entry.now.status != "acknowledged":
            raise Refused("only an acknowledged incident can be snoozed")
        self.rules.snooze(entry, now, who, seconds, _WEB)
        return self._done(entry, now, who, "snooze")

    def reassign(self, incident_id: str, user: str, to: str = OMAR.id) -> Json:
        """Hand over to somebody: the incident is triggered again."""
        now, entry, who = self._open(incident_id, user)
        self.rules.assign(entry, now, who, self.person(to), _WEB)
        return self._done(entry, now, who, "reassign")

    def merge(self, incident_id: str, user: str, into: str) -> Json:
        """Merge into another incident: this one is resolved for that reason."""
        now, entry, who = self._open(incident_id, user)
        target = self.find(into)
        if target is entry:
            raise Refused("an incident cannot be merged into itself")
        self.rules.merge(entry, now, who, target, _WEB)
        return self._done(entry, now, who, "merge", target.now.id)

    def add_note(self, incident_id: str, user: str, text: str) -> Json:
        """Add a note; returns the note. On a resolved incident too."""
        now, entry, who = self.settle(), self.find(incident_id), self.person(user)
        note = self.rules.note(entry, now, who, text)
        self._done(entry, now, who, "note", text, note.id)
        return note_json(note)

    def edit_note(self, incident_id: str, user: str, note_id: str, text: str) -> Json:
        """Edit a note; returns it. Nothing in the log tells of it."""
        now, entry, who = self.settle(), self.find(incident_id), self.person(user)
        note = self.rules.edit_note(entry, now, self.note(entry, note_id), text)
        self._done(entry, now, who, "edit_note", text, note.id)
        return note_json(note)

    def delete_note(self, incident_id: str, user: str, note_id: str) -> None:
        """Delete a note. Nothing in the log tells of it."""
        now, entry, who = self.settle(), self.find(incident_id), self.person(user)
        entry.notes.remove(self.note(entry, note_id))
        self._done(entry, now, who, "delete_note", ref=note_id)

    def state(self) -> Json:
        """Everything: `{"incidents": [incident + notes + log_entries], "pages": [...]}`, oldest first."""
        self.settle()
        return {"incidents": [self._whole(entry) for entry in self.incidents.entries()], "pages": list(self.pages)}

    def find(self, identifier: str) -> Entry:
        """An incident by id, number or key (an open one, else the newest). Refused (404) when there is none."""
        entry = self.incidents.entry(identifier)
        if entry is not None:
            return entry
        same_key = self.incidents.by_key(identifier)
        if not same_key:
            raise Refused(f"no such incident: {identifier}", 404)
        return next((found for found in same_key if found.now.is_open), same_key[-1])

    def note(self, entry: Entry, note_id: str) -> Note:
        """A note of an incident. Refused (404) when there is none."""
        for note in entry.notes:
            if note.id == note_id:
                return note
        raise Refused(f"no such note: {note_id}", 404)

    @staticmethod
    def person(user: str) -> User:
        """A user by id, name or e-mail, or one of AGENTS by its word. Refused (400) when there is none."""
        for known in (*USERS, *AGENTS.values()):
            if user in (known.id, known.name, known.email):
                return known
        if user in AGENTS:
            return AGENTS[user]
        raise Refused(f"no such PagerDuty user: {user!r}", 400)

    def page(self, entry: Entry, at: datetime, cause: str) -> None:
        """Notify who is assigned: nobody where that is the automation user alone, or the service is silent."""
        settings = self.settings
        if settings.service_status in _SILENT or settings.nobody_on_call:
            return
        if all(hand.user == BOT for hand in entry.now.assigned):
            return
        self.pages.append({"incident_id": entry.now.id, "at": stamp(at), "cause": cause})

    def _open(self, incident_id: str, user: str) -> tuple[datetime, Entry, User]:
        now, entry, who = self.settle(), self.find(incident_id), self.person(user)
        if not entry.now.is_open:
            raise Refused("the incident is resolved")
        return now, entry, who

    def told(self, entry: Entry, at: datetime, who: User, verb: str, text: str = "", ref: str = "") -> None:
        """Write down what a person did."""
        incident = entry.now
        self.journal.act(
            at, "pagerduty", who.name, verb, incident_id=incident.id, alert_id=incident.key, text=text, ref=ref
        )

    def _done(self, entry: Entry, now: datetime, who: User, verb: str, text: str = "", ref: str = "") -> Json:
        self.told(entry, now, who, verb, text, ref)
        return incident_json(entry.now)

    @staticmethod
    def _whole(entry: Entry) -> Json:
        log_entries = [log_entry_json(line, channels=True) for line in entry.log]
        notes = [note_json(note) for note in entry.notes]
        return incident_json(entry.now) | {"notes": notes, "log_entries": log_entries, "body": entry.now.body}


def _channel(who: User) -> Json:
    """How an act reached PagerDuty: what is no person acts by itself."""
    return {"type": "auto"} if who.kind != "user_reference" else _WEB
