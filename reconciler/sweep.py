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
    """Whether PagerDuty's log or the service's open set is the cheaper feed, from what its pages show.

    What is new in the log is read as long as that costs no more than the open set, as only it tells of notes;
    what was read before, and is read again for entries that came late, only where the whole costs no more.
    """

    def __init__(self) -> None:
        self._too_long = False
        self._listed: datetime | None = None

    def may_list(self, open_set: int, now: datetime) -> bool:
        """Whether the open set, at that many requests, may be listed again. A large one not in every cycle."""
        rest = timedelta(seconds=(open_set - 1) * SECONDS_A_PAGE)
        if self._listed is not None and self._listed <= now < self._listed + rest:
            return False
        self._listed = now
        return True

    def enough(self, log: LogPage, open_set: int, since: datetime, watermark: datetime) -> bool:
        """Whether to read no more of the log since then, of which all before the watermark was read already."""
        most = open_set + 1
        if self._too_long or log.requests >= most:
            return True
        return self.has_news(log, watermark) and _pages(log, since) > most

    def has_news(self, log: LogPage, watermark: datetime) -> bool:
        """Whether all that is new was read. More may have come within the watermark's own second."""
        return log.whole or any(act.at < watermark for act in log.acts)

    def learn(self, log: LogPage, open_set: int, watermark: datetime) -> None:
        """Remember whether what was new could be read for no more than the open set."""
        self._too_long = _pages(log, watermark) > open_set


def _pages(log: LogPage, since: datetime) -> int:
    """How many pages there are back to `since` if they all are as dense as those that were read."""
    if log.whole or not log.acts:
        return log.requests
    newest, oldest = max(act.at for act in log.acts), min(act.at for act in log.acts)
    span = max(1.0, (newest - oldest).total_seconds())
    return math.ceil(log.requests * (newest - since).total_seconds() / span)
