"""Check whether a refusal concerns the whole API key: one cheap read of no object in particular."""

from threading import Lock

from reconciler.core.model import Side
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Misconfigured, Permanent, ReconcilerError, Refused
from reconciler.reconcile.vendor_calls import Vendors
from reconciler.vendors.ports import Clock

CHECK_SERVES = 10.0
"""Seconds for which a result serves all further refusals by that vendor."""


class KeyCheck:
    """Both API keys, each checked at most once in `CHECK_SERVES`, by one thread at a time."""

    def __init__(self, vendors: Vendors, clock: Clock, product: Product = OPSGENIE) -> None:
        self._clock = clock
        self._vendors = vendors
        self._product = product
        self._answers: dict[Side, tuple[float, Refused | None]] = {}
        self._locks = {side: Lock() for side in Side}

    def refused(self, side: Side) -> Refused | None:
        """The account's refusal of the key; None if the key is accepted, or the check gets no answer."""
        with self._locks[side]:
            known = self._answers.get(side)
            if known is not None and self._clock.monotonic() - known[0] < CHECK_SERVES:
                return known[1]
            found = self._asked(side)
            self._answers[side] = (self._clock.monotonic(), found)
            return found

    def _asked(self, side: Side) -> Refused | None:
        try:
            (self._vendors.alerts if side is Side.ALERTS else self._vendors.pagerduty).confirm_key()
        except Refused as error:
            return error
        except (Misconfigured, Permanent) as error:
            words, product = str(error).partition(";")[0], self._product
            return Refused(
                f"{product.credential_of(side)}: every request is refused, even one for nothing in particular: "
                f"{words}; see {product.name_of(side)}'s account, and whether {product.api_url_of(side)} is the "
                "address of the API"
            )
        except ReconcilerError:
            return None
        return None
