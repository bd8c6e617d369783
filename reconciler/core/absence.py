"""Absence of alerts: missing, deleted once that is confirmed, and reappearing.

Neither product says that a key may not see an alert: it answers 404, as for a deleted one. So many alerts that are
missing at once have vanished from the key's sight, and none of them counts as deleted.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.model import Action, Alert, AlertBaseline, Observation, Settlement, Side, Status
from reconciler.core.policy import Policy
from reconciler.core.product import PRODUCTS, Product

MANY = 5
"""The fewest missing alerts that put the key in doubt while it still sees other open ones."""
ONE_IN = 5
"""They do so if at least one in so many open alerts is missing."""
BELIEVED_AFTER = timedelta(days=1)
"""How long after the last of them vanished they count as deleted: somebody has deleted so many on purpose."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """Alerts that the key stopped seeing together.

    `since` is when it stopped seeing the last of them; `most` is their largest number.
    """

    since: datetime
    alerts: frozenset[str]
    most: int

    def and_also(self, alerts: frozenset[str], now: datetime) -> "Vanished":
        """The same with these alerts, of which some may be known."""
        together = self.alerts | alerts
        return self if together == self.alerts else Vanished(now, together, max(self.most, len(together)))

    def without(self, alert_id: str) -> "Vanished":
        """The same after this alert was seen again, or is of no interest any more."""
        return replace(self, alerts=self.alerts - {alert_id})

    def is_over(self, opened: int) -> bool:
        """Whether so many are seen again that the key is no longer in doubt. `opened` alerts are open in all."""
        left = len(self.alerts)
        return left <= 1 or (2 * left <= self.most and not is_mass(left, opened))

    def is_believed(self, now: datetime) -> bool:
        """Whether they count as deleted, if others are seen."""
        return now - self.since >= BELIEVED_AFTER


def is_mass(missing: int, opened: int) -> bool:
    """Whether so many of the open alerts are missing that rather the key is wrong than all of them deleted."""
    return missing > 1 and (missing >= opened or (missing >= MANY and ONE_IN * missing >= opened))


def is_early(since: datetime | None, begun: datetime, policy: Policy, now: datetime) -> bool:
    """Whether a missing alert could count as deleted, but too little is known of the others for that.

    Only a listing of everything open, once a sweep interval, shows how many others are missing. `begun` is when
    this process began to look.
    """
    if since is None or now - since < policy.staleness:
        return False
    return now - max(since, begun) < policy.sweep_interval


def deleted_reason(product: Product) -> str:
    """Why a write to a deleted alert is dead."""
    return f"the alert was deleted in {product.name}"


def seen_again(product: Product) -> str:
    """Why such a write is due again."""
    return f"the alert is seen again in {product.name}"


_DELETED = tuple(deleted_reason(product) for product in PRODUCTS.values())


def is_confirmed(observation: Observation, policy: Policy, now: datetime) -> bool:
    """Whether the alert counts as deleted.

    It is missing now and has been for longer than the staleness bound, while other alerts are seen.
    """
    since = observation.pair.alerts.missing_since if observation.pair else None
    return _is_gone(observation) and since is not None and now - since >= policy.staleness


def lost(old: AlertBaseline, observation: Observation, policy: Policy, now: datetime) -> AlertBaseline:
    """Baseline of an alert that was not found. If the key sees no alert at all, nothing follows for this one."""
    if is_confirmed(observation, policy, now):
        return replace(old, open=False, deleted=True)
    return replace(old, missing_since=old.missing_since or now) if _is_gone(observation) else old


def is_open(alert: Alert, old: AlertBaseline) -> bool:
    """Whether the alert is open. Closed lasts until a later read shows it open; deleted, until it is seen."""
    if not alert.open:
        return False
    return old.open or old.deleted or alert.updated_at > old.updated_at


def without_target(baseline: AlertBaseline, mine: tuple[Action, ...], product: Product) -> tuple[Settlement, ...]:
    """Outcomes of writes to a deleted alert: dead, unless the alert reappears."""
    if not baseline.deleted:
        return ()
    waiting = (action for action in mine if action.status.is_open and action.kind.side is Side.ALERTS)
    return tuple(Settlement(action.id, Status.DEAD, deleted_reason(product)) for action in waiting)


def with_target_again(
    old: AlertBaseline | None,
    baseline: AlertBaseline,
    mine: tuple[Action, ...],
    now: datetime,
    product: Product,
) -> tuple[Settlement, ...]:
    """Outcomes that make writes due again that became dead when their alert was considered deleted."""
    if old is None or not old.deleted or baseline.deleted:
        return ()
    given_up = (action for action in mine if action.status is Status.DEAD and action.error.startswith(_DELETED))
    return tuple(
        Settlement(action.id, Status.PLANNED, seen_again(product), attempts=0, failing_since=now)
        for action in given_up
    )


def _is_gone(observation: Observation) -> bool:
    return observation.missing and observation.sees_others and observation.alert is None
