"""Queries over all pairs and actions, for status, metrics and readiness."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, func, literal_column, make_url, or_, select

from reconciler.core.model import Kind, Pair, Status
from reconciler.store.database import UnitOfWork
from reconciler.store.schema import actions, leader, moved, pairs
from reconciler.store.statements import rows_by, rows_of

OVERDUE = timedelta(seconds=60)
"""Age from which an incident that is not created yet counts as waiting, even without an error."""

_OPEN = (Status.PLANNED.value, Status.SENT.value)
_IS_OF_ROUTE = actions.c.route == bindparam("of")
_HAS_ERROR = actions.c.error != literal_column("''")
"""Without a parameter: PostgreSQL does not take two parameters for the same expression."""
_STATES = (
    select(actions.c.status, actions.c.kind, _HAS_ERROR, func.count())
    .where(_IS_OF_ROUTE, actions.c.status.in_((*_OPEN, Status.DEAD.value)))
    .group_by(actions.c.status, actions.c.kind, _HAS_ERROR)
)
_OLDEST = select(func.min(actions.c.planned_at)).where(_IS_OF_ROUTE, actions.c.status.in_(_OPEN))
_PAGES = (
    select(
        actions.c.alert_id,
        actions.c.status,
        actions.c.error,
        actions.c.planned_at,
        actions.c.failing_since,
        pairs.c.open,
    )
    .join_from(
        actions,
        pairs,
        and_(pairs.c.route == actions.c.route, pairs.c.alert_id == actions.c.alert_id),
        isouter=True,
    )
    .where(
        _IS_OF_ROUTE,
        actions.c.status.in_((*_OPEN, Status.DEAD.value)),
        actions.c.kind.in_((Kind.CREATE_INCIDENT.value, Kind.PAGERDUTY_UNACKNOWLEDGE.value)),
    )
    .order_by(actions.c.planned_at)
)
_UNPAGED = select(pairs.c.alert_id).where(pairs.c.route == bindparam("of"), pairs.c.unpaged != "")
_PAIR_COUNTS = (
    select(pairs.c.tracked, func.count()).where(pairs.c.route == bindparam("of")).group_by(pairs.c.tracked)
)
_CREATIONS = select(func.count()).where(_IS_OF_ROUTE, actions.c.kind == Kind.CREATE_INCIDENT.value)
_LEADER = select(leader.c.epoch, leader.c.holder).where(leader.c.route == bindparam("of"))
_TIMES = rows_by(
    actions.c.id, select(actions.c.id, actions.c.planned_at, actions.c.failing_since, actions.c.settled_at)
)


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """An incident that should be created, or page again, and has not yet: since when, and its last error."""

    alert_id: str
    since: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Paging:
    """Pages that are not made. `names` are the pairs of the alerts concerned, by alert id."""

    waiting: tuple[WaitingPage, ...] = ()
    dead: tuple[WaitingPage, ...] = ()
    unpaged: tuple[Pair, ...] = ()
    names: dict[str, Pair] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads, or has led last: host, process id and a random number; `epoch` counts the takeovers."""

    holder: str
    epoch: int

    @property
    def process(self) -> str:
        """Host and process id."""
        return self.holder.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class Census:
    """Numbers of pairs: baselines, which page nobody, and followed ones; `raised` counts planned creations."""

    baseline: int
    followed: int
    raised: int


def paging(unit: UnitOfWork, now: datetime) -> Paging:
    """Pages that wait with an error or for too long, dead pages of open alerts, and incidents that page nobody."""
    connection, route = unit.snapshot.connection, unit.snapshot.route
    waiting, dead = [], []
    for row in connection.execute(_PAGES, {"of": route}):
        page = WaitingPage(row.alert_id, row.failing_since or row.planned_at, row.error)
        if row.status == Status.DEAD.value:
            dead += [page] if row.open in (None, True) else []
        elif row.error or now - row.planned_at > OVERDUE:
            waiting.append(page)
    unpaged = list(connection.execute(_UNPAGED, {"of": route}).scalars())
    concerned = unit.snapshot.pairs({*(page.alert_id for page in (*waiting, *dead)), *unpaged})
    return Paging(tuple(waiting), tuple(dead), tuple(concerned[each] for each in unpaged), concerned)


def states(unit: UnitOfWork) -> Counter[tuple[Status, bool, Kind]]:
    """Number of open and dead actions, by status, whether they carry an error, and kind."""
    rows = unit.snapshot.connection.execute(_STATES, {"of": unit.snapshot.route})
    return Counter({(Status(status), bool(failed), Kind(kind)): count for status, kind, failed, count in rows})


def oldest_open(unit: UnitOfWork) -> datetime | None:
    """When the oldest open action was planned; None when there is none."""
    found: datetime | None = unit.snapshot.connection.execute(_OLDEST, {"of": unit.snapshot.route}).scalar()
    return found


def census(unit: UnitOfWork) -> Census:
    """Number of pairs, by group."""
    connection, of = unit.snapshot.connection, {"of": unit.snapshot.route}
    counts = {bool(tracked): count for tracked, count in connection.execute(_PAIR_COUNTS, of)}
    raised = connection.execute(_CREATIONS, of).scalar_one()
    return Census(counts.get(False, 0), counts.get(True, 0), raised)


def lead(unit: UnitOfWork) -> Lead | None:
    """Who leads, or has led last; None while nobody ever has."""
    row = unit.snapshot.connection.execute(_LEADER, {"of": unit.snapshot.route}).one_or_none()
    return None if row is None else Lead(row.holder, row.epoch)


def since(unit: UnitOfWork, ids: Collection[int]) -> dict[int, datetime]:
    """The time at which each of these actions entered its present state: dead, failing or planned."""
    rows = rows_of(unit.snapshot.connection, _TIMES, unit.snapshot.route, ids)
    return {row.id: row.settled_at or row.failing_since or row.planned_at for row in rows}


def find(unit: UnitOfWork, given: str) -> list[str]:
    """Ids of the alerts that an operator's id refers to: an alert id, tiny id, incident id or incident number."""
    connection, route = unit.snapshot.connection, unit.snapshot.route
    number = given.removeprefix("#")
    among = [pairs.c.alert_id == given, pairs.c.incident_id == given, pairs.c.tiny_id == number]
    if number.isascii() and number.isdigit() and len(number) < 10:  # noqa: PLR2004 - what an Integer column holds
        among.append(pairs.c.incident_number == int(number))
    found = connection.execute(select(pairs.c.alert_id).where(pairs.c.route == route, or_(*among))).scalars()
    return list(found) or _moved(connection, route, given) or _in_outbox(connection, route, given)


def _moved(connection: Connection, route: str, given: str) -> list[str]:
    """The present id of an alert that had this one in another product."""
    known = select(moved.c.new_id).where(moved.c.route == route, moved.c.old_id == given)
    return list(connection.execute(known).scalars())


def _in_outbox(connection: Connection, route: str, given: str) -> list[str]:
    """Ids of an alert that has actions but no pair."""
    known = select(actions.c.alert_id).where(actions.c.route == route, actions.c.alert_id == given).limit(1)
    return list(connection.execute(known).scalars())


def shown(url: str) -> str:
    """A database's address without its passwords: that of a client certificate's key is one, too."""
    address = make_url(url)
    kept = {name: value for name, value in address.query.items() if not name.endswith("password")}
    return address.set(query=kept).render_as_string(hide_password=True)
