"""Another product's alerts as values, for moves without a network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.model import Act, Alert, Note
from reconciler.errors import Missing, ReconcilerError
from reconciler.store.lock import Lock
from reconciler.vendors.ports import AlertNews, RequestStatus


@dataclass
class Alerts:
    """An AlertReader. `refusal` is raised by every call; `hidden` ids are in no list."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    alert_notes: dict[str, list[Note]] = field(default_factory=dict)
    logs: dict[str, list[Act]] = field(default_factory=dict)
    refusal: ReconcilerError | None = None
    hidden: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def put(self, *alerts: Alert) -> "Alerts":
        """Add or replace alerts."""
        self.alerts |= {alert.id: alert for alert in alerts}
        return self

    def changes(self, since: datetime, _seen: object | None) -> AlertNews:
        """Those that changed since."""
        return AlertNews(tuple(self._rows("changes", since)))

    def recent_alerts(self, since: datetime | None) -> list[Alert]:
        """Those that changed since, open or not."""
        return self._rows("recent", since)

    def open_alerts(self) -> Iterator[list[Alert]]:
        """The open ones, one a page."""
        for alert in self._rows("open", None):
            if alert.open:
                yield [alert]

    def open_alerts_page(self, offset: int) -> tuple[list[Alert], bool]:
        """All at once."""
        return [alert for alert in self._rows("page", None) if alert.open][offset:], False

    def alert(self, alert_id: str) -> Alert:
        """One by its id."""
        self._asked(f"alert {alert_id}")
        if alert_id not in self.alerts:
            raise Missing("no such alert")
        return self.alerts[alert_id]

    def notes(self, alert_id: str, until: datetime | None = None) -> list[Note]:
        """All notes."""
        self._asked(f"notes {alert_id}")
        if alert_id not in self.alerts:
            raise Missing("no such alert")
        return [note for note in self.alert_notes.get(alert_id, []) if until is None or note.at >= until]

    def acts(self, alert_id: str) -> list[Act]:
        """The log."""
        self._asked(f"log {alert_id}")
        return self.logs.get(alert_id, [])

    def request_status(self, request_id: str) -> RequestStatus:
        """Nothing is known of any request."""
        raise Missing(request_id)

    def confirm_key(self) -> None:
        """The key is good unless there is a refusal."""
        self._asked("key")

    def _rows(self, what: str, since: datetime | None) -> list[Alert]:
        self._asked(what)
        rows = (alert for alert in self.alerts.values() if alert.id not in self.hidden)
        newest = sorted(rows, key=lambda alert: alert.updated_at, reverse=True)
        return [alert for alert in newest if since is None or alert.updated_at >= since]

    def _asked(self, what: str) -> None:
        self.asked.append(what)
        if self.refusal is not None:
            raise self.refusal


class FreeLock(Lock):
    """A lock that nobody else wants."""

    def acquire(self) -> bool:
        """Always ours."""
        return True

    def release(self) -> None:
        """Nothing to release."""
