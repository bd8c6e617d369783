"""Which of PagerDuty's two feeds is the cheaper: the account's log, or the service's open incidents.

It is learned from the pages of the last poll; after a restart it is learned anew.
"""

import math
from datetime import datetime

from reconciler.vendors.ports import LogPage

SECONDS_A_PAGE = 2.5
"""Seconds between two listings of the open set, for each page of it: a fortieth of PagerDuty's rate."""


class LogCost:
    """Whether PagerDuty's log or the service's open set is the cheaper feed, from what its pages show.

    What is new in the log is read as long as that costs no more than the open set, because only the log shows
    notes; what was read before, and is read again for entries that came late, only where the whole costs no more.
    """

    def __init__(self) -> None:
        self._too_long = False
        self._listed: float | None = None

    def may_list(self, open_set: int, now: float) -> bool:
        """Whether the open set, at that many requests, may be listed: a large one not with every poll.

        `now` is in monotonic seconds. The caller then lists it.
        """
        if self._listed is not None and now < self._listed + (open_set - 1) * SECONDS_A_PAGE:
            return False
        self._listed = now
        return True

    def not_listed(self) -> None:
        """Note that the listing failed: it may be tried again with the next poll."""
        self._listed = None

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
        """Note whether what was new could be read for no more than the open set."""
        self._too_long = _pages(log, watermark) > open_set


def _pages(log: LogPage, since: datetime) -> int:
    """How many pages there are back to `since` if they all are as dense as those that were read."""
    if log.whole or not log.acts:
        return log.requests
    newest, oldest = max(act.at for act in log.acts), min(act.at for act in log.acts)
    span = max(1.0, (newest - oldest).total_seconds())
    return math.ceil(log.requests * (newest - since).total_seconds() / span)
