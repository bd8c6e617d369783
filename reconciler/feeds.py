"""What says where to look: each side's change feed, everything there is at a first start, and webhooks.

None of them is taken for the state of anything: what counts is read from the thing itself, by its id.
"""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Act, Alert, Incident, Pair, Side
from reconciler.errors import Permanent
from reconciler.logcost import LogCost
from reconciler.looks import Look, Looks
from reconciler.remotes.base import PAGE, SKEW
from reconciler.sight import Eyes

CHATTER = frozenset(
    {"notify", "reach_ack_limit", "reach_trigger_limit", "repeat_escalation_path", "link", "unlink"}
)
"""Log entries that tell of no change to an incident."""
STAYS_TRIGGERED = frozenset(
    {"trigger", "assign", "escalate", "delegate", "exhaust_escalation_path", "link", "unlink"}
)
"""Log entries that change nothing about an incident which nobody has acknowledged; a new one has several."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Where something may have happened: an alert's id, or an incident's and the key that it is said to have."""

    side: Side
    id: str
    key: str = ""


class Feeds:
    """One cycle's feeds, which fill its looks, and where the feeds stand afterwards."""

    def __init__(self, eyes: Eyes, looks: Looks, log: LogCost, *, busy: bool) -> None:
        self.eyes = eyes
        self.looks = looks
        self.log = log
        self.busy = busy
        self.now = eyes.now
        self.cursors: dict[str, str] = {}
        self.mirrored_since: datetime | None = None

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
        origin = self.looks.origin
        self.mirrored_since = origin.since
        for alert in alerts:
            known = incidents.get(alert.id)
            if known is not None:
                self.looks.by_alert[alert.id] = Look.whole(row=alert, adopt=known)
            elif alert.created_at >= origin.since:
                self.looks.by_alert[alert.id] = Look.whole(row=alert, by_key=True, news=True)
            else:
                self.looks.by_alert[alert.id] = Look(row=alert, tracked=False)
        self.cursors["origin"] = json.dumps([origin.at.isoformat(), origin.since.isoformat()])
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

    def opsgenie(self, cursors: dict[str, str]) -> None:
        """The list by updatedAt, newest first, down to the watermark less the overlap."""
        watermark = datetime.fromisoformat(cursors["opsgenie"])
        rows = self.eyes.opsgenie.recent_alerts(watermark - self.eyes.policy.staleness)
        self.looks.compare_alerts(rows)
        newest = max((row.updated_at for row in rows), default=watermark)
        self.cursors["opsgenie"] = max(newest, watermark).isoformat()
        self.cursors["polled.opsgenie"] = self.now.isoformat()

    def pagerduty(self, cursors: dict[str, str], open_pairs: int) -> None:
        """The account's log, or the service's open incidents, whichever costs fewer requests.

        Where the log is longer than the open set, what is new in it is read for the notes, and the open set for
        the states: a large one every few cycles, and none while pages need the rate and all that is new was read.
        """
        mark, seen = json.loads(cursors["pagerduty"])
        watermark = datetime.fromisoformat(mark)
        open_set = max(1, math.ceil(open_pairs / PAGE))
        since = watermark - self.eyes.policy.staleness
        log = self.eyes.pagerduty.log_entries(since, lambda log: self.log.enough(log, open_set, since, watermark))
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
        with self.looks.database.reading() as books:
            pairs = books.snapshot.pairs_of_incidents({act.incident_id for act in acts})
        remembered = set()
        for act in acts:
            pair = pairs.get(act.incident_id)
            by_us = act.person is not None and self.eyes.policy.is_echo_of_us(act.person)
            if pair is None or by_us or _tells_nothing(act, pair):
                continue
            remembered.add(act.id)
            if act.id not in seen:
                look = self.looks.at(pair.alert_id)
                look.acts.append(act)
                look.incident_notes = look.incident_notes or act.verb == "annotate"
                look.incident = look.incident or act.verb != "annotate"
        return remembered

    def _compare_open_set(self) -> None:
        """The other feed: every open incident by value; one that left the list is read by its id."""
        listed = self.eyes.pagerduty.open_incidents()
        self.looks.compare_incidents(listed)
        self.looks.look_for_absent(Side.PAGERDUTY, {incident.id for incident in listed})

    def hinted(self, hints: Collection[Hint]) -> bool:
        """Looks at what we know, on the side that was named; whether an alert is named that we do not know.

        A key that is a known alert's id names its incident, and where it has none, one to be found and adopted.
        """
        alerts = {hint.id for hint in hints if hint.side is Side.OPSGENIE}
        keys = {hint.key for hint in hints if hint.key}
        with self.looks.database.reading() as books:
            known = books.snapshot.pairs(alerts | keys)
            ours = books.snapshot.pairs_of_incidents([hint.id for hint in hints if hint.side is Side.PAGERDUTY])
        for alert_id in [alert_id for alert_id in known if alert_id in alerts and known[alert_id].tracked]:
            look = self.looks.at(alert_id)
            look.alert = look.alert_notes = True
        for pair in [*ours.values(), *(known[key] for key in keys & known.keys())]:
            if pair.incident_id is None:
                self.looks.whole(pair.alert_id).by_key = True
            elif pair.tracked:
                look = self.looks.at(pair.alert_id)
                look.incident = look.incident_notes = True
        return not alerts <= known.keys()


def _tells_nothing(act: Act, pair: Pair) -> bool:
    triggered = pair.pagerduty is not None and pair.pagerduty.status == "triggered"
    return act.verb in CHATTER or (triggered and act.verb in STAYS_TRIGGERED)
