"""`reconciler pause` and `resume`: an operator holds writes back, and lets them go on. Needs only the database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Action, Kind, Side
from reconciler.core.pause import Pause, held
from reconciler.core.product import OPSGENIE, Product
from reconciler.observability.logs import printable
from reconciler.observability.naming import clock, kinds_of, span
from reconciler.store.database import Database, UnitOfWork

OVER = "its time is over"
"""What the journal says of a pause that has ended by itself."""
WAITS = "What waits is written after `reconciler resume`; a running daemon takes this in within a second."
NOTHING_PAUSED = "Nothing is paused there: nothing to resume."


@dataclass(frozen=True, slots=True)
class Held:
    """A pause, and the kinds of the actions that wait for its end."""

    pause: Pause
    waiting: tuple[Kind, ...] = ()


def begin(
    database: Database, sides: Collection[Side], reason: str, who: str, *, pages: bool, lasts: timedelta | None
) -> tuple[Pause, ...]:
    """Pause these sides, in the place of earlier pauses of theirs."""
    now = datetime.now(UTC)
    until = None if lasts is None else now + lasts
    made = tuple(Pause(side, now, reason, who, pages, until) for side in Side if side in sides)
    with database.writing() as unit:
        unit.pauses.save(made)
        unit.journal.append(
            Entry(now, Event.PAUSED, side=pause.side, who=who, words=_extent(pause)) for pause in made
        )
    return made


def end(database: Database, sides: Collection[Side], who: str) -> tuple[Held, ...]:
    """End the pauses of these sides; returns them with what has waited."""
    now = datetime.now(UTC)
    with database.writing() as unit:
        found = tuple(each for each in held_by(unit, now) if each.pause.side in sides)
        finish(unit, (pause for pause in unit.pauses.all() if pause.side in sides), now, who=who)
    return found


def finish(unit: UnitOfWork, pauses: Iterable[Pause], now: datetime, *, who: str = "", words: str = "") -> None:
    """Delete pauses. What has waited counts as failed from its next attempt only."""
    over = tuple(pauses)
    unit.pauses.end(pause.side for pause in over)
    for pause in over:
        unit.outbox.forgive(kind for kind in Kind if pause.holds(kind))
    unit.journal.append(Entry(now, Event.RESUMED, side=pause.side, who=who, words=words) for pause in over)


def held_by(unit: UnitOfWork, now: datetime) -> tuple[Held, ...]:
    """The pauses that last, each with what waits for its end."""
    pauses = [pause for pause in unit.pauses.all() if not pause.is_over(now)]
    return counted(pauses, unit.outbox.open() if pauses else ())


def counted(pauses: Iterable[Pause], actions: Collection[Action]) -> tuple[Held, ...]:
    """These pauses, each with what waits for its end."""
    return tuple(
        Held(pause, tuple(action.kind for action in actions if held(action, (pause,)) is not None))
        for pause in pauses
    )


def is_paging(pauses: Iterable[Pause]) -> bool:
    """Whether incidents are created: no pause holds pages to PagerDuty back."""
    return not any(pause.holds(Kind.CREATE_INCIDENT) for pause in pauses)


def sentence(pause: Pause, now: datetime, product: Product = OPSGENIE) -> str:
    """The pause without its age: `PagerDuty: paused by ops@host since 17:27 UTC, pages too: maintenance`."""
    return f"{product.name_of(pause.side)}: paused {_by(pause, now)}{_rest(pause, now)}"


def line(each: Held, now: datetime, product: Product = OPSGENIE) -> str:
    """The pause with its age and the number of actions that wait, as a line of the log."""
    return f"{product.name_of(each.pause.side)}: paused {_details(each, now)}"


def row(each: Held, now: datetime, product: Product = OPSGENIE) -> str:
    """The same where a heading says that it is a pause."""
    return f"{product.name_of(each.pause.side)} {_details(each, now)}"


def _details(each: Held, now: datetime) -> str:
    """Who paused, since when, until when, why, and what waits."""
    pause = each.pause
    lasted = span(max(now - pause.since, timedelta()))
    return f"{_by(pause, now)} ({lasted}){_rest(pause, now)}{_waits(each)}"


def as_data(found: Iterable[Held], now: datetime, product: Product = OPSGENIE) -> list[dict[str, Any]]:
    """The pauses as data."""
    return [
        {
            "side": product.key_of(each.pause.side),
            "pages": each.pause.pages,
            "since": each.pause.since.isoformat(),
            "age_seconds": round((now - each.pause.since).total_seconds(), 3),
            "until": each.pause.until.isoformat() if each.pause.until else None,
            "who": each.pause.who,
            "reason": each.pause.reason,
            "waiting": len(each.waiting),
        }
        for each in found
    ]


def begun_text(pauses: Iterable[Pause], product: Product = OPSGENIE) -> str:
    """The text that `pause` prints."""
    now = datetime.now(UTC)
    lines = (sentence(pause, now, product) for pause in pauses)
    return "\n".join([*map(printable, lines), WAITS])


def ended_text(found: Collection[Held], product: Product = OPSGENIE) -> str:
    """The text that `resume` prints."""
    if not found:
        return NOTHING_PAUSED
    return "\n".join(printable(ended_line(each, product)) for each in found)


def ended_line(each: Held, product: Product) -> str:
    """That a side is written to again, and what was held back."""
    waited = kinds_of(each.waiting)
    left = f"; {waited} {'was' if len(each.waiting) == 1 else 'were'} held back" if waited else ""
    return f"{product.name_of(each.pause.side)}: resumed{left}"


def _extent(pause: Pause) -> str:
    """The words of the pause's journal entry: its reason, and whether pages wait too."""
    return pause.reason + (" (pages too)" if pause.pages else "")


def _by(pause: Pause, now: datetime) -> str:
    return f"by {pause.who or 'somebody'} since {clock(now, pause.since)}"


def _rest(pause: Pause, now: datetime) -> str:
    until = f", until {clock(now, pause.until)}" if pause.until else ""
    return f"{until}{', pages too' if pause.pages else ''}: {pause.reason}"


def _waits(each: Held) -> str:
    waiting = kinds_of(each.waiting)
    return f"; {waiting} {'waits' if len(each.waiting) == 1 else 'wait'}" if waiting else ""
