"""What routes with the same key share: its rate limiter, so that one budget holds for all of them."""

from collections.abc import Callable, Hashable
from threading import Lock

from reconciler.core.model import Side
from reconciler.core.product import PRODUCTS
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE, addresses, authorization
from reconciler.settings import Settings
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import RateLimiter


class Connections:
    """The rate limiters of all keys. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._limiters: dict[Hashable, RateLimiter] = {}

    def limiter(self, settings: Settings, side: Side) -> RateLimiter:
        """The rate limiter of this side's key."""
        per_minute = PAGERDUTY_PER_MINUTE if side is Side.PAGERDUTY else None
        return self._one(self._limiters, key_of(settings, side), lambda: RateLimiter(self._clock, per_minute))

    def _one(
        self, known: dict[Hashable, RateLimiter], key: Hashable, make: Callable[[], RateLimiter]
    ) -> RateLimiter:
        with self._lock:
            if key not in known:
                known[key] = make()
            return known[key]


def key_of(settings: Settings, side: Side) -> Hashable:
    """What two routes have in common if they use one side with the same key at the same address."""
    name = PRODUCTS[settings.alert_source].name_of(side)
    return name, addresses(settings)[name], authorization(settings, name)
