"""What happens to an incident, whether through the API, on the website or by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from reconciler.sandbox.pagerduty.account import Account
from reconciler.sandbox.pagerduty.shapes import user_reference
from reconciler.sandbox.pagerduty.state import (
    OMAR,
    POLICY_ID,
    Incident,
    Involvement,
    LogEntry,
    Note,
    StoredIncident,
    User,
)
from reconciler.sandbox.wire import Json, whole_seconds

_NOISE = ("notify_log_entry", "priority_change_log_entry", "link_log_entry")
"""Meaningless log entries, in turn: one without agent, one without incident, one of an undocumented kind."""


class Rules:
    """Changes of incidents. `who` is the agent of the log entry, `channel` its channel (`{"type": …}`)."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.incidents
        self._logged = 0

    def create(
        self, at: datetime, who: User, channel: Json, *,
        title: str, key: str, urgency: str, body: str, alert_keys: tuple[str, ...] = (),
    ) -> StoredIncident:  # fmt: skip
        """Create an incident, assigned to the user on call.

        If that is its creator, it begins acknowledged and notifies nobody (documented for a creation that is
        assigned to its creator; uncertain for one who is on call).
        """
        second = whole_seconds(at)
        assigned = (Involvement(second, self._account.on_call),)
        stored = self._store.add(
            at, second, title=title, key=key, urgency=urgency, body=body, assigned=assigned,
            alert_keys=alert_keys,
        )  # fmt: skip
        through = "the API" if channel["type"] == "api" else "the website"
        self.log(stored, at, "trigger", f"Triggered through {through}", who, channel)
        if who == self._account.on_call:
            self.acknowledge(stored, at, who, channel)
        else:
            self._account.page(stored, at, "triggered")
        return stored

    def acknowledge(self, stored: StoredIncident, at: datetime, who: User, channel: Json) -> None:
        """Acknowledge. A resolved incident is reopened and assigned to `who` (documented since 2025-09-18).

        An acknowledged incident gets one more acknowledger, and its timeout starts anew (observed).
        """
        before, second, settings = stored.now, whole_seconds(at), self._account.settings
        takes_over = settings.ack_assigns or not before.is_open
        assigned = (Involvement(second, who),) if takes_over else before.assigned
        bare = {"type": "website" if channel["type"] == "web_trigger" else channel["type"]}
        if not before.is_open:
            self.log(stored, at, "reopen", f"Reopened by {who.name}", who, bare)
        others = tuple(acknowledged for acknowledged in before.acknowledged if acknowledged.user != who)
        changes: Json = {} if before.status == "acknowledged" else {"changed_at": second, "changed_by": who}
        timeout = settings.acknowledgement_timeout
        until = None if timeout is None else at + timedelta(seconds=timeout)
        self._store.change(
            stored, at, status="acknowledged", acknowledged=(*others, Involvement(second, who)),
            assigned=assigned, ack_until=until, snoozed=False, resolved_at=None, merged_into="", **changes,
        )  # fmt: skip
        extra = {"acknowledgement_timeout": None if timeout is None else int(timeout)}
        self.log(stored, at, "acknowledge", f"Acknowledged by {who.name}", who, bare, extra)
        if until is not None:
            self._account.due.put(until, partial(self._time_out, stored, until))

    def unacknowledge(self, stored: StoredIncident, at: datetime, who: User, channel: Json) -> None:
        """Un-acknowledge, as a person does on the website: the log names who did."""
        self.log(stored, at, "unacknowledge", f"Unacknowledged by {who.name}", who, channel)
        self.trigger(stored, at, "unacknowledged by hand")

    def trigger(self, stored: StoredIncident, at: datetime, cause: str, **changes: object) -> None:
        """Make an incident triggered, and notify. The log has no entry about it."""
        self._store.change(
            stored, at, status="triggered", acknowledged=(), ack_until=None, snoozed=False, resolved_at=None,
            merged_into="", changed_at=whole_seconds(at), changed_by=None, **changes,
        )  # fmt: skip
        self._account.page(stored, at, cause)

    def reopen(self, stored: StoredIncident, at: datetime, who: User, channel: Json) -> None:
        """Make a resolved incident triggered."""
        self.log(stored, at, "reopen", f"Reopened by {who.name}", who, channel)
        self.trigger(stored, at, "reopened", assigned=(Involvement(whole_seconds(at), self._account.on_call),))

    def resolve(
        self, stored: StoredIncident, at: datetime, who: User, channel: Json, *, merged_into: str = ""
    ) -> None:
        """Resolve; `merged_into` is the id of the target incident when a merge is the reason."""
        second = whole_seconds(at)
        self._store.change(
            stored, at, status="resolved", acknowledged=(), assigned=(), ack_until=None, snoozed=False,
            resolved_at=second, changed_at=second, changed_by=who, merged_into=merged_into,
        )  # fmt: skip
        self.log(stored, at, "resolve", f"Resolved by {who.name}", who, channel)

    def merge(
        self, stored: StoredIncident, at: datetime, who: User, target: StoredIncident, channel: Json
    ) -> None:
        """Merge into another incident: the target gets the child alerts, this incident is resolved."""
        if moved := stored.now.alert_keys:
            self._store.change(target, at, alert_keys=(*target.now.alert_keys, *moved))
            self._store.change(stored, at, alert_keys=())
        self.resolve(stored, at, who, channel, merged_into=target.now.id)

    def snooze(self, stored: StoredIncident, at: datetime, who: User, seconds: float, channel: Json) -> None:
        """Snooze an acknowledged incident: it stays acknowledged until the snooze ends, and is then triggered."""
        until = at + timedelta(seconds=seconds)
        self._store.change(stored, at, ack_until=until, snoozed=True)
        self.log(stored, at, "snooze", f"Snoozed by {who.name}", who, channel, {"changed_actions": []})
        self._account.due.put(until, partial(self._time_out, stored, until))

    def assign(self, stored: StoredIncident, at: datetime, who: User, to: User, channel: Json) -> None:
        """Reassign. An acknowledged incident becomes triggered; its log only has the reassignment (documented)."""
        self._hand_over(stored, at, who, to, channel, ("assign", "Assigned", "reassigned"))

    def escalate(self, stored: StoredIncident, at: datetime, who: User, level: int, channel: Json) -> None:
        """Escalate to a level of the policy, be it the current one: the incident becomes triggered (observed)."""
        to = self._account.on_call if level == 1 else OMAR
        self._hand_over(stored, at, who, to, channel, ("escalate", "Escalated", "escalated"))

    def use_policy(self, stored: StoredIncident, at: datetime, who: User, policy_id: str, channel: Json) -> None:
        """Reassign to an escalation policy, be it the current one: whoever is on call there is notified."""
        to = self._account.on_call if policy_id == POLICY_ID else OMAR
        self._store.change(stored, at, policy_id=policy_id)
        self.assign(stored, at, who, to, channel)

    def set_urgency(self, stored: StoredIncident, at: datetime, who: User, urgency: str, channel: Json) -> None:
        """Change the urgency. Low to high notifies and makes an acknowledged incident triggered (observed)."""
        before = stored.now
        self._store.change(stored, at, urgency=urgency)
        self.log(stored, at, "urgency_change", f"Urgency set to {urgency}", who, channel)
        if urgency != "high" or before.urgency != "low":
            return
        if before.status == "acknowledged":
            self.trigger(stored, at, "urgency raised")
        elif before.is_open:
            self._account.page(stored, at, "urgency raised")

    def set_title(self, stored: StoredIncident, at: datetime, title: str) -> None:
        """Change the title."""
        self._store.change(stored, at, title=title)

    def note(self, stored: StoredIncident, at: datetime, who: User, content: str) -> Note:
        """Add a note. Its log entry has the text and not the note's id (observed)."""
        second = whole_seconds(at)
        note = Note(self._store.new_id("P", 6), who, content, second, second)
        stored.notes.append(note)
        self.log(stored, at, "annotate", f"Note added by {who.name}", who, {"type": "note", "summary": content})
        return note

    def edit_note(self, stored: StoredIncident, at: datetime, note: Note, content: str) -> Note:
        """Change the text of a note. The log has no entry about it (none is documented)."""
        edited = replace(note, content=content, updated_at=whole_seconds(at))
        stored.notes[stored.notes.index(note)] = edited
        return edited

    def log(
        self, stored: StoredIncident, at: datetime, kind: str, summary: str, agent: User | str, channel: Json,
        extra: Json | None = None,
    ) -> None:  # fmt: skip
        """Write a log entry of type `<kind>_log_entry`; with `noise`, a meaningless one after every n-th."""
        identifier = self._store.new_id("R", 25)
        line = LogEntry(identifier, f"{kind}_log_entry", summary, at, stored.now, agent, channel, extra or {})
        self._store.write(stored, line)
        self._logged += 1
        settings = self._account.settings
        if settings.noise and settings.noise_every and self._logged % settings.noise_every == 0:
            self._noise(stored, at, _NOISE[self._logged // settings.noise_every % len(_NOISE)])

    def _noise(self, stored: StoredIncident, at: datetime, kind: str) -> None:
        identifier = self._store.new_id("R", 25)
        incident: Incident | None = None if kind == "priority_change_log_entry" else stored.now
        agent = None if kind == "notify_log_entry" else "service"
        extra = {"user": user_reference(self._account.on_call)} if kind == "notify_log_entry" else {}
        line = LogEntry(identifier, kind, "Noise", at, incident, agent, {"type": "auto"}, extra)
        self._store.write(stored if incident else None, line)

    def _hand_over(
        self, stored: StoredIncident, at: datetime, who: User, to: User, channel: Json, words: tuple[str, str, str]
    ) -> None:
        kind, done, cause = words
        extra = {"assignees": [user_reference(to)]}
        self.log(stored, at, kind, f"{done} to {to.name} by {who.name}", who, channel, extra)
        self.trigger(stored, at, cause, assigned=(Involvement(whole_seconds(at), to),))

    def _time_out(self, stored: StoredIncident, until: datetime, at: datetime) -> None:
        """An acknowledgement or a snooze ends, unless it has been replaced meanwhile."""
        if stored.now.ack_until != until or stored.now.status != "acknowledged":
            return
        cause = "snooze ended" if stored.now.snoozed else "acknowledgement timeout"
        self.log(stored, at, "unacknowledge", "Unacknowledged by timeout", "service", {"type": "timeout"})
        self.trigger(stored, at, cause)
