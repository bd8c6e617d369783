"""Writes that were carried out lately: when the act happened that caused each, and when it was done."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select

from reconciler.core.model import Status
from reconciler.store.database import UnitOfWork
from reconciler.store.schema import actions

MOST = 5_000
"""The most actions that are read, the newest: the page's cost does not grow with a storm."""

_NEWEST = select(func.max(actions.c.id)).where(actions.c.route == bindparam("of"))
_DONE = select(actions.c.at, actions.c.settled_at).where(
    actions.c.id > bindparam("above"),
    actions.c.route == bindparam("of"),
    actions.c.status == Status.DONE.value,
    actions.c.settled_at >= bindparam("since"),
)
_LEFT_OUT = (
    select(actions.c.settled_at)
    .where(
        actions.c.id <= bindparam("above"),
        actions.c.route == bindparam("of"),
        actions.c.status == Status.DONE.value,
    )
    .order_by(actions.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Pairs of times: an act's, and the end of the write that mirrored it. `is_cut`: older ones were left out."""

    times: tuple[tuple[datetime, datetime], ...] = ()
    is_cut: bool = False


def mirrored(unit: UnitOfWork, since: datetime, most: int = MOST) -> Mirrored:
    """The acts whose writes were done since then, among the newest actions."""
    connection, route = unit.outbox.connection, unit.outbox.route
    newest = connection.execute(_NEWEST, {"of": route}).scalar() or 0
    window = {"of": route, "above": newest - most}
    rows = connection.execute(_DONE, {**window, "since": since})
    times = tuple((row.at, row.settled_at) for row in rows)
    last = connection.execute(_LEFT_OUT, window).scalar()
    return Mirrored(times, is_cut=last is not None and last >= since)
