"""Which copy of the data answers a read by id."""

from collections import Counter
from datetime import timedelta

from reconciler.sandbox.wire import Request


class Copies:
    """Two copies that take turns: one is up to date, the other `step_back` seconds old.

    `behind` is how old the copy is that answers the request at hand.
    """

    def __init__(self) -> None:
        self._reads: Counter[str] = Counter()
        self.behind = timedelta()

    def choose(self, request: Request, step_back: float) -> None:
        """Choose the copy for a request: for each address the reads take turns, and only reads are ever behind."""
        self.behind = timedelta()
        if step_back and request.method == "GET":
            self._reads[request.path] += 1
            self.behind = timedelta(seconds=step_back) * (self._reads[request.path] % 2 == 0)
