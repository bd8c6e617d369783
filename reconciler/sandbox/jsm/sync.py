"""The move of the alerts from Opsgenie to JSM, and what each product shows of acts in the other one afterwards.

There are two stores from the move on, each with the alerts' states, notes and logs. An act in one of them is
repeated in the other one `sync_lag` seconds later, as `jsm_sync` has it at that time. What is repeated bears the
token of its original, so that the audit counts each act once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from reconciler.sandbox.opsgenie.account import Account, Change
from reconciler.sandbox.opsgenie.rules import Rules
from reconciler.sandbox.opsgenie.state import Alert, Record, StoredAlert
from reconciler.sandbox.wire import Refused, milliseconds, whole_milliseconds

_STATES = ("acknowledge", "unacknowledge")
_DIRECTIONS = {"opsgenie": ("both", "to_jsm"), "jsm": ("both",)}
"""The values of `jsm_sync` with which acts in a product are repeated in the other one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An alert with its notes and log entries, as they were at some time."""

    alert: Alert
    notes: tuple[Record, ...]
    logs: tuple[Record, ...]


class Side:
    """One product: its account, its rules, and of each of its alerts the one in the other product, by id."""

    def __init__(self, account: Account, rules: Rules) -> None:
        self.account = account
        self.rules = rules
        self.counterparts: dict[str, StoredAlert] = {}


class Sync:
    """Moves and repeats."""

    def __init__(self, opsgenie: Side, jsm: Side) -> None:
        self._opsgenie = opsgenie
        self._jsm = jsm
        self._is_repeating = False
        self._latest: dict[StoredAlert, datetime] = {}
        """When somebody last acknowledged an alert or took that back."""

    def move(self, at: datetime) -> None:
        """Copy the alerts that `jsm_migrated` names to JSM, and repeat what happens from now on."""
        which = self._opsgenie.account.settings.jsm_migrated
        for stored in list(self._opsgenie.account.alerts.entries()):
            if not stored.deleted_at and (which == "all" or (which == "open_only" and stored.now.is_open)):
                self._copy(self._opsgenie, self._jsm, stored, _snapshot(stored), at)
        for here, there in ((self._opsgenie, self._jsm), (self._jsm, self._opsgenie)):
            here.account.on_change = partial(self._changed, here, there)

    def opsgenie_id(self, alert_id: str) -> str:
        """The id that an alert of JSM's has in Opsgenie; empty when it is not there."""
        counterpart = self._jsm.counterparts.get(alert_id)
        return counterpart.now.id if counterpart else ""

    def _changed(self, here: Side, there: Side, change: Change) -> None:
        if self._is_repeating:
            return
        if change.verb in _STATES:
            self._latest[change.stored] = change.act.at
        settings = here.account.settings
        if settings.jsm_sync not in _DIRECTIONS[here.account.side]:
            return
        due = change.act.at + timedelta(seconds=settings.sync_lag)
        repeat = partial(self._repeat, here, there, change, _snapshot(change.stored))
        if settings.sync_lag:
            there.account.due.put(due, repeat)
        else:
            repeat(due)

    def _repeat(self, here: Side, there: Side, change: Change, left: Snapshot, at: datetime) -> None:
        """Repeat a change, which left the alert so."""
        if change.verb == "create":
            self._copy(here, there, change.stored, left, at)
            return
        counterpart = here.counterparts.get(change.stored.now.id)
        if counterpart is None or counterpart.deleted_at or self._is_outdated(change, counterpart):
            return
        self._is_repeating = True
        try:
            rule = getattr(there.rules, change.verb)
            rule(counterpart, change.act._replace(at=at), **change.arguments)
        except Refused:
            return  # the other product is in a state in which this is not possible
        finally:
            self._is_repeating = False
        if change.verb == "delete":
            return
        counterpart.logs[-1] = self._marked(there, counterpart.logs[-1], left.logs[-1])
        if change.verb == "note":
            counterpart.notes[-1] = self._marked(there, counterpart.notes[-1], left.notes[-1])

    def _is_outdated(self, change: Change, counterpart: StoredAlert) -> bool:
        """Whether somebody has acknowledged or un-acknowledged the alert later, so that both agree in the end."""
        if change.verb not in _STATES:
            return False
        return any(
            change.act.at < self._latest.get(stored, change.act.at) for stored in (change.stored, counterpart)
        )

    def _copy(self, here: Side, there: Side, stored: StoredAlert, left: Snapshot, at: datetime) -> None:
        """Copy an alert, unless the other product has an open one of its alias: then they are one alert."""
        alert, alerts = left.alert, there.account.alerts
        counterpart = alerts.by_alias(alert.alias)
        if counterpart is None:
            counterpart = alerts.put(at, self._renewed(there, alert, at))
            counterpart.notes = [self._marked(there, record, record) for record in left.notes]
            counterpart.logs = [self._marked(there, record, record) for record in left.logs]
            there.rules.resume(counterpart)
        here.counterparts[stored.now.id], there.counterparts[counterpart.now.id] = counterpart, stored

    def _renewed(self, there: Side, alert: Alert, at: datetime) -> Alert:
        """The alert as the other product has it, with an id of its own unless ids are kept."""
        if there.account.settings.jsm_ids == "same":
            return alert
        alerts = there.account.alerts
        alert_id = f"{alerts.uuid()}-{milliseconds(alert.created_at)}"
        updated_at = whole_milliseconds(at)
        return replace(alert, id=alert_id, tiny_id=str(next(alerts.numbers)), updated_at=updated_at)

    def _marked(self, there: Side, record: Record, original: Record) -> Record:
        """The repeated record, with its original's token unless notes get new ids."""
        is_kept = there.account.settings.jsm_note_ids == "token_half"
        token = original.token if is_kept else there.account.alerts.token(record.at)
        return replace(record, token=token, copy_of=original.token)


def _snapshot(stored: StoredAlert) -> Snapshot:
    return Snapshot(stored.now, tuple(stored.notes), tuple(stored.logs))
