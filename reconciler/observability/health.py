"""Liveness and readiness, judged from the facts reported here; neither waits for anything.

Live: the daemon's loop turns. Ready: the process is set up well and works, or stands by to take over.
"""

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Literal, Protocol

from reconciler.core.model import Side
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Misconfigured, ReconcilerError, Refused

Role = Literal["leader", "standby", "none"]

ALIVE_INTERVALS = 3
SHORTEST_GRACE = 2.0
"""Seconds: with very short intervals three of them may pass on a busy machine."""
OK_BELOW = 400  # the lowest HTTP status of an error


class Problem(Protocol):
    """Something that does not work now; `alert_id` is empty when it concerns a whole vendor."""

    @property
    def side(self) -> Side:
        """The vendor at which it was met."""

    @property
    def error(self) -> ReconcilerError:
        """The error."""

    @property
    def alert_id(self) -> str:
        """The alert concerned."""


class Health:
    """The health of the daemon and of its work. For any thread."""

    def __init__(
        self,
        interval: float,
        monotonic: Callable[[], float] = time.monotonic,
        product: Product = OPSGENIE,
    ) -> None:
        self.product = product
        self._grace = max(ALIVE_INTERVALS * interval, SHORTEST_GRACE)
        self._monotonic = monotonic
        self._lock = Lock()
        self._turned_at = monotonic()
        self._role: Role = "none"
        self._failure = ""
        self._misconfigured = ""
        self._unpaged = ""
        self._answers: dict[Side, str] = dict.fromkeys(Side, "has not answered yet")
        self._polls: dict[Side, bool] = {}  # by polled side, whether a poll has ever succeeded
        self.dead = 0
        self.paused: tuple[str, ...] = ()

    # -- queries --

    def alive(self) -> bool:
        """Whether the loop has turned within the last three intervals; vendors and database do not matter."""
        with self._lock:
            return self._monotonic() - self._turned_at <= self._grace

    def unready(self) -> str:
        """Why the process is not ready, in one line; empty if it is, or stands by and could take over."""
        return self.gravest()[1]

    def gravest(self) -> tuple[str, str]:
        """The name and the text of the gravest reason not to be ready; the text is empty if it is ready."""
        reasons = self.reasons()
        given = ((name, text) for name, text in reasons.items() if text and self._role != "standby")
        return next(given, ("loop", reasons["loop"]))

    def reasons(self) -> dict[str, str]:
        """Every reason not to be ready, the gravest first, by the name that docs/runbook.md has for it.

        The text is empty where nothing is wrong. A stand-by has only the first one.
        """
        stuck = "the daemon's loop has not turned for three intervals: restart if that lasts"
        loop = "" if self.alive() else stuck
        with self._lock:
            return {
                "loop": loop,
                "database": self._failure,
                "refused": self._misconfigured,
                "first poll": self._unpolled(),
                "pages": self._unpaged,
            }

    def role(self) -> Role:
        """`leader`, `standby` while another process leads, or `none`.

        It is `none` before the database has been used, and while it cannot be.
        """
        return self._role

    def _unpolled(self) -> str:
        """Why a side counts as not polled: its first poll has not succeeded yet."""
        failed = [self.product.name_of(side) for side in Side if self._polls.get(side) is False]
        waiting = [side for side in Side if side not in self._polls]
        parts = [f"{' and '.join(failed)} could not be polled yet"] if failed else []
        if waiting:
            names = " and ".join(self.product.name_of(side) for side in waiting)
            answers = ", ".join(
                f"{self.product.name_of(side)} {self._answers[side]}" for side in waiting if self._answers[side]
            )
            parts.append(f"the first poll of {names} is not over yet" + (f": {answers}" if answers else ""))
        return "; ".join(parts)

    # -- reports --

    def turned(self) -> None:
        """Note that the daemon's loop has turned."""
        with self._lock:
            self._turned_at = self._monotonic()

    def led(self) -> None:
        """Note that this process leads."""
        with self._lock:
            self._role = "leader"

    def stood_by(self) -> None:
        """Note that another process leads; earlier facts about the work no longer hold."""
        with self._lock:
            self._role = "standby"
            self._failure = self._unpaged = ""
            self.paused = ()

    def answered(self, side: Side, status: int | None) -> None:
        """Note a vendor's answer to a request, by status; None: there was no answer."""
        well = status is not None and status < OK_BELOW
        with self._lock:
            self._answers[side] = "" if well else f"answers {status}" if status else "gives no answer"

    def polled(self, side: Side, *, ok: bool) -> None:
        """Note the end of a poll of this side's feed. A first success counts for good."""
        with self._lock:
            self._polls[side] = ok or self._polls.get(side, False)

    def failed(self, why: str) -> None:
        """Note why no work is done at all, such as an unreachable database; empty if work is done.

        With a reason, this process neither leads nor stands by until one of the two is noted again.
        """
        with self._lock:
            self._failure = why
            if why:
                self._role = "none"

    def problems(self, problems: Iterable[Problem]) -> None:
        """Note all current problems: a configuration that a vendor refuses makes the process unready."""
        found = refusals(problems)
        with self._lock:
            self._misconfigured = found

    def pages(self, reason: str) -> None:
        """Note why somebody is not paged; empty if everybody is."""
        with self._lock:
            self._unpaged = reason

    def pauses(self, sentences: Iterable[str]) -> None:
        """Note the operators' pauses, one sentence each: they make nothing unready."""
        self.paused = tuple(sentences)


def refusals(problems: Iterable[Problem]) -> str:
    """What a vendor refuses altogether, such as our key or every write, with the setting; empty if nothing."""
    found = tuple(problems)
    bad = [str(each.error) for each in found if not each.alert_id and isinstance(each.error, Misconfigured)]
    if not bad:  # a refused account fails every write alike: one alert's problem a side says it for all
        refused = (each for each in found if isinstance(each.error, Refused))
        bad = list({each.side: str(each.error) for each in refused}.values())
    return "; ".join(dict.fromkeys(bad))
