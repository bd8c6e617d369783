"""PagerDuty's change feed: the account's log, or the service's open incidents, whichever costs fewer requests.

If the log is longer than the open set, its new entries are read for the notes, and the open set for the states: a
large one only with every few polls. If the log cannot be read, the open set is read instead, and notes are left to
the sweep.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from reconciler.core.listings import compare_acts, raised_by_us
from reconciler.core.model import Act, Side
from reconciler.core.policy import Policy
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import Blocked, NotExecuted, ReconcilerError
from reconciler.sources import comparisons
from reconciler.sources.intake import Intake
from reconciler.sources.log_cost import LogCost
from reconciler.sources.pace import Pace
from reconciler.store import key_routes
from reconciler.store.cursors import OLDEST, LogMark, earlier
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import PAGE, Clock, LogPage, LogReader, PagerDutyReader

WINDOWS_REFUSED = 3
"""Consecutive failures after which a window of the log is given up; the sweep finds its changes."""
STRANGERS = 10
"""Incidents without a pair that one poll reads, to find those with the key of an alert of ours."""
REMEMBERED_ENTRIES = 10_000
"""The most such incidents remembered, so that each is read once."""


@dataclass(frozen=True, slots=True)
class SharedKey:
    """What a route uses whose key has several routes.

    `log` is read once for all of them, `open_set` is the number of requests that list what is open of all of them,
    and an incident of another service than `service_id` is none of this route's.
    """

    log: LogReader
    open_set: Callable[[], int]
    service_id: str


class PagerDutyFeed:
    """A source. `busy`: the rate limit is needed for pages, so that no open set is listed."""

    name = "pagerduty feed"
    side = Side.PAGERDUTY

    def __init__(
        self,
        reader: PagerDutyReader,
        database: Database,
        intake: Intake,
        clock: Clock,
        policy: Callable[[], Policy],
        busy: Callable[[], bool],
        pace: Pace,
        shared: SharedKey | None = None,
    ) -> None:
        """`shared` if other routes use the same key."""
        self._reader = reader
        self._log: LogReader = shared.log if shared else reader
        self._open_set_of_key = shared.open_set if shared else None
        self._service_id = shared.service_id if shared else ""
        self._database = database
        self._intake = intake
        self._clock = clock
        self._policy = policy
        self._busy = busy
        self._pace = pace
        self._polling = Lock()
        self._cost = LogCost()
        self._log_failures = 0
        self._strangers: dict[str, None] = {}

    def poll(self) -> bool:
        """Take in pairs whose incidents have changed. Returns whether PagerDuty was called and answered.

        It is not called before the first start.
        """
        with self._polling, calling(CallPriority.FEED):
            now = self._clock.now()
            with self._database.reading() as unit:
                positions = unit.cursors.load(now)
                open_pairs = unit.snapshot.open_pairs()
            if positions.origin is None:
                return False
            mark = positions.pagerduty or LogMark(earlier(now, self._policy().staleness))
            open_set = self._open_set_of_key() if self._open_set_of_key else math.ceil(open_pairs / PAGE)
            self._poll(mark, max(1, open_set), now)
            return True

    def _poll(self, mark: LogMark, open_set: int, now: datetime) -> None:
        since = earlier(mark.at, self._policy().staleness)
        try:
            log = self._log.log_entries(since, lambda log: self._cost.enough(log, open_set, since, mark.at))
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            if not _is_unreachable(error):
                self._list_instead(open_set, now)
            raise
        self._log_failures = 0
        self._cost.learn(log, open_set, mark.at)
        suffices = log.whole or (self._busy() and self._cost.has_news(log, mark.at))
        lists = not suffices and self._cost.may_list(open_set, self._clock.monotonic())
        self._take_log(log, mark, now, polled=not lists)
        if lists:
            self._accept(self._open_set(now), polled_pagerduty=now)
        self._take_strangers(log.acts, now)

    def _list_instead(self, open_set: int, now: datetime) -> None:
        """Read the open set because the log cannot be read.

        A window of the log that is refused repeatedly, or is too large, would fail for ever: a new window begins,
        and the sweep is due at once. If all of PagerDuty is away, the window stays.
        """
        if not self._cost.may_list(open_set, self._clock.monotonic()):
            return
        items = self._open_set(now)
        self._log_failures += 1
        moved: dict[str, object] = {"polled_pagerduty": now}
        if self._log_failures % WINDOWS_REFUSED == 0:
            moved["pagerduty"] = LogMark(earlier(now, self._policy().staleness))
        if self._log_failures == WINDOWS_REFUSED:
            moved["sweep"] = OLDEST
        self._accept(items, **moved)

    def _open_set(self, now: datetime) -> list[WorkItem]:
        """Items for every open incident whose state differs. One that left the list is read by its id."""
        try:
            listed = self._reader.open_incidents()
        except ReconcilerError:
            self._cost.not_listed()
            raise
        ids = {incident.id for incident in listed}
        return [
            *comparisons.of_incidents(self._database, listed, now, Reason.FEED),
            *comparisons.of_absent(self._database, Side.PAGERDUTY, ids, now, Reason.FEED),
        ]

    def _take_log(self, log: LogPage, mark: LogMark, now: datetime, *, polled: bool) -> None:
        acts = [act for act in log.acts if act.incident_id]
        with self._database.reading() as unit:
            pairs = unit.snapshot.pairs_of_incidents({act.incident_id for act in acts})
        items, seen = compare_acts(acts, pairs, mark.seen, self._policy(), now)
        newest = max((act.at for act in log.acts), default=mark.at)
        moved: dict[str, object] = {"pagerduty": LogMark(max(min(newest, now), mark.at), seen)}
        if polled:
            moved["polled_pagerduty"] = now
        self._accept(items, **moved)

    def _take_strangers(self, acts: tuple[Act, ...], now: datetime) -> None:
        """Take in late second incidents of our alerts: raised by the automation user, and followed by no pair.

        One that could not be read is read again as long as the log shows it. The first failure is raised after all
        have been tried.
        """
        raised = raised_by_us(acts, self._policy(), self._service_id) - self._strangers.keys()
        if not raised:
            return
        with self._database.reading() as unit:
            raised -= key_routes.followed(unit, raised)
        failures: list[ReconcilerError] = []
        for incident_id in sorted(raised)[:STRANGERS]:
            try:
                items = comparisons.of_stranger(self._reader, self._database, incident_id, now, Reason.FEED)
            except DatabaseDown:
                raise
            except ReconcilerError as error:
                failures.append(error)
                continue
            self._accept(items)
            self._strangers[incident_id] = None
            if len(self._strangers) > REMEMBERED_ENTRIES:
                del self._strangers[next(iter(self._strangers))]
        if failures:
            raise failures[0]

    def _accept(self, items: list[WorkItem], **moved: object) -> None:
        self._intake.accept(items, **moved)
        if items:
            self._pace.noticed(self._clock.monotonic())


def _is_unreachable(error: ReconcilerError) -> bool:
    """Whether no connection was made, so that the open set could not be read either.

    A rate limit (429) is not that, nor is an answer from something on the network path.
    """
    return isinstance(error, NotExecuted) and not isinstance(error, Blocked) and error.retry_after is None
