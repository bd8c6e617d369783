"""What happens to an incident, whoever does it: the rules that people's acts and the API share."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox.pagerduty.shapes import user_reference
from reconciler.sandbox.pagerduty.state import (
    BOT,
    JANE,
    OMAR,
    POLICY_ID,
    Entry,
    Hand,
    Incident,
    LogEntry,
    Note,
    User,
)
from reconciler.sandbox.wire import Json, whole_seconds

if TYPE_CHECKING:
    from reconciler.sandbox.pagerduty.api import PagerDutyApi

_NOISE = ("notify_log_entry", "priority_change_log_entry", "link_log_entry")
"""In turn: without agent, without incident, and of a kind that no documentation knows."""


class Rules:
    """Effects on the incidents of one machine."""

    def __init__(self, machine: "PagerDutyApi") -> None:
        self._machine = machine
        self._store = machine.incidents
        self._lines = 0

    @property
    def on_call(self) -> User:
        """Who is on call."""
        return BOT if self._machine.settings.bot_on_call else JANE

    def levels(self, policy_id: str) -> list[list[User]]:
        """Who is on each level of a policy."""
        if self._machine.settings.nobody_on_call:
            return [[]]
        return [[self.on_call], [OMAR]] if policy_id == POLICY_ID else [[OMAR]]

    def create(
        self,
        at: datetime,
        who: User,
        channel: Json,
        *,
        title: str,
        key: str,
        urgency: str,
        body: str,
        alert_keys: tuple[str, ...] = (),
    ) -> Entry:
        """A new incident for the on-call; born acknowledged, paging nobody, when that is its creator."""
        second = whole_seconds(at)
        assigned = (Hand(second, self.on_call),)
        entry = self._store.add(
            at, second, title=title, key=key, urgency=urgency, body=body, assigned=assigned,
            alert_keys=alert_keys,
        )  # fmt: skip
        through = "the API" if channel["type"] == "api" else "the website"
        self.log(entry, at, "trigger_log_entry", f"Triggered through {through}", who, channel)
        if who == self.on_call:
            self.acknowledge(entry, at, who, channel)
        else:
            self._machine.page(entry, at, "triggered")
        return entry

    def acknowledge(self, entry: Entry, at: datetime, who: User, channel: Json) -> None:
        """Acknowledge. Reopens a resolved incident; again adds an acknowledger and restarts the timeout."""
        before = entry.now
        second = whole_seconds(at)
        takes_over = self._machine.settings.ack_assigns or not before.is_open
        assigned = (Hand(second, who),) if takes_over else before.assigned
        if not before.is_open:
            self.log(entry, at, "reopen_log_entry", f"Reopened by {who.name}", who, _bare(channel))
        others = tuple(hand for hand in before.acknowledged if hand.user != who)
        changes: Json = {} if before.status == "acknowledged" else {"changed_at": second, "changed_by": who}
        timeout = self._machine.settings.acknowledgement_timeout
        until = None if timeout is None else at + timedelta(seconds=timeout)
        self._store.change(
            entry, at, status="acknowledged", acknowledged=(*others, Hand(second, who)), assigned=assigned,
            ack_until=until, snoozed=False, resolved_at=None, merged_into="", **changes,
        )  # fmt: skip
        extra = {"acknowledgement_timeout": None if timeout is None else int(timeout)}
        self.log(entry, at, "acknowledge_log_entry", f"Acknowledged by {who.name}", who, _bare(channel), extra)
        if until is not None:
            self._machine.dues.put(until, partial(self._run_out, entry, until))

    def trigger(self, entry: Entry, at: datetime, cause: str, **changes: object) -> None:
        """Make it triggered, and page."""
        self._store.change(
            entry, at, status="triggered", acknowledged=(), ack_until=None, snoozed=False, resolved_at=None,
            merged_into="", changed_at=whole_seconds(at), changed_by=None, **changes,
        )  # fmt: skip
        self._machine.page(entry, at, cause)

    def reopen(self, entry: Entry, at: datetime, who: User, channel: Json) -> None:
        """A resolved incident is triggered again."""
        self.log(entry, at, "reopen_log_entry", f"Reopened by {who.name}", who, channel)
        self.trigger(entry, at, "reopened", assigned=(Hand(whole_seconds(at), self.on_call),))

    def resolve(self, entry: Entry, at: datetime, who: User, channel: Json, *, merged_into: str = "") -> None:
        """Resolve, maybe by a merge."""
        second = whole_seconds(at)
        self._store.change(
            entry, at, status="resolved", acknowledged=(), assigned=(), ack_until=None, snoozed=False,
            resolved_at=second, changed_at=second, changed_by=who, merged_into=merged_into,
        )  # fmt: skip
        self.log(entry, at, "resolve_log_entry", f"Resolved by {who.name}", who, channel)

    def merge(self, entry: Entry, at: datetime, who: User, target: Entry, channel: Json) -> None:
        """Merge into another incident, which takes over the child alerts."""
        if moved := entry.now.alert_keys:
            self._store.change(target, at, alert_keys=(*target.now.alert_keys, *moved))
            self._store.change(entry, at, alert_keys=())
        self.resolve(entry, at, who, channel, merged_into=target.now.id)

    def snooze(self, entry: Entry, at: datetime, who: User, seconds: float, channel: Json) -> None:
        """The acknowledgement lasts until the snooze ends."""
        until = at + timedelta(seconds=seconds)
        self._store.change(entry, at, ack_until=until, snoozed=True)
        self.log(entry, at, "snooze_log_entry", f"Snoozed by {who.name}", who, channel, {"changed_actions": []})
        self._machine.dues.put(until, partial(self._run_out, entry, until))

    def assign(self, entry: Entry, at: datetime, who: User, to: User, channel: Json) -> None:
        """Reassign: the log has no un-acknowledgement, although an acknowledged incident is triggered by it."""
        extra = {"assignees": [user_reference(to)]}
        self.log(entry, at, "assign_log_entry", f"Assigned to {to.name} by {who.name}", who, channel, extra)
        self.trigger(entry, at, "reassigned", assigned=(Hand(whole_seconds(at), to),))

    def use_policy(self, entry: Entry, at: datetime, who: User, policy_id: str, channel: Json) -> None:
        """Hand over to an escalation policy, maybe the same: its on-call is paged."""
        to = self.on_call if policy_id == POLICY_ID else OMAR
        self._store.change(entry, at, policy_id=policy_id)
        self.assign(entry, at, who, to, channel)

    def escalate(self, entry: Entry, at: datetime, who: User, level: int, channel: Json) -> None:
        """Hand over to a level of the policy, maybe the first: the incident is triggered again."""
        to = self.on_call if level == 1 else OMAR
        extra = {"assignees": [user_reference(to)]}
        self.log(entry, at, "escalate_log_entry", f"Escalated to {to.name} by {who.name}", who, channel, extra)
        self.trigger(entry, at, "escalated", assigned=(Hand(whole_seconds(at), to),))

    def set_urgency(self, entry: Entry, at: datetime, who: User, urgency: str, channel: Json) -> None:
        """Change the urgency; low to high pages again."""
        before = entry.now
        self._store.change(entry, at, urgency=urgency)
        self.log(entry, at, "urgency_change_log_entry", f"Urgency set to {urgency}", who, channel)
        if urgency != "high" or before.urgency != "low":
            return
        if before.status == "acknowledged":
            self.trigger(entry, at, "urgency raised")
        elif before.is_open:
            self._machine.page(entry, at, "urgency raised")

    def set_title(self, entry: Entry, at: datetime, title: str) -> None:
        """Rename."""
        self._store.change(entry, at, title=title)

    def note(self, entry: Entry, at: datetime, who: User, content: str) -> Note:
        """Add a note. The log entry about it does not name its id."""
        second = whole_seconds(at)
        note = Note(self._store.new_id("P", 6), who, content, second, second)
        entry.notes.append(note)
        channel = {"type": "note", "summary": content}
        self.log(entry, at, "annotate_log_entry", f"Note added by {who.name}", who, channel)
        return note

    def edit_note(self, entry: Entry, at: datetime, note: Note, content: str) -> Note:
        """Edit a note in its place; nothing in the log tells of it."""
        edited = replace(note, content=content, updated_at=whole_seconds(at))
        entry.notes[entry.notes.index(note)] = edited
        return edited

    def log(
        self, entry: Entry, at: datetime, kind: str, summary: str, agent: User | str, channel: Json,
        extra: Json | None = None,
    ) -> None:  # fmt: skip
        """Write a log entry, and now and then a meaningless one after it."""
        identifier = self._store.new_id("R", 25)
        line = LogEntry(identifier, kind, summary, at, entry.now, agent, channel, extra or {})
        self._store.write(entry, line)
        self._lines += 1
        settings = self._machine.settings
        if settings.noise and settings.noise_every and self._lines % settings.noise_every == 0:
            self._noise(entry, at, _NOISE[self._lines // settings.noise_every % len(_NOISE)])

    def _noise(self, entry: Entry, at: datetime, kind: str) -> None:
        identifier = self._store.new_id("R", 25)
        incident: Incident | None = None if kind == "priority_change_log_entry" else entry.now
        agent = None if kind == "notify_log_entry" else "service"
        extra = {"user": user_reference(self.on_call)} if kind == "notify_log_entry" else {}
        line = LogEntry(identifier, kind, "Noise", at, incident, agent, {"type": "auto"}, extra)
        self._store.write(entry if incident else None, line)

    def _run_out(self, entry: Entry, until: datetime, at: datetime) -> None:
        """An acknowledgement or a snooze ends, unless something has changed it meanwhile."""
        if entry.now.ack_until != until or entry.now.status != "acknowledged":
            return
        cause = "snooze ended" if entry.now.snoozed else "acknowledgement timeout"
        channel = {"type": "timeout"}
        self.log(entry, at, "unacknowledge_log_entry", "Unacknowledged by timeout", "service", channel)
        self.trigger(entry, at, cause)


def _bare(channel: Json) -> Json:
    """The channel without what only a trigger carries."""
    return {"type": "website" if channel["type"] == "web_trigger" else channel["type"]}
