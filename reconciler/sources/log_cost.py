"""Choice of the cheaper PagerDuty feed: the account's log, or the service's open incidents.

The costs are learned from the pages of the last poll, and again after a restart.
"""

import math
from datetime import datetime

from reconciler.vendors.ports import LogPage

SECONDS_A_PAGE = 2.5
"""Seconds between two listings of the open set, for each page of it: a fortieth of PagerDuty's rate."""


class LogCost:
    """Compares the cost of PagerDuty's log with that of the service's open set, by the pages read.

    New log entries are read as long as that costs no more than the open set, because only the log shows notes.
    Entries read before are read again, to find late ones, only if the whole costs no more.
    """

    def __init__(self) -> None:
        self._too_long = False
        self._listed: float | None = None

    def may_list(self, open_set: int, now: float) -> bool:
        """Whether the open set, at that many requests, may be listed. A large one is not listed with every poll.

        `now` is in monotonic seconds. If so, the caller lists it.
        """
        if self._listed is not None and now < self._listed + (open_set - 1) * SECONDS_A_PAGE:
            return False
        self._listed = now
        return True

    def not_listed(self) -> None:
        """Note that the listing failed, so that it may be tried again with the next poll."""
        self._listed = None

    def enough(self, log: LogPage, open_set: int, since: datetime, watermark: datetime) -> bool:
        """Whether to stop reading the log back to `since`; everything before `watermark` was read before."""
        most = open_set + 1
        if self._too_long or log.requests >= most:
            return True
        return self.has_news(log, watermark) and _pages(log, since) > most

    def has_news(self, log: LogPage, watermark: datetime) -> bool:
        """Whether everything new was read. More may have come within the watermark's own second."""
        return log.whole or any(act.at < watermark for act in log.acts)

    def learn(self, log: LogPage, open_set: int, watermark: datetime) -> None:
        """Note whether the new entries could be read at no more than the cost of the open set."""
        self._too_long = _pages(log, watermark) > open_set


def _pages(log: LogPage, since: datetime) -> int:
    """Estimated number of pages back to `since`, at the density of those that were read."""
    if log.whole or not log.acts:
        return log.requests
    newest, oldest = max(act.at for act in log.acts), min(act.at for act in log.acts)
    span = max(1.0, (newest - oldest).total_seconds())
    return math.ceil(log.requests * (newest - since).total_seconds() / span)
