"""The vendor call for each kind of read, and its answer in the form that `core.reads` expects."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.core.read_progress import Progress, Read, What
from reconciler.reconcile.absence import Absence
from reconciler.reconcile.request_status import RequestStatuses
from reconciler.vendors.ports import OpsgenieReader, PagerDutyReader


@dataclass(frozen=True, slots=True)
class ReadCalls:
    """Makes single reads at both vendors."""

    opsgenie: OpsgenieReader
    pagerduty: PagerDutyReader
    requests: RequestStatuses
    absence: Absence

    def make(self, read: Read, progress: Progress) -> Any:  # noqa: PLR0911 - one a kind
        """Make the call. Raises what the clients raise."""
        match read.what:
            case What.ALERT:
                return self.opsgenie.alert(read.id)
            case What.ALERT_NOTES:
                return tuple(self.opsgenie.notes(read.id, read.until))
            case What.ALERT_LOG:
                return tuple(self.opsgenie.acts(read.id))
            case What.REQUEST:
                ask = partial(self.opsgenie.request_status, read.id)
                return self.requests.receipt(read.action_id, read.id, ask)
            case What.RECENT_ALERTS:
                seen = progress.observation
                since = seen.pair.opsgenie.missing_since if seen.pair else None
                self.absence.is_missing(seen.alert_id, since or progress.now)
                return self.absence.sees_others(partial(self.opsgenie.recent_alerts, None))
            case What.INCIDENTS_BY_KEY:
                return tuple(self.pagerduty.incidents_by_key(read.id))
            case What.INCIDENT:
                return self.pagerduty.incident(read.id)
            case What.INCIDENT_NOTES:
                return tuple(self.pagerduty.notes(read.id))
            case What.INCIDENT_LOG:
                return tuple(self.pagerduty.acts(read.id))
