"""What is there before us: at a first start, and when the configured query shows more than it did.

What is old is a baseline and pages nobody, what has an incident is adopted, the rest is news.
"""

import json
import re
from datetime import datetime

from reconciler.core.model import Alert, Incident, Side
from reconciler.cursors import LogMark, earlier, keys, stored_keys
from reconciler.looks import Look, Looks
from reconciler.sight import Eyes
from reconciler.vendors.ports import SKEW

AT_A_TIME = 50
"""Alerts that no list shows and whose incidents are open: so many are asked for in one cycle."""
_ALERT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-\d+)?", re.IGNORECASE)


class Beginning:
    """One cycle's part of it. `cursors` are to be stored."""

    def __init__(self, eyes: Eyes, looks: Looks) -> None:
        self.eyes = eyes
        self.looks = looks
        self.now = eyes.now
        self.cursors: dict[str, str] = {}

    def first_start(self) -> bool:
        """Both sides' open things. All or nothing, so that nothing is paged twice; whether it was all.

        A closed alert is not listed, but its incident may be open still: then its key names the alert. Those are
        asked for afterwards, a few in each cycle: nobody's page waits for them.
        """
        alerts: dict[str, Alert] = {}
        incidents: dict[str, Incident] = {}
        watermark = earlier(self.now, SKEW)

        def opsgenie() -> None:
            nonlocal watermark
            recent = self.eyes.opsgenie.recent_alerts(None)
            watermark = min(max((alert.updated_at for alert in recent), default=watermark), self.now)
            alerts.update((alert.id, alert) for page in self.eyes.opsgenie.open_alerts() for alert in page)

        def pagerduty() -> None:
            listed = self.eyes.pagerduty.open_incidents()
            incidents.update((incident.key, incident) for incident in listed if incident.key)

        good = [self.eyes.attempt(Side.OPSGENIE, opsgenie), self.eyes.attempt(Side.PAGERDUTY, pagerduty)]
        if not all(good):
            return False
        origin = self.looks.origin
        self._begin_with(list(alerts.values()), incidents, origin.since)
        unlisted = [key for key in incidents.keys() - alerts.keys() if _ALERT_ID.fullmatch(key)]
        self.cursors["origin"] = json.dumps([origin.at.isoformat(), origin.since.isoformat()])
        self.cursors["query"] = self.looks.horizons.query
        self.cursors["opsgenie"] = watermark.isoformat()
        self.cursors["pagerduty"] = LogMark(earlier(self.now, SKEW)).stored()
        self.cursors["sweep"] = self.now.isoformat()
        self.cursors["polled.opsgenie"] = self.cursors["polled.pagerduty"] = self.now.isoformat()
        self.adopt_some({"adopt": stored_keys(unlisted)})
        return True

    def query_changed(self, before: dict[str, str]) -> bool:
        """Every open alert of another query than the stored one. Whether the Opsgenie feed may be compared now.

        Without a stored one nothing is known of a change: an older version stored none.
        """
        stored, query = before.get("query"), self.looks.horizons.query
        if stored == query:
            return True
        if stored is not None:
            since = earlier(self.now, self.looks.horizons.lookback)
            if not self.eyes.attempt(Side.OPSGENIE, lambda: self._list_unknown(since)):
                return False
        self.cursors["query"] = query
        return True

    def adopt_some(self, before: dict[str, str]) -> None:
        """Look at some of the alerts whose incidents were open at the first start although no list shows them."""
        waiting = keys(before.get("adopt"))
        if not waiting:
            return
        for alert_id in waiting[:AT_A_TIME]:
            self.looks.whole(alert_id).by_key = True
        self.cursors["adopt"] = stored_keys(waiting[AT_A_TIME:])

    def _list_unknown(self, since: datetime) -> None:
        alerts = {alert.id: alert for page in self.eyes.opsgenie.open_alerts() for alert in page}
        with self.looks.database.reading() as books:
            known = books.snapshot.pairs(alerts)
        self._begin_with([alert for alert in alerts.values() if alert.id not in known], {}, since)

    def _begin_with(self, alerts: list[Alert], incidents: dict[str, Incident], since: datetime) -> None:
        for alert in alerts:
            incident = incidents.get(alert.id)
            if incident is not None:
                self.looks.by_alert[alert.id] = Look.whole(row=alert, adopt=incident)
            elif alert.created_at >= since:
                self.looks.news(alert.id).row = alert
            else:
                self.looks.by_alert[alert.id] = Look(row=alert, tracked=False)
