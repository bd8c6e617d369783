"""The vendor call for each kind of read, and its answer in the form that `core.reads` expects."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.core.read_progress import Progress, Read, What
from reconciler.reconcile.absence import Absence
from reconciler.reconcile.request_status import RequestStatuses
from reconciler.vendors.ports import AlertReader, PagerDutyReader


@dataclass(frozen=True, slots=True)
class ReadCalls:
    """Makes single reads at both vendors."""

    alerts: AlertReader
    pagerduty: PagerDutyReader
    requests: RequestStatuses
    absence: Absence

    def make(self, read: Read, progress: Progress) -> Any:  # noqa: PLR0911 - one a kind
        """Make the call. Raises what the clients raise."""
        match read.what:
            case What.ALERT:
                return self.alerts.alert(read.id)
            case What.ALERT_NOTES:
                return tuple(self.alerts.notes(read.id, read.until))
            case What.ALERT_LOG:
                return tuple(self.alerts.acts(read.id))
            case What.REQUEST:
                ask = partial(self.alerts.request_status, read.id)
                return self.requests.receipt(read.action_id, read.id, ask)
            case What.RECENT_ALERTS:
                return self._sees_others(progress)
            case What.INCIDENTS_BY_KEY:
                return tuple(self.pagerduty.incidents_by_key(read.id))
            case What.INCIDENT:
                return self.pagerduty.incident(read.id)
            case What.INCIDENT_NOTES:
                return tuple(self.pagerduty.notes(read.id))
            case What.INCIDENT_LOG:
                return tuple(self.pagerduty.acts(read.id))

    def _sees_others(self, progress: Progress) -> bool:
        """Whether the alert that is missing may count as deleted. One that is unlinked concerns nobody."""
        seen = progress.observation
        if seen.pair is not None and seen.pair.is_unlinked:
            return True
        since = seen.pair.alerts.missing_since if seen.pair else None
        self.absence.is_missing(seen.alert_id, since or progress.now)
        return self.absence.sees_others(partial(self.alerts.recent_alerts, None), since, progress.policy)
