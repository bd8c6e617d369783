"""SIGTERM and SIGINT: the handler only sets a flag, which the main thread checks.

A handler runs in the main thread between two of its instructions. One that takes a lock, as `threading.Event.set`
does, deadlocks if it interrupts the holder of that lock.
"""

import signal
import time
from collections.abc import Callable
from types import FrameType

CHECK_EVERY = 0.1
"""Seconds between two checks of the flag."""
TURN = 1.0
"""Seconds between two calls of `turn`."""


class StopSignals:
    """The handlers, installed on creation: in the main thread, before anything that takes time."""

    def __init__(self) -> None:
        self.received = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True

    def wait(self, turn: Callable[[], None]) -> None:
        """Wait for a signal, and call `turn` about once a second meanwhile."""
        due = 0.0
        while not self.received:
            if time.monotonic() >= due:
                due = time.monotonic() + TURN
                turn()
            time.sleep(CHECK_EVERY)
