"""The pool of threads in which all routes of a process have their pairs reconciled.

One idle thread watches the queues. When it takes a pair, it first calls another idle one to watch, or starts one:
so there is one thread more than there are pairs in work. Threads that become idle are kept for a minute. The one
that watches sleeps until a queue changes or a pair becomes due, and asks only the queues that have changed.
"""

import math
import threading
import time
from collections.abc import Callable

from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger
from reconciler.reconcile.fetch import Stopping
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.runtime.turns import Route, Turn, Turns
from reconciler.runtime.worker import AFTER_DATABASE, Worker
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import for_route

log = get_logger(__name__)

SPARE_FOR = 60.0
"""Seconds after which an idle thread ends, other than the one that watches."""


class WorkerPool:
    """Threads that work until they are stopped. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = threading.Event()  # a queue may set it while it is locked: nothing is called that needs one
        self._turns = Turns(self._news.set)
        self._ended = threading.Condition(self._lock)
        self._spare: list[threading.Condition] = []  # of the idle threads; the last one is called first
        self._threads: set[threading.Thread] = set()
        self._is_watched = False
        self._is_stopped = False
        self._is_short = False  # of threads: said once, until one can be started again

    def add(
        self,
        route: str,
        worker: Worker,
        queue: WorkQueue,
        may_work: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        """Work on this route's pairs, before or after the start. ValueError if it has a route of this name.

        `may_work`: whether this process leads the route. `failed` receives an error of the database, which
        concerns no single pair.
        """
        with self._lock:
            self._turns.add(Route(route, worker, queue, may_work, failed))

    def remove(self, route: str, within: float) -> bool:
        """Take no further pair of this route. Returns whether none is in work any more within so many seconds."""
        with self._lock:
            removed = self._turns.remove(route)
            return removed is None or self._ended.wait_for(lambda: not removed.in_work, within)

    def start(self) -> None:
        """Start to work."""
        with self._lock:
            self._hand_over()

    def stop(self, within: float) -> bool:
        """Take no further pair. Returns whether all threads have ended within so many seconds."""
        with self._lock:
            self._is_stopped = True
            self._news.set()
            while self._spare:
                self._spare.pop().notify()
            threads = list(self._threads)
        last = time.monotonic() + within
        for thread in threads:
            thread.join(max(0.0, last - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _run(self) -> None:
        try:
            turn = self._watch()
            while turn is not None:
                self._work(turn)
                turn = self._next()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _watch(self) -> Turn | None:
        """Wait, as the only thread that does, until there is a pair to work on. None if the pool was stopped."""
        while True:
            with self._lock:
                self._news.clear()
                if self._is_stopped:
                    return None
                now = time.monotonic()
                turn = self._turns.take(now)
                if turn is not None:
                    self._hand_over()
                    return turn
                wait = self._turns.next_look() - now
            self._news.wait(None if wait == math.inf else max(0.0, wait))

    def _next(self) -> Turn | None:
        """The next pair for a thread whose work has ended. None if the thread is to end."""
        with self._lock:
            if self._is_stopped:
                return None
            turn = self._turns.take(time.monotonic())
            if turn is not None:
                if not self._is_watched:
                    self._hand_over()
                return turn
            if self._is_watched and not self._is_called():
                return None
            self._is_watched = True
        return self._watch()

    def _hand_over(self) -> None:
        """Let another thread watch."""
        self._is_watched = True
        if self._spare:
            self._spare.pop().notify()
            return
        thread = threading.Thread(target=self._run, name=f"worker {len(self._threads)}", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:  # the machine allows no more: the next thread whose work ends watches
            self._threads.discard(thread)
            self._is_watched = False
            if not self._threads:
                raise
            if not self._is_short:
                log.warning(
                    "no further thread can be started: pairs wait for those at work; raise the limit of processes",
                    error=str(error),
                )
            self._is_short = True
        else:
            self._is_short = False

    def _is_called(self) -> bool:
        """Wait to be called to watch; returns whether that was so in time."""
        mine = threading.Condition(self._lock)
        self._spare.append(mine)
        if mine.wait(SPARE_FOR) or mine not in self._spare:
            return True
        self._spare.remove(mine)
        return False

    def _work(self, turn: Turn) -> None:
        pause = 0.0
        try:
            pause = _reconcile(turn)
        except Exception as error:  # noqa: BLE001 - the thread goes on with other pairs
            defect(error, f"route {turn.route.name}")
        finally:
            with self._lock:
                self._turns.ended(turn)
                if pause:
                    self._turns.pause(turn.route, time.monotonic() + pause)
                self._ended.notify_all()


def _reconcile(turn: Turn) -> float:
    """Reconcile a pair. Returns the seconds for which its route is to pause, infinite if the route stops."""
    try:
        with for_route(turn.route.name):
            turn.route.worker.work(turn.item)
    except Stopping:
        return math.inf
    except DatabaseDown as error:
        turn.route.failed(error)
        return AFTER_DATABASE
    return 0.0
