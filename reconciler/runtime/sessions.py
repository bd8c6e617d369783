"""The HTTP sessions with the vendors, by the settings."""

from collections.abc import Callable

from reconciler.core.model import Side
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS
from reconciler.settings import Settings
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE

PAGERDUTY_PER_MINUTE = 960
"""PagerDuty's documented limit per key, until its headers state another. Opsgenie and JSM publish none."""


def session(
    settings: Settings,
    side: Side,
    clock: Clock,
    limiter: RateLimiter,
    on_request: Callable[[RequestRecord], None] | None = None,
    url: str = "",
    name: str = "",
) -> Http:
    """The session; `url` replaces the configured address. `name` chooses another one than the side's own."""
    name = name or PRODUCTS[settings.alert_source].name_of(side)
    key = authorization(settings, name)
    return Http(
        url or addresses(settings)[name],
        {"Authorization": key} if key else {},
        name=name,
        clock=clock,
        limiter=limiter,
        on_request=on_request,
    )


def authorization(settings: Settings, name: str) -> str:
    """The header with the key of the session that has this name; empty if it sends none."""
    if name == OPSGENIE.name:
        return f"GenieKey {settings.opsgenie_api_key.get_secret_value()}"
    if name == JSM.name:
        return f"Basic {settings.jsm_credentials()}"
    if name == JSM_KEYED and settings.jsm_integration_key is not None:
        return f"GenieKey {settings.jsm_integration_key.get_secret_value()}"
    return "" if name in (JSM_KEYED, JSM_SITE) else f"Token token={settings.pagerduty_api_key.get_secret_value()}"


def addresses(settings: Settings) -> dict[str, str]:
    """The base address of each session, by its name."""
    return {
        OPSGENIE.name: settings.opsgenie_api_url,
        JSM.name: settings.jsm_api_url,
        JSM_KEYED: f"{settings.jsm_api_url}/jsm/ops/integration",
        JSM_SITE: settings.jsm_site_url,
        "PagerDuty": settings.pagerduty_api_url,
    }
