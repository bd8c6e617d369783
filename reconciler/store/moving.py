"""The move of all rows to another product's alerts, within one transaction.

An alert's id is part of the primary key of most tables, and of every action's key. Rows of alerts that keep their
id stay as they are, but for the baselines.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from reconciler.core.journal import Entry
from reconciler.core.migration import MOVED, MovedPair, former_ids, rekeyed, work_item
from reconciler.core.model import Pair, Side, Status
from reconciler.core.work import WorkItem
from reconciler.store import troubles
from reconciler.store.cursors import OLDEST
from reconciler.store.database import UnitOfWork
from reconciler.store.schema import actions, cursors, journal, notes, pairs, work
from reconciler.store.schema import moved as moves
from reconciler.store.statements import rows_by, rows_of, upsert

REPORT = "migration"
"""Name of the row of the table of cursors that holds the report of the last move, as JSON."""
_MOVES = select(moves.c.old_id, moves.c.new_id).where(moves.c.route == bindparam("of"))
_NO_SHADOW = delete(cursors).where(cursors.c.route == bindparam("of"), cursors.c.name == "shadow")
_ALL_PAIRS = select(pairs.c.alert_id).where(pairs.c.route == bindparam("of"))
_KEYS = rows_by(actions.c.alert_id, select(actions.c.id, actions.c.key, actions.c.kind, actions.c.alert_id))
_ENTRIES = rows_by(
    journal.c.alert_id,
    select(journal.c.id, journal.c.action_key.label("key"), journal.c.kind, journal.c.alert_id),
)
_RENAME_ACTION = (
    update(actions).where(actions.c.id == bindparam("of")).values(key=bindparam("to"), alert_id=bindparam("now"))
)
_RENAME_ENTRY = (
    update(journal)
    .where(journal.c.id == bindparam("of"))
    .values(action_key=bindparam("to"), alert_id=bindparam("now"))
)
_OLD = {
    table.name: delete(table).where(table.c.route == bindparam("of"), table.c.alert_id == bindparam("key"))
    for table in (pairs, notes, work)
}
_NOTES = rows_by(notes.c.alert_id, select(notes.c.alert_id, notes.c.side, notes.c.note_id))
_FORGET_MOVE = delete(moves).where(moves.c.route == bindparam("of"), moves.c.old_id == bindparam("key"))
_FOLLOW_MOVE = (
    update(moves)
    .where(moves.c.route == bindparam("of"), moves.c.new_id == bindparam("key"))
    .values(new_id=bindparam("now"))
)
_UNSENT = delete(actions).where(
    actions.c.route == bindparam("of"),
    actions.c.status == Status.PLANNED.value,
    actions.c.key.like(f"% {MOVED} %"),
)
"""What an earlier move has planned, and what was not sent since."""


@dataclass(frozen=True, slots=True)
class Move:
    """A move of everything. `others` are pairs that keep their id: those left without an alert, and new ones.

    `report` is what the command prints as JSON. The new source's feed begins at `polled`; None: at the last poll.
    """

    to: str
    at: datetime
    pairs: tuple[MovedPair, ...]
    others: tuple[Pair, ...] = ()
    looks: tuple[WorkItem, ...] = ()
    query: str = ""
    report: str = "{}"
    polled: datetime | None = None
    journal: tuple[Entry, ...] = ()


def all_pairs(unit: UnitOfWork) -> list[Pair]:
    """Every pair."""
    ids = unit.snapshot.connection.execute(_ALL_PAIRS, {"of": unit.snapshot.route}).scalars()
    return list(unit.snapshot.pairs(list(ids)).values())


def moved_ids(unit: UnitOfWork) -> dict[str, str]:
    """The present id of every alert that had another one, by that one."""
    rows = unit.snapshot.connection.execute(_MOVES, {"of": unit.snapshot.route})
    return {row.old_id: row.new_id for row in rows}


def apply(unit: UnitOfWork, move: Move) -> None:
    """Carry out a move."""
    connection, route = unit.snapshot.connection, unit.snapshot.route
    now_ids = {each.old_id: each.pair.alert_id for each in move.pairs if each.old_id != each.pair.alert_id}
    connection.execute(_UNSENT, {"of": route})
    _rename_actions(connection, route, now_ids)
    _move_notes(connection, route, move.pairs)
    _move_work(unit, move.pairs)
    _delete(connection, "pairs", route, now_ids)
    unit.snapshot.save_pairs([*(each.pair for each in move.pairs), *move.others])
    _record(connection, route, now_ids, move.at)
    unit.outbox.add([action for each in move.pairs for action in each.actions], move.at)
    unit.work.add(move.looks)
    unit.journal.append(move.journal)
    polled = move.polled or unit.cursors.load(move.at).polled_alerts
    unit.cursors.save(source=move.to, query=move.query, alerts=polled or move.at, sweep=OLDEST)
    connection.execute(_NO_SHADOW, {"of": route})
    troubles.clear(unit)
    upsert(connection, cursors, [{"route": route, "name": REPORT, "value": move.report}])


def _rename_actions(connection: Connection, route: str, now_ids: Mapping[str, str]) -> None:
    """Give actions and journal entries their alerts' new ids."""
    for read, rename in ((_KEYS, _RENAME_ACTION), (_ENTRIES, _RENAME_ENTRY)):
        renamed = [
            {"of": row.id, "to": rekeyed(row.key, row.kind, row.alert_id, now_id), "now": now_id}
            for row in rows_of(connection, read, route, now_ids)
            if (now_id := now_ids[row.alert_id])
        ]
        if renamed:
            connection.execute(rename, renamed)


def _move_notes(connection: Connection, route: str, moved: Iterable[MovedPair]) -> None:
    """Replace the known notes of the alerts by those that were recognised; those of the incidents stay known."""
    by_old = {each.old_id: each for each in moved}
    rows = []
    for row in rows_of(connection, _NOTES, route, by_old):
        each = by_old[row.alert_id]
        if each.notes is None or row.side != Side.ALERTS.value:
            rows.append(_note(route, each, row.side, row.note_id))
    for each in by_old.values():
        rows += [_note(route, each, Side.ALERTS.value, note_id) for note_id in each.notes or ()]
    _delete(connection, "notes", route, by_old)
    upsert(connection, notes, rows)


def _note(route: str, each: MovedPair, side: str, note_id: str) -> dict[str, Any]:
    return {"route": route, "alert_id": each.pair.alert_id, "side": side, "note_id": note_id}


def _move_work(unit: UnitOfWork, moved: Iterable[MovedPair]) -> None:
    """Let what waits for a pair wait for the moved one. What a list has shown is forgotten: it is read again."""
    now_ids = {each.old_id: each.pair.alert_id for each in moved}
    waiting = [item for item in unit.work.all() if item.alert_id in now_ids]
    _delete(unit.snapshot.connection, "work", unit.snapshot.route, [item.alert_id for item in waiting])
    unit.work.add([work_item(item, now_ids[item.alert_id]) for item in waiting])


def _record(connection: Connection, route: str, now_ids: Mapping[str, str], at: datetime) -> None:
    """Keep every id that an alert has had, each with the present one."""
    known = former_ids({row.old_id: row.new_id for row in connection.execute(_MOVES, {"of": route})})
    for old_id, new_id in now_ids.items():
        if old_id in known:
            connection.execute(_FOLLOW_MOVE, {"of": route, "key": old_id, "now": new_id})
            connection.execute(_FORGET_MOVE, {"of": route, "key": new_id})
    rows = [{"route": route, "old_id": old, "new_id": new, "at": at} for old, new in now_ids.items()]
    upsert(connection, moves, rows)


def _delete(connection: Connection, table: str, route: str, ids: Collection[str]) -> None:
    if ids:
        connection.execute(_OLD[table], [{"of": route, "key": each} for each in ids])
