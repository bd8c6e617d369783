"""Lookup of incidents that PagerDuty may have already: by key, or by one listing for many keys."""

from threading import Lock

from reconciler.core.model import Action, Kind, Status
from reconciler.core.policy import Policy
from reconciler.core.retry import steps_aside
from reconciler.errors import Misconfigured, NotExecuted, ReconcilerError
from reconciler.reconcile.delivery_blocks import backs_off_until
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import SKEW, Clock

MANY = 3
"""Number of possibly repeated creations from which one listing is cheaper than one lookup each."""
LISTING_SERVES = 10.0
"""Seconds for which a listing's answers are used; also the least time between two listings."""


class ExistingIncidents:
    """Lookup for creations that may have happened before. For any thread; only one lists at a time."""

    def __init__(self, vendors: Vendors, database: Database, clock: Clock) -> None:
        self._vendors = vendors
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._listed_at: float | None = None
        self._answers: dict[str, bool] = {}

    def has(self, action: Action, policy: Policy) -> bool:
        """Whether there is an incident with the creation's key, open or not. Raises what the client raises.

        A lookup that has failed for longer than the staleness bound counts as no, unless PagerDuty is away:
        PagerDuty itself refuses a second open incident, and somebody has to be paged.
        """
        if not self._may_exist(action, policy):
            return False
        listed = self._listed(action, policy)
        if listed is not None:
            return listed
        try:
            return bool(self._vendors.pagerduty.incidents_by_key(action.alert_id))
        except ReconcilerError as error:
            is_away = isinstance(error, Misconfigured | NotExecuted | DatabaseDown)
            if is_away or not steps_aside(action, self._clock.now(), policy.staleness):
                raise
            return False

    def _may_exist(self, action: Action, policy: Policy) -> bool:
        """Whether it was tried before, or is old enough to have been created before the database was lost."""
        is_fresh = action.attempts == 0 and self._clock.now() - action.at <= policy.staleness
        return action.kind is Kind.CREATE_INCIDENT and not is_fresh

    def _listed(self, action: Action, policy: Policy) -> bool | None:
        """The listing's answer, which serves once; None if there is none and the key has to be looked up.

        A failed listing is this creation's failure. For a while the others are looked up by key, unless PagerDuty
        is away.
        """
        with self._lock:
            if self._listed_at is not None and self._clock.monotonic() - self._listed_at < LISTING_SERVES:
                return self._answers.pop(action.alert_id, None)
            self._answers = {}
            candidates = self._candidates(policy)
            if len(candidates) < MANY:
                return None
            self._listed_at = self._clock.monotonic()
            since = min(each.at for each in candidates) - SKEW
            until = self._clock.now() + SKEW
            try:
                keys = self._vendors.pagerduty.keys_between(since, until, len(candidates))
            except NotExecuted:  # PagerDuty is away: after that, one listing serves all that wait
                self._listed_at = None
                raise
            if keys is not None:
                self._answers = {each.alert_id: each.alert_id in keys for each in candidates}
            return self._answers.pop(action.alert_id, None)

    def _candidates(self, policy: Policy) -> list[Action]:
        now = self._clock.now()
        with self._database.reading() as unit:
            creations = unit.outbox.open(Kind.CREATE_INCIDENT)
        return [
            action
            for action in creations
            if action.status is Status.PLANNED
            and backs_off_until(action, now) is None
            and self._may_exist(action, policy)
        ]
