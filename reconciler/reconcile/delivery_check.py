"""The check of a write's precondition on its target, read just before the write."""

from reconciler.core.model import Action, Incident, Pair, Side
from reconciler.core.policy import Policy
from reconciler.core.preconditions import objection_in_pagerduty, objection_to_alert_write
from reconciler.core.readings import is_old_alert, is_old_incident
from reconciler.errors import ReconcilerError
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import Clock

OLD_ALERT, OLD_INCIDENT = (f"the {each} was shown as it had been before" for each in ("alert", "incident"))


class OldCopy(Exception):
    """A read was answered with an earlier state than an earlier read has shown. The next one may not be."""


class TargetCheck:
    """Reads the target of a write of a state, and compares it with what is known of it."""

    def __init__(self, vendors: Vendors, database: Database, clock: Clock, policy: Policy) -> None:
        self._vendors = vendors
        self._database = database
        self._clock = clock
        self._policy = policy

    def check(self, action: Action) -> tuple[str | None, Incident | None]:
        """The objection to a write, None if there is none, and the incident that it is meant for.

        Raises what a read raises, and OldCopy. An old state is believed once an action has waited because of it
        for longer than the staleness bound.
        """
        if not action.kind.is_state:
            return None, None
        if action.kind.side is Side.ALERTS:
            alert = self._vendors.alerts.alert(action.alert_id)
            pair, now = self._pair_to_compare(action), self._clock.now()
            if pair is not None and is_old_alert(alert, pair.alerts, now):
                raise OldCopy(OLD_ALERT)
            return objection_to_alert_write(action, alert), None
        incident = self._vendors.pagerduty.incident(action.incident_id or "")
        pair, now = self._pair_to_compare(action), self._clock.now()
        if pair is not None and is_old_incident(incident, pair, now):
            raise OldCopy(OLD_INCIDENT)
        return objection_in_pagerduty(action, incident, self._policy), incident

    def check_again(self, action: Action) -> str | None:
        """Why the write is no longer needed: somebody may have acted between the check and the write.

        None if the target cannot be read: then the refusal of the write itself is reported.
        """
        try:
            return self.check(action)[0]
        except DatabaseDown:
            raise
        except (ReconcilerError, OldCopy):
            return None

    def _pair_to_compare(self, action: Action) -> Pair | None:
        since = action.failing_since if action.error in (OLD_ALERT, OLD_INCIDENT) else None
        if since is not None and self._clock.now() - since >= self._policy.staleness:
            return None
        with self._database.reading() as unit:
            return unit.snapshot.pair(action.alert_id)
