"""Whether a 403 or 404 on one object is the whole key's: asked by one cheap read of nothing in particular."""

from threading import Lock

from reconciler.core.model import Side
from reconciler.errors import ReconcilerError, Refused
from reconciler.remotes.base import Clock
from reconciler.writes import Remotes

FOR_SECONDS = 10.0
"""For so long an answer serves all further refusals of that side."""


class KeyCheck:
    """Both keys, each asked for at most once in a while, by one thread at a time."""

    def __init__(self, remotes: Remotes, clock: Clock) -> None:
        self._clock = clock
        self._remotes = remotes
        self._answers: dict[Side, tuple[float, Refused | None]] = {}
        self._locks = {side: Lock() for side in Side}

    def refused(self, side: Side) -> Refused | None:
        """How the account turns the key away; None when it does not, or when that cannot be learnt now."""
        with self._locks[side]:
            known = self._answers.get(side)
            if known is not None and self._clock.monotonic() - known[0] < FOR_SECONDS:
                return known[1]
            found = self._asked(side)
            self._answers[side] = (self._clock.monotonic(), found)
            return found

    def _asked(self, side: Side) -> Refused | None:
        try:
            (self._remotes.opsgenie if side is Side.OPSGENIE else self._remotes.pagerduty).confirm_key()
        except Refused as error:
            return error
        except ReconcilerError:
            return None
        return None
