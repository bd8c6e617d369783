"""What happens to an alert, whether through the API, in the web interface or by itself.

Acts that are not possible raise Refused.
"""

from datetime import datetime, timedelta
from functools import partial

from reconciler.sandbox.opsgenie.account import Account, Act, Change
from reconciler.sandbox.opsgenie.state import StoredAlert
from reconciler.sandbox.wire import Refused, iso_short, whole_milliseconds

WEB = "via web"
API = "via API"
JSM = "via JSM"
"""The account API of Jira Service Management: what is written there bears the name of the key's user."""
PRIORITIES = ("P1", "P2", "P3", "P4", "P5")


class Rules:
    """Changes of alerts."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._alerts = account.alerts

    def create(
        self, act: Act, message: str, *, created_at: datetime | None, alias: str | None, **values: object
    ) -> StoredAlert:  # fmt: skip
        """Create an alert; while one with this alias is open, count that one up instead (documented)."""
        stored = self._alerts.by_alias(alias) if alias else None
        if stored is not None:
            self._alerts.change(
                stored, act.at, count=stored.now.count + 1, last_occurred_at=whole_milliseconds(act.at)
            )
            return stored
        stored = self._alerts.add(act.at, created_at or act.at, alias, message=message, **values)
        self._alerts.log(stored, act.at, act.who, f"Alert created {act.via}", "system")
        self._account.journal.act(
            act.at, self._account.side, act.who, "create", alert_id=stored.now.id, text=message
        )
        settings = self._account.settings
        if settings.noise:
            due = max(act.at, stored.now.created_at + timedelta(seconds=settings.noise_after))
            self._account.due.put(due, partial(self._escalate_if_open, stored))
        self._account.on_change(Change("create", stored, act))
        return stored

    def acknowledge(self, stored: StoredAlert, act: Act) -> None:
        """Acknowledge: the user becomes the owner, a snooze ends (documented).

        What becomes of an alert that is acknowledged already is a setting; people change nothing but the log.
        """
        if not stored.now.is_open:
            raise Refused("Alert is closed")
        repeated = "mixed" if act.via == WEB else self._account.settings.repeated_acts
        if stored.now.acknowledged and repeated == "fail":
            raise Refused("Alert is already acknowledged")
        if not stored.now.acknowledged or repeated == "take_over":
            self._alerts.change(
                stored, act.at, acknowledged=True, owner=act.who, acknowledged_by=act.who,
                acknowledged_at=whole_milliseconds(act.at), snoozed_until=None,
            )  # fmt: skip
        self._log(stored, act, done="acknowledged", action="Acknowledge")
        self._account.on_change(Change("acknowledge", stored, act))

    def unacknowledge(self, stored: StoredAlert, act: Act) -> None:
        """Un-acknowledge."""
        is_repeated = stored.now.is_open and not stored.now.acknowledged
        if is_repeated and act.via != WEB and self._account.settings.repeated_acts == "succeed":
            return
        if not (stored.now.is_open and stored.now.acknowledged):
            raise Refused("Alert should be both open and acknowledged")
        self._take_acknowledgement_back(stored, act.at)
        self._log(stored, act, done="unacknowledged", action="UnAcknowledge")
        self._account.on_change(Change("unacknowledge", stored, act))

    def close(self, stored: StoredAlert, act: Act) -> None:
        """Close. An acknowledged alert stays acknowledged (observed)."""
        if not stored.now.is_open:
            raise Refused("Alert is already closed")
        self._alerts.change(
            stored, act.at, status="closed", closed_by=act.who, closed_at=whole_milliseconds(act.at),
            snoozed_until=None,
        )  # fmt: skip
        self._log(stored, act, done="closed", action="Close")
        self._account.on_change(Change("close", stored, act))

    def note(self, stored: StoredAlert, act: Act, *, text: str) -> None:
        """Add a note, also to a closed alert. Whether that moves `updatedAt` is a setting."""
        if act.via != WEB and not stored.now.is_open and self._account.settings.closed_notes_fail:
            raise Refused("Alert is closed")
        self._alerts.note(stored, act.at, act.who, text)
        if self._account.notes_bump_updated_at:
            self._alerts.change(stored, act.at)
        self._log(stored, act, done="note added", action="Add Note")
        self._account.on_change(Change("note", stored, act, {"text": text}))

    def snooze(self, stored: StoredAlert, act: Act, *, seconds: float) -> None:
        """Snooze an open alert. When the snooze ends, the alert is not acknowledged (documented)."""
        self.snooze_until(stored, act, until=whole_milliseconds(act.at + timedelta(seconds=seconds)))

    def snooze_until(self, stored: StoredAlert, act: Act, *, until: datetime) -> None:
        """Snooze an open alert until a time."""
        if not stored.now.is_open:
            raise Refused("a closed alert cannot be snoozed")
        self._alerts.change(stored, act.at, snoozed_until=until)
        self._alerts.log(stored, act.at, act.who, f"Alert snoozed until [{iso_short(until)}] {act.via}", "system")
        self._account.due.put(until, partial(self._end_snooze, stored, until))
        self._account.on_change(Change("snooze_until", stored, act, {"until": until}))

    def resume(self, stored: StoredAlert) -> None:
        """End the snooze of an alert that was put in snoozed."""
        if stored.now.snoozed_until is not None:
            until = stored.now.snoozed_until
            self._account.due.put(until, partial(self._end_snooze, stored, until))

    def set_priority(self, stored: StoredAlert, act: Act, *, priority: str) -> None:
        """Change the priority."""
        if priority not in PRIORITIES:
            raise Refused(f"priority must be one of: {', '.join(PRIORITIES)}", 400)
        before = stored.now.priority
        self._alerts.change(stored, act.at, priority=priority)
        line = f"Alert priority changed from [{before}] to [{priority}] {act.via}"
        self._alerts.log(stored, act.at, act.who, line, "system")
        self._account.on_change(Change("set_priority", stored, act, {"priority": priority}))

    def delete(self, stored: StoredAlert, act: Act) -> None:
        """Delete."""
        self._alerts.delete(stored, act.at)
        self._account.on_change(Change("delete", stored, act))

    def _escalate_if_open(self, stored: StoredAlert, at: datetime) -> None:
        """An escalation step moves `updatedAt`, also of an acknowledged alert (observed)."""
        if stored.now.is_open:
            self._alerts.change(stored, at)

    def _end_snooze(self, stored: StoredAlert, until: datetime, at: datetime) -> None:
        if stored.now.snoozed_until != until:
            return  # acknowledged, closed or snoozed again meanwhile
        if stored.now.acknowledged:
            self._take_acknowledgement_back(stored, at)
        else:
            self._alerts.change(stored, at, snoozed_until=None)
        self._alerts.log(stored, at, "System", "Snooze ended", "system")

    def _take_acknowledgement_back(self, stored: StoredAlert, at: datetime) -> None:
        settings = self._account.settings
        changes: dict[str, object] = {"acknowledged": False, "owner": "", "snoozed_until": None}
        if settings.unacknowledge_clears_report:
            changes |= {"acknowledged_by": "", "acknowledged_at": None}
        if not settings.unacknowledge_bumps_updated_at:
            changes["updated_at"] = stored.now.updated_at
        self._alerts.change(stored, at, **changes)

    def _log(self, stored: StoredAlert, act: Act, *, done: str, action: str) -> None:
        """The text and the type of a log entry differ between the web interface and the API (observed)."""
        rule = f"[Default API-{action} Alert]" if act.via == API else ""
        line = f"Alert {done} {act.via}{rule}"
        self._alerts.log(stored, act.at, act.who, line, "alertAction" if rule else "system")
