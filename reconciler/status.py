"""How things stand, from the database alone: what is tracked, how far behind, what is pending or dead."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.core.model import Action, Side, Status
from reconciler.core.text import name_of
from reconciler.store.database import Database
from reconciler.telemetry import printable

SHOWN = 20
"""How many actions of one standing are listed; the count is of all."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A look at the database. `polled` is when each side last answered a whole poll."""

    now: datetime
    open_pairs: int
    polled: dict[Side, datetime | None]
    counts: dict[Status, int]
    pending: tuple[Action, ...]
    in_doubt: tuple[Action, ...]
    dead: tuple[Action, ...]


def read(database: Database) -> Standing:
    """The present standing. Nothing is written."""
    with database.reading() as books:
        cursors = books.snapshot.cursors()
        polled = {side: cursors.get(f"polled.{side.value}") for side in Side}
        return Standing(
            now=datetime.now(UTC),
            open_pairs=books.snapshot.open_pairs(),
            polled={side: datetime.fromisoformat(at) if at else None for side, at in polled.items()},
            counts=dict(books.ledger.counts()),
            pending=tuple(books.ledger.with_status(Status.PLANNED, SHOWN)),
            in_doubt=tuple(books.ledger.with_status(Status.SENT, SHOWN)),
            dead=tuple(books.ledger.with_status(Status.DEAD, SHOWN)),
        )


def as_data(standing: Standing) -> dict[str, Any]:
    """The document that `status --json` prints."""
    return {
        "open_pairs": standing.open_pairs,
        "polled": {side.value: at and at.isoformat() for side, at in standing.polled.items()},
        "behind_seconds": {side.value: _behind(standing, side) for side in Side},
        "actions": {status.value: standing.counts.get(status, 0) for status in Status},
        "pending": [_action(action) for action in standing.pending],
        "in_doubt": [_action(action) for action in standing.in_doubt],
        "dead": [_action(action) for action in standing.dead],
    }


def as_text(standing: Standing) -> str:
    """The same for people."""
    lines = [f"Open pairs     {standing.open_pairs}"]
    for side in Side:
        behind = _behind(standing, side)
        words = "never polled" if behind is None else f"polled {behind:.0f} s ago"
        lines.append(f"{name_of(side):<14} {words}")
    lines.append("Actions        " + ", ".join(f"{standing.counts.get(s, 0)} {s.value}" for s in Status))
    for title, actions in (
        ("Pending", standing.pending),
        ("In doubt", standing.in_doubt),
        ("Dead", standing.dead),
    ):
        if actions:
            lines += ["", f"{title}:"]
            lines += [f"  {a.id:>6}  {a.kind.value:<27} alert {a.alert_id}: {_why(a)}" for a in actions]
    return "\n".join(printable(line) for line in lines)


def _behind(standing: Standing, side: Side) -> float | None:
    at = standing.polled[side]
    return None if at is None else round((standing.now - at).total_seconds(), 3)


def _action(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "kind": action.kind.value,
        "alert_id": action.alert_id,
        "incident_id": action.incident_id,
        "reason": action.reason,
        "error": action.error,
        "attempts": action.attempts,
    }


def _why(action: Action) -> str:
    return action.error or action.reason
