"""The first start, and a changed query: existing alerts become baselines, adopted incidents or pages.

An old alert becomes a baseline and pages nobody, one with an incident is adopted, and any other is new.
"""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from reconciler.core.listings import adopted, baseline, known_by_incident, looked_up, new_alert
from reconciler.core.model import Alert, Incident, Side
from reconciler.core.outage import key_of, recalled
from reconciler.core.product import OPSGENIE
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import ReconcilerError
from reconciler.reconcile.problems import Problem, Problems
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import Intake
from reconciler.store.cursors import LogMark, Origin, earlier
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import SKEW, AlertReader, Clock, PagerDutyReader

FIRST_START_PLACE = "first start"
"""Place under which a failure of PagerDuty is reported."""
_ALERT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-\d+)?", re.IGNORECASE)


class FirstStart:
    """Reads everything open on both sides, once: all or nothing, so that nothing is paged twice."""

    def __init__(
        self,
        opsgenie: AlertReader,
        pagerduty: PagerDutyReader,
        database: Database,
        intake: Intake,
        clock: Clock,
        horizons: Horizons,
        problems: Problems,
        *,
        may_be_moved: bool = False,
        elsewhere: Callable[[Collection[str]], Collection[str]] = lambda _ids: (),
    ) -> None:
        """`may_be_moved`: alerts may have other ids than the keys of their incidents (see `core.moved_notes`).

        `elsewhere` are those of these alerts that belong to other routes, whose incidents are on the same service.
        """
        self._elsewhere = elsewhere
        self._opsgenie = opsgenie
        self._pagerduty = pagerduty
        self._database = database
        self._intake = intake
        self._clock = clock
        self._horizons = horizons
        self._problems = problems
        self._may_be_moved = may_be_moved

    def start(self) -> None:
        """Take in everything open on both sides and set every cursor, in one transaction.

        A failure of PagerDuty is reported as such, whether or not one of the alert side follows, which is raised.
        """
        now = self._clock.now()
        incidents = self._incidents()
        alerts, watermark = self._alerts(now)
        if incidents is None:
            return
        since = earlier(now, self._horizons.lookback)
        keys = {key for key in incidents.keys() - alerts.keys() if _ALERT_ID.fullmatch(key)}
        unlisted = sorted(keys.difference(self._elsewhere(keys)))
        items = [
            *_sorted_out(
                alerts.values(), incidents, since, now, is_looked_up=self._may_be_moved and bool(unlisted)
            ),
            *(known_by_incident(alert_id, now) for alert_id in unlisted),
        ]
        outage = recalled(incidents.get(key_of(self._database.route)), now)
        self._intake.accept(
            items,
            origin=Origin(now, since),
            query=self._horizons.query,
            alerts=watermark,
            pagerduty=LogMark(earlier(now, SKEW)),
            sweep=now,
            polled_alerts=now,
            polled_pagerduty=now,
            **({"outage": outage} if outage else {}),
            **({"source": self._horizons.source} if self._horizons.source != OPSGENIE.key else {}),
        )

    def follow_query(self, stored: str | None) -> None:
        """Take in the open alerts that the present query shows and the stored one does not, and store the query.

        Without a stored query no change is assumed.
        """
        query = self._horizons.query
        if stored == query:
            return
        now = self._clock.now()
        items: list[WorkItem] = []
        if stored is not None:
            alerts = self._open_alerts()
            with self._database.reading() as unit:
                known = unit.snapshot.pairs(alerts)
            unknown = [alert for alert in alerts.values() if alert.id not in known]
            items = _sorted_out(unknown, {}, earlier(now, self._horizons.lookback), now)
        self._intake.accept(items, query=query)

    def _alerts(self, now: datetime) -> tuple[dict[str, Alert], datetime]:
        """Every open alert by its id, and the position at which the feed begins: never ahead of our clock."""
        recent = self._opsgenie.recent_alerts(None)
        watermark = min(max((alert.updated_at for alert in recent), default=earlier(now, SKEW)), now)
        return self._open_alerts(), watermark

    def _open_alerts(self) -> dict[str, Alert]:
        return {alert.id: alert for page in self._opsgenie.open_alerts() for alert in page}

    def _incidents(self) -> dict[str, Incident] | None:
        """Every open incident by its key; None if they cannot be read."""
        try:
            listed = self._pagerduty.open_incidents()
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            self._problems.put(FIRST_START_PLACE, [Problem(Side.PAGERDUTY, error)])
            return None
        self._problems.put(FIRST_START_PLACE)
        return {incident.key: incident for incident in listed if incident.key}


def _sorted_out(
    alerts: Iterable[Alert],
    incidents: dict[str, Incident],
    since: datetime,
    now: datetime,
    *,
    is_looked_up: bool = False,
) -> list[WorkItem]:
    """Items for these alerts. `is_looked_up`: an old alert's notes may name the key of its incident."""
    found = []
    for alert in alerts:
        incident = incidents.get(alert.id)
        if incident is not None:
            found.append(adopted(alert, incident, now))
        elif alert.created_at >= since:
            found.append(new_alert(alert, now))
        elif is_looked_up:
            found.append(looked_up(alert, now))
        else:
            found.append(baseline(alert, now, Reason.FIRST_START))
    return found
