"""Liveness and readiness, judged from facts that are reported here; neither waits for anything.

Liveness means that the daemon's loop turns. Readiness means that the process is set up well and does its work, or
stands by to take over.
"""

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Protocol

from reconciler.core.model import Side
from reconciler.core.text import name_of
from reconciler.errors import Misconfigured, ReconcilerError, Refused

INTERVALS = 3
SHORTEST_GRACE = 2.0
"""Seconds: with very short intervals three of them may pass on a busy machine."""
OK_BELOW = 400  # HTTP


class Problem(Protocol):
    """Something that does not work now; `alert_id` is empty when it concerns a whole vendor."""

    @property
    def side(self) -> Side:
        """The vendor that it was met with."""

    @property
    def error(self) -> ReconcilerError:
        """What is wrong."""

    @property
    def alert_id(self) -> str:
        """The alert that it concerns."""


class Health:
    """Whether the daemon's loop turns, and whether the work is as it should be. For any thread."""

    def __init__(self, interval: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._grace = max(INTERVALS * interval, SHORTEST_GRACE)
        self._monotonic = monotonic
        self._lock = Lock()
        self._turned_at = monotonic()
        self._standing_by = False
        self._failure = ""
        self._misconfigured = ""
        self._unpaged = ""
        self._answers: dict[Side, str] = dict.fromkeys(Side, "has not answered yet")
        self._polls: dict[Side, bool] = {}  # whether a poll has ever succeeded, of the sides that were polled
        self.dead = 0

    # -- what is asked --

    def alive(self) -> bool:
        """Whether the loop has turned within the last three intervals; no vendor and no database matters to it."""
        with self._lock:
            return self._monotonic() - self._turned_at <= self._grace

    def unready(self) -> str:
        """Why the process is not ready, in one line; empty when it is, also on a stand-by that could take over."""
        if not self.alive():
            return "the daemon's loop has not turned for three intervals: restart if that lasts"
        with self._lock:
            if self._standing_by:
                return ""
            return self._failure or self._misconfigured or self._unpolled() or self._unpaged

    def role(self) -> str:
        """`leader`, or `standby` while another process leads."""
        return "standby" if self._standing_by else "leader"

    def _unpolled(self) -> str:
        """Which side's first poll has not succeeded yet."""
        failed = [name_of(side) for side in Side if self._polls.get(side) is False]
        waiting = [side for side in Side if side not in self._polls]
        parts = [f"{' and '.join(failed)} could not be polled yet"] if failed else []
        if waiting:
            names = " and ".join(name_of(side) for side in waiting)
            answers = ", ".join(
                f"{name_of(side)} {self._answers[side]}" for side in waiting if self._answers[side]
            )
            parts.append(f"the first poll of {names} is not over yet" + (f": {answers}" if answers else ""))
        return "; ".join(parts)

    # -- what is reported --

    def turned(self) -> None:
        """The daemon's loop has turned."""
        with self._lock:
            self._turned_at = self._monotonic()

    def led(self) -> None:
        """This process leads."""
        with self._lock:
            self._standing_by = False

    def stood_by(self) -> None:
        """Another process leads; what was known of the work no longer holds."""
        with self._lock:
            self._standing_by = True
            self._failure = self._unpaged = ""

    def answered(self, side: Side, status: int | None) -> None:
        """A vendor has answered a request with this status; None: it gave no answer."""
        well = status is not None and status < OK_BELOW
        with self._lock:
            self._answers[side] = "" if well else f"answers {status}" if status else "gives no answer"

    def polled(self, side: Side, *, ok: bool) -> None:
        """A poll of this side's feed has ended. One that succeeded counts from then on."""
        with self._lock:
            self._polls[side] = ok or self._polls.get(side, False)

    def failed(self, why: str) -> None:
        """Why no work is done at all, such as a database that is away; empty when work is done."""
        with self._lock:
            self._failure = why

    def problems(self, problems: Iterable[Problem]) -> None:
        """Everything that is wrong now: a configuration that a vendor refuses makes the process unready."""
        found = tuple(problems)
        bad = [str(each.error) for each in found if not each.alert_id and isinstance(each.error, Misconfigured)]
        if not bad:  # a refused account fails every write alike: one alert's problem a side says it for all
            refused = (each for each in found if isinstance(each.error, Refused))
            bad = list({each.side: str(each.error) for each in refused}.values())
        with self._lock:
            self._misconfigured = "; ".join(dict.fromkeys(bad))

    def pages(self, reason: str) -> None:
        """Why somebody is not paged; empty when everybody is."""
        with self._lock:
            self._unpaged = reason
