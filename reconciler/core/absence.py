"""Absence of alerts: missing, deleted once that is confirmed, and reappearing."""

from dataclasses import replace
from datetime import datetime

from reconciler.core.model import Action, Alert, AlertBaseline, Observation, Settlement, Side, Status
from reconciler.core.policy import Policy
from reconciler.core.product import PRODUCTS, Product


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
