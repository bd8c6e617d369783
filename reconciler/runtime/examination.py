"""Wires what an examination of the set-up needs: both vendors' reads, and no part that could write."""

from reconciler.core.model import Side
from reconciler.operations.doctor import Elsewhere, Examined
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE, session
from reconciler.settings import Settings
from reconciler.vendors.http import SystemClock
from reconciler.vendors.network import OTHER_REGION
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.ports import AlertExaminer, Clock, PagerDutyExaminer
from reconciler.vendors.rate_limiter import RateLimiter


def assemble_examination(settings: Settings, clock: Clock | None = None) -> Examined:
    """Both vendors as configured, and the same keys at the other region's address where there is one."""
    clock = clock or SystemClock()
    og_url = OTHER_REGION.get(settings.opsgenie_api_url, "")
    pd_url = OTHER_REGION.get(settings.pagerduty_api_url, "")
    elsewhere = Elsewhere(
        _opsgenie(settings, clock, og_url) if og_url else None,
        og_url,
        _pagerduty(settings, clock, pd_url) if pd_url else None,
        pd_url,
    )
    opsgenie = _opsgenie(settings, clock, settings.opsgenie_api_url)
    return Examined(settings, clock, opsgenie, _pagerduty(settings, clock, settings.pagerduty_api_url), elsewhere)


def _opsgenie(settings: Settings, clock: Clock, url: str) -> AlertExaminer:
    http = session(settings, Side.ALERTS, clock, RateLimiter(clock), url=url)
    return OpsgenieExamination(http, settings.opsgenie_query, url)


def _pagerduty(settings: Settings, clock: Clock, url: str) -> PagerDutyExaminer:
    http = session(settings, Side.PAGERDUTY, clock, RateLimiter(clock, PAGERDUTY_PER_MINUTE), url=url)
    return PagerDutyExamination(
        http, settings.pagerduty_service_id, settings.pagerduty_email, settings.pagerduty_user
    )
