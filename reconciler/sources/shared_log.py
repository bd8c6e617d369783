"""PagerDuty's log for all routes that share one key: read once a cycle, and as far as any of them needs it.

The log is the account's: each route finds the entries of its own incidents in it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from reconciler.errors import ReconcilerError
from reconciler.store.cursors import earlier
from reconciler.vendors.ports import PAGE, Clock, LogPage

PagesSince = Callable[[datetime], Iterator[LogPage]]
"""The log since a time, read further with each step; see `PagerDutyClient.log_pages`."""
MARGIN = timedelta(seconds=10)
"""How much further back the log is asked for than a route needs: each second of it may cost rows."""


@dataclass(slots=True)
class _Reading:
    """The log as far as it has been read, since `floor`. `pages` read on; `served` are the routes that had it."""

    at: float
    floor: datetime
    pages: Iterator[LogPage]
    log: LogPage = field(default_factory=lambda: LogPage(whole=False))
    served: dict[str, datetime] = field(default_factory=dict)


class SharedLog:
    """One for each key of PagerDuty. For any thread; one reads at a time."""

    def __init__(self, pages: PagesSince, clock: Clock, *, fresh_for: float) -> None:
        """`fresh_for` are the seconds for which what was read serves the routes that have not had it."""
        self._pages = pages
        self._clock = clock
        self._fresh_for = fresh_for
        self._lock = Lock()
        self._reading: _Reading | None = None
        self._failures = 0
        self._failure: ReconcilerError | None = None

    def reader(self, name: str) -> "SharedLogReader":
        """The log as the route of this name reads it."""
        return SharedLogReader(self, name)

    def read(self, name: str, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        """See `LogReader.log_entries`. Who waits for another's read fails with it; the next call tries again."""
        failures = self._failures
        with self._lock:
            if self._failure is not None and self._failures != failures:
                raise copy(self._failure)
            try:
                return self._read(self._of(name, since), since, enough)
            except ReconcilerError as error:
                self._failures += 1
                self._failure, self._reading = error, None
                raise

    def _of(self, name: str, since: datetime) -> _Reading:
        """What has been read, if this route has not had it and it reaches back far enough; else a new reading."""
        now, found = self._clock.monotonic(), self._reading
        is_old = found is None or name in found.served or now - found.at >= self._fresh_for
        if found is None or is_old or since < found.floor:
            floor = self._floor(since)
            found = self._reading = _Reading(now, floor, self._pages(floor))
            self._failure = None
        found.served[name] = since
        return found

    def _floor(self, since: datetime) -> datetime:
        """How far back to read: a little further than asked for, which serves those that are behind by a little.

        While nothing is logged, no route moves on: then as far as all that had the last reading need.
        """
        last = self._reading
        if last is not None and last.served and not last.log.acts:
            return min(since, *last.served.values())
        return earlier(since, MARGIN)

    def _read(self, reading: _Reading, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        part = _since(reading.log, since)
        while not (part.whole or (part.requests and enough(part))):
            further = next(reading.pages, None)
            if further is None:
                break
            reading.log = further
            part = _since(further, since)
        return part


class SharedLogReader:
    """One route's LogReader."""

    def __init__(self, shared: SharedLog, name: str) -> None:
        self._shared = shared
        self._name = name

    def log_entries(self, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        """The account's log since a time, newest first, as far as it is `enough`."""
        return self._shared.read(self._name, since, enough)


def open_set(open_pairs: Mapping[str, int]) -> int:
    """Requests that list what is open of all routes of a key, by their numbers of open pairs: the log's rival."""
    return sum(max(1, math.ceil(count / PAGE)) for count in open_pairs.values())


def _since(log: LogPage, since: datetime) -> LogPage:
    """The part of the log since a time. It is whole as soon as an older entry has been read."""
    acts = tuple(act for act in log.acts if act.at >= since)
    return LogPage(acts, log.requests, whole=log.whole or len(acts) < len(log.acts))
