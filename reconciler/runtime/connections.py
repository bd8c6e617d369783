"""What routes with the same key share: its rate limiter, so that one budget holds for all of them."""

from collections.abc import Hashable, Iterable
from threading import Lock

from reconciler.core.model import Side
from reconciler.core.product import JSM, PRODUCTS
from reconciler.routes import Route
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE, addresses, authorization
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter


class Connections:
    """The rate limiters of all keys. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._limiters: dict[Hashable, RateLimiter] = {}

    def limiter(self, route: Route, side: Side) -> RateLimiter:
        """The rate limiter of this side's key."""
        key = key_of(route, side)
        with self._lock:
            if key not in self._limiters:
                per_minute = PAGERDUTY_PER_MINUTE if side is Side.PAGERDUTY else None
                self._limiters[key] = RateLimiter(self._clock, per_minute)
            return self._limiters[key]

    def keep(self, routes: Iterable[Route]) -> None:
        """Forget the keys that none of these routes uses."""
        used = {key_of(route, side) for route in routes for side in Side}
        with self._lock:
            self._limiters = {key: limiter for key, limiter in self._limiters.items() if key in used}


def key_of(route: Route, side: Side) -> Hashable:
    """What two routes have in common if they use one side with the same key at the same address.

    A key in a file is known by the file, because its content may be replaced while the program runs. One token of
    JSM may be used for several sites, which have nothing in common.
    """
    settings = route.settings
    product = PRODUCTS[settings.alert_source]
    name = product.name_of(side)
    variable = "PAGERDUTY_API_KEY" if side is Side.PAGERDUTY else product.credential
    file = next((file.path for file in route.files if file.variable == variable), "")
    account: tuple[str, ...] = ()
    if product is JSM and side is Side.ALERTS:
        account = (settings.jsm_email, settings.jsm_site_url, settings.jsm_cloud_id)
    return name, addresses(settings)[name], account, file or authorization(settings, name)
