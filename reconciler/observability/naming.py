"""Display names: alerts and incidents by number and title, actions by state, numbers and times in words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.model import Action, Kind, Pair, Status
from reconciler.core.text import shortened

STATES = ("planned", "in flight", "unknown", "done", "dropped", "dead")
"""Every result of `state_of`, in the order in which an action passes through them."""


def state_of(action: Action) -> str:
    """The name of an action's state, the same in the log, the commands, their JSON and the metrics."""
    if action.status is Status.SENT:
        return "unknown" if action.error else "in flight"
    return action.status.value


def alert_name(alert_id: str, pair: Pair | None) -> str:
    """An alert's name: `#17 "db-primary is down"`; its id while nothing else is known."""
    if pair is None:
        return f"alert {alert_id}"
    return f'#{pair.tiny_id} "{shortened(pair.title)}"' if pair.title else f"#{pair.tiny_id}"


def incident_name(pair: Pair | None) -> str:
    """The name of the pair's incident: `incident #1289`; empty while there is none."""
    return f"incident #{pair.incident_number}" if pair is not None and pair.incident_number else ""


def pair_name(alert_id: str, pair: Pair | None, seen: str = "") -> str:
    """Both names: `#17 "db-primary is down", incident #1289`. `seen` replaces an alert's name without a title."""
    name = alert_name(alert_id, pair)
    name = seen if seen and not (pair and pair.title) else name
    return ", ".join(part for part in (name, incident_name(pair)) if part)


@dataclass(frozen=True, slots=True)
class PairNames:
    """The names by which people and vendors know a pair: in words, and as the fields of its log lines."""

    words: str
    alert_id: str
    pair: Pair | None = None

    def fields(self) -> dict[str, Any]:
        """The fields, named as in `status --json`; those that are not known are left out."""
        found: dict[str, Any] = {"alert_id": self.alert_id}
        if self.pair is not None:
            found |= {
                "alert": self.pair.tiny_id,
                "title": shortened(self.pair.title),
                "incident_id": self.pair.incident_id,
                "incident": self.pair.incident_number,
            }
        return {name: value for name, value in found.items() if value}


def names_of(alert_id: str, pair: Pair | None = None, seen: str = "") -> PairNames:
    """All names of a pair. `seen` is the name that was read meanwhile, for an alert without a title."""
    return PairNames(pair_name(alert_id, pair, seen), alert_id, pair)


def clock(now: datetime, at: datetime) -> str:
    """A time in UTC, with its date if that is not today's."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 page`, `7 pages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(parts: Collection[str]) -> str:
    """Several parts as one phrase: `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def kinds_of(kinds: Iterable[Kind]) -> str:
    """The actions counted by what they do: `7 pages and 3 notes`; empty for none."""
    found = list(kinds)
    counts = {
        "page": sum(kind is Kind.CREATE_INCIDENT for kind in found),
        "note": sum(kind.is_note for kind in found),
        "state change": sum(kind.is_state for kind in found),
    }
    parts = [counted(number, noun) for noun, number in counts.items() if number]
    return listed(parts) if parts else ""


def span(time: timedelta | float) -> str:
    """A length of time, to the precision that matters: `40 s`, `52 min`, `3 h 5 min`, `2 d 4 h`."""
    seconds = time.total_seconds() if isinstance(time, timedelta) else time
    if seconds < 1:
        return "less than 1 s"
    if seconds < 120:  # noqa: PLR2004 - seconds are more telling up to here
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:  # noqa: PLR2004 - the same, minutes and hours
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004 - the same, hours and days
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
