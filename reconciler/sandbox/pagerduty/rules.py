"""What happens to an incident, whether through the API, on the website or by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from reconciler.sandbox.pagerduty.account import Account, Act
from reconciler.sandbox.pagerduty.directory import OMAR, POLICY_ID, PRIORITIES, SERVICE_ID, SERVICES, User
from reconciler.sandbox.pagerduty.shapes import user_reference
from reconciler.sandbox.pagerduty.state import Involvement, LogEntry, Note, StoredIncident
from reconciler.sandbox.wire import Json, whole_seconds

_NOISE = ("notify_log_entry", "priority_change_log_entry", "link_log_entry")
"""Meaningless log entries, in turn: one without agent, one without incident, one of an undocumented kind."""


class Rules:
    """Changes of incidents, each by an act."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.incidents
        self._logged = 0

    def create(
        self, act: Act, *,
        title: str, key: str, urgency: str, body: str, alert_keys: tuple[str, ...] = (), priority_id: str = "",
        service_id: str = SERVICE_ID,
    ) -> StoredIncident:  # fmt: skip
        """Create an incident, assigned to the user on call.

        If that is its creator, it begins acknowledged and notifies nobody (documented for a creation that is
        assigned to its creator; uncertain for one who is on call).
        """
        second = whole_seconds(act.at)
        assigned = (Involvement(second, self._account.on_call),)
        stored = self._store.add(
            act.at, second, title=title, key=key, urgency=urgency, body=body, assigned=assigned,
            alert_keys=alert_keys, priority_id=priority_id, service_id=service_id,
        )  # fmt: skip
        through = "the API" if act.channel["type"] == "api" else "the website"
        self._log(stored, act, "trigger", f"Triggered through {through}")
        if act.who == self._account.on_call and self._account.settings.born_acknowledged:
            self.acknowledge(stored, act)
        else:
            self._account.page(stored, act.at, "triggered")
        return stored

    def acknowledge(self, stored: StoredIncident, act: Act) -> None:
        """Acknowledge. A resolved incident is reopened and assigned to `who` (documented since 2025-09-18).

        An acknowledged incident gets one more acknowledger, and its timeout starts anew (observed).
        """
        before, settings = stored.now, self._account.settings
        involvement = Involvement(whole_seconds(act.at), act.who)
        assigned = (involvement,) if settings.ack_assigns or not before.is_open else before.assigned
        # Only the log entry of a creation has the creation's title and body in its channel.
        act = act._replace(channel={"type": act.channel["type"].replace("web_trigger", "website")})
        if not before.is_open:
            self._log(stored, act, "reopen", f"Reopened by {act.who.name}")
        others = tuple(acknowledged for acknowledged in before.acknowledged if acknowledged.user != act.who)
        changes: Json = {}
        if before.status != "acknowledged":
            changes = {"changed_at": involvement.at, "changed_by": act.who}
        timeout = settings.acknowledgement_timeout
        until = None if timeout is None else act.at + timedelta(seconds=timeout)
        self._store.change(
            stored, act.at, status="acknowledged", acknowledged=(*others, involvement),
            assigned=assigned, ack_until=until, snoozed=False, resolved_at=None, merged_into="", **changes,
        )  # fmt: skip
        extra = {"acknowledgement_timeout": None if timeout is None else int(timeout)}
        self._log(stored, act, "acknowledge", f"Acknowledged by {act.who.name}", extra)
        if until is not None:
            self._account.due.put(until, partial(self._time_out, stored, until))

    def unacknowledge(self, stored: StoredIncident, act: Act) -> None:
        """Un-acknowledge, as a person does on the website: the log names who did."""
        self._log(stored, act, "unacknowledge", f"Unacknowledged by {act.who.name}")
        self.trigger(stored, act.at, "unacknowledged by hand")

    def trigger(self, stored: StoredIncident, at: datetime, cause: str, **changes: object) -> None:
        """Make an incident triggered, and notify. The log has no entry about it."""
        self._store.change(
            stored, at, status="triggered", acknowledged=(), ack_until=None, snoozed=False, resolved_at=None,
            merged_into="", changed_at=whole_seconds(at), changed_by=None, **changes,
        )  # fmt: skip
        self._account.page(stored, at, cause)

    def reopen(self, stored: StoredIncident, act: Act) -> None:
        """Make a resolved incident triggered."""
        self._log(stored, act, "reopen", f"Reopened by {act.who.name}")
        assigned = (Involvement(whole_seconds(act.at), self._account.on_call),)
        self.trigger(stored, act.at, "reopened", assigned=assigned)

    def resolve(self, stored: StoredIncident, act: Act, *, merged_into: str = "") -> None:
        """Resolve; `merged_into` is the id of the target incident when a merge is the reason."""
        second = whole_seconds(act.at)
        self._store.change(
            stored, act.at, status="resolved", acknowledged=(), assigned=(), ack_until=None, snoozed=False,
            resolved_at=second, changed_at=second, changed_by=act.who, merged_into=merged_into,
        )  # fmt: skip
        self._log(stored, act, "resolve", f"Resolved by {act.who.name}")

    def merge(self, stored: StoredIncident, act: Act, target: StoredIncident) -> None:
        """Merge into another incident: the target gets the child alerts, this incident is resolved."""
        if self._account.settings.merge_hides_key:
            self._store.change(target, act.at, shows_key=False)
        if moved := stored.now.alert_keys:
            self._store.change(target, act.at, alert_keys=(*target.now.alert_keys, *moved))
            self._store.change(stored, act.at, alert_keys=())
        self.resolve(stored, act, merged_into=target.now.id)

    def snooze(self, stored: StoredIncident, act: Act, seconds: float) -> None:
        """Snooze an acknowledged incident: it stays acknowledged until the snooze ends, and is then triggered."""
        until = act.at + timedelta(seconds=seconds)
        self._store.change(stored, act.at, ack_until=until, snoozed=True)
        self._log(stored, act, "snooze", f"Snoozed by {act.who.name}", {"changed_actions": []})
        self._account.due.put(until, partial(self._time_out, stored, until))

    def assign(self, stored: StoredIncident, act: Act, to: User) -> None:
        """Reassign. An acknowledged incident becomes triggered; its log only has the reassignment (documented)."""
        self._log(stored, act, "assign", f"Assigned to {to.name} by {act.who.name}", _assignees(to))
        self.trigger(stored, act.at, "reassigned", assigned=(Involvement(whole_seconds(act.at), to),))

    def escalate(self, stored: StoredIncident, act: Act, level: int) -> None:
        """Escalate to a level of the policy, be it the current one: the incident becomes triggered (observed)."""
        to = self._account.on_call if level == 1 else OMAR
        self._log(stored, act, "escalate", f"Escalated to {to.name} by {act.who.name}", _assignees(to))
        self.trigger(stored, act.at, "escalated", assigned=(Involvement(whole_seconds(act.at), to),))

    def use_policy(self, stored: StoredIncident, act: Act, policy_id: str) -> None:
        """Reassign to an escalation policy, be it the current one: its first level is notified."""
        self._store.change(stored, act.at, policy_id=policy_id)
        self.assign(stored, act, self._account.on_call if policy_id == POLICY_ID else OMAR)

    def set_urgency(self, stored: StoredIncident, act: Act, urgency: str) -> None:
        """Change the urgency. Low to high notifies and makes an acknowledged incident triggered (observed)."""
        before = stored.now
        self._store.change(stored, act.at, urgency=urgency)
        self._log(stored, act, "urgency_change", f"Urgency set to {urgency}")
        if urgency != "high" or before.urgency != "low":
            return
        if before.status == "acknowledged" and "urgency" in self._account.settings.unacknowledge_ways:
            self.trigger(stored, act.at, "urgency raised")
        elif before.status == "triggered":
            self._account.page(stored, act.at, "urgency raised")

    def set_priority(self, stored: StoredIncident, act: Act, priority_id: str) -> None:
        """Change the priority, which notifies nobody. Its log entry is of an undocumented kind (observed)."""
        self._store.change(stored, act.at, priority_id=priority_id)
        self._log(stored, act, "priority_change", f"Priority set to {PRIORITIES[priority_id]}")

    def set_title(self, stored: StoredIncident, act: Act, title: str) -> None:
        """Change the title."""
        self._store.change(stored, act.at, title=title)

    def note(self, stored: StoredIncident, act: Act, content: str) -> Note:
        """Add a note. Its log entry has the text and not the note's id (observed)."""
        second = whole_seconds(act.at)
        note = Note(self._store.new_id("P", 6), act.who, content, second, second)
        stored.notes.append(note)
        if self._account.settings.notes_bump_incident:
            self._store.change(stored, act.at)
        act = act._replace(channel={"type": "note", "summary": content})
        self._log(stored, act, "annotate", f"Note added by {act.who.name}")
        return note

    def edit_note(self, stored: StoredIncident, act: Act, note: Note, content: str) -> Note:
        """Change the text of a note. The log has no entry about it (none is documented)."""
        edited = replace(note, content=content, updated_at=whole_seconds(act.at))
        stored.notes[stored.notes.index(note)] = edited
        return edited

    def _log(self, stored: StoredIncident, act: Act, kind: str, summary: str, extra: Json | None = None) -> None:
        """Write a log entry of type `<kind>_log_entry`; with `noise`, a meaningless one after every n-th."""
        kind = f"{kind}_log_entry"
        identifier = self._store.new_id("R", 25)
        line = LogEntry(identifier, kind, summary, act.at, stored.now, act.who, act.channel, extra or {})
        self._store.write(stored, line)
        self._logged += 1
        settings = self._account.settings
        if settings.noise and settings.noise_every and self._logged % settings.noise_every == 0:
            self._noise(stored, act.at, _NOISE[self._logged // settings.noise_every % len(_NOISE)])

    def _noise(self, stored: StoredIncident, at: datetime, kind: str) -> None:
        identifier = self._store.new_id("R", 25)
        incident = None if kind == "priority_change_log_entry" else stored.now
        agent = None if kind == "notify_log_entry" else SERVICES[stored.now.service_id]
        extra = {} if agent else {"user": user_reference(self._account.on_call)}
        line = LogEntry(identifier, kind, "Noise", at, incident, agent, {"type": "auto"}, extra)
        self._store.write(stored if incident else None, line)

    def _time_out(self, stored: StoredIncident, until: datetime, at: datetime) -> None:
        """An acknowledgement or a snooze ends, unless it has been replaced meanwhile."""
        if stored.now.ack_until != until or stored.now.status != "acknowledged":
            return
        cause = "snooze ended" if stored.now.snoozed else "acknowledgement timeout"
        act = Act(at, SERVICES[stored.now.service_id], {"type": "timeout"})
        self._log(stored, act, "unacknowledge", "Unacknowledged by timeout")
        self.trigger(stored, at, cause)


def _assignees(user: User) -> Json:
    return {"assignees": [user_reference(user)]}
