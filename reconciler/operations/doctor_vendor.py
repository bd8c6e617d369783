"""Checks that both vendors have in common: the key, the region, the right to write, the clock."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.model import Side
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Misconfigured, ObjectError, Permanent, ReconcilerError, Refused
from reconciler.observability.naming import span
from reconciler.operations.findings import Check, Finding, bad, good, warning
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import SKEW, Clock

CALL_SECONDS = 8.0
"""The longest time for one call, retries included."""
HARMLESS = timedelta(seconds=30)
"""A difference of clocks that nobody notices."""


class HasClock(Protocol):
    """A vendor's reads, as far as both vendors have them."""

    def server_time(self) -> datetime | None:
        """The vendor's clock; also a cheap read."""


class VendorChecks:
    """The checks of one vendor's access. `elsewhere` has the same reads in the other region, if there is one."""

    credential = "key"
    unreached = "cannot be reached"

    def __init__(
        self,
        side: Side,
        reads: HasClock,
        elsewhere: HasClock | None,
        url: str,
        other_url: str,
        clock: Clock,
        product: Product = OPSGENIE,
    ) -> None:
        self.side = side
        self.product = product
        self.lost = ""
        self._reads = reads
        self._elsewhere = elsewhere
        self._url = url
        self._other_url = other_url
        self._clock = clock
        self._ahead: timedelta | None = None
        self._other_accepts = False

    @property
    def name(self) -> str:
        """The vendor's name as people write it."""
        return self.product.name_of(self.side)

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""
        raise NotImplementedError

    def key(self) -> Finding:
        """Whether the vendor is reached and accepts the credential; if not, nothing else of it is asked."""
        check, began = self._named(self.credential), self._clock.monotonic()
        try:
            with calling(CallPriority.CHANGED, CALL_SECONDS):
                at = self._reads.server_time()
        except Refused as error:
            self._other_accepts = self._try_elsewhere()
            self.lost = f"{self.name} refuses the {self.credential}"
            return self.refused(check, error)
        except (ObjectError, Permanent):  # the key is accepted: what is refused has a check of its own
            at = None
        except ReconcilerError as error:
            self.lost = f"{self.name} {self.unreached}"
            return bad(check, str(error))
        took = timedelta(seconds=self._clock.monotonic() - began)
        self._ahead = None if at is None else at - (self._clock.now() - took / 2)
        return self.accepted(check)

    def accepted(self, check: str) -> Finding:
        """More of an accepted credential."""
        return good(check, "accepted")

    def region(self) -> Finding:
        """The address at which the key was accepted."""
        named = f"{_region(self._url)}: " if self._other_url else ""
        return good(self._named("region"), f"{named}{self._url} accepts the key")

    def clock(self) -> Finding:
        """The difference of our clock and the vendor's."""
        check = self._named("clock")
        if self._ahead is None:
            return warning(check, f"{self.name}'s answer bears no readable time")
        words = f"ours is {span(abs(self._ahead))} {'behind' if self._ahead > timedelta(0) else 'ahead'}"
        if abs(self._ahead) <= HARMLESS:
            return good(check, "agrees with ours")
        fix = "set this machine's clock, best by NTP"
        return bad(check, words, fix) if abs(self._ahead) >= SKEW else warning(check, words, fix)

    def asked(self, check: Callable[[], Finding]) -> Callable[[], Finding]:
        """The check, with each of its calls bounded in time."""

        def bounded() -> Finding:
            with calling(CallPriority.CHANGED, CALL_SECONDS):
                return check()

        return bounded

    def _try_elsewhere(self) -> bool:
        """Whether the other region accepts the key."""
        if self._elsewhere is None:
            return False
        try:
            with calling(CallPriority.CHANGED, CALL_SECONDS):
                self._elsewhere.server_time()
        except (ObjectError, Permanent):
            return True
        except ReconcilerError:
            return False
        return True

    def refused(self, check: str, error: Misconfigured) -> Finding:
        """More of a refused credential."""
        if self._other_accepts:
            return bad(
                check,
                f"refused at {self._url}, accepted at {self._other_url}: the account is in the other region",
                f"set {self.product.api_url_of(self.side)}={self._other_url}",
            )
        found, _, fix = str(error).partition("; ")
        tried = f"; it is not accepted at {self._other_url} either" if self._other_url else ""
        return bad(check, f"{found}{tried}", fix)

    def _named(self, what: str) -> str:
        """The name of one of this vendor's checks."""
        return f"{self.product.key_of(self.side)} {what}"


def write_right(check: str, last: datetime | None, now: datetime, fix: str) -> Finding:
    """Whether the credential may write: only a write proves it, such as the reconciler's last one."""
    if last is not None:
        return good(check, f"allowed: the last one was carried out {span(now - last)} ago")
    return warning(check, "not provable without a write, and none is on record in this database", fix)


def _region(url: str) -> str:
    return "EU" if ".eu." in url else "US"


def phrase(names: Iterable[str], most: int = 5) -> str:
    """Names in one phrase, shortened."""
    found = list(names)
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest
