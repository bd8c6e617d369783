"""The facts that health is judged by: whether cycles keep finishing, and what they met."""

import time
from collections.abc import Callable, Mapping
from threading import Lock

from reconciler.core.model import Side
from reconciler.core.text import name_of
from reconciler.engine import Report
from reconciler.errors import Misconfigured, Refused
from reconciler.vendors.limits import Call, Need
from reconciler.vendors.ports import Clock
from reconciler.vendors.rate_limiter import Budget

INTERVALS = 3
SHORTEST_PATIENCE = 2.0
"""Seconds: with very short intervals a busy machine alone could make three of them pass."""
LONGEST_CALL = 45.0
"""Seconds: a call ends by itself in less. One that does not, with its wait for the rate limit, hangs."""
PAUSE = 30.0
"""The longest that a client waits before it tries a failed read again, and then some."""


class Vitals:
    """Whether the work goes on, and whether it is set up well. Nothing here waits for anything."""

    def __init__(self, interval: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._patience = max(INTERVALS * interval, SHORTEST_PATIENCE)
        self._monotonic = monotonic
        self._lock = Lock()
        self._deadline = monotonic() + self._patience
        self._under_way: dict[int, tuple[str, float]] = {}  # calls by number: to whom, and since when
        self._number = 0
        self._asked_since = 0.0
        self._failing = False
        self._standing_by = False
        self._begun = False
        self._unwell = ""
        self._pages = ""
        self._polled: set[Side] = set()
        self._wanting: dict[str, str] = {}
        self.dead = 0

    def alive(self) -> bool:
        """Whether cycles keep finishing. The time that a vendor takes does not count, up to that of one call."""
        with self._lock:
            now = self._monotonic()
            if self._hanging(now):
                return False
            asked_since = self._asked_since if self._under_way else now
            return asked_since <= self._deadline or (bool(self._under_way) and not self._failing)

    def unready(self) -> str:
        """Why the work is not as it should be; empty when it is. A stand-by is ready: it is there to take over."""
        if self._standing_by:
            return "" if self.alive() else "no look at the lock has ended for three intervals"
        if self._unwell:
            return self._unwell
        with self._lock:
            hanging = self._hanging(self._monotonic())
        if hanging:
            return f"a call to {hanging} has not ended for more than {LONGEST_CALL:.0f} s: restart if that lasts"
        if not self.alive():
            return "no cycle has ended for three intervals"
        missing = " and ".join(name_of(side) for side in Side if side not in self._polled)
        if not self._begun:
            with self._lock:
                wanting = ", ".join(f"{vendor} {words}" for vendor, words in self._wanting.items() if words)
            return f"the first poll of {missing} is not over yet" + (f": {wanting}" if wanting else "")
        return f"{missing} could not be polled yet" if missing else self._pages

    def role(self) -> str:
        """Whether this process does the work, or is there to take over."""
        return "standby" if self._standing_by else "leader"

    def pages(self, reason: str) -> None:
        """Why somebody is not paged; empty when everybody is."""
        self._pages = reason

    def finished(self, report: Report) -> None:
        """A cycle is over, whatever it met."""
        whole = [problem for problem in report.problems if not problem.alert_id]
        bad = [str(problem.error) for problem in whole if isinstance(problem.error, Misconfigured)]
        if not bad:  # every write would meet the same refusal of the account, whichever alert one was about
            refused = (problem for problem in report.problems if isinstance(problem.error, Refused))
            bad = list({problem.side: str(problem.error) for problem in refused}.values())
        self._polled |= set(Side) - {problem.side for problem in whole}
        self._unwell = "; ".join(dict.fromkeys(bad))
        self._standing_by = self._failing = False
        self._begun = True
        self._go_on(self._patience)

    def failed(self, why: str) -> None:
        """A cycle did not come to its end. Until one does, what vendors answer meanwhile is no sign of life."""
        self._unwell = why
        self._failing = True

    def stood_by(self) -> None:
        """Somebody else does the work; this process is there to take over."""
        self._standing_by, self._failing, self._pages = True, False, ""
        self._go_on(self._patience)

    def call_began(self, vendor: str) -> int:
        """A vendor is asked. The number by which `call_ended` knows this call."""
        with self._lock:
            self._wanting.setdefault(vendor, "has not answered yet")
            now = self._monotonic()
            self._asked_since = self._asked_since if self._under_way else now
            self._number += 1
            self._under_way[self._number] = (vendor, now)
            return self._number

    def call_ended(self, vendor: str, status: int | None, number: int) -> None:
        """It has answered, or the time for it was up (None); after a failure there is a pause."""
        well = status is not None and status < 400  # noqa: PLR2004 - HTTP
        with self._lock:
            self._wanting[vendor] = "" if well else f"answers {status}" if status else "gives no answer"
            del self._under_way[number]
            if self._failing:
                self._deadline += 0.0 if self._under_way else self._monotonic() - self._asked_since
                return
        self._go_on(self._patience if well else self._patience + PAUSE)

    def _hanging(self, now: float) -> str:
        """The vendor of a call that is older than any call may become; empty when there is none."""
        return next((vendor for vendor, began in self._under_way.values() if now - began > LONGEST_CALL), "")

    def _go_on(self, seconds: float) -> None:
        with self._lock:
            self._deadline = self._monotonic() + seconds


class Meter(Budget):
    """A rate budget that tells when calls are under way."""

    def __init__(self, clock: Clock, per_minute: int | None, vitals: Vitals, vendor: str) -> None:
        super().__init__(clock, per_minute)
        self._vitals = vitals
        self._vendor = vendor
        self._numbers: dict[Call, int] = {}

    def take(self, scope: str, *, write: bool, within: float, need: Need = Need.REST) -> Call:
        """Wait for a turn."""
        number = self._vitals.call_began(self._vendor)
        try:
            call = super().take(scope, write=write, within=within, need=need)
        except BaseException:
            self._vitals.call_ended(self._vendor, None, number)
            raise
        self._numbers[call] = number
        return call

    def settle(self, call: Call, status: int | None, headers: Mapping[str, str]) -> None:
        """The call is over."""
        super().settle(call, status, headers)
        self._vitals.call_ended(self._vendor, status, self._numbers.pop(call))
