"""The alert feed: what is new or has changed since the last poll, as the product's lists show it.

A list lags, so that each poll reads further back, by the longest delay of an answer.
"""

from collections.abc import Callable
from threading import Lock

from reconciler.core.model import Side
from reconciler.core.policy import Policy
from reconciler.core.work import Priority, Reason, WorkItem
from reconciler.sources import comparisons
from reconciler.sources.first_start import FirstStart
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import Intake
from reconciler.sources.listings import OpenListing
from reconciler.sources.pace import Pace
from reconciler.sources.repetitions import Repetitions
from reconciler.store.cursors import earlier
from reconciler.store.database import Database
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import AlertReader, Clock

BETWEEN_REQUESTED_POLLS = 0.05
"""The least pause in seconds before a poll that webhooks ask for; never shorter than the last poll."""


class AlertFeed:
    """A source. Any thread may poll it or ask for a poll; one poll is under way at a time."""

    name = "opsgenie feed"
    side = Side.ALERTS

    def __init__(
        self,
        reader: AlertReader,
        database: Database,
        intake: Intake,
        clock: Clock,
        horizons: Horizons,
        policy: Callable[[], Policy],
        first_start: FirstStart,
        repetitions: Repetitions,
        pace: Pace,
        listing: OpenListing,
        expire: Callable[[], None] = lambda: None,
    ) -> None:
        """`listing` is that of all open alerts, which is asked for where the news are not whole.

        `expire` has the reader list anew, where it shares a list with other routes.
        """
        self._expire = expire
        self._reader = reader
        self._database = database
        self._intake = intake
        self._clock = clock
        self._horizons = horizons
        self._policy = policy
        self._first_start = first_start
        self._repetitions = repetitions
        self._pace = pace
        self._listing = listing
        self._polling = Lock()
        self._seen: object | None = None
        self._asked = False
        self._rested = float("-inf")

    def ask(self) -> None:
        """Ask for a poll as soon as possible, because a webhook names an unknown alert."""
        self._expire()
        self._asked = True

    def wake(self) -> None:
        """Ask for a poll as soon as possible, because a list that another route has polled shows something."""
        self._asked = True

    def asked_in(self) -> float | None:
        """Seconds until the requested poll is due; None if none was requested.

        Webhooks alone never fill a rate limit: such polls pause at least as long as they take.
        """
        return max(0.0, self._rested - self._clock.monotonic()) if self._asked else None

    def poll(self) -> bool:
        """Take in what is new or has changed. The first poll ever is the first start.

        Returns True if the product answered. Every source returns this; one that made no call returns False.
        """
        with self._polling:
            self._asked = False
            began = self._clock.monotonic()
            try:
                with calling(CallPriority.FEED):
                    self._poll()
            finally:
                ended = self._clock.monotonic()
                self._rested = ended + max(BETWEEN_REQUESTED_POLLS, ended - began)
            return True

    def _poll(self) -> None:
        with self._database.reading() as unit:
            positions = unit.cursors.load(self._clock.now())
        if positions.origin is None:
            self._first_start.start()
            return
        self._first_start.follow_query(positions.query)
        now = self._clock.now()
        staleness = self._policy().staleness
        watermark = positions.alerts or earlier(now, staleness)
        news = self._reader.changes(earlier(watermark, staleness), self._seen)
        bounds = self._horizons.bounds(positions.origin, now, positions.polled_alerts)
        found = comparisons.of_alerts(self._database, news.rows, bounds, Reason.FEED)
        items = [item for item in found if self._repetitions.is_wanted(item)]
        items += comparisons.of_vanished(self._database, news.absent, now)
        newest = max(min(news.newest or watermark, now), watermark)
        if news.problem is not None:
            self._intake.accept(items, alerts=newest)
            raise news.problem
        self._intake.accept(items, alerts=newest, polled_alerts=now)
        self._seen = news.seen
        if not news.is_whole:
            self._listing.ask()
        if any(is_change(item) for item in items):
            self._pace.noticed(self._clock.monotonic())


def is_change(item: WorkItem) -> bool:
    """Whether the item comes from a recent change rather than a recurrence."""
    request = item.request
    return item.priority <= Priority.CHANGED and not request.repeated and not request.is_baseline
