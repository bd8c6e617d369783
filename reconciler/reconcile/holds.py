"""Release of parked pairs: all of them once their circuit breaker is closed, one while it is half-open."""

from reconciler.reconcile.read_breakers import ReadBreakers
from reconciler.reconcile.work_queue import Hold, Passage, WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers

_MOST = {Passage.ONE: 1, Passage.ALL: None}


class Holds:
    """Releases pairs whose hold has ended. For any thread. `writes` is None if nothing is ever written."""

    def __init__(self, queue: WorkQueue, reads: ReadBreakers, writes: WriteBreakers | None) -> None:
        self._queue = queue
        self._reads = reads
        self._writes = writes

    def release(self) -> None:
        """Make pairs due whose circuit breaker is closed, and the most urgent pair of each half-open one."""
        for hold in Hold:
            if not self._queue.is_parked_for(hold):
                continue
            passage = self._passage(hold)
            if passage is not Passage.NONE:
                self._queue.end_hold(hold, _MOST[passage])

    def _passage(self, hold: Hold) -> Passage:
        if hold.is_of_reads:
            return self._reads.passage(hold)
        return Passage.ALL if self._writes is None else self._writes.passage(hold)
