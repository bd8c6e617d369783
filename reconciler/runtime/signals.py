"""SIGTERM, SIGINT and SIGHUP: a handler only sets a flag, which threads of the program check.

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
    """The handlers, installed on creation: in the main thread, before anything that takes time.

    `hang_ups` counts SIGHUPs, which ask for a new look at the settings and never end the process.
    """

    def __init__(self) -> None:
        self.received = ""
        self.hang_ups = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        signal.signal(signal.SIGHUP, self._hung_up)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name

    def _hung_up(self, _number: int, _frame: FrameType | None) -> None:
        self.hang_ups += 1

    def wait(self, turn: Callable[[], None]) -> None:
        """Wait for a signal, and call `turn` about once a second meanwhile."""
        due = 0.0
        while not self.received:
            if time.monotonic() >= due:
                due = time.monotonic() + TURN
                turn()
            time.sleep(CHECK_EVERY)
