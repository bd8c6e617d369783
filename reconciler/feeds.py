"""Where to look: the change feeds, the sweep, and what our own open writes need to know.

A feed or a webhook only says where to look; what counts is read from the thing itself, by its id. A row of a
list is a hint as well: where it differs from the snapshot, the thing itself is read.
"""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
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
from reconciler.errors import Permanent
from reconciler.sight import Eyes, Look
from reconciler.store.database import Books, Database
from reconciler.sweep import PAGE, LogCost, Sweep, doublings

SKEW = timedelta(hours=1)
"""How far a vendor's clock and ours may differ without hiding anything from the feeds."""
CHATTER = frozenset(
    {"notify", "reach_ack_limit", "reach_trigger_limit", "repeat_escalation_path", "link", "unlink"}
)
"""Log entries that tell of no change to an incident."""
STAYS_TRIGGERED = frozenset(
    {"trigger", "assign", "escalate", "delegate", "exhaust_escalation_path", "link", "unlink"}
)
"""Log entries that change nothing about an incident which nobody has acknowledged; a new one has several."""


@dataclass(frozen=True, slots=True)
class Horizons:
    """How far back and how often to look."""

    lookback: timedelta
    sweep_interval: timedelta
    retention: timedelta


@dataclass(frozen=True, slots=True)
class Hint:
    """Where something may have happened: an alert's id, or an incident's and the key that it is said to have."""

    side: Side
    id: str
    key: str = ""


class Feeds:
    """One cycle's places to look at, by alert id, and where the feeds stand afterwards."""

    def __init__(
        self, eyes: Eyes, database: Database, horizons: Horizons, sweep: Sweep, log: LogCost, *, busy: bool
    ) -> None:
        self.eyes = eyes
        self.database = database
        self.horizons = horizons
        self.sweep = sweep
        self.log = log
        self.busy = busy
        self.now = eyes.now
        self.policy = eyes.policy
        self.looks: dict[str, Look] = {}
        self.cursors: dict[str, str] = {}
        self.looked_again: set[str] = set()
        self.mirrored_since: datetime | None = None
        self.open_pairs = 0
        self.open_actions: list[Action] = []

    def begin(self, books: Books) -> None:
        """What has to be known of the snapshot and the ledger before anything is asked."""
        self.open_pairs = books.snapshot.open_pairs()
        self.open_actions = books.ledger.open()

    def first_start(self) -> None:
        """Nothing is known: what is old is a baseline, what has an incident is adopted, the rest is news.

        A closed alert is not listed, but its incident may be open still: then its key names the alert.
        All or nothing: with one side out of reach nothing is begun, so that nothing is paged twice.
        """
        alerts: list[Alert] = []
        incidents: dict[str, Incident] = {}
        watermark = self.now - SKEW

        def opsgenie() -> None:
            nonlocal watermark
            recent = self.eyes.opsgenie.recent_alerts(None)
            watermark = max((alert.updated_at for alert in recent), default=watermark)
            alerts.extend(alert for page in self.eyes.opsgenie.open_alerts() for alert in page)

        def pagerduty() -> None:
            listed = self.eyes.pagerduty.open_incidents()
            incidents.update((incident.key, incident) for incident in listed if incident.key)

        def closed() -> None:
            listed = {alert.id for alert in alerts}
            found = map(self._alert_or_none, sorted(incidents.keys() - listed))
            alerts.extend(alert for alert in found if alert is not None)

        good = [self.eyes.attempt(Side.OPSGENIE, opsgenie), self.eyes.attempt(Side.PAGERDUTY, pagerduty)]
        if not all(good) or not self.eyes.attempt(Side.OPSGENIE, closed):
            return
        since = self.now - self.horizons.lookback
        self.mirrored_since = since
        for alert in alerts:
            known = incidents.get(alert.id)
            if known is not None:
                self.looks[alert.id] = Look.whole(row=alert, adopt=known)
            elif alert.created_at >= since:
                self.looks[alert.id] = Look.whole(row=alert, by_key=True, news=True)
            else:
                self.looks[alert.id] = Look(row=alert, tracked=False)
        self.cursors["origin"] = json.dumps([self.now.isoformat(), since.isoformat()])
        self.cursors["opsgenie"] = watermark.isoformat()
        self.cursors["pagerduty"] = json.dumps([(self.now - SKEW).isoformat(), []])
        self.cursors["sweep"] = self.now.isoformat()
        self.cursors["polled.opsgenie"] = self.cursors["polled.pagerduty"] = self.now.isoformat()

    def _alert_or_none(self, alert_id: str) -> Alert | None:
        """The alert; None when that is no alert's id: a key that somebody else gave an incident of theirs."""
        try:
            return self.eyes.opsgenie.alert(alert_id)
        except Permanent:
            return None

    def opsgenie(self, cursors: dict[str, str], origin: datetime, since: datetime) -> None:
        """The list by updatedAt, newest first, down to the watermark less the overlap."""
        watermark = datetime.fromisoformat(cursors["opsgenie"])
        rows = self.eyes.opsgenie.recent_alerts(watermark - self.policy.staleness)
        self._compare_rows(rows, origin, since)
        newest = max((row.updated_at for row in rows), default=watermark)
        self.cursors["opsgenie"] = max(newest, watermark).isoformat()
        self.cursors["polled.opsgenie"] = self.now.isoformat()

    def _compare_rows(self, rows: list[Alert], origin: datetime, since: datetime) -> None:
        """A row is a hint: where it differs from the snapshot, the alert itself is read."""
        if not rows:
            return
        with self.database.reading() as books:
            pairs = books.snapshot.pairs([row.id for row in rows])
        for row in rows:
            pair = pairs.get(row.id)
            if pair is None:
                # A closed one from before the retention time may be one of ours that was forgotten.
                news = row.created_at >= (since if row.open else max(origin, self.now - self.horizons.retention))
                self.looks[row.id] = Look.whole(row=row, news=True) if news else Look(row=row, tracked=False)
            elif row.updated_at < pair.opsgenie.updated_at:
                continue  # the search index is behind what we read from the alert itself
            elif pair.tracked:
                self._compare_row(row, pair.opsgenie)
            elif row.open != pair.opsgenie.open:
                self._look(row.id).row = row

    def _compare_row(self, row: Alert, base: AlertBaseline) -> None:
        moved = (row.open, row.acknowledged) != (base.open, base.acknowledged) and base.open
        if moved or row.updated_at > base.updated_at:
            look = self._look(row.id)
            look.alert_notes = True
            look.alert = look.alert or moved
            look.row = row

    def pagerduty(self, cursors: dict[str, str]) -> None:
        """The account's log, or the service's open incidents, whichever costs fewer requests.

        Where the log is longer than the open set, what is new in it is read for the notes, and the open set for
        the states: a large one every few cycles, and none while pages need the rate and all that is new was read.
        """
        mark, seen = json.loads(cursors["pagerduty"])
        watermark = datetime.fromisoformat(mark)
        open_set = max(1, math.ceil(self.open_pairs / PAGE))
        since = watermark - self.policy.staleness
        log = self.eyes.pagerduty.log_entries(
            since, self.now + SKEW, lambda log: self.log.enough(log, open_set, since, watermark)
        )
        self.log.learn(log, open_set, watermark)
        suffices = log.whole or (self.busy and self.log.has_news(log, watermark))
        if not suffices and self.log.may_list(open_set, self.now):
            self._compare_open_set()
        remembered = self._compare_acts([act for act in log.acts if act.incident_id], frozenset(seen))
        newest = max((act.at for act in log.acts), default=watermark)
        self.cursors["pagerduty"] = json.dumps([max(newest, watermark).isoformat(), sorted(remembered)])
        self.cursors["polled.pagerduty"] = self.now.isoformat()

    def _compare_acts(self, acts: list[Act], seen: frozenset[str]) -> set[str]:
        """Look where an incident of ours is named; the ids of the entries that did so are remembered."""
        if not acts:
            return set()
        with self.database.reading() as books:
            pairs = books.snapshot.pairs_of_incidents({act.incident_id for act in acts})
        remembered = set()
        for act in acts:
            pair = pairs.get(act.incident_id)
            if pair is None or _tells_nothing(act, pair) or (act.person and self.policy.is_echo_of_us(act.person)):
                continue
            remembered.add(act.id)
            if act.id not in seen:
                look = self._look(pair.alert_id)
                look.acts.append(act)
                look.incident_notes = look.incident_notes or act.verb == "annotate"
                look.incident = look.incident or act.verb != "annotate"
        return remembered

    def _compare_open_set(self) -> None:
        """The other feed: every open incident by value; one that left the list is read by its id."""
        listed = self.eyes.pagerduty.open_incidents()
        self._compare_incidents(listed)
        self._look_for_absent(Side.PAGERDUTY, {incident.id for incident in listed})

    def _compare_incidents(self, incidents: list[Incident]) -> None:
        """A row is a hint here as well. One that bears a known alert's id as its key, and is not ours yet, is."""
        with self.database.reading() as books:
            ours = books.snapshot.pairs_of_incidents([incident.id for incident in incidents])
            keyed = books.snapshot.pairs([incident.key for incident in incidents if incident.key])
        for incident in incidents:
            pair, known = ours.get(incident.id), keyed.get(incident.key)
            if pair is not None and _has_moved(incident, pair.pagerduty):
                self._look(pair.alert_id).incident = True
            elif pair is None and known is not None and known.incident_id is None:
                self._look_whole(known.alert_id)
                self._look(known.alert_id).adopt = incident

    def _look_for_absent(self, side: Side, listed: set[str]) -> None:
        """Absence is not closure: what should have been in a listing and was not is read by its id."""
        with self.database.reading() as books:
            ids = books.snapshot.open_ids(side)
            absent = books.snapshot.pairs([alert_id for alert_id, own in ids.items() if own not in listed])
        for pair in absent.values():
            look_at_alert = side is Side.OPSGENIE and pair.opsgenie.open
            look_at_incident = pair.pagerduty is not None and pair.pagerduty.status != "resolved"
            if look_at_alert:
                self._look(pair.alert_id).alert = True
            elif side is Side.PAGERDUTY and look_at_incident:
                self._look(pair.alert_id).incident = True

    def slice(self, cursors: dict[str, str], origin: datetime, since: datetime, share: float) -> None:
        """Heal what the feeds missed: a slice of all states, from both listings, and of all notes."""
        before = self.now - self.horizons.sweep_interval
        quota = math.ceil(self.open_pairs * min(share, 1.0))
        with self.database.reading() as books:
            due = books.snapshot.swept_before(before, quota) if quota else []
        for pair in due:
            look = self._look(pair.alert_id)
            look.swept = True
            look.alert_notes = look.alert_notes or pair.tracked
            look.incident_notes = look.incident_notes or pair.incident_id is not None
        self._finished(cursors, share)
        if self.sweep.is_due(datetime.fromisoformat(cursors["sweep"]), before):
            self.sweep.begin()
            self.cursors["sweep"] = self.now.isoformat()
        for _ in range(1 + quota // PAGE):
            self.eyes.attempt(Side.OPSGENIE, lambda: self._sweep_alerts(origin, since))
            self.eyes.attempt(Side.PAGERDUTY, self._sweep_incidents)

    def _finished(self, cursors: dict[str, str], share: float) -> None:
        """Pairs that are over, ever more seldom: each time that twice as long has passed since.

        Once in a sweep interval it is asked who has reached such an age; then they are looked at in order of
        their ids, a page in each interval at most. The cursor tells since when, until when, and how far.
        """
        interval, retention = self.horizons.sweep_interval, self.horizons.retention
        quota = math.ceil(PAGE * min(share, 1.0))
        now = self.now.isoformat()
        began, until, after = json.loads(cursors.get("finished", json.dumps([now, now, None])))
        if after is None and abs(self.now - datetime.fromisoformat(until)) >= interval:
            began, until, after = until, now, ""
        if after is not None and quota:
            span = datetime.fromisoformat(began), datetime.fromisoformat(until)
            with self.database.reading() as books:
                due = books.snapshot.finished(doublings(interval, retention), span, after, quota)
            for alert_id in due:
                look = self._look(alert_id)
                look.alert_notes = look.incident_notes = True
            after = due[-1] if len(due) == quota else None
        self.cursors["finished"] = json.dumps([began, until, after])

    def _sweep_alerts(self, origin: datetime, since: datetime) -> None:
        listing = self.sweep.listing(Side.OPSGENIE)
        if listing is None:
            return
        alerts, more = self.eyes.opsgenie.open_alerts_page(listing.offset)
        self._compare_rows(alerts, origin, since)
        if self.sweep.turn(Side.OPSGENIE, [alert.id for alert in alerts], more=more):
            self._look_for_absent(Side.OPSGENIE, listing.listed)

    def _sweep_incidents(self) -> None:
        listing = self.sweep.listing(Side.PAGERDUTY)
        if listing is None:
            return
        incidents, more = self.eyes.pagerduty.open_incidents_page(listing.offset)
        self._compare_incidents(incidents)
        if self.sweep.turn(Side.PAGERDUTY, [incident.id for incident in incidents], more=more):
            self._look_for_absent(Side.PAGERDUTY, listing.listed)

    def again(self, cursors: dict[str, str]) -> None:
        """What could not be read last time. An alert that is not known yet may have its incident already."""
        for alert_id in json.loads(cursors.get("again", "[]")):
            self._look_whole(alert_id)
            self._look(alert_id).by_key = True

    def doubts(self) -> None:
        """Our own writes that may or may not have landed."""
        for action in self.open_actions:
            if action.status is not Status.SENT:
                continue
            look = self._look(action.alert_id)
            if action.kind is Kind.CREATE_INCIDENT:
                look.by_key = look.alert_notes = look.incident_notes = True
            elif action.kind.is_note:
                look.incident_notes |= action.kind.side is Side.PAGERDUTY
                look.alert_notes |= action.kind.side is Side.OPSGENIE
            else:
                look.incident |= action.kind.side is Side.PAGERDUTY
                look.alert |= action.kind.side is Side.OPSGENIE

    def _look_whole(self, alert_id: str) -> None:
        look = self._look(alert_id)
        look.alert = look.alert_notes = look.incident = look.incident_notes = True
        self.looked_again.add(alert_id)

    def _look(self, alert_id: str) -> Look:
        return self.looks.setdefault(alert_id, Look())

    def hinted(self, hints: Collection[Hint]) -> bool:
        """Looks at what we know, on the side that was named; whether an alert is named that we do not know.

        A key that is a known alert's id names its incident, and where it has none, one to be found and adopted.
        """
        alerts = {hint.id for hint in hints if hint.side is Side.OPSGENIE}
        keys = {hint.key for hint in hints if hint.key}
        with self.database.reading() as books:
            known = books.snapshot.pairs(alerts | keys)
            ours = books.snapshot.pairs_of_incidents([hint.id for hint in hints if hint.side is Side.PAGERDUTY])
        for alert_id in [alert_id for alert_id in known if alert_id in alerts and known[alert_id].tracked]:
            look = self._look(alert_id)
            look.alert = look.alert_notes = True
        for pair in [*ours.values(), *(known[key] for key in keys & known.keys())]:
            if pair.incident_id is None:
                self._look_whole(pair.alert_id)
                self._look(pair.alert_id).by_key = True
            elif pair.tracked:
                look = self._look(pair.alert_id)
                look.incident = look.incident_notes = True
        return not alerts <= known.keys()


def _tells_nothing(act: Act, pair: Pair) -> bool:
    triggered = pair.pagerduty is not None and pair.pagerduty.status == "triggered"
    return act.verb in CHATTER or (triggered and act.verb in STAYS_TRIGGERED)


def _has_moved(incident: Incident, base: IncidentBaseline | None) -> bool:
    if base is None or incident.status != base.status:
        return True
    return {person.id for person in incident.acknowledgers} != {person.id for person in base.acknowledgers}
