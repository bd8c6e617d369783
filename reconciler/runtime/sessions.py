"""The HTTP session with one vendor, by the settings."""

from collections.abc import Callable

from reconciler.core.model import Side
from reconciler.settings import Settings
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter

PAGERDUTY_PER_MINUTE = 960
"""PagerDuty's documented limit per key, until its headers state another. Opsgenie publishes none."""


def session(
    settings: Settings,
    side: Side,
    clock: Clock,
    limiter: RateLimiter,
    on_request: Callable[[RequestRecord], None] | None = None,
    url: str = "",
) -> Http:
    """The session; `url` replaces the configured address."""
    og_key, pd_key = settings.opsgenie_api_key.get_secret_value(), settings.pagerduty_api_key.get_secret_value()
    configured, key, name = (
        (settings.opsgenie_api_url, f"GenieKey {og_key}", "Opsgenie")
        if side is Side.OPSGENIE
        else (settings.pagerduty_api_url, f"Token token={pd_key}", "PagerDuty")
    )
    return Http(
        url or configured, {"Authorization": key}, name=name, clock=clock, limiter=limiter, on_request=on_request
    )
