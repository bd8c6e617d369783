"""What a move to another alert source has to read: the database, and both products. Nothing is written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.listings import Bounds, compare_alerts
from reconciler.core.matching import AlertIndex, Match, Verdict, match_all
from reconciler.core.migration import Found, MovedPair, former_ids, moved
from reconciler.core.model import Action, Alert, Note, Pair, Side
from reconciler.core.work import WorkItem
from reconciler.errors import Missing
from reconciler.store.cursors import Positions, earlier
from reconciler.store.database import Database
from reconciler.store.moving import all_pairs, moved_ids
from reconciler.vendors.ports import AlertReader

Progress = Callable[[str], None]
"""Called with a few words on how far the reading is; with none at its end."""
EVERY = 20
"""Pairs between two such calls."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The whole snapshot. `waiting` are items of alerts that have no pair yet."""

    positions: Positions
    pairs: tuple[Pair, ...]
    moves: Mapping[str, str]
    mine: Mapping[str, tuple[Action, ...]]
    known: Mapping[str, frozenset[str]]
    waiting: tuple[WorkItem, ...]


@dataclass(frozen=True, slots=True)
class Horizon:
    """The time, how late an answer may be, and for how long finished pairs are remembered."""

    now: datetime
    staleness: timedelta
    retention: timedelta


@dataclass(frozen=True, slots=True)
class Readings:
    """What both products show. `found` has every pair, `moved` those whose alert was found.

    `unmatched` are alerts of the other product that no pair has; `sees_any`: it showed at least one alert.
    `ahead` are ids of alerts that the product that is left shows changed since its last poll; None: it was not
    read.
    """

    found: tuple[Found, ...]
    moved: tuple[MovedPair, ...]
    unmatched: tuple[Alert, ...]
    sees_any: bool
    ahead: tuple[str, ...] | None


def stored(database: Database, now: datetime) -> Stored:
    """The snapshot as it is now."""
    with database.reading() as unit:
        pairs = all_pairs(unit)
        ids = {pair.alert_id for pair in pairs}
        known = {
            alert_id: frozenset(note_id for side, note_id in mine if side is Side.ALERTS)
            for alert_id, mine in unit.snapshot.known_notes(ids).items()
        }
        return Stored(
            unit.cursors.load(now),
            tuple(sorted(pairs, key=lambda pair: (pair.created_at or now, pair.alert_id))),
            moved_ids(unit),
            unit.outbox.of(ids),
            known,
            tuple(item for item in unit.work.all() if item.alert_id not in ids),
        )


def read(
    snapshot: Stored, there: AlertReader, here: AlertReader | None, horizon: Horizon, progress: Progress
) -> Readings:
    """Look for every pair in the other product, and for what people did there. Raises what the clients raise."""
    progress("reading the list of open alerts")
    alerts, verdicts, unmatched = _matched(snapshot, there, horizon, progress)
    former = former_ids(snapshot.moves)
    found, results = [], []
    for done, pair in enumerate(snapshot.pairs):
        if done % EVERY == 0:
            progress(f"{done:,} of {len(snapshot.pairs):,} pairs read")
        each = Found(
            pair,
            verdicts[pair.alert_id],
            mine=snapshot.mine.get(pair.alert_id, ()),
            known=snapshot.known.get(pair.alert_id, frozenset()),
            former=former.get(pair.alert_id, frozenset()),
        )
        each, result = _with_history(each, there, here, horizon)
        found.append(each)
        results += [result] if result is not None else []
    ahead = _ahead(snapshot, here, horizon) if here is not None else None
    progress("")
    return Readings(tuple(found), tuple(results), unmatched, bool(alerts), ahead)


def _matched(
    snapshot: Stored, there: AlertReader, horizon: Horizon, progress: Progress
) -> tuple[list[Alert], dict[str, Verdict], tuple[Alert, ...]]:
    """The alerts that were read, the verdict on each pair by its present id, and the alerts that no pair has.

    The latter are of the list of open alerts, which leaves out those of other routes; the others do not.
    """
    alerts = [alert for page in there.open_alerts() for alert in page]
    listed = {alert.id for alert in alerts}
    verdicts, unmatched = _match(snapshot, alerts)
    absent = [pair for pair in snapshot.pairs if verdicts[pair.alert_id].match is Match.MISSING]
    times = [pair.created_at for pair in absent if pair.created_at is not None]
    if times:
        progress("reading the list of recent alerts")
        oldest = max(min(times), earlier(horizon.now, horizon.retention))
        alerts += there.recent_alerts(earlier(oldest, horizon.staleness))
        verdicts, unmatched = _match(snapshot, alerts)
    former = former_ids(snapshot.moves)
    left = [pair for pair in absent if verdicts[pair.alert_id].match is Match.MISSING and pair.is_open]
    by_id = [alert for pair in left for alert in _by_id(pair, former, there)]
    if by_id:
        alerts += by_id
        verdicts, unmatched = _match(snapshot, alerts)
    return alerts, verdicts, tuple(alert for alert in unmatched if alert.id in listed)


def _match(snapshot: Stored, alerts: Iterable[Alert]) -> tuple[dict[str, Verdict], tuple[Alert, ...]]:
    """The verdicts. An alert that is moved back is looked for by the id that it had before."""
    index, former = AlertIndex(alerts), former_ids(snapshot.moves)
    known_as = {
        pair.alert_id: next((each for each in former.get(pair.alert_id, ()) if each in index.by_id), pair.alert_id)
        for pair in snapshot.pairs
    }
    found = match_all([replace(pair, alert_id=known_as[pair.alert_id]) for pair in snapshot.pairs], index)
    return {pair: found.verdicts[name] for pair, name in known_as.items()}, found.unmatched


def _by_id(pair: Pair, former: Mapping[str, frozenset[str]], there: AlertReader) -> list[Alert]:
    found = []
    for alert_id in (pair.alert_id, *sorted(former.get(pair.alert_id, ()))):
        try:
            found.append(there.alert(alert_id))
        except Missing:
            continue
    return found


def _with_history(
    each: Found, there: AlertReader, here: AlertReader | None, horizon: Horizon
) -> tuple[Found, MovedPair | None]:
    """The pair with its alert's notes, and as it is after the move. Only a pair with an incident mirrors notes.

    The notes in the product that is left are read only if some in the other one would be news, or history by their
    age alone, without them.
    """
    alert, pair = each.verdict.alert, each.pair
    if alert is None:
        return each, None
    if each.verdict.match is Match.DIFFERS and (pair.tracked or pair.incident_id is not None):
        each = replace(each, acts=tuple(there.acts(alert.id)))
    if pair.incident_id is not None:
        each = replace(each, notes=_notes(there, alert.id))
    result = moved(each, horizon.now, horizon.staleness)
    if result is not None and (result.news or result.rests_on_age) and here is not None:
        each = replace(each, notes_here=_notes(here, pair.alert_id))
        result = moved(each, horizon.now, horizon.staleness)
    return each, result


def _notes(reader: AlertReader, alert_id: str) -> tuple[Note, ...]:
    try:
        return tuple(reader.notes(alert_id))
    except Missing:
        return ()


def _ahead(snapshot: Stored, here: AlertReader, horizon: Horizon) -> tuple[str, ...]:
    """Alerts that the product that is left shows as new or changed since the last poll."""
    positions = snapshot.positions
    if positions.origin is None:
        return ()
    since = earlier(positions.polled_alerts or positions.origin.at, horizon.staleness)
    rows = here.changes(since, None).rows
    bounds = Bounds(
        horizon.now,
        positions.origin.at,
        positions.origin.since,
        earlier(horizon.now, horizon.retention),
        positions.polled_alerts,
    )
    items = compare_alerts(rows, {pair.alert_id: pair for pair in snapshot.pairs}, bounds)
    return tuple(sorted({item.alert_id for item in items if not item.request.is_baseline}))
