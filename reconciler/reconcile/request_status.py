"""Request status of writes that the alert side has accepted, and when it may be read again."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.model import Receipt
from reconciler.errors import Missing
from reconciler.vendors.ports import Clock, RequestStatus

ASK_AGAIN = 1.0
"""Seconds after which the status of a request is read again."""
MOST_A_SECOND = 50
"""The most statuses read in one second."""
REMEMBERED_REQUESTS = 10_000


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    receipt: Receipt | None


class RequestStatuses:
    """The last status of each request. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        self._asked: deque[float] = deque(maxlen=MOST_A_SECOND)

    def receipt(self, action_id: int, request_id: str, ask: Callable[[], RequestStatus]) -> Receipt | None:
        """The status of a write: read now if that is allowed, else the last one.

        None if it does not know the request. Raises what the call raises, except Missing.
        """
        if not self._may_ask(action_id, request_id):
            return self.last(action_id, request_id)
        try:
            status = ask()
        except Missing:
            receipt = None
        else:
            receipt = Receipt(action_id, status.done, status.at, status.detail)
        with self._lock:
            self._answers[request_id] = _Answer(self._clock.monotonic(), receipt)
        return receipt

    def last(self, action_id: int, request_id: str) -> Receipt | None:
        """The last status. A request that was never read counts as still in the queue."""
        with self._lock:
            found = self._answers.get(request_id)
        return found.receipt if found is not None else _not_asked(action_id)

    def _may_ask(self, action_id: int, request_id: str) -> bool:
        """Whether the status may be read now; if so, the caller reads it."""
        now = self._clock.monotonic()
        with self._lock:
            last = self._answers.get(request_id)
            if last is not None and now - last.at < ASK_AGAIN:
                return False
            if len(self._asked) == MOST_A_SECOND and now - self._asked[0] < 1.0:
                return False
            self._asked.append(now)
            self._answers.pop(request_id, None)
            self._answers[request_id] = _Answer(now, _not_asked(action_id) if last is None else last.receipt)
            while len(self._answers) > REMEMBERED_REQUESTS:
                self._answers.pop(next(iter(self._answers)))
            return True


def _not_asked(action_id: int) -> Receipt:
    return Receipt(action_id, None, detail="not asked yet")
