"""Items of the work queue: which pair to reconcile, why, how urgently, and what to read of it.

There is one item per pair. Requests of several sources are merged, so that a pair is read once for all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from reconciler.core.model import Act, Alert, Incident, Order, Side


class Priority(IntEnum):
    """Order of due items: the lower number goes first."""

    PAGE = 0  # an alert that may have to page somebody
    CHANGED = 1  # a feed, a list or a webhook shows that something happened
    UNSETTLED = 2  # writes of ours: due again, or of unknown outcome; reads that failed
    SWEEP = 3  # the regular comparison


class Reason(StrEnum):
    """Why a pair is in the queue, as logs and metrics name it."""

    NEW_ALERT = "new alert"
    FEED = "feed"
    WEBHOOK = "webhook"
    OUTBOX = "outbox"  # an action is due, or its outcome is unknown
    QUEUED = "queued"  # a write that Opsgenie has accepted; its request status is read
    UNREAD = "unread"  # a read failed before
    UNSETTLED = "unsettled"  # nobody is paged, a status change is unexplained, or the alert is missing
    SWEEP = "sweep"
    FIRST_START = "first start"
    OPERATOR = "operator"  # `link` or `unlink`


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read of one pair.

    `row` is the alert as a list showed it; a new alert pages from it if the alert itself cannot be read in time.
    `is_new`: the alert is unknown and may have to page. `is_baseline`: it is unknown, and pages nobody. `by_key`:
    look for an incident with this key. `adopt` is such an incident, from a list. `twins` are open incidents with
    the alert's key that the pair does not follow. `acts` are entries of the feed's log, newest first. `all_notes`:
    every note of the alert, not only the newest. `seen_at`: when a new alert was first seen, if it was raised
    while nobody polled. `repeated`: only the alert's time stamp has moved. `swept`: the
    pair counts as swept after this read. `order` is an operator's.
    """

    alert: bool = False
    alert_notes: bool = False
    all_notes: bool = False
    incident: bool = False
    incident_notes: bool = False
    by_key: bool = False
    swept: bool = False
    repeated: bool = False
    is_new: bool = False
    is_baseline: bool = False
    row: Alert | None = None
    adopt: Incident | None = None
    acts: tuple[Act, ...] = ()
    twins: tuple[Incident, ...] = ()
    seen_at: datetime | None = None
    order: Order | None = None

    @property
    def sides(self) -> frozenset[Side]:
        """The sides to be read."""
        opsgenie = self.alert or self.alert_notes
        pagerduty = self.incident or self.incident_notes or self.by_key
        return frozenset({Side.ALERTS} if opsgenie else ()) | frozenset({Side.PAGERDUTY} if pagerduty else ())

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be read."""
        return self == ReadRequest()

    def merged(self, later: "ReadRequest") -> "ReadRequest":
        """Both requests in one. `later` is the more recent."""
        is_new = self.is_new or later.is_new
        rows = [row for row in (self.row, later.row) if row is not None]
        return ReadRequest(
            alert=self.alert or later.alert,
            alert_notes=self.alert_notes or later.alert_notes,
            all_notes=self.all_notes or later.all_notes,
            incident=self.incident or later.incident,
            incident_notes=self.incident_notes or later.incident_notes,
            by_key=self.by_key or later.by_key,
            swept=self.swept or later.swept,
            repeated=(self.repeated or later.repeated)
            and all(each.repeated or each.is_empty for each in (self, later)),
            is_new=is_new,
            is_baseline=(self.is_baseline or later.is_baseline) and not is_new,
            row=max(rows, key=lambda row: row.updated_at, default=None),
            adopt=later.adopt or self.adopt,
            acts=_newest_first((*self.acts, *later.acts)),
            twins=tuple({twin.id: twin for twin in (*self.twins, *later.twins)}.values()),
            seen_at=self.seen_at if self.is_new else later.seen_at,
            order=later.order or self.order,
        )


def everything(sides: Iterable[Side] = tuple(Side)) -> ReadRequest:
    """The request for everything that can be read of these sides."""
    opsgenie, pagerduty = (side in set(sides) for side in (Side.ALERTS, Side.PAGERDUTY))
    return ReadRequest(
        alert=opsgenie,
        alert_notes=opsgenie,
        all_notes=opsgenie,
        incident=pagerduty,
        incident_notes=pagerduty,
    )


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One pair in the queue.

    `generation` counts the changes of its row, and so identifies the version that was leased. `attempts` counts
    consecutive failures by reads and defects.
    """

    alert_id: str
    due_at: datetime
    request: ReadRequest = ReadRequest()
    priority: Priority = Priority.SWEEP
    reasons: frozenset[Reason] = frozenset()
    attempts: int = 0
    generation: int = 0

    def merged(self, later: "WorkItem") -> "WorkItem":
        """Both items in one: the higher urgency, the earlier time, and everything that either requests."""
        return replace(
            self,
            due_at=min(self.due_at, later.due_at),
            request=self.request.merged(later.request),
            priority=min(self.priority, later.priority),
            reasons=self.reasons | later.reasons,
            attempts=max(self.attempts, later.attempts),
            generation=max(self.generation, later.generation),
        )


def _newest_first(acts: Iterable[Act]) -> tuple[Act, ...]:
    return tuple(sorted({act.id: act for act in acts}.values(), key=lambda act: act.at, reverse=True))
