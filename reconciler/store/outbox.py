"""The transactional outbox: every write to a vendor, and its outcome. An action is committed before its call."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select, update

from reconciler.core.model import Action, Kind, Settlement, Status
from reconciler.store.schema import actions, pairs
from reconciler.store.statements import insert_new, rows_by, rows_of

_OPEN = (Status.PLANNED.value, Status.SENT.value)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox within one transaction."""

    connection: Connection
    route: str

    def open(self, kind: Kind | None = None) -> list[Action]:
        """Open actions (of one kind): planned or sent, in the order of the acts that caused them."""
        query = _OPEN_ACTIONS if kind is None else _OPEN_ACTIONS.where(actions.c.kind == kind.value)
        return [_action(row) for row in self.connection.execute(query, {"route": self.route})]

    def of(self, alert_ids: Collection[str]) -> dict[str, tuple[Action, ...]]:
        """All actions of these alerts, open or not, oldest first."""
        found: dict[str, list[Action]] = defaultdict(list)
        for row in rows_of(self.connection, _OF_ALERTS, self.route, alert_ids):
            found[row.alert_id].append(_action(row))
        return {alert_id: tuple(mine) for alert_id, mine in found.items()}

    def counts(self) -> Counter[Status]:
        """Number of actions by status, including finished ones: a full scan, only for `status`."""
        query = (
            select(actions.c.status, func.count()).where(actions.c.route == self.route).group_by(actions.c.status)
        )
        return Counter({Status(status): count for status, count in self.connection.execute(query)})

    def by_id(self, ids: Collection[int]) -> list[Action]:
        """These actions in their present state, in the order they were added."""
        return [_action(row) for row in rows_of(self.connection, _BY_ID, self.route, ids)]

    def with_status(self, status: Status, limit: int) -> list[Action]:
        """Actions with this status, oldest first."""
        query = _ACTIONS.where(actions.c.status == status.value).order_by(actions.c.id).limit(limit)
        return [_action(row) for row in self.connection.execute(query, {"route": self.route})]

    def add(self, values: Iterable[Action], now: datetime) -> None:
        """Add planned actions. An action whose key exists already is not added a second time."""
        insert_new(
            self.connection, actions, ("route", "key"), [_row(action, now, self.route) for action in values]
        )

    def mark_sent(self, action: Action, now: datetime) -> bool:
        """Mark an action as sent, just before its call. False if it is no longer planned: then make no call."""
        marked = self.connection.execute(_MARK_SENT, {"of": action.id, "sent_at": now})
        return marked.rowcount == 1

    def mark_accepted(self, action: Action, request_id: str) -> None:
        """Store the id under which the alert side has accepted the write: queued there, not carried out yet."""
        self.connection.execute(_CHANGE, {"of": action.id, "request_id": request_id})

    def mark_unknown(self, action: Action, why: str) -> None:
        """Store why the outcome of a sent action is unknown: it stays sent until a read resolves it."""
        self.connection.execute(_CHANGE, {"of": action.id, "error": why})

    def mark_plain(self, action: Action, why: str) -> None:
        """Plan an action again in its plainest form, because its full form was refused."""
        plain = {"status": Status.PLANNED.value, "plain": True, "error": why}
        self.connection.execute(_CHANGE, {"of": action.id, **plain})

    def settle(self, settlement: Settlement, now: datetime) -> None:
        """Store the outcome of an action, or when it is due again."""
        values: dict[str, Any] = {"status": settlement.status.value, "error": settlement.why}
        if settlement.attempts is not None:
            values |= {"attempts": settlement.attempts}
        if settlement.failing_since is not None:
            values |= {"failing_since": settlement.failing_since}
        elif settlement.status in (Status.DONE, Status.DROPPED):
            values |= {"failing_since": None}
        if settlement.status is Status.PLANNED:
            values |= {"not_before": settlement.not_before, "settled_at": None}
        else:
            values |= {"settled_at": now, "result_id": settlement.result_id}
        self.connection.execute(_CHANGE, {"of": settlement.action_id, **values})

    def forgive(self, kinds: Iterable[Kind]) -> None:
        """Forget the earlier failures of planned actions of these kinds, which a pause has held back."""
        self.connection.execute(_FORGIVE, {"of": self.route, "kinds": [kind.value for kind in kinds]})

    def retry(self, ids: Collection[int] | None = None) -> list[Action]:
        """Plan dead actions again, these or all, as if never tried. Returns those that were dead."""
        query = _DEAD if ids is None else _DEAD.where(actions.c.id.in_(bindparam("ids", expanding=True)))
        given = {"route": self.route} if ids is None else {"route": self.route, "ids": sorted(set(ids))}
        dead = list(self.connection.execute(query, given).scalars())
        for action_id in dead:
            self.connection.execute(_CHANGE, {"of": action_id, **_AS_NEW})
        return self.by_id(dead)


_SAME = and_(pairs.c.route == actions.c.route, pairs.c.alert_id == actions.c.alert_id)
_WITH_INCIDENTS = select(actions, pairs.c.incident_id).join_from(actions, pairs, _SAME, isouter=True)
"""Actions, each with the present incident of its pair."""
_ACTIONS = _WITH_INCIDENTS.where(actions.c.route == bindparam("route"))
_OF_ALERTS = rows_by(actions.c.alert_id, _WITH_INCIDENTS).order_by(actions.c.id)
_BY_ID = rows_by(actions.c.id, _WITH_INCIDENTS).order_by(actions.c.id)
_CHANGE = update(actions).where(actions.c.id == bindparam("of"))
"""Sets the columns for which values are given. Like all statements here it is built once: building costs time."""
_DEAD = select(actions.c.id).where(actions.c.route == bindparam("route"), actions.c.status == Status.DEAD.value)
_AS_NEW: dict[str, Any] = {
    "status": Status.PLANNED.value,
    "attempts": 0,
    "plain": False,
    "not_before": None,
    "failing_since": None,
    "error": "",
    "settled_at": None,
}
_FORGIVE = (
    update(actions)
    .where(
        actions.c.route == bindparam("of"),
        actions.c.status == Status.PLANNED.value,
        actions.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .values(failing_since=None, not_before=None)
)
_MARK_SENT = _CHANGE.where(actions.c.status == Status.PLANNED.value).values(
    status=Status.SENT.value, sent_at=bindparam("sent_at"), request_id="", error=""
)
_OPEN_ACTIONS = _ACTIONS.where(actions.c.status.in_(_OPEN)).order_by(actions.c.at, actions.c.id)


_STORED_AS_IS = (
    "id", "key", "alert_id", "reason", "at", "person", "text", "body", "urgency", "priority",
    "mark", "attempts", "plain", "not_before", "failing_since", "sent_at", "request_id", "result_id", "error",
)  # fmt: skip


def _action(row: Row[Any]) -> Action:
    values = {name: getattr(row, name) for name in _STORED_AS_IS}
    return Action(kind=Kind(row.kind), status=Status(row.status), incident_id=row.incident_id, **values)


def _row(action: Action, now: datetime, route: str) -> dict[str, Any]:
    values = {name: getattr(action, name) for name in _STORED_AS_IS if name != "id"}
    return values | {"route": route, "kind": action.kind.value, "status": action.status.value, "planned_at": now}
