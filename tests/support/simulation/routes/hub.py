"""Simulated time for several processes with many threads each, in one thread and always in the same order.

Each simulated thread is a greenlet. It runs until it waits; then whatever is due next runs. A process may be
stopped, which freezes its threads wherever they wait, and killed, which ends them there.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from greenlet import getcurrent, greenlet

from tests.support.simulation.store import Crash

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Owner:
    """What threads belong to: a process. Those of one that is stopped wait until it goes on."""

    def __init__(self) -> None:
        self.is_stopped = False
        self.is_dead = False
        self.tasks: set[Task] = set()
        self.frozen: list[Callable[[], None]] = []


class Task:
    """One simulated thread. `turn` counts its waits, so that what ends an earlier one does not end a later one."""

    def __init__(self, owner: Owner, work: Callable[[], None]) -> None:
        self.owner = owner
        self.greenlet = greenlet(work)
        self.turn = 0
        self.woken = False


class Hub:
    """The order of everything that happens. `passed` are simulated seconds since START."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.world = Owner()
        self._due: list[tuple[float, int, Owner, Callable[[], None]]] = []
        self._count = 0
        self._main = getcurrent()
        self._current: Task | None = None

    @property
    def owner(self) -> Owner:
        """The process whose thread runs now; outside of all, the world."""
        return self._current.owner if self._current else self.world

    def at(self, when: float, what: Callable[[], None], owner: Owner | None = None) -> None:
        """Let this happen at that time, unless its owner is dead; once it goes on, if it is stopped then."""
        self._count += 1
        heapq.heappush(self._due, (max(when, self.passed), self._count, owner or self.world, what))

    def start(self, work: Callable[[], None], owner: Owner) -> None:
        """Start a thread of this process."""

        def run() -> None:
            try:
                work()
            except Crash:
                pass
            finally:
                owner.tasks.discard(task)

        task = Task(owner, run)
        owner.tasks.add(task)
        self.at(self.passed, lambda: self._switch(task), owner)

    def wait(self, seconds: float | None) -> bool:
        """Wait for so long, or until woken; returns whether it was woken. Crash if the process dies meanwhile."""
        task = self._current
        assert task is not None, "only a simulated thread waits"
        if task.owner.is_dead:
            raise Crash
        task.turn, task.woken = task.turn + 1, False
        if seconds is not None:
            self._resume(task, self.passed + seconds)
        self._current = None
        self._main.switch()
        if task.owner.is_dead:
            raise Crash
        return task.woken

    def current(self) -> Task:
        """The thread that runs now."""
        assert self._current is not None, "no simulated thread runs"
        return self._current

    def wake(self, task: Task) -> None:
        """End the present wait of a thread."""
        task.woken = True
        self._resume(task, self.passed)

    def run(self, until: float) -> None:
        """Let time pass."""
        while self._due and self._due[0][0] <= until:
            when, _, owner, what = heapq.heappop(self._due)
            self.passed = max(self.passed, when)
            if owner.is_stopped and not owner.is_dead:
                owner.frozen.append(what)
            elif not owner.is_dead:
                what()
        self.passed = until

    def stop(self, owner: Owner) -> None:
        """Stop a process."""
        owner.is_stopped = True

    def go_on(self, owner: Owner) -> None:
        """Let a stopped process go on."""
        owner.is_stopped = False
        for what in owner.frozen:
            self.at(self.passed, what, owner)
        owner.frozen.clear()

    def kill(self, owner: Owner) -> None:
        """End a process. Its threads end where they wait, and can do nothing more."""
        owner.is_dead = True
        owner.frozen.clear()
        for task in sorted(owner.tasks, key=id):
            if task.greenlet and task is not self._current:
                self._switch(task)

    def _resume(self, task: Task, when: float) -> None:
        turn = task.turn

        def go_on() -> None:
            if task.turn == turn and task.greenlet:
                task.turn += 1
                self._switch(task)

        self.at(when, go_on, task.owner)

    def _switch(self, task: Task) -> None:
        self._current = task
        task.greenlet.parent = getcurrent()
        task.greenlet.switch()
        self._current = None


class HubClock:
    """The clock of one process. `wait` returns whether that process is to end."""

    def __init__(self, hub: Hub, owner: Any = None) -> None:
        self.hub = hub
        self.owner = owner
        self.stop: Event | None = None

    def now(self) -> datetime:
        """The time of day."""
        return START + timedelta(seconds=self.hub.passed)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self.hub.passed

    def wait(self, seconds: float) -> bool:
        """Wait, or until the process is to end."""
        if self.stop is not None:
            return self.stop.wait(max(0.0, seconds))
        self.hub.wait(max(0.0, seconds))
        return False

    def advance(self, seconds: float) -> None:
        """Wait for so long, whatever happens."""
        last = self.hub.passed + seconds
        while self.hub.passed < last:
            self.hub.wait(last - self.hub.passed)


class Condition:
    """`threading.Condition` for simulated threads; its lock is never in anybody's way, as one runs at a time."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: deque[Task] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, timeout: float | None = None) -> bool:
        """Wait to be notified."""
        task = self._hub.current()
        self._waiting.append(task)
        try:
            return self._hub.wait(timeout)
        finally:
            if task in self._waiting:
                self._waiting.remove(task)

    def wait_for(self, holds: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until something holds."""
        last = None if timeout is None else self._hub.passed + timeout
        while not (found := holds()):
            left = None if last is None else last - self._hub.passed
            if left is not None and left <= 0:
                return found
            self.wait(left)
        return found

    def notify(self, n: int = 1) -> None:
        """Wake those that have waited longest."""
        for _ in range(min(n, len(self._waiting))):
            self._hub.wake(self._waiting.popleft())

    def notify_all(self) -> None:
        """Wake all."""
        self.notify(len(self._waiting))


class Event:
    """`threading.Event` for simulated threads."""

    def __init__(self, hub: Hub) -> None:
        self._changed = Condition(hub)
        self._is_set = False

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._is_set

    def set(self) -> None:
        """Let it happen."""
        self._is_set = True
        self._changed.notify_all()

    def clear(self) -> None:
        """Let it not have happened."""
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it; returns whether it has happened."""
        return bool(self._changed.wait_for(lambda: self._is_set, timeout))


class Lock:
    """`threading.Lock` for simulated threads, which may wait while they hold it."""

    def __init__(self, hub: Hub) -> None:
        self._changed = Condition(hub)
        self._is_held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it."""
        if self._is_held and not blocking:
            return False
        if self._is_held and not self._changed.wait_for(
            lambda: not self._is_held, None if timeout < 0 else timeout
        ):
            return False
        self._is_held = True
        return True

    def release(self) -> None:
        """Release it."""
        self._is_held = False
        self._changed.notify()

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


Patch = tuple[Any, str, Any]


@contextmanager
def patched(patches: list[Patch]) -> Iterator[None]:
    """Attributes replaced inside the block."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
    for owner, name, value in patches:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)
