"""Where to look in one cycle, by alert id, and what to read there.

A row of a list is a hint: where it differs from the snapshot, the thing itself is read, by its id.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.core.model import (
    Act,
    Action,
    Alert,
    AlertBaseline,
    Incident,
    IncidentBaseline,
    Kind,
    Side,
    Status,
)
from reconciler.store.database import Database


@dataclass(frozen=True, slots=True)
class Horizons:
    """How far back and how often to look."""

    lookback: timedelta
    sweep_interval: timedelta
    retention: timedelta


@dataclass(frozen=True, slots=True)
class Origin:
    """When we first started, and since when what was open then was to be paged."""

    at: datetime
    since: datetime


@dataclass(slots=True)
class Look:
    """What to read of one pair. `row` is what a list showed of the alert: a stand-in for a new one, at need."""

    alert: bool = False
    alert_notes: bool = False
    incident: bool = False
    incident_notes: bool = False
    by_key: bool = False
    swept: bool = False
    again: bool = False
    news: bool = False
    seen: bool = False
    tracked: bool = True
    row: Alert | None = None
    adopt: Incident | None = None
    acts: list[Act] = field(default_factory=list)

    @classmethod
    def whole(cls, **more: object) -> "Look":
        """Everything on both sides."""
        return cls(alert=True, alert_notes=True, incident=True, incident_notes=True, **more)  # type: ignore[arg-type]


class Looks:
    """One cycle's looks."""

    def __init__(self, database: Database, horizons: Horizons, origin: Origin, now: datetime) -> None:
        self.database = database
        self.horizons = horizons
        self.origin = origin
        self.now = now
        self.by_alert: dict[str, Look] = {}
        self.looked_again: set[str] = set()

    def at(self, alert_id: str) -> Look:
        """What is to be read of this alert and its incident: to be added to."""
        return self.by_alert.setdefault(alert_id, Look())

    def whole(self, alert_id: str) -> Look:
        """All that there is to be read of it; with that, whatever could not be read last time is made up for."""
        look = self.at(alert_id)
        look.alert = look.alert_notes = look.incident = look.incident_notes = True
        self.looked_again.add(alert_id)
        return look

    def compare_alerts(self, rows: list[Alert]) -> None:
        """Rows of an alert list. One that is not known is news, unless it is older than what we began with."""
        if not rows:
            return
        with self.database.reading() as books:
            pairs = books.snapshot.pairs([row.id for row in rows])
        for row in rows:
            pair = pairs.get(row.id)
            if pair is None:
                new = row.created_at >= self._oldest_news(row)
                self.by_alert[row.id] = Look.whole(row=row, news=True) if new else Look(row=row, tracked=False)
            elif row.updated_at < pair.opsgenie.updated_at:
                continue  # the search index is behind what we read from the alert itself
            elif pair.tracked:
                self._compare_alert(row, pair.opsgenie)
            elif row.open != pair.opsgenie.open:
                self.at(row.id).row = row

    def _oldest_news(self, row: Alert) -> datetime:
        """A closed one from before the retention time may be one of ours that was forgotten."""
        return self.origin.since if row.open else max(self.origin.at, self.now - self.horizons.retention)

    def _compare_alert(self, row: Alert, base: AlertBaseline) -> None:
        moved = (row.open, row.acknowledged) != (base.open, base.acknowledged) and base.open
        if moved or row.updated_at > base.updated_at:
            look = self.at(row.id)
            look.alert_notes = True
            look.alert = look.alert or moved
            look.row = row

    def compare_incidents(self, rows: list[Incident]) -> None:
        """Rows of an incident list. One that bears a known alert's id as its key, and is not ours yet, is."""
        with self.database.reading() as books:
            ours = books.snapshot.pairs_of_incidents([row.id for row in rows])
            keyed = books.snapshot.pairs([row.key for row in rows if row.key])
        for row in rows:
            pair, known = ours.get(row.id), keyed.get(row.key)
            if pair is not None and _has_moved(row, pair.pagerduty):
                self.at(pair.alert_id).incident = True
            elif pair is None and known is not None and known.incident_id is None:
                self.whole(known.alert_id).adopt = row

    def look_for_absent(self, side: Side, listed: Collection[str]) -> None:
        """Absence is not closure: what should have been in a listing and was not is read by its id."""
        with self.database.reading() as books:
            ids = books.snapshot.open_ids(side)
            absent = books.snapshot.pairs([alert_id for alert_id, own in ids.items() if own not in listed])
        for pair in absent.values():
            if side is Side.OPSGENIE and pair.opsgenie.open:
                self.at(pair.alert_id).alert = True
            elif side is Side.PAGERDUTY and pair.pagerduty and pair.pagerduty.status != "resolved":
                self.at(pair.alert_id).incident = True

    def doubts(self, actions: list[Action]) -> None:
        """What tells whether our own writes that are on the wire have landed."""
        for action in actions:
            if action.status is not Status.SENT:
                continue
            look = self.at(action.alert_id)
            if action.kind is Kind.CREATE_INCIDENT:
                look.by_key = look.alert_notes = look.incident_notes = True
            elif action.kind.is_note:
                look.incident_notes |= action.kind.side is Side.PAGERDUTY
                look.alert_notes |= action.kind.side is Side.OPSGENIE
            else:
                look.incident |= action.kind.side is Side.PAGERDUTY
                look.alert |= action.kind.side is Side.OPSGENIE


def _has_moved(row: Incident, base: IncidentBaseline | None) -> bool:
    if base is None or row.status != base.status:
        return True
    return {person.id for person in row.acknowledgers} != {person.id for person in base.acknowledgers}
