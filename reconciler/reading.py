"""Both sides' readers for one cycle: every read may fail, and a failure concerns as little as it can.

A feed, a listing or a page of the sweep that fails counts against itself alone. So does a pair: it is left alone
for a while of its own. Only an account that turns us away, or no connection at all, spares a vendor for the rest
of the cycle; a vendor that does not answer single reads is spared such reads.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from reconciler.core.model import Kind, Policy, Side
from reconciler.errors import Blocked, Missing, NotExecuted, ObjectError, Permanent, ReconcilerError, Refused
from reconciler.looks import Look
from reconciler.memory import Memory
from reconciler.observability.defects import place_of
from reconciler.observability.logs import get_logger
from reconciler.store.database import DatabaseDown
from reconciler.vendors.ports import OpsgenieReader, PagerDutyReader

T = TypeVar("T")

STRIKES = 3
"""After so many single reads in a row without an answer a vendor is left alone by such reads in this cycle."""

PATIENCE = 1.0
"""Seconds that one read of a new alert's details may take; where it took longer, the next page without them."""

OPSGENIE_STATES = frozenset({Kind.OPSGENIE_ACKNOWLEDGE, Kind.OPSGENIE_UNACKNOWLEDGE})
PAGERDUTY_STATES = frozenset(kind for kind in Kind if kind.side is Side.PAGERDUTY and kind.is_state)
"""Our writes of which the alert, or the incident, shows whether they have landed."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that did not work; `alert_id` is empty when it concerns a whole vendor."""

    side: Side
    error: ReconcilerError
    alert_id: str = ""


class Stopping(Exception):
    """The program was asked to stop while it was looking: nothing of this cycle is kept, nothing is lost."""


class Defect(ReconcilerError):
    """An error in this program that was met while one thing was looked at. The rest is not affected."""


class Reading:
    """One cycle's reading, and what went wrong in it."""

    def __init__(
        self,
        opsgenie: OpsgenieReader,
        pagerduty: PagerDutyReader,
        stopping: Callable[[], bool],
        policy: Policy,
        now: datetime,
        memory: Memory | None = None,
    ) -> None:
        self.opsgenie = opsgenie
        self.pagerduty = pagerduty
        self.stopping = stopping
        self.policy = policy
        self.now = now
        self.memory = memory if memory is not None else Memory()
        self._problems: list[Problem] = []
        self._strikes = dict.fromkeys(Side, 0)
        self._spared: set[Side] = set()
        self._slow = False

    def report(self, side: Side, error: ReconcilerError, alert_id: str = "") -> None:
        """Something did not work."""
        self._problems.append(Problem(side, error, alert_id))

    def take_problems(self) -> tuple[Problem, ...]:
        """What went wrong since this was last asked."""
        problems, self._problems = tuple(self._problems), []
        return problems

    def attempt(self, side: Side, step: Callable[[], None]) -> bool:
        """One feed, listing or page. Its failure is its own; whether it went well."""
        if self.stopping():
            raise Stopping
        if side in self._spared:
            return False
        try:
            step()
        except (DatabaseDown, Stopping):
            raise
        except ReconcilerError as error:
            self.failed(side, error)
            return False
        except Exception as error:  # noqa: BLE001 - one feed's defect stops no other
            self.failed(side, defect(error, "a feed or a listing"))
            return False
        return True

    def failed(self, side: Side, error: ReconcilerError) -> None:
        """A feed's failure is reported. It spares the vendor only where no connection was made at all.

        A key that is turned away from one list may be good for the other, and for single things.
        """
        if is_unreachable(error):
            self._spared.add(side)
        self.report(side, error)

    def read(self, side: Side, look: Look | None, alert_id: str, read: Callable[[], T]) -> T | None:
        """One read of one pair; None when it failed or is not to be tried now. Missing is passed on.

        `look` then remembers that this side is to be looked at again; without one nothing is to be.
        """
        if self.stopping():
            raise Stopping
        if self._may_read(side, look, alert_id):
            began = time.monotonic()
            try:
                answer = read()
            except (DatabaseDown, Stopping):
                raise
            except Missing:
                self._strikes[side] = 0
                raise
            except ReconcilerError as error:
                self._failed_read(side, error, "" if look is None or look.news else alert_id)
                self.report(side, error, alert_id)
            else:
                self._strikes[side] = 0
                if look is not None:
                    look.read.add(side)
                return answer
            finally:
                self._slow |= look is not None and look.news and time.monotonic() - began > PATIENCE
        if look is not None:
            look.again.add(side)
        return None

    def _may_read(self, side: Side, look: Look | None, alert_id: str) -> bool:
        """Whether it is tried now. The details of a new alert are not waited for: its row is enough for a page."""
        if side in self._spared or self._strikes[side] >= STRIKES:
            return False
        if look is not None and look.news:
            return not (self._slow and side is Side.OPSGENIE and look.row is not None)
        return look is None or not self.memory.is_held(alert_id, side, self.now)

    def missing(self, side: Side, look: Look, alert_id: str, error: Missing) -> None:
        """What belongs to this pair is not there, or not yet: it is looked at again, ever more seldom."""
        self.memory.failed(alert_id, side, error, self.now)
        self.report(side, error, alert_id)
        look.again.add(side)

    def _failed_read(self, side: Side, error: ReconcilerError, alert_id: str) -> None:
        own = isinstance(error, ObjectError | Permanent | Blocked | Refused)
        if isinstance(error, Refused) or is_unreachable(error):
            self._spared.add(side)
        elif not own:
            self._strikes[side] += 1
        if alert_id and (own or not isinstance(error, NotExecuted)):
            self.memory.failed(alert_id, side, error, self.now)


def is_unreachable(error: ReconcilerError) -> bool:
    """Whether no connection was made, so that every other request would meet the same.

    An answer that asks for a pause (429), or one of something on the network path, is not that.
    """
    return isinstance(error, NotExecuted) and not isinstance(error, Blocked) and error.retry_after is None


def defect(error: Exception, where: str) -> Defect:
    """An unexpected exception as a problem in one line; its traceback goes to the log, once a kind."""
    words = f"{type(error).__name__} in {place_of(error)}, about {where}: this is a defect, please report it"
    if words not in _LOGGED and len(_LOGGED) < _KINDS:
        _LOGGED.add(words)
        log.error(words, exc_info=error)
    return Defect(words)


_KINDS = 100
_LOGGED: set[str] = set()
"""Kinds of defects that this process has logged with their traceback."""
