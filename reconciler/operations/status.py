"""How things stand, from the database alone: what is tracked, what is wrong, what waits or is dead."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.model import Action, Kind, Pair, Side, Status
from reconciler.core.text import name_of, shortened
from reconciler.observability.logs import printable
from reconciler.observability.naming import STATES, pair_name, span, state_of
from reconciler.operations.paging import objections
from reconciler.store.database import Books, Database
from reconciler.store.overview import oldest_open, paging, since
from reconciler.store.troubles import KeptTrouble, load

SHOWN = 20
"""How many actions of one state are listed for people; the count is of all, and the JSON lists all."""
EVERY = 1_000_000_000
LATE = 60.0
"""Seconds. A side that has not been polled for so long, or for three intervals if that is longer, is late."""
INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An action that is not done, with what people call its pair and since when it stands as it does."""

    action: Action
    pair: Pair | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A look at the database. `polled` is when each side last answered a whole poll.

    `database` is its address without the password; `missing` says why there is nothing to look at yet.
    """

    now: datetime
    database: str
    missing: str = ""
    open_pairs: int = 0
    polled: Mapping[Side, datetime | None] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    unpaged: tuple[Pair, ...] = ()
    troubles: tuple[KeptTrouble, ...] = ()
    oldest: datetime | None = None

    def of(self, *states: str) -> tuple[Entry, ...]:
        """The entries in these states."""
        return tuple(entry for entry in self.entries if state_of(entry.action) in states)


def read(database: Database, address: str, missing: str = "") -> Standing:
    """The present standing. Nothing is written."""
    now = datetime.now(UTC)
    with database.reading() as books:
        open_actions = books.outbox.open()
        dead = books.outbox.with_status(Status.DEAD, EVERY)
        total = books.outbox.counts()
        found = paging(books, now)
        states = Counter(state_of(action) for action in (*open_actions, *dead))
        states |= Counter({status.value: total[status] for status in (Status.DONE, Status.DROPPED)})
        pages = objections(found, now)
        kept = [trouble for trouble in load(books) if trouble.subject != "pages"]
        return Standing(
            now=now,
            database=address,
            missing=missing,
            open_pairs=books.snapshot.open_pairs(),
            polled={side: datetime.fromisoformat(moment) if moment else None for side, moment in at.items()},
            counts={state: states[state] for state in STATES},
            entries=_entries(books, (*open_actions, *dead)),
            unpaged=found.unpaged,
            troubles=(*kept, *(KeptTrouble("pages", _since(books, now), words) for _, words in pages)),
            oldest=oldest_open(books),
        )


def entries(books: Books, actions: Iterable[Action]) -> tuple[Entry, ...]:
    """These actions with what people want to know of them."""
    return _entries(books, tuple(actions))


def _entries(books: Books, actions: tuple[Action, ...]) -> tuple[Entry, ...]:
    pairs = _titled(books, books.snapshot.pairs({action.alert_id for action in actions}))
    times = since(books, [action.id for action in actions])
    return tuple(Entry(action, pairs.get(action.alert_id), times.get(action.id, action.at)) for action in actions)


def _titled(books: Books, pairs: dict[str, Pair]) -> dict[str, Pair]:
    """Pairs of an older database bear no title until they are read again: their page's title serves until then."""
    untitled = books.outbox.of([alert_id for alert_id, pair in pairs.items() if not pair.title])
    titles = {
        action.alert_id: shortened(action.text)
        for mine in untitled.values()
        for action in mine
        if action.kind is Kind.CREATE_INCIDENT
    }
    return pairs | {alert_id: replace(pairs[alert_id], title=title) for alert_id, title in titles.items()}


def _since(books: Books, now: datetime) -> datetime:
    """Since when pages are in trouble, as the daemon has kept it: of their own, or as a part of PagerDuty's."""
    kept = {trouble.subject: trouble.since for trouble in load(books)}
    return kept.get("pages") or kept.get(Side.PAGERDUTY.value) or now


def needs_attention(standing: Standing, interval: float) -> bool:
    """Whether something is dead, late or in trouble."""
    return bool(standing.of("dead") or standing.troubles or standing.unpaged or late(standing, interval))


def late(standing: Standing, interval: float) -> list[Side]:
    """Sides that have been polled, and not for too long; every side of a database that was never polled."""
    patience = max(LATE, INTERVALS * interval)
    behind = {side: _behind(standing, side) for side in Side}
    return [side for side, seconds in behind.items() if seconds is None or seconds > patience]


def as_data(standing: Standing) -> dict[str, Any]:
    """The document that `status --json` prints."""
    now = standing.now
    return {
        "database": standing.database,
        "missing": standing.missing,
        "open_pairs": standing.open_pairs,
        "polled": {side.value: _iso(standing.polled.get(side)) for side in Side},
        "behind_seconds": {side.value: _behind(standing, side) for side in Side},
        "actions": {state: standing.counts.get(state, 0) for state in STATES},
        "oldest_pending_seconds": _age(now, standing.oldest) if standing.oldest else None,
        "troubles": [
            {
                "subject": trouble.subject,
                "since": trouble.since.isoformat(),
                "age_seconds": _age(now, trouble.since),
                "words": trouble.words,
            }
            for trouble in standing.troubles
        ],
        "unpaged": [
            {
                "alert_id": pair.alert_id,
                "alert": pair.tiny_id,
                "title": pair.title,
                "incident_id": pair.incident_id,
                "incident": pair.incident_number,
                "reason": pair.unpaged,
            }
            for pair in standing.unpaged
        ],
        "pending": [entry_data(now, entry) for entry in standing.of("planned")],
        "in_flight": [entry_data(now, entry) for entry in standing.of("in flight")],
        "unknown": [entry_data(now, entry) for entry in standing.of("unknown")],
        "dead": [entry_data(now, entry) for entry in standing.of("dead")],
    }


def entry_data(now: datetime, entry: Entry) -> dict[str, Any]:
    """One action as data. `alert` is the alert's tiny id, `incident` the incident's number."""
    action, pair = entry.action, entry.pair
    return {
        "id": action.id,
        "kind": action.kind.value,
        "state": state_of(action),
        "alert_id": action.alert_id,
        "alert": pair.tiny_id if pair else None,
        "title": pair.title if pair else "",
        "incident_id": action.incident_id,
        "incident": pair.incident_number if pair else None,
        "reason": action.reason,
        "error": action.error,
        "attempts": action.attempts,
        "since": entry.since.isoformat(),
        "age_seconds": _age(now, entry.since),
    }


def as_text(standing: Standing, interval: float) -> str:
    """The same for people."""
    lines = [f"Database       {standing.database}"]
    if standing.missing:
        lines.append(f"               {standing.missing}: no reconciler has run on it yet")
    lines.append(f"Open pairs     {standing.open_pairs}")
    overdue = late(standing, interval)
    for side in Side:
        behind = _behind(standing, side)
        words = "never polled" if behind is None else f"polled {behind:.0f} s ago"
        late_since = f": late; is `reconciler run` at work? ({span(behind)})" if behind and side in overdue else ""
        lines.append(f"{name_of(side):<14} {words}{late_since}")
    lines.append("Actions        " + ", ".join(f"{standing.counts.get(state, 0)} {state}" for state in STATES))
    if standing.oldest is not None:
        lines.append(f"Oldest pending {span(standing.now - standing.oldest)}")
    if standing.troubles:
        lines += ["", "In trouble:"]
        lines += [f"  {each.words} (for {span(standing.now - each.since)})" for each in standing.troubles]
    if standing.unpaged:
        lines += ["", "Nobody is paged for:"]
        lines += [f"  {pair_name(pair.alert_id, pair)}: {pair.unpaged}" for pair in standing.unpaged]
    for title, state in (("Pending", "planned"), ("In flight", "in flight"), ("Unknown", "unknown")):
        lines += _list(standing, title, standing.of(state), SHOWN)
    lines += _list(standing, "Dead", standing.of("dead"), EVERY)
    if standing.of("dead"):
        lines += [
            "",
            "To try dead actions again: reconciler retry --all, or reconciler retry with the numbers above",
        ]
    return "\n".join(printable(line) for line in lines)


def _list(standing: Standing, title: str, found: tuple[Entry, ...], most: int) -> list[str]:
    if not found:
        return []
    lines = ["", f"{title}:", *(f"  {entry_text(standing.now, entry)}" for entry in found[:most])]
    return lines if len(found) <= most else [*lines, f"  … and {len(found) - most} more"]


def entry_text(now: datetime, entry: Entry) -> str:
    """One action in one line for people: what it is about first, then what, since when and why."""
    action = entry.action
    name = pair_name(action.alert_id, entry.pair)
    tries = f", {action.attempts} tries" if action.attempts > 1 else ""
    alert = f" (alert {action.alert_id})" if entry.pair else ""
    why = action.error or action.reason
    return f"{name}: {action.kind.value} for {span(now - entry.since)}{tries}: {why}{alert}"


def _behind(standing: Standing, side: Side) -> float | None:
    at = standing.polled.get(side)
    return None if at is None else _age(standing.now, at)


def _age(now: datetime, at: datetime) -> float:
    return round((now - at).total_seconds(), 3)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
