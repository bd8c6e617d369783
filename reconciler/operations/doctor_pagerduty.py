"""Checks of PagerDuty: the key and its rights, the automation user, the service, and who would be paged."""

from datetime import UTC, datetime, timedelta

from reconciler.core import text
from reconciler.core.model import Action, Incident, Kind, Note, Person, Side
from reconciler.observability.naming import counted, span
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.doctor_vendor import VendorChecks, phrase, write_right
from reconciler.operations.findings import Check, Finding, bad, good, warning
from reconciler.reconcile import priorities
from reconciler.settings import Settings
from reconciler.vendors.ports import Clock, MaintenanceWindow, PagerDutyExaminer

AHEAD = timedelta(days=30)
"""How far ahead the automation user's shifts and the service's maintenance windows are looked for."""
SAMPLE = 5
"""Open incidents whose notes are read for those of another reconciler."""


class PagerDutyChecks(VendorChecks):
    """PagerDuty's checks."""

    def __init__(
        self,
        pagerduty: PagerDutyExaminer,
        elsewhere: PagerDutyExaminer | None,
        other_url: str,
        settings: Settings,
        database: DatabaseChecks,
        clock: Clock,
    ) -> None:
        super().__init__(Side.PAGERDUTY, pagerduty, elsewhere, settings.pagerduty_api_url, other_url, clock)
        self._pagerduty = pagerduty
        self._service_id = settings.pagerduty_service_id
        self._user = Person("", settings.pagerduty_user)
        self._database = database
        self._priorities = settings.pagerduty_priorities
        self._is_service_known = True

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""
        return (
            ("pagerduty key", self.key),
            ("pagerduty region", self.region),
            ("pagerduty owner", self.asked(self.owner)),
            ("pagerduty reads", self.asked(self.reads)),
            ("pagerduty writes", self.writes),
            ("pagerduty user", self.asked(self.user)),
            ("pagerduty service", self.asked(self.service)),
            ("pagerduty maintenance", self.asked(self.maintenance)),
            ("pagerduty on call", self.asked(self.on_call)),
            ("pagerduty user's duties", self.asked(self.duties)),
            *([("pagerduty priorities", self.asked(self.priorities))] if self._priorities else []),
            ("another reconciler", self.asked(self.another)),
            ("pagerduty clock", self.clock),
        )

    def owner(self) -> Finding:
        """Whose key it is: the account's, or the automation user's own token."""
        self._pagerduty.check_key()
        owner = self._pagerduty.key_owner()
        if owner.kind == "account":
            return good("pagerduty owner", "a key of the account: writes bear the name of PAGERDUTY_EMAIL")
        if owner.person is None:
            return warning("pagerduty owner", "PagerDuty does not say whose key it is")
        return good("pagerduty owner", f"the automation user's own token: {owner.person.name}")

    def reads(self) -> Finding:
        """Whether the key may read incidents and the log."""
        incidents = self._pagerduty.newest_incidents(SAMPLE)
        self._pagerduty.log_entries(self._clock.now() - timedelta(minutes=1), lambda _: True)
        seen = "no open incident" if not incidents else f"open incidents up to #{incidents[0].number}"
        return good("pagerduty reads", f"allowed: {seen}, and the log")

    def writes(self) -> Finding:
        """Whether the key may write."""
        fix = "see in PagerDuty that the key is not read-only (Integrations, API Access Keys)"
        last = self._database.memory.last_written[self.side]
        return write_right("pagerduty writes", last, self._clock.now(), fix)

    def user(self) -> Finding:
        """Whether the automation user is there, is the configured one, and has a role that may write."""
        found = self._pagerduty.automation_user()
        self._user = found.person
        if found.objection:
            return bad(
                "pagerduty user", found.objection.partition(": give ")[0], "give it the role responder or higher"
            )
        if not found.person.id:
            fix = "give the user's id as PAGERDUTY_USER, or a key that may read users"
            return warning("pagerduty user", f"{found.person.name}: the key may not read users", fix)
        return good("pagerduty user", f"{found.person.name} ({found.person.id}) is there, and its role may write")

    def service(self) -> Finding:
        """Whether the service is there and makes incidents that page."""
        self._is_service_known = False
        status = self._pagerduty.check_service()
        self._is_service_known = True
        if status.objection:
            return bad(
                "pagerduty service", status.objection, "enable it, or end its maintenance window, in PagerDuty"
            )
        facts = self._pagerduty.service_facts()
        timeout = facts.acknowledgement_timeout
        ends = f"end after {span(timeout)}" if timeout else "do not end by themselves"
        which = f'{self._service_id} "{facts.name}" is {facts.status or "there"}'
        return good("pagerduty service", f"{which}; acknowledgements {ends}")

    def maintenance(self) -> Finding:
        """Maintenance windows, in which nobody is paged."""
        now, listed = self._clock.now(), self._pagerduty.maintenance_windows()
        if listed is None:
            return warning("pagerduty maintenance", "the key may not read maintenance windows")
        found = [each for each in listed if _is_near(each, now)]
        if not found:
            return good("pagerduty maintenance", f"no window now or within {span(AHEAD)}")
        words = "nobody is paged " + phrase(map(_from_to, found))
        return warning("pagerduty maintenance", words, "see the service's maintenance windows in PagerDuty")

    def on_call(self) -> Finding:
        """Who would be paged."""
        if not self._is_service_known:
            return warning("pagerduty on call", "not checked: the service is not known")
        facts = self._pagerduty.service_facts()
        policy_id, name = facts.policy_id, facts.policy_name
        if not policy_id:
            fix = "give the service an escalation policy in PagerDuty"
            return bad("pagerduty on call", "the service names no escalation policy", fix)
        objection = self._pagerduty.on_call(self._user, policy_id).objection
        if objection:
            return bad("pagerduty on call", objection)
        people = self._pagerduty.people_on_call(policy_id)
        which = f'the policy {policy_id} "{name}"'
        if people is None:
            fix = "give a key that may read who is on call"
            return warning("pagerduty on call", f"who is on call on {which} cannot be read", fix)
        return good("pagerduty on call", f"{phrase(one.name for one in people)} on {which}")

    def duties(self) -> Finding:
        """Whether the automation user is on any schedule or escalation policy: then its incidents page nobody."""
        name = "pagerduty user's duties"
        if not self._user.id:
            return warning(name, "not checked: the automation user's id is not known")
        now = self._clock.now()
        found = self._pagerduty.duties(self._user.id, now, now + AHEAD)
        if found:
            words = f"{self._user.name} is on {phrase(found)}: what it creates while on call pages nobody"
            return bad(name, words, "take it off every schedule and escalation policy")
        return good(name, f"{self._user.name} is on no schedule and no escalation policy")

    def priorities(self) -> Finding:
        """Whether PagerDuty has the priorities that PAGERDUTY_PRIORITIES names. Pages do not depend on it."""
        names = [name for _, name in self._priorities]
        words, _, fix = priorities.objection(names, self._pagerduty.priorities()).partition("; ")
        if words:
            return warning("pagerduty priorities", words, fix)
        given = phrase(f"{alerts} is {name}" for alerts, name in self._priorities)
        return good("pagerduty priorities", f"PagerDuty has each: {given}")

    def another(self) -> Finding:
        """Whether notes on the newest incidents were written by a reconciler with another database."""
        if self._database.lost:
            return warning("another reconciler", f"not checked: {self._database.lost}")
        incidents = self._pagerduty.newest_incidents(SAMPLE)
        known = self._database.actions([incident.key for incident in incidents if incident.key])
        foreign = {
            incident: [
                note for note in self._pagerduty.notes(incident.id) if self._is_foreign(note, incident, known)
            ]
            for incident in incidents
        }
        count = sum(map(len, foreign.values()))
        if not count:
            return good("another reconciler", f"no trace of one in {counted(len(incidents), 'open incident')}")
        where = phrase(f"#{incident.number}" for incident, notes in foreign.items() if notes)
        words = f"{counted(count, 'note')} of ours on {where} that this database has not written"
        fix = "stop any other reconciler, or name its database: two of them tell everything twice"
        return warning("another reconciler", words, fix)

    def _is_foreign(self, note: Note, incident: Incident, known: dict[str, tuple[Action, ...]]) -> bool:
        """Whether a note is a reconciler's copy, by its author and mark, and not of this database."""
        is_ours = note.author.id == self._user.id if self._user.id else note.author.name == self._user.name
        if not is_ours or not text.is_copy_from(note.text, Side.ALERTS):
            return False
        mine = [action for action in known.get(incident.key, ()) if action.kind is Kind.PAGERDUTY_NOTE]
        return not any(note.id == action.result_id or text.carries(note.text, action.mark) for action in mine)


def _is_near(window: MaintenanceWindow, now: datetime) -> bool:
    return (window.ends is None or window.ends > now) and (window.starts is None or window.starts < now + AHEAD)


def _from_to(window: MaintenanceWindow) -> str:
    times = (f"{at.astimezone(UTC):%m-%d %H:%M}" if at else "?" for at in (window.starts, window.ends))
    return "from {} to {} UTC".format(*times)
