"""Follow-up of a reconciled pair: when it is due again, and what is read then."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.details import lacks_refused
from reconciler.core.model import Action, Kind, Pair, Side, Status
from reconciler.core.policy import Policy
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything

SHORTEST_CHECK_INTERVAL = timedelta(seconds=1)
"""The shortest time between two checks of a write whose outcome is unknown."""
LONGEST_CHECK_INTERVAL = timedelta(seconds=10)
"""The longest time between two such checks, until Opsgenie confirms that the write is in its queue."""
LONGEST_IN_QUEUE = timedelta(seconds=60)
"""The longest time between two such checks of a write in Opsgenie's queue."""
MOST_DOUBLINGS = 32
"""The most times that the interval for a finished pair is doubled: from one second to more than a century."""


@dataclass(frozen=True, slots=True)
class Left:
    """The rest of the work on a pair that was reconciled.

    `unread` are sides that could not be read, due again at `read_at`. `deliver_at` is when a waiting action may be
    tried, if that is known. `unknown` is the request for an alert that is not in the snapshot yet: it keeps the
    row from which the alert is paged.
    """

    unread: frozenset[Side] = frozenset()
    read_at: datetime | None = None
    deliver_at: datetime | None = None
    unknown: ReadRequest | None = None


def next_item(
    alert_id: str,
    pair: Pair | None,
    mine: Iterable[Action],
    left: Left,
    policy: Policy,
    now: datetime,
    interval: timedelta,
) -> WorkItem | None:
    """The item that replaces the one just worked on; None if only a source can make the pair due again.

    `mine` are the actions that were tried or are open, in their present state; `interval` is
    POLL_INTERVAL_SECONDS.
    """
    mine = tuple(mine)
    sent = [action for action in mine if action.status is Status.SENT]
    found = [
        *_unread(alert_id, left),
        *_outbox(alert_id, mine, left),
        *_refused_details(alert_id, mine, now),
        *(_asked_about(alert_id, action, now) for action in sent),
        *_unsettled(alert_id, pair, policy, now, interval),
    ]
    if not found:
        return None
    first, *others = found
    for other in others:
        first = first.merged(other)
    return first


def outbox_item(alert_id: str, waiting: Iterable[Action], due_at: datetime) -> WorkItem:
    """The item for a pair whose outbox has waiting actions.

    It has the priority of a page if one of them creates an incident. After an outage every pair is due at once,
    and pages go first.
    """
    is_page = any(action.kind is Kind.CREATE_INCIDENT for action in waiting)
    priority = Priority.PAGE if is_page else Priority.UNSETTLED
    return WorkItem(alert_id, due_at, ReadRequest(), priority, frozenset({Reason.OUTBOX}))


def next_look(
    pair: Pair, now: datetime, interval: timedelta, retention: timedelta, *, swept: bool
) -> datetime | None:
    """The time at which the sweep reads the pair next; None: never again.

    An open pair is read once an interval. A finished one is read at doubling intervals, counted from when it was
    last swept while open, up to the retention; never, if it pages nobody. Until the pair is `swept`, an earlier
    value is kept.
    """
    if not (pair.is_open or pair.tracked):
        return None
    turn = now + interval if pair.is_open else _next_doubling(pair.swept_at or now, now, interval, retention)
    if swept or pair.next_look_at is None:
        return turn
    return pair.next_look_at if turn is None else min(pair.next_look_at, turn)


def _next_doubling(
    swept_at: datetime, now: datetime, interval: timedelta, retention: timedelta
) -> datetime | None:
    since = min(swept_at, now)
    ages = (interval * 2**n for n in range(MOST_DOUBLINGS))
    age = next((age for age in ages if age > now - since), None)
    return None if age is None or age > retention else since + age


def in_doubt(action: Action) -> ReadRequest:
    """The read that shows whether a write of ours has taken effect."""
    if action.kind is Kind.CREATE_INCIDENT:
        return ReadRequest(by_key=True, alert_notes=True, incident_notes=True)
    opsgenie = action.kind.side is Side.ALERTS
    if action.kind.is_note:
        return ReadRequest(alert_notes=opsgenie, incident_notes=not opsgenie)
    return ReadRequest(alert=opsgenie, incident=not opsgenie)


def _unread(alert_id: str, left: Left) -> list[WorkItem]:
    if not left.unread or left.read_at is None:
        return []
    if left.unknown is not None:
        return [_unknown(alert_id, left.unknown, left.read_at)]
    request = everything(left.unread)
    return [WorkItem(alert_id, left.read_at, request, Priority.UNSETTLED, frozenset({Reason.UNREAD}))]


def _unknown(alert_id: str, asked: ReadRequest, due_at: datetime) -> WorkItem:
    """The item that reads a still unknown alert in full: it may have an incident by now, or must be paged."""
    is_new = not asked.is_baseline
    request = replace(
        everything(), by_key=True, is_new=is_new, is_baseline=not is_new, row=asked.row, seen_at=asked.seen_at
    )
    priority = Priority.PAGE if is_new else Priority.UNSETTLED
    return WorkItem(alert_id, due_at, request, priority, frozenset({Reason.UNREAD}))


def _outbox(alert_id: str, mine: Iterable[Action], left: Left) -> list[WorkItem]:
    if left.deliver_at is None:
        return []
    waiting = [action for action in mine if action.status is Status.PLANNED]
    return [outbox_item(alert_id, waiting, left.deliver_at)]


def _refused_details(alert_id: str, mine: Iterable[Action], now: datetime) -> list[WorkItem]:
    """The note that follows an incident which was created without its details."""
    is_lacking = any(lacks_refused(action) for action in mine)
    return [outbox_item(alert_id, (), now)] if is_lacking else []


def _asked_about(alert_id: str, action: Action, now: datetime) -> WorkItem:
    """The next check of a write of unknown outcome: due each time its age has doubled."""
    age = abs(now - action.sent_at) if action.sent_at else timedelta()
    wait = min(
        max(age, SHORTEST_CHECK_INTERVAL), LONGEST_IN_QUEUE if action.request_id else LONGEST_CHECK_INTERVAL
    )
    reason = Reason.QUEUED if action.request_id else Reason.OUTBOX
    return WorkItem(alert_id, now + wait, in_doubt(action), Priority.UNSETTLED, frozenset({reason}))


def _unsettled(
    alert_id: str, pair: Pair | None, policy: Policy, now: datetime, interval: timedelta
) -> list[WorkItem]:
    if pair is None:
        return []
    reasons = frozenset({Reason.UNSETTLED})
    found = []
    if pair.incident_id is not None and (pair.unpaged or pair.unexplained_since is not None):
        found.append(WorkItem(alert_id, now + interval, ReadRequest(incident=True), Priority.UNSETTLED, reasons))
    if pair.alerts.open and pair.alerts.missing_since is not None and not pair.alerts.deleted:
        wait = max(interval, policy.staleness / 2)
        found.append(WorkItem(alert_id, now + wait, ReadRequest(alert=True), Priority.UNSETTLED, reasons))
    return found
