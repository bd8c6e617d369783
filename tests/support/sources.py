"""A source on its own: scripted vendors, a real database, a queue, and a clock set by the test."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from reconciler.core import model
from reconciler.core.policy import Policy
from reconciler.core.work import ReadRequest, WorkItem
from reconciler.reconcile.problems import Problems
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.first_start import FirstStart
from reconciler.sources.horizons import Horizons
from reconciler.sources.intake import DurableIntake
from reconciler.sources.listings import ListingTools, OpenAlerts
from reconciler.sources.pace import Pace
from reconciler.sources.pagerduty_feed import PagerDutyFeed
from reconciler.sources.repetitions import Repetitions
from reconciler.store.cursors import Origin, Positions
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from reconciler.vendors.call_context import CallPriority, current
from reconciler.vendors.ports import AlertNews, LogPage
from tests.support.builders import at, policy
from tests.support.clock import SimClock

HOUR = timedelta(hours=1)
INTERVAL = 10.0


def answered(what: str, answer: Any, asked: Counter[str], priorities: set[CallPriority]) -> Any:
    """Return the scripted answer, or raise it if it is an exception."""
    asked[what] += 1
    priorities.add(current().priority)
    if isinstance(answer, Exception):
        raise answer
    return answer


@dataclass
class Opsgenie:
    """Scripted lists; each is an answer or an error."""

    recent: Any = ()
    opened: Any = ()
    news: AlertNews | None = None
    asked: Counter[str] = field(default_factory=Counter)
    priorities: set[CallPriority] = field(default_factory=set)
    since: list[datetime | None] = field(default_factory=list)
    seen: list[object | None] = field(default_factory=list)

    def recent_alerts(self, since: datetime | None) -> list[model.Alert]:
        self.since.append(since)
        return list(answered("recent", self.recent, self.asked, self.priorities))

    def changes(self, since: datetime, seen: object | None) -> AlertNews:
        self.seen.append(seen)
        if self.news is not None:
            return self.news
        rows = tuple(self.recent_alerts(since))
        return AlertNews(rows, max((row.updated_at for row in rows), default=None))

    def open_alerts(self) -> Iterator[list[model.Alert]]:
        yield list(answered("open", self.opened, self.asked, self.priorities))

    def open_alerts_page(self, offset: int) -> tuple[list[model.Alert], bool]:
        rows = list(answered("page", self.opened, self.asked, self.priorities))
        return rows[offset : offset + 100], len(rows) > offset + 100


@dataclass
class PagerDuty:
    """A scripted log, open set and incidents; each is an answer or an error."""

    log: Any = field(default_factory=LogPage)
    open_set: Any = ()
    incidents: Any = None
    asked: Counter[str] = field(default_factory=Counter)
    priorities: set[CallPriority] = field(default_factory=set)

    def log_entries(self, _since: object, _enough: object) -> LogPage:
        return cast("LogPage", answered("log", self.log, self.asked, self.priorities))

    def open_incidents(self) -> list[model.Incident]:
        return list(answered("open set", self.open_set, self.asked, self.priorities))

    def open_incidents_page(self, offset: int) -> tuple[list[model.Incident], bool]:
        rows = list(answered("page", self.open_set, self.asked, self.priorities))
        return rows[offset : offset + 100], len(rows) > offset + 100

    def incident(self, _id: str) -> model.Incident:
        return cast("model.Incident", answered("incident", self.incidents, self.asked, self.priorities))


class Stage:
    """Everything that a source needs. The first start was an hour ago, unless `begun` is False."""

    def __init__(self, folder: Path, *, begun: bool = True) -> None:
        self.clock = SimClock(3600.0)
        self.database: Database = open_database(f"sqlite:///{folder}/sources.db")
        upgrade(self.database)
        self.queue = WorkQueue(self.clock)
        self.intake = DurableIntake(self.database, self.queue)
        self.horizons = Horizons(HOUR, timedelta(seconds=300), timedelta(days=30), "team: a")
        self.problems = Problems()
        self.repetitions = Repetitions(self.clock)
        self.pace = Pace(INTERVAL, lambda: 16.0)
        self.opsgenie = Opsgenie()
        self.pagerduty = PagerDuty()
        self.busy = False
        self._listing: OpenAlerts | None = None
        if begun:
            self.store(origin=Origin(at(0), at(0)), query=self.horizons.query)

    def store(self, **moved: Any) -> None:
        """Set cursors."""
        with self.database.writing() as unit:
            unit.cursors.save(**moved)

    def save(self, *pairs: model.Pair) -> None:
        """Put pairs into the snapshot."""
        with self.database.writing() as unit:
            unit.snapshot.save_pairs([replace(one, swept_at=one.swept_at or self.clock.now()) for one in pairs])

    @property
    def standing(self) -> Positions:
        """The stored positions of the sources."""
        with self.database.reading() as unit:
            return unit.cursors.load(self.clock.now())

    @property
    def items(self) -> dict[str, WorkItem]:
        """The rows of the work queue's table by alert id."""
        with self.database.reading() as unit:
            return {item.alert_id: item for item in unit.work.all()}

    def request(self, alert_id: str) -> ReadRequest:
        """What the work queue wants read of a pair; an empty request where it is not queued."""
        item = self.items.get(alert_id)
        return item.request if item else ReadRequest()

    def work(self) -> list[str]:
        """Take everything that is due off the work queue; returns the pairs, the most urgent first."""
        done = []
        while (item := self.queue.lease()) is not None:
            with self.database.writing() as unit:
                unit.work.take_away([item])
            self.queue.done(item.alert_id)
            done.append(item.alert_id)
        return done

    def policy(self) -> Policy:
        return policy()

    def is_busy(self) -> bool:
        return self.busy

    def first_start(self) -> FirstStart:
        return FirstStart(
            cast("Any", self.opsgenie),
            cast("Any", self.pagerduty),
            self.database,
            self.intake,
            self.clock,
            self.horizons,
            self.problems,
        )

    def alert_feed(self) -> AlertFeed:
        return AlertFeed(
            cast("Any", self.opsgenie),
            self.database,
            self.intake,
            self.clock,
            self.horizons,
            self.policy,
            self.first_start(),
            self.repetitions,
            self.pace,
            self.listing(),
        )

    def listing(self) -> OpenAlerts:
        """The listing of all open alerts, which is always the same."""
        if self._listing is None:
            tools = ListingTools(self.database, self.intake, self.clock, self.horizons, self.is_busy)
            self._listing = OpenAlerts(cast("Any", self.opsgenie), self.repetitions, tools)
        return self._listing

    def pagerduty_feed(self) -> PagerDutyFeed:
        return PagerDutyFeed(
            cast("Any", self.pagerduty),
            self.database,
            self.intake,
            self.clock,
            self.policy,
            self.is_busy,
            self.pace,
        )
