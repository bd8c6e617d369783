"""Work that a signal may end before it is done: it stops at its next step, and a write in flight is settled."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

CHECK_EVERY = 0.1
"""Seconds between two checks whether a signal has come."""
STOP_GRACE = 2.0
"""Seconds for reads under way to end in, once nothing is being written any more."""

Result = TypeVar("Result")


def until_stopped(
    work: Callable[[], Result],
    received: Callable[[], object],
    stop: Callable[[], None],
    grace: float = STOP_GRACE,
) -> Result | None:
    """The result of the work; None if it does not end within `grace` seconds of `stop`, as when a read hangs.

    Raises what the work raises.

    The work has a thread of its own, since a signal's handler must not take the locks by which it is stopped:
    once `received` says that a signal has come, `stop` is called here, which waits for writes in flight.
    """
    done: Future[Result] = Future()
    Thread(target=_run, args=(work, done), name="work", daemon=True).start()
    while not received():
        if wait([done], CHECK_EVERY).done:
            return done.result()
    stop()
    return done.result() if wait([done], grace).done else None


def _run(work: Callable[[], Result], done: "Future[Result]") -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
        done.set_exception(error)
