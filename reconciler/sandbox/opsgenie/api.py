"""Opsgenie's Alert API v2 and what its users do, as one state machine.

People's acts take effect at once in the detail view; writes through the API are accepted (202) and take effect
`write_lag` seconds later. What is due is applied at the start of every call, with its due time as stamp.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from reconciler.sandbox.due_queue import DueQueue
from reconciler.sandbox.journal import Journal
from reconciler.sandbox.opsgenie.routes import OpsgenieHttp
from reconciler.sandbox.opsgenie.state import Alerts, Entry, detail, frozen_details, log_json, note_json
from reconciler.sandbox.rate_limit import SlidingMinute
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Json, Refused, Request, Response, iso_short, whole_milliseconds

API_USER = "Alert API"
"""Who acts through the API when the call names nobody."""
PRIORITIES = ("P1", "P2", "P3", "P4", "P5")
_WEB = "via web"
_API = "via API"


WriteEffect = Callable[[datetime], tuple[str, Entry]]
"""What an accepted write does; it returns Opsgenie's words and the alert, or raises Refused."""


class OpsgenieApi:
    """The whole of Opsgenie. `settings` may be replaced at any time. Not thread-safe: the caller locks."""

    def __init__(self, clock: Clock, settings: SandboxSettings, journal: Journal | None = None) -> None:
        self.clock = clock
        self.settings = settings
        self.journal = journal or Journal()
        self.alerts = Alerts(settings.seed)
        self.limit = SlidingMinute()
        self.requests: dict[str, Json | None] = {}
        self._dues = DueQueue()
        self._queue: list[tuple[str, str, WriteEffect]] = []
        self._http = OpsgenieHttp(self)

    def handle(self, request: Request) -> Response:
        """Answer one API call; paths begin with /v2."""
        self.settle()
        return self._http.handle(request)

    def settle(self) -> datetime:
        """Apply all that is due; returns the time."""
        now = self.clock.now()
        if not self.settings.queue_halted:
            queue, self._queue = self._queue, []
            for request_id, action, effect in queue:
                self._process(request_id, action, effect, now)
        self._dues.apply(now)
        return now

    # What customers do. Each returns the alert's detail and raises Refused when it is not possible.

    def create_alert(
        self, message: str, *, user: str, priority: str = "P3", description: str = "", tags: Iterable[str] = (),
        source: str = "", details: Mapping[str, Any] | None = None, alias: str | None = None,
        created_at: datetime | None = None,
    ) -> Json:  # fmt: skip
        """Create an alert, maybe in the past, or count one up when an alert of this alias is open."""
        now = self.settle()
        entry = self._create(
            now, message, user, _WEB, created_at=created_at, alias=alias, priority=priority,
            description=description, tags=tuple(tags), source=source, details=frozen_details(details or {}),
        )  # fmt: skip
        return detail(entry.now)

    def acknowledge(self, alert_id: str, user: str) -> Json:
        """Acknowledge; the user becomes the owner, a snooze ends."""
        return self._by_hand(alert_id, user, "acknowledge", self.do_acknowledge)

    def unacknowledge(self, alert_id: str, user: str) -> Json:
        """Un-acknowledge."""
        return self._by_hand(alert_id, user, "unacknowledge", self.do_unacknowledge)

    def close(self, alert_id: str, user: str) -> Json:
        """Close; what was acknowledged stays so."""
        return self._by_hand(alert_id, user, "close", self.do_close)

    def add_note(self, alert_id: str, user: str, text: str) -> Json:
        """Add a note, on a closed alert too."""
        return self._by_hand(alert_id, user, "note", partial(self.do_note, text=text), text)

    def snooze(self, alert_id: str, user: str, seconds: float) -> Json:
        """Snooze. When it ends the alert is un-acknowledged, by nobody."""

        def effect(entry: Entry, at: datetime, who: str, _via: str) -> None:
            if not entry.now.is_open:
                raise Refused("a closed alert cannot be snoozed")
            until = whole_milliseconds(at + timedelta(seconds=seconds))
            self.alerts.change(entry, at, snoozed_until=until)
            self.alerts.log(entry, at, who, f"Alert snoozed until [{iso_short(until)}] via web", "system")
            self._dues.put(until, partial(self._end_snooze, entry, until))

        return self._by_hand(alert_id, user, "snooze", effect)

    def set_priority(self, alert_id: str, user: str, priority: str) -> Json:
        """Change the priority."""

        def effect(entry: Entry, at: datetime, who: str, via: str) -> None:
            if priority not in PRIORITIES:
                raise Refused(f"priority must be one of: {', '.join(PRIORITIES)}", 400)
            before = entry.now.priority
            self.alerts.change(entry, at, priority=priority)
            line = f"Alert priority changed from [{before}] to [{priority}] {via}"
            self.alerts.log(entry, at, who, line, "system")

        return self._by_hand(alert_id, user, "priority", effect, priority)

    def delete(self, alert_id: str, user: str) -> Json:
        """Delete: the API answers 404 for it from now on. The state shows it still, as deleted."""
        return self._by_hand(alert_id, user, "delete", lambda entry, at, _, __: self.alerts.delete(entry, at))

    def escalate(self, alert_id: str) -> Json:
        """A routing step, by nobody: moves `updatedAt` and nothing else."""
        now = self.settle()
        entry = self.find(alert_id)
        self.alerts.change(entry, now)
        return detail(entry.now)

    def state(self) -> Json:
        """Everything: `{"alerts": [detail + notes + logs]}`, oldest first."""
        self.settle()
        return {"alerts": [self._whole(entry) for entry in self.alerts.entries()]}

    def find(self, alert_id: str) -> Entry:
        """An alert by id, tiny id or alias of an open one. Refused (404) when there is none."""
        entry = self.alerts.entry(alert_id) or self.alerts.by_tiny(alert_id) or self.alerts.by_alias(alert_id)
        if entry is None:
            raise Refused(f"no such alert: {alert_id}", 404)
        return entry

    # Effects, by hand or through the API.

    def accept(self, action: str, effect: WriteEffect) -> str:
        """Queue a write of the API; returns the request id. `effect` may raise Refused: then it failed later."""
        request_id = self.alerts.uuid()
        self.requests[request_id] = None
        due = self.clock.now() + timedelta(seconds=self.settings.write_lag)
        self._dues.put(due, lambda at: self._carry_out(request_id, action, effect, at))
        return request_id

    def create_by_api(self, at: datetime, values: Json) -> tuple[str, Entry]:
        """The effect of POST /v2/alerts."""
        entry = self._create(
            at, values["message"], values.get("user") or API_USER, _API, created_at=None,
            alias=values.get("alias") or None, priority=values.get("priority", "P3"),
            description=values.get("description", ""), tags=tuple(values.get("tags", ())),
            source=values.get("source", ""),
            details=frozen_details(values.get("details", {})),
        )  # fmt: skip
        if values.get("note"):
            self.do_note(entry, at, values.get("user") or API_USER, _API, text=values["note"])
        return "Created alert", entry

    def do_acknowledge(self, entry: Entry, at: datetime, who: str, via: str) -> None:
        """Acknowledge. Again is no error and changes nothing, but is logged."""
        if not entry.now.is_open:
            raise Refused("Alert is closed")
        if not entry.now.acknowledged:
            self.alerts.change(
                entry, at, acknowledged=True, owner=who, acknowledged_by=who,
                acknowledged_at=whole_milliseconds(at), snoozed_until=None,
            )  # fmt: skip
        self._log_action(entry, at, who, via, done="acknowledged", action="Acknowledge")

    def do_unacknowledge(self, entry: Entry, at: datetime, who: str, via: str) -> None:
        """Un-acknowledge what is open and acknowledged; its report starts over."""
        if not (entry.now.is_open and entry.now.acknowledged):
            raise Refused("Alert should be both open and acknowledged")
        self._unacknowledge(entry, at)
        self._log_action(entry, at, who, via, done="unacknowledged", action="UnAcknowledge")

    def do_close(self, entry: Entry, at: datetime, who: str, via: str) -> None:
        """Close what is open."""
        if not entry.now.is_open:
            raise Refused("Alert is already closed")
        self.alerts.change(
            entry, at, status="closed", closed_by=who, closed_at=whole_milliseconds(at), snoozed_until=None
        )
        self._log_action(entry, at, who, via, done="closed", action="Close")

    def do_note(self, entry: Entry, at: datetime, who: str, via: str, *, text: str) -> None:
        """Add a note."""
        self.alerts.note(entry, at, who, text)
        if self.settings.notes_bump_updated_at:
            self.alerts.change(entry, at)
        self._log_action(entry, at, who, via, done="note added", action="Add Note")

    def _create(
        self, now: datetime, message: str, user: str, via: str, *, created_at: datetime | None,
        alias: str | None, **values: object,
    ) -> Entry:  # fmt: skip
        entry = self.alerts.by_alias(alias) if alias else None
        if entry is not None:
            self.alerts.change(entry, now, count=entry.now.count + 1, last_occurred_at=whole_milliseconds(now))
            return entry
        entry = self.alerts.add(now, created_at or now, alias, message=message, **values)
        self.alerts.log(entry, now, user, f"Alert created {via}", "system")
        self.journal.act(now, "opsgenie", user, "create", alert_id=entry.now.id, text=message)
        if self.settings.noise:
            age = timedelta(seconds=self.settings.noise_after)
            self._dues.put(max(now, entry.now.created_at + age), partial(self._escalation_step, entry))
        return entry

    def _by_hand(
        self,
        alert_id: str,
        user: str,
        verb: str,
        effect: Callable[[Entry, datetime, str, str], None],
        text: str = "",
    ) -> Json:
        now = self.settle()
        entry = self.find(alert_id)
        effect(entry, now, user, _WEB)
        ref = entry.notes[-1].token if verb == "note" else ""
        self.journal.act(now, "opsgenie", user, verb, alert_id=entry.now.id, text=text, ref=ref)
        return detail(entry.now)

    def _carry_out(self, request_id: str, action: str, effect: WriteEffect, at: datetime) -> None:
        """A write is due: at once, or once the queue moves again."""
        if self.settings.queue_halted:
            self._queue.append((request_id, action, effect))
        else:
            self._process(request_id, action, effect, at)

    def _process(self, request_id: str, action: str, effect: WriteEffect, at: datetime) -> None:
        if self.settings.writes_fail:
            self.requests[request_id] = _outcome(action, at, "Something went wrong", None)
            return
        try:
            status, entry = effect(at)
        except Refused as refusal:
            missing = refusal.status == 404  # noqa: PLR2004 - HTTP
            status = "Alert does not exist" if missing else str(refusal)
            self.requests[request_id] = _outcome(action, at, status, None)
        else:
            self.requests[request_id] = _outcome(action, at, status, entry)

    def _end_snooze(self, entry: Entry, until: datetime, at: datetime) -> None:
        if entry.now.snoozed_until != until:
            return  # acknowledged, closed or snoozed anew meanwhile
        if entry.now.acknowledged:
            self._unacknowledge(entry, at)
        else:
            self.alerts.change(entry, at, snoozed_until=None)
        self.alerts.log(entry, at, "System", "Snooze ended", "system")

    def _unacknowledge(self, entry: Entry, at: datetime) -> None:
        self.alerts.change(
            entry, at, acknowledged=False, acknowledged_by="", acknowledged_at=None, owner="", snoozed_until=None
        )

    def _escalation_step(self, entry: Entry, at: datetime) -> None:
        if entry.now.is_open:
            self.alerts.change(entry, at)

    def _log_action(self, entry: Entry, at: datetime, who: str, via: str, *, done: str, action: str) -> None:
        rule = f"[Default API-{action} Alert]" if via == _API else ""
        self.alerts.log(entry, at, who, f"Alert {done} {via}{rule}", "alertAction" if rule else "system")

    @staticmethod
    def _whole(entry: Entry) -> Json:
        notes, logs = map(note_json, entry.notes), map(log_json, entry.logs)
        deleted = {"deleted": True} if entry.deleted_at else {}
        return detail(entry.now) | {"notes": list(notes), "logs": list(logs)} | deleted


def _outcome(action: str, at: datetime, status: str, entry: Entry | None) -> Json:
    return {
        "success": entry is not None, "action": action, "processedAt": iso_short(at),
        "integrationId": "26aaa576-0434-4b17-bc39-602a02fe417c", "isSuccess": entry is not None, "status": status,
        "alertId": entry.now.id if entry else "", "alias": entry.now.alias if entry else "",
    }  # fmt: skip
