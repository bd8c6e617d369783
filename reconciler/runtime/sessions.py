"""The HTTP session with one vendor, by the settings."""

from collections.abc import Callable

from reconciler.core.model import Side
from reconciler.core.product import PRODUCTS
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
    configured = settings.opsgenie_api_url if side is Side.ALERTS else settings.pagerduty_api_url
    return Http(
        url or configured,
        {"Authorization": authorization(settings, side)},
        name=PRODUCTS[settings.alert_source].name_of(side),
        clock=clock,
        limiter=limiter,
        on_request=on_request,
    )


def authorization(settings: Settings, side: Side) -> str:
    """The header with the key of this vendor."""
    if side is Side.ALERTS:
        return f"GenieKey {settings.opsgenie_api_key.get_secret_value()}"
    return f"Token token={settings.pagerduty_api_key.get_secret_value()}"
