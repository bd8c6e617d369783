"""The sweep's listings of everything open on either side, a few pages with each poll.

They show states that the feeds have missed. A feed that knows that it may have missed something asks for one. The
progress of a listing is lost with the process: the next one begins when it is due.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from threading import Lock

from reconciler.core.model import Alert, Side
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import ReconcilerError
from reconciler.sources import comparisons
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import Intake
from reconciler.sources.repetitions import Repetitions
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import PAGE, AlertReader, Clock, PagerDutyReader

RETRY = 10.0
"""Seconds after which a failed page is read again."""
MOST_PAGES = 100_000
"""Bound for a listing that a vendor claims to have more and more pages."""


@dataclass(slots=True)
class _Progress:
    """The progress of a listing, and the ids that it has shown."""

    offset: int = 0
    listed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ListingTools:
    """Dependencies of both listings.

    `busy`: the rate limits are needed for more urgent calls. `whole`: a poll reads the listing to its end, however
    busy the rate limits are, as `once` does.
    """

    database: Database
    intake: Intake
    clock: Clock
    horizons: Horizons
    busy: Callable[[], bool]
    whole: bool = False


class OpenListing(ABC):
    """A source: the listing of one side. The sweep starts it."""

    name: str
    side: Side

    def __init__(self, tools: ListingTools) -> None:
        self._tools = tools
        self._polling = Lock()
        self._progress: _Progress | None = None
        self._is_asked = False
        self._is_failing = False
        self._retry_at = 0.0
        self._polled_at = tools.clock.monotonic()

    def begin(self) -> None:
        """Start with the first page, unless a listing is under way."""
        if self._progress is None:
            self._is_asked, self._progress = False, _Progress()

    def ask(self) -> None:
        """Have it start at its next poll, or after the listing under way, whose first pages were read before."""
        self._is_asked = True

    @property
    def is_under_way(self) -> bool:
        """Whether pages are still to be read."""
        return self._progress is not None

    @property
    def is_failing(self) -> bool:
        """Whether the last page could not be read, so that states have to be read by id."""
        return self._is_failing

    def poll(self) -> bool:
        """Read the next pages; failed ones after a while. Returns whether the vendor was called and answered."""
        with self._polling, calling(CallPriority.SWEEP):
            now = self._tools.clock.monotonic()
            elapsed, self._polled_at = now - self._polled_at, now
            if self._is_asked:
                self.begin()
            if self._progress is None or (self._tools.busy() and not self._tools.whole):
                return False
            if self._is_failing and now < self._retry_at:
                return False
            try:
                self._read(self._progress, elapsed)
            except DatabaseDown:
                raise
            except ReconcilerError:
                self._is_failing, self._retry_at = True, now + RETRY
                raise
            self._is_failing = False
            return True

    def _read(self, progress: _Progress, elapsed: float) -> None:
        for _ in range(self._pages(elapsed)):
            ids, items, more = self._page(progress.offset)
            progress.listed.update(ids)
            progress.offset += PAGE
            self._tools.intake.accept(items)
            if not more:
                self._end(progress)
                return

    def _end(self, progress: _Progress) -> None:
        database, now = self._tools.database, self._tools.clock.now()
        absent = comparisons.of_absent(database, self.side, progress.listed, now, Reason.SWEEP)
        self._tools.intake.accept(absent)
        self._progress = None

    def _pages(self, elapsed: float) -> int:
        """Number of pages due since the last poll, so that a listing takes no longer than an interval."""
        with self._tools.database.reading() as unit:
            open_pairs = unit.snapshot.open_pairs()
        share = min(elapsed / self._tools.horizons.sweep_interval.total_seconds(), 1.0)
        return MOST_PAGES if self._tools.whole else 1 + int(open_pairs * share) // PAGE

    @abstractmethod
    def _page(self, offset: int) -> tuple[Collection[str], list[WorkItem], bool]:
        """One page: the ids on it, its items, and whether there are more pages."""


class OpenAlerts(OpenListing):
    """Every open alert of the configured query."""

    name = "opsgenie listing"
    side = Side.ALERTS

    def __init__(self, reader: AlertReader, repetitions: Repetitions, tools: ListingTools) -> None:
        super().__init__(tools)
        self._reader = reader
        self._repetitions = repetitions

    def _page(self, offset: int) -> tuple[Collection[str], list[WorkItem], bool]:
        rows, more = self._reader.open_alerts_page(offset)
        return [row.id for row in rows], self._compared(rows), more

    def _compared(self, rows: Collection[Alert]) -> list[WorkItem]:
        database, now = self._tools.database, self._tools.clock.now()
        with database.reading() as unit:
            positions = unit.cursors.load(now)
        is_taken_in = positions.query in (None, self._tools.horizons.query)  # which the feed does
        if positions.origin is None or not is_taken_in:
            return []
        bounds = self._tools.horizons.bounds(positions.origin, now, positions.polled_alerts)
        items = comparisons.of_alerts(database, rows, bounds, Reason.SWEEP)
        return [item for item in items if self._repetitions.is_wanted(item)]


class OpenIncidents(OpenListing):
    """Every open incident of the service."""

    name = "pagerduty listing"
    side = Side.PAGERDUTY

    def __init__(self, reader: PagerDutyReader, tools: ListingTools) -> None:
        super().__init__(tools)
        self._reader = reader

    def _page(self, offset: int) -> tuple[Collection[str], list[WorkItem], bool]:
        rows, more = self._reader.open_incidents_page(offset)
        database, now = self._tools.database, self._tools.clock.now()
        items = comparisons.of_incidents(database, rows, now, Reason.SWEEP)
        return [row.id for row in rows], items, more
