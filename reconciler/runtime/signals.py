"""SIGTERM and SIGINT without a lock in the handler: it only notes that the program is to stop."""

import signal
import time
from collections.abc import Callable
from types import FrameType

EVERY = 0.1
"""Seconds between two looks at whether a signal has come."""
TURN = 1.0
"""Seconds between two turns."""


class StopSignals:
    """To be made before anything that takes time. A handler must take no lock: it may interrupt who holds it."""

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
            time.sleep(EVERY)
