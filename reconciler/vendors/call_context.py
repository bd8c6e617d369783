"""The call context: for which route the calls in progress are, how urgent they are and how long each may take.

It also notes which request the vendor answered.

It consists of context variables, so that each thread has its own.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import IntEnum


class CallPriority(IntEnum):
    """Order in which the rate limiter admits calls: the lower number goes first."""

    PAGE = 0  # an incident to be created, and what has to be read for it
    CHANGED = 1  # what people did
    UNSETTLED = 2  # writes of ours: due again, or of unknown outcome
    FEED = 3  # the change feeds: few requests, and never more than their small share
    SWEEP = 4


@dataclass(frozen=True, slots=True)
class CallContext:
    """`within` are seconds that one call may take, retries included; None: the client's own time-out.

    `route` is the route that the calls are for; empty if they are for none, or for all of them.
    """

    priority: CallPriority = CallPriority.CHANGED
    within: float | None = None
    route: str = ""


_CURRENT: ContextVar[CallContext] = ContextVar("call_context", default=CallContext())  # noqa: B039 - frozen


def current() -> CallContext:
    """The context of the calling thread or task."""
    return _CURRENT.get()


@dataclass(slots=True)
class _Outermost:
    """The outermost context, and the turns of large answers that it holds."""

    turns: list[threading.Lock]


_OTHERS = threading.Lock()
_TURNS = {CallPriority.PAGE: threading.Lock(), CallPriority.FEED: threading.Lock()}
"""The turns of large answers: of one outermost context for pages, of one feed, and of one context for all else."""
_OUTERMOST: ContextVar[_Outermost | None] = ContextVar("outermost", default=None)


@contextmanager
def calling(priority: CallPriority, within: float | None = None) -> Iterator[None]:
    """Make the calls inside with this priority, each in at most `within` seconds; None: the client's time-out.

    The route stays. The end of the outermost context is that of its large answers.
    """
    token = _CURRENT.set(CallContext(priority, within, current().route))
    outermost = None if _OUTERMOST.get() else _Outermost([])
    begun = _OUTERMOST.set(outermost) if outermost else None
    try:
        yield
    finally:
        _CURRENT.reset(token)
        if outermost and begun:
            _OUTERMOST.reset(begun)
            for turn in outermost.turns:
                turn.release()


@contextmanager
def for_route(name: str) -> Iterator[None]:
    """Make the calls inside for this route. Priority and time stay."""
    token = _CURRENT.set(replace(current(), route=name))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def may_be_large(patience: float) -> bool:
    """Whether an answer may be a large one now; if so, no other context's may until the outermost one here ends.

    Waits so many seconds for another context to end. Pages wait for each other alone, and so do feeds, which then
    go on nevertheless: without them nothing new is seen. What is outside of any context waits for nothing.
    """
    outermost, priority = _OUTERMOST.get(), current().priority
    turn = _TURNS.get(priority, _OTHERS)
    if outermost is None or turn in outermost.turns:
        return True
    if not turn.acquire(timeout=patience):
        return priority is CallPriority.FEED
    outermost.turns.append(turn)
    return True


@contextmanager
def at_least(priority: CallPriority) -> Iterator[None]:
    """Make the calls inside with this priority, unless they already have a more urgent one."""
    context = current()
    with calling(min(priority, context.priority), context.within):
        yield


@dataclass(slots=True)
class Answered:
    """The vendor's id of the last request that was answered inside `noting`; empty if it gave none."""

    request_id: str = ""


_ANSWERED: ContextVar[Answered | None] = ContextVar("answered", default=None)


@contextmanager
def noting() -> Iterator[Answered]:
    """Note the id of the last request that is answered inside."""
    answered = Answered()
    token = _ANSWERED.set(answered)
    try:
        yield answered
    finally:
        _ANSWERED.reset(token)


def answered(request_id: str) -> None:
    """Note the id of a request that was answered, if anybody asks for it."""
    noted = _ANSWERED.get()
    if noted is not None:
        noted.request_id = request_id
