"""When a pair is to be reconciled next, and what is to be read of it then, after all that can be done now."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.details import lacks_refused
from reconciler.core.model import Action, Kind, Pair, Policy, Side, Status
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything

SHORTEST_WAIT = timedelta(seconds=1)
"""The least time between two questions about a write whose outcome is not known."""
LONGEST_WAIT = timedelta(seconds=10)
"""The most time between two such questions while Opsgenie has not said that it has the write in its queue."""
LONGEST_IN_QUEUE = timedelta(seconds=60)
"""The same while it has."""
MOST_DOUBLINGS = 32
"""The most ages at which a finished pair is read; a second, doubled that often, is more than a century."""


@dataclass(frozen=True, slots=True)
class Left:
    """What was not done. `unread` are sides that could not be read, due again at `read_at`.

    `deliver_at` is when an action that waits may be tried, where that is known. `unknown` is what was asked
    for of an alert that is not in the snapshot yet: it keeps the row from which it pages.
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
    """The item that takes the place of the one that was worked on; None when only news or the sweep can add one.

    `mine` are the actions that were tried or are open, as they stand now; `interval` is POLL_INTERVAL_SECONDS.
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
    """The item of a pair in whose outbox these actions wait: a page as long as an incident is to be created.

    After an outage everything is due at once, and pages go first.
    """
    is_page = any(action.kind is Kind.CREATE_INCIDENT for action in waiting)
    priority = Priority.PAGE if is_page else Priority.UNSETTLED
    return WorkItem(alert_id, due_at, ReadRequest(), priority, frozenset({Reason.OUTBOX}))


def next_look(
    pair: Pair, now: datetime, interval: timedelta, retention: timedelta, *, swept: bool
) -> datetime | None:
    """When the sweep reads the pair next; None: never again.

    An open pair is read once an interval. A finished one is read ever more seldom, each time that twice as long
    has passed since it was last swept while open, up to the retention; never, if it pages nobody. Until the pair
    is `swept`, a moment that was set before stays.
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
    """What shows whether a write of ours has landed."""
    if action.kind is Kind.CREATE_INCIDENT:
        return ReadRequest(by_key=True, alert_notes=True, incident_notes=True)
    opsgenie = action.kind.side is Side.OPSGENIE
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
    """The whole of an alert that is still unknown: it may have its incident by now, or must page."""
    is_new = not asked.is_baseline
    request = replace(everything(), by_key=True, is_new=is_new, is_baseline=not is_new, row=asked.row)
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
    """Asked about whenever the write is twice as old."""
    age = abs(now - action.sent_at) if action.sent_at else timedelta()
    wait = min(max(age, SHORTEST_WAIT), LONGEST_IN_QUEUE if action.request_id else LONGEST_WAIT)
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
    if pair.opsgenie.open and pair.opsgenie.missing_since is not None and not pair.opsgenie.deleted:
        wait = max(interval, policy.staleness / 2)
        found.append(WorkItem(alert_id, now + wait, ReadRequest(alert=True), Priority.UNSETTLED, reasons))
    return found
