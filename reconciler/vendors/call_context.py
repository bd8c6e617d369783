"""The call context: the urgency of the calls in progress, how long each may take, and which the vendor answered.

It consists of context variables, so that each thread has its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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
    """`within` are seconds that one call may take, retries included; None: the client's own time-out."""

    priority: CallPriority = CallPriority.CHANGED
    within: float | None = None


_CURRENT: ContextVar[CallContext] = ContextVar("call_context", default=CallContext())  # noqa: B039 - frozen


def current() -> CallContext:
    """The context of the calling thread or task."""
    return _CURRENT.get()


@contextmanager
def calling(priority: CallPriority, within: float | None = None) -> Iterator[None]:
    """Make the calls inside with this priority, each in at most `within` seconds; None: the client's time-out."""
    token = _CURRENT.set(CallContext(priority, within))
    try:
        yield
    finally:
        _CURRENT.reset(token)


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
