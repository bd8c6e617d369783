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
    Pair,
    Side,
    Status,
)
from reconciler.core.readings import AHEAD
from reconciler.cursors import earlier
from reconciler.memory import Memory
from reconciler.store.database import Database


@dataclass(frozen=True, slots=True)
class Horizons:
    """How far back and how often to look, and which alerts are ours (`query` as configured)."""

    lookback: timedelta
    sweep_interval: timedelta
    retention: timedelta
    query: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """When we first started, and since when what was open then was to be paged."""

    at: datetime
    since: datetime


@dataclass(slots=True)
class Look:
    """What to read of one pair. `row` is what a list showed of the alert: a stand-in for a new one, at need.

    `twins` are open incidents with the alert's key that it does not follow. `repeated`: only the alert's stamp
    has moved. `together`: neither side could be read before, and the incident's notes wait for the alert's, so
    that the one is not read without the other. `again` says which sides could not be read, `read` from which
    something was.
    """

    alert: bool = False
    alert_notes: bool = False
    incident: bool = False
    incident_notes: bool = False
    by_key: bool = False
    all_notes: bool = False
    swept: bool = False
    repeated: bool = False
    together: bool = False
    news: bool = False
    seen: bool = False
    tracked: bool = True
    row: Alert | None = None
    adopt: Incident | None = None
    acts: list[Act] = field(default_factory=list)
    twins: list[Incident] = field(default_factory=list)
    again: set[Side] = field(default_factory=set)
    read: set[Side] = field(default_factory=set)

    @classmethod
    def whole(cls, **more: object) -> "Look":
        """Everything on both sides."""
        return cls(alert=True, alert_notes=True, incident=True, incident_notes=True, **more)  # type: ignore[arg-type]


class Looks:
    """One cycle's looks."""

    def __init__(
        self, database: Database, horizons: Horizons, origin: Origin, now: datetime, memory: Memory
    ) -> None:
        self.database = database
        self.horizons = horizons
        self.origin = origin
        self.now = now
        self.memory = memory
        self.by_alert: dict[str, Look] = {}
        self.looked_again: dict[str, set[Side]] = {}

    def at(self, alert_id: str) -> Look:
        """What is to be read of this alert and its incident: to be added to.

        An alert that was seen already, to be paged, is seen once more: a feed that is read later shows what has
        happened since.
        """
        look = self.by_alert.get(alert_id)
        if look is None or look.seen:
            look = Look() if look is None else Look(again=look.again, read=look.read)
            self.by_alert[alert_id] = look
        return look

    def whole(self, alert_id: str) -> Look:
        """All that there is to be read of it; with that, whatever could not be read last time is made up for."""
        return self.sides(alert_id, set(Side))

    def sides(self, alert_id: str, sides: set[Side]) -> Look:
        """All that there is to be read of it on these sides."""
        look = self.at(alert_id)
        if Side.OPSGENIE in sides:
            look.alert = look.alert_notes = look.all_notes = True
        if Side.PAGERDUTY in sides:
            look.incident = look.incident_notes = True
        self.looked_again.setdefault(alert_id, set()).update(sides)
        return look

    def unread(self, sides: dict[str, set[Side]]) -> None:
        """What could not be read before. An alert that is still unknown may have its incident by now."""
        if not sides:
            return
        with self.database.reading() as books:
            known = books.snapshot.pairs(sides)
        for alert_id, unread in sides.items():
            if alert_id in known:
                self.sides(alert_id, unread).together = len(unread) > 1
            else:
                self.news(alert_id)

    def news(self, alert_id: str) -> Look:
        """An alert that is not known and pages somebody, unless it has its incident already."""
        look = self.whole(alert_id)
        look.by_key = look.news = look.tracked = True
        return look

    def compare_alerts(self, rows: list[Alert]) -> None:
        """Rows of an alert list. One that is not known is news, unless it is over since before we began.

        An open one that is older than our first start has entered the query since: it is news, too.
        """
        if not rows:
            return
        with self.database.reading() as books:
            pairs = books.snapshot.pairs([row.id for row in rows])
        for row in rows:
            pair = pairs.get(row.id)
            if pair is None:
                self._unknown_alert(row)
            elif row.updated_at < pair.opsgenie.updated_at <= self.now + AHEAD:
                continue  # the search index is behind what we read from the alert itself
            elif pair.tracked:
                self._compare_alert(row, pair.opsgenie)
            elif row.priority and pair.opsgenie.priority and row.priority != pair.opsgenie.priority:
                self.news(row.id).row = row  # whether that pages somebody is the core's to say
            elif row.open is not None and row.open != pair.opsgenie.open:
                self.at(row.id).row = row

    def _unknown_alert(self, row: Alert) -> None:
        known = self.by_alert.get(row.id)
        if known is not None:
            known.row = known.row or row
        elif (row.open is not False and row.created_at < self.origin.since) or self._was_open_at_first(row):
            self.news(row.id).row = row
        elif row.created_at >= self._oldest_news(row):
            self.by_alert[row.id] = Look.whole(row=row, news=True)
        else:
            self.by_alert[row.id] = Look(row=row, tracked=False)

    def _was_open_at_first(self, row: Alert) -> bool:
        """Whether a closed one was open when we first started, and would have paged had a list shown it then."""
        closed = row.open is False and row.closed_at is not None and row.closed_at > self.origin.at
        return closed and self.origin.since <= row.created_at < self.origin.at

    def _oldest_news(self, row: Alert) -> datetime:
        """A closed one from before the retention time may be one of ours that was forgotten."""
        if row.open is not False:
            return self.origin.since
        return max(self.origin.at, earlier(self.now, self.horizons.retention))

    def _compare_alert(self, row: Alert, base: AlertBaseline) -> None:
        moved = base.open and _differs(row, base)
        back = base.deleted or base.missing_since is not None
        raised = bool(row.priority and base.priority and row.priority != base.priority)
        repeated = not (moved or back or raised)
        if repeated and row.updated_at <= min(base.updated_at, self.now):
            return
        if repeated and not self.memory.may_repeat(row.id, self.now):
            return
        known = self.by_alert.get(row.id)
        look = self.at(row.id)
        look.alert_notes = True
        look.alert = look.alert or moved or back
        look.repeated = repeated and (known is None or known.repeated)
        look.row = row

    def compare_incidents(self, rows: list[Incident]) -> None:
        """Rows of an incident list. One that bears a known alert's id as its key, and is not ours yet, is.

        Where the alert follows another one, it is named beside that.
        """
        with self.database.reading() as books:
            ours = books.snapshot.pairs_of_incidents([row.id for row in rows])
            keyed = books.snapshot.pairs([row.key for row in rows if row.key])
        for row in rows:
            for pair in ours.get(row.id, ()):
                if _has_moved(row, pair.pagerduty):
                    self.at(pair.alert_id).incident = True
            known = keyed.get(row.key)
            if known is None or known.incident_id == row.id:
                continue
            if known.incident_id is None:
                self.whole(known.alert_id).adopt = row
            elif row.status != "resolved":
                self.at(known.alert_id).twins.append(row)

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

    def unsettled(self, pairs: list[Pair]) -> None:
        """Pairs that page nobody, or whose last step nothing explains yet: their incidents are read every time."""
        for pair in pairs:
            if pair.incident_id is not None:
                self.at(pair.alert_id).incident = True

    def missing(self, alert_ids: list[str]) -> None:
        """Alerts that Opsgenie did not know when they were last asked for: no list shows them."""
        for alert_id in alert_ids:
            self.at(alert_id).alert = True

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


def _differs(row: Alert, base: AlertBaseline) -> bool:
    """Whether the row shows another state; what it does not show readably says nothing."""
    return (row.open is not None and row.open != base.open) or (
        row.acknowledged is not None and row.acknowledged != base.acknowledged
    )


def _has_moved(row: Incident, base: IncidentBaseline | None) -> bool:
    if base is None or row.status != base.status:
        return True
    return {person.id for person in row.acknowledgers} != {person.id for person in base.acknowledgers}
