"""The policy of the mapping, by the settings."""

from datetime import timedelta

from reconciler.core.policy import Policy
from reconciler.core.product import OPSGENIE, PRODUCTS
from reconciler.runtime.alert_side import names_people
from reconciler.settings import Settings

AWAY_INTERVALS = 3
"""Poll intervals: an alert that is seen sooner is not late, whatever LATE_SECONDS says."""


def policy_of(settings: Settings) -> Policy:
    """The configured policy; who the automation user is, PagerDuty says."""
    return Policy(
        product=PRODUCTS[settings.alert_source],
        on_alert_unacknowledge=settings.on_opsgenie_unacknowledge,
        on_alert_close=settings.on_opsgenie_close,
        on_alert_priority=settings.on_opsgenie_priority,
        high_urgency=frozenset(settings.high_urgency_priorities),
        priorities=settings.pagerduty_priorities,
        title=settings.incident_title,
        details=settings.details(),
        on_pagerduty_ack_timeout=settings.on_pagerduty_ack_timeout,
        service=settings.pagerduty_service_id,
        on_late_alert=settings.on_late_alert,
        late=timedelta(seconds=max(settings.late_seconds, AWAY_INTERVALS * settings.poll_interval_seconds)),
        staleness=timedelta(seconds=settings.staleness_seconds),
        sweep_interval=timedelta(seconds=settings.sweep_interval_seconds),
        retention=timedelta(seconds=settings.retention_seconds),
        acts_are_named=names_people(settings),
        tells_who=PRODUCTS[settings.alert_source] is OPSGENIE,
    )
