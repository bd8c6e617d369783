"""What an observer keeps in mind between cycles: how far its sweep has come, and what the log costs.

Nothing is lost with it: after a restart the next sweep begins when it is due, and the cost is learned anew.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from reconciler.core.model import Side
from reconciler.remotes.base import LogPage

PAGE = 100
"""Rows of one page, the most that either vendor gives."""
SECONDS_A_PAGE = 2.5
"""How much time lies between two listings of the open set, for each page of it: a fortieth of PagerDuty's rate."""
_MOST_DOUBLINGS = 32


@dataclass(slots=True)
class Listing:
    """How far a side's open things have been listed in this sweep, and which they were."""

    offset: int = 0
    listed: set[str] = field(default_factory=set)


class Sweep:
    """One listing of every open thing on both sides, a few pages in each cycle."""

    def __init__(self) -> None:
        self._under_way: dict[Side, Listing] = {}

    def is_due(self, started: datetime, before: datetime) -> bool:
        """Whether a new one should begin: the last began before that, and is over."""
        return not self._under_way and started <= before

    def begin(self) -> None:
        """Begin with both sides' first pages."""
        self._under_way = {side: Listing() for side in Side}

    def listing(self, side: Side) -> Listing | None:
        """The side's listing while it is under way."""
        return self._under_way.get(side)

    def turn(self, side: Side, ids: list[str], *, more: bool) -> bool:
        """Turn the page; whether that was the last."""
        listing = self._under_way[side]
        listing.listed.update(ids)
        listing.offset += PAGE
        if not more:
            del self._under_way[side]
        return not more


def doublings(first: timedelta, last: timedelta) -> list[timedelta]:
    """The ages at which a pair that is over is looked at: about a dozen, each twice the one before."""
    return list(takewhile(lambda age: age <= last, (first * 2**n for n in range(_MOST_DOUBLINGS))))


class LogCost:
    """Whether PagerDuty's log or the service's open set is the cheaper feed, from what the last polls cost."""

    def __init__(self) -> None:
        self._pages = 1
        self._listed: datetime | None = None

    def may_list(self, open_set: int, now: datetime) -> bool:
        """Whether the open set, at that many requests, may be listed again. A large one not in every cycle."""
        rest = timedelta(seconds=(open_set - 1) * SECONDS_A_PAGE)
        if self._listed is not None and self._listed <= now < self._listed + rest:
            return False
        self._listed = now
        return True

    def most_pages(self, open_set: int) -> int:
        """How many pages of the log are worth reading, where the open set costs that many requests."""
        return open_set + 1 if self._pages <= open_set + 1 else 1

    def learn(self, log: LogPage, most: int, since: datetime) -> bool:
        """Remember what the whole log since then would have cost; whether it was read whole."""
        stamps = [act.at for act in log.acts]
        whole = log.requests < most or not stamps or min(stamps) <= since
        if whole:
            self._pages = log.requests
            return True
        span = (max(stamps) - min(stamps)).total_seconds() / max(1, log.requests)
        window = (max(stamps) - since).total_seconds()
        self._pages = max(most + 1, math.ceil(window / span)) if span > 0 else most + 1
        return False
