"""The simulated account: its data, its settings, who is on call, and whom it notifies."""

from datetime import datetime, timedelta
from typing import NamedTuple

from reconciler.sandbox.copies import Copies
from reconciler.sandbox.due_queue import DueQueue
from reconciler.sandbox.journal import Journal, stamp
from reconciler.sandbox.pagerduty.directory import AGENTS, BOT, JANE, OMAR, POLICY_ID, SERVICES, USERS, User
from reconciler.sandbox.pagerduty.errors import not_found, problem
from reconciler.sandbox.pagerduty.state import Incident, Incidents, Note, StoredIncident
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Refused

_SILENT = ("disabled", "maintenance")
"""The states of a service in which nobody is notified."""


class Act(NamedTuple):
    """When an agent does something, and the channel of its log entry (`{"type": …}`)."""

    at: datetime
    who: User
    channel: Json


class Account:
    """What the API and the website have in common. `settings` may be replaced at any time.

    `pages` has one `{"incident_id", "at", "cause"}` for each time that an assigned user was notified. `due` holds
    the ends of acknowledgements and snoozes.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings, journal: Journal) -> None:
        self.clock = clock
        self.settings = settings
        self.journal = journal
        self.incidents = Incidents(settings.seed)
        self.pages: list[Json] = []
        self.due = DueQueue()
        self.copies = Copies()

    def settle(self) -> datetime:
        """Apply what is due; returns the time."""
        now = self.clock.now()
        self.due.apply(now)
        return now

    def readable_until(self) -> datetime:
        """The time that reads by id show: `detail_lag` seconds ago, or that of an older copy."""
        return self.clock.now() - timedelta(seconds=self.settings.detail_lag) - self.copies.behind

    def find(self, identifier: str) -> StoredIncident:
        """An incident by id, number or key (an open one, else the newest). Refused (404) when there is none."""
        stored = self.incidents.get(identifier)
        if stored is not None:
            return stored
        same_key = self.incidents.by_key(identifier)
        if not same_key:
            raise Refused(f"no such incident: {identifier}", 404)
        return next((found for found in same_key if found.now.is_open), same_key[-1])

    def get(self, incident_id: str) -> StoredIncident:
        """An incident by id or number, for a call of the API, which answers 404 or 403 when it cannot be had."""
        stored = self.incidents.get(incident_id)
        if stored is None:
            raise not_found()
        names = {stored.now.id, str(stored.now.number), stored.now.key}
        if names & set(self.settings.refused_incidents):
            raise problem(403, 2010)
        return stored

    def version(self, stored: StoredIncident) -> Incident:
        """The version of an incident that reads by id show; they answer 404 when it is too young for any."""
        is_fresh = stored.since > self.clock.now() - timedelta(seconds=self.settings.fresh_404)
        found = stored.as_of(self.readable_until())
        if found is None or is_fresh:
            raise not_found()
        return found

    @staticmethod
    def note(stored: StoredIncident, note_id: str) -> Note:
        """A note of an incident. Refused (404) when there is none."""
        for note in stored.notes:
            if note.id == note_id:
                return note
        raise Refused(f"no such note: {note_id}", 404)

    @staticmethod
    def person(user: str) -> User:
        """A user by id, name or e-mail, or an agent of AGENTS by its word. Refused (400) when there is none."""
        for known in (*USERS, *AGENTS.values()):
            if user in (known.id, known.name, known.email):
                return known
        if user in AGENTS:
            return AGENTS[user]
        raise Refused(f"no such PagerDuty user: {user!r}", 400)

    def users(self) -> list[User]:
        """The users of the account."""
        return [user for user in USERS if user != BOT or not self.settings.user_gone]

    def role(self, user: User) -> str:
        """A user's role."""
        return self.settings.bot_role if user == BOT else "user"

    @property
    def on_call(self) -> User:
        """The user on the first level of the services' escalation policy."""
        return BOT if self.settings.bot_on_call else JANE

    def levels(self, policy_id: str) -> list[list[User]]:
        """The users on each level of an escalation policy."""
        if self.settings.nobody_on_call:
            return [[]]
        return [[self.on_call], [OMAR]] if policy_id == POLICY_ID else [[OMAR]]

    def services(self) -> list[str]:
        """The ids of the account's services, also of those that are gone."""
        return list(SERVICES)[: self.settings.services]

    def status(self, service_id: str) -> str:
        """A service's status: as `bad_services` has it, else as `service_status` has it for all."""
        if service_id not in self.services():
            return "gone"
        return self.settings.bad_services.get(service_id, self.settings.service_status)

    def windows(self, service_id: str) -> dict[str, datetime]:
        """The beginnings of a service's maintenance windows, `ongoing` and `future`; each lasts an hour."""
        now, settings = self.clock.now(), self.settings
        found = {"ongoing": now - timedelta(minutes=5)} if self.status(service_id) == "maintenance" else {}
        if settings.maintenance_in:
            found["future"] = now + timedelta(seconds=settings.maintenance_in)
        return found

    def page(self, stored: StoredIncident, at: datetime, cause: str) -> None:
        """Notify the assigned users, unless the automation user is the only one or the service is silent."""
        settings = self.settings
        if self.status(stored.now.service_id) in _SILENT or settings.nobody_on_call:
            return
        if all(assigned.user == BOT for assigned in stored.now.assigned):
            return
        self.pages.append({"incident_id": stored.now.id, "at": stamp(at), "cause": cause})

    def record(self, stored: StoredIncident, act: Act, verb: str, text: str = "", ref: str = "") -> None:
        """Write a person's act into the journal."""
        self.journal.act(
            act.at, "pagerduty", act.who.name, verb,
            incident_id=stored.now.id, alert_id=stored.now.key, text=text, ref=ref,
        )  # fmt: skip
