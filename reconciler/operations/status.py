"""`reconciler status`: tracked pairs, problems, and waiting or dead actions, from the database alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.model import Action, Kind, Pair, Side, Status
from reconciler.core.text import name_of, shortened
from reconciler.observability.logs import printable
from reconciler.observability.naming import STATES, pair_name, span, state_of
from reconciler.operations import pausing
from reconciler.operations.paging import objections
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.overview import oldest_open, paging, since
from reconciler.store.troubles import KeptTrouble, load

MOST_LISTED = 20
"""The most actions of one state in the text; counts and JSON cover all."""
UNLIMITED = 1_000_000_000
"""A limit that is never reached."""
LATE = 60.0
"""Seconds without a poll after which a side is late; or three intervals, if that is longer."""
LATE_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An open or dead action, its pair, and since when it has been in its state."""

    action: Action
    pair: Pair | None
    since: datetime


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Content of the database.

    `polled` is when each side's last complete poll ended. `database` is the database's address without its
    password; `missing` says why it is empty.
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
    pauses: tuple[pausing.Held, ...] = ()

    def of(self, *states: str) -> tuple[Entry, ...]:
        """The entries in these states."""
        return tuple(entry for entry in self.entries if state_of(entry.action) in states)


def read(database: Database, address: str, missing: str = "") -> StatusReport:
    """The present content of the database, without any write."""
    now = datetime.now(UTC)
    with database.reading() as unit:
        cursors = unit.cursors.load(now)
        open_actions = unit.outbox.open()
        dead = unit.outbox.with_status(Status.DEAD, UNLIMITED)
        total = unit.outbox.counts()
        found = paging(unit, now)
        states = Counter(state_of(action) for action in (*open_actions, *dead))
        states |= Counter({status.value: total[status] for status in (Status.DONE, Status.DROPPED)})
        paused = pausing.held_by(unit, now)
        pages = objections(found, now, are_made=pausing.is_paging(each.pause for each in paused))
        kept = [trouble for trouble in load(unit) if trouble.subject != "pages"]
        return StatusReport(
            now=now,
            database=address,
            missing=missing,
            open_pairs=unit.snapshot.open_pairs(),
            polled={Side.OPSGENIE: cursors.polled_opsgenie, Side.PAGERDUTY: cursors.polled_pagerduty},
            counts={state: states[state] for state in STATES},
            entries=_entries(unit, (*open_actions, *dead)),
            unpaged=found.unpaged,
            troubles=(*kept, *(KeptTrouble("pages", _since(unit, now), words) for _, words in pages)),
            oldest=oldest_open(unit),
            pauses=paused,
        )


def entries(unit: UnitOfWork, actions: Iterable[Action]) -> tuple[Entry, ...]:
    """These actions with their pairs and times."""
    return _entries(unit, tuple(actions))


def _entries(unit: UnitOfWork, actions: tuple[Action, ...]) -> tuple[Entry, ...]:
    pairs = _titled(unit, unit.snapshot.pairs({action.alert_id for action in actions}))
    times = since(unit, [action.id for action in actions])
    return tuple(Entry(action, pairs.get(action.alert_id), times.get(action.id, action.at)) for action in actions)


def _titled(unit: UnitOfWork, pairs: dict[str, Pair]) -> dict[str, Pair]:
    """The pairs, each with a title: one from an older database takes that of its page."""
    untitled = unit.outbox.of([alert_id for alert_id, pair in pairs.items() if not pair.title])
    titles = {
        action.alert_id: shortened(action.text)
        for mine in untitled.values()
        for action in mine
        if action.kind is Kind.CREATE_INCIDENT
    }
    return pairs | {alert_id: replace(pairs[alert_id], title=title) for alert_id, title in titles.items()}


def _since(unit: UnitOfWork, now: datetime) -> datetime:
    """Since when pages have not been made, as the daemon has stored it: a problem of its own or of PagerDuty."""
    kept = {trouble.subject: trouble.since for trouble in load(unit)}
    return kept.get("pages") or kept.get(Side.PAGERDUTY.value) or now


def needs_attention(report: StatusReport, interval: float) -> bool:
    """Whether an action is dead, a side is late or paused, or a problem lasts."""
    found = report.of("dead") or report.troubles or report.unpaged or report.pauses
    return bool(found or late(report, interval))


def late(report: StatusReport, interval: float) -> list[Side]:
    """The sides whose last complete poll is too long ago, or that were never polled."""
    longest = max(LATE, LATE_INTERVALS * interval)
    behind = {side: _behind(report, side) for side in Side}
    return [side for side, seconds in behind.items() if seconds is None or seconds > longest]


def as_data(report: StatusReport) -> dict[str, Any]:
    """The document that `status --json` prints."""
    now = report.now
    return {
        "database": report.database,
        "missing": report.missing,
        "open_pairs": report.open_pairs,
        "polled": {side.value: _iso(report.polled.get(side)) for side in Side},
        "behind_seconds": {side.value: _behind(report, side) for side in Side},
        "actions": {state: report.counts.get(state, 0) for state in STATES},
        "oldest_pending_seconds": _age(now, report.oldest) if report.oldest else None,
        "pauses": pausing.as_data(report.pauses, now),
        "troubles": [
            {
                "subject": trouble.subject,
                "since": trouble.since.isoformat(),
                "age_seconds": _age(now, trouble.since),
                "words": trouble.words,
            }
            for trouble in report.troubles
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
            for pair in report.unpaged
        ],
        "pending": [entry_data(now, entry) for entry in report.of("planned")],
        "in_flight": [entry_data(now, entry) for entry in report.of("in flight")],
        "unknown": [entry_data(now, entry) for entry in report.of("unknown")],
        "dead": [entry_data(now, entry) for entry in report.of("dead")],
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


def as_text(report: StatusReport, interval: float) -> str:
    """The text that `status` prints."""
    lines = [f"Database       {report.database}"]
    if report.missing:
        lines.append(f"               {report.missing}: no reconciler has run on it yet")
    lines.append(f"Open pairs     {report.open_pairs}")
    overdue = late(report, interval)
    for side in Side:
        behind = _behind(report, side)
        words = "never polled" if behind is None else f"polled {behind:.0f} s ago"
        late_since = f": late; is `reconciler run` at work? ({span(behind)})" if behind and side in overdue else ""
        lines.append(f"{name_of(side):<14} {words}{late_since}")
    lines.append("Actions        " + ", ".join(f"{report.counts.get(state, 0)} {state}" for state in STATES))
    if report.oldest is not None:
        lines.append(f"Oldest pending {span(report.now - report.oldest)}")
    lines += [f"Paused         {pausing.line(each, report.now)}" for each in report.pauses]
    if report.troubles:
        lines += ["", "In trouble:"]
        lines += [f"  {each.words} (for {span(report.now - each.since)})" for each in report.troubles]
    if report.unpaged:
        lines += ["", "Nobody is paged for:"]
        lines += [f"  {pair_name(pair.alert_id, pair)}: {pair.unpaged}" for pair in report.unpaged]
    for title, state in (("Pending", "planned"), ("In flight", "in flight"), ("Unknown", "unknown")):
        lines += _list(report, title, report.of(state), MOST_LISTED)
    lines += _list(report, "Dead", report.of("dead"), UNLIMITED)
    if report.of("dead"):
        lines += [
            "",
            "To try dead actions again: reconciler retry --all, or reconciler retry with the numbers above",
        ]
    return "\n".join(printable(line) for line in lines)


def _list(report: StatusReport, title: str, found: tuple[Entry, ...], most: int) -> list[str]:
    if not found:
        return []
    lines = ["", f"{title}:", *(f"  {entry_text(report.now, entry)}" for entry in found[:most])]
    return lines if len(found) <= most else [*lines, f"  … and {len(found) - most} more"]


def entry_text(now: datetime, entry: Entry) -> str:
    """One action as a line of text: its pair, what it does, since when and why."""
    action = entry.action
    name = pair_name(action.alert_id, entry.pair)
    tries = f", {action.attempts} tries" if action.attempts > 1 else ""
    alert = f" (alert {action.alert_id})" if entry.pair else ""
    why = action.error or action.reason
    return f"{name}: {action.kind.value} for {span(now - entry.since)}{tries}: {why}{alert}"


def _behind(report: StatusReport, side: Side) -> float | None:
    at = report.polled.get(side)
    return None if at is None else _age(report.now, at)


def _age(now: datetime, at: datetime) -> float:
    return round((now - at).total_seconds(), 3)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
