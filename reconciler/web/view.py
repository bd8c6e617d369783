"""Values that the templates show: cells, tables and times. A template labels them and decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from reconciler import __version__
from reconciler.core.model import Pair
from reconciler.observability.naming import alert_name, incident_name

MOST_LISTED = 20
"""The most rows of one table: as many as `reconciler status` shows."""
ALARMING = frozenset({"dead", "refused", "unpaged", "unknown"})
"""Events and states that an engineer looks for first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table: its text, where it leads, and its time, each empty if there is none."""

    text: str
    href: str = ""
    time: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table. `more` says how many rows are left out.

    `advice` says what to do about the rows that are shown, and `commands` are the commands to run for that.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: str = ""
    advice: str = ""
    commands: tuple[str, ...] = ()
    count: int = 0

    @property
    def is_list(self) -> bool:
        """Whether it has one column, so that a list says the same with less."""
        return len(self.columns) == 1


@dataclass(frozen=True, slots=True)
class Message:
    """A page that says one thing: the answer's status, and what to do."""

    status: int
    phrase: str
    words: str
    advice: str = ""
    command: str = ""
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it is read, and as a machine reads it."""

    words: str
    iso: str


def moment(at: datetime) -> Moment:
    """A time in UTC, to the second."""
    at = at.astimezone(UTC)
    return Moment(f"{at:%Y-%m-%d %H:%M:%S} UTC", at.isoformat(timespec="seconds"))


def time_cell(now: datetime, at: datetime) -> Cell:
    """A time of day in UTC, with its date if that is not today's."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    words = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
    return Cell(words, time=at.isoformat(timespec="seconds"))


def pair_path(given: str) -> str:
    """The address of the page of a pair."""
    return f"/pairs/{quote(given, safe='')}"


def pair_cells(alert_id: str, pair: Pair | None) -> tuple[Cell, Cell]:
    """The alert and its incident, each with a link to the pair's page."""
    return Cell(alert_name(alert_id, pair), pair_path(alert_id)), _incident(pair)


def _incident(pair: Pair | None) -> Cell:
    if pair is None or not pair.incident_id:
        return Cell("none")
    return Cell(incident_name(pair), pair_path(pair.incident_id))


def table(
    name: str,
    title: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[Cell, ...]],
    advice: str = "",
    commands: tuple[str, ...] = (),
    most: int = MOST_LISTED,
) -> Table:
    """A table of the first rows, which says how many are left out."""
    found = tuple(rows)
    left = len(found) - most
    more = f"… and {left} more" if left > 0 else ""
    return Table(name, title, columns, found[:most], more, advice, commands, len(found))
