"""How long acts took to be mirrored in the last day, by the hour in which their writes were done."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from reconciler.observability.naming import clock, counted, span
from reconciler.store.database import UnitOfWork
from reconciler.store.lags import Mirrored, mirrored

HOURS = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour, and the lag in seconds of the writes that were done in it; both are 0 if there were none."""

    begins: datetime
    count: int = 0
    median: float = 0.0
    worst: float = 0.0


@dataclass(frozen=True, slots=True)
class Lag:
    """The last day: its hours, the oldest first, and the lag in seconds over all of them.

    `worst_at` is when the slowest write was done. `is_cut`: only the newest writes were counted.
    """

    now: datetime
    hours: tuple[Hour, ...]
    count: int = 0
    median: float = 0.0
    worst: float = 0.0
    worst_at: datetime | None = None
    is_cut: bool = False


def read(unit: UnitOfWork, now: datetime) -> Lag:
    """The lag of the last day."""
    return lag_of(mirrored(unit, _first(now)), now)


def lag_of(found: Mirrored, now: datetime) -> Lag:
    """The lag of these writes. An act that the vendor dates later than its write's end has none."""
    first = _first(now)
    lags = [(done, max(0.0, (done - acted).total_seconds())) for acted, done in found.times]
    by_hour: dict[int, list[float]] = defaultdict(list)
    for done, seconds in lags:
        by_hour[(done - first) // timedelta(hours=1)].append(seconds)
    hours = tuple(_hour(first + timedelta(hours=nth), by_hour.get(nth, [])) for nth in range(HOURS))
    if not lags:
        return Lag(now, hours, is_cut=found.is_cut)
    worst_at, worst = max(lags, key=lambda each: each[1])
    half = median(seconds for _, seconds in lags)
    return Lag(now, hours, len(lags), half, worst, worst_at, found.is_cut)


def words(lag: Lag) -> str:
    """The lag in one or two sentences."""
    return " ".join(_sentences(lag))


def _sentences(lag: Lag) -> Iterator[str]:
    if lag.worst_at is None:
        yield "Nothing was mirrored in the last day."
    elif lag.count == 1:
        yield f"1 act was mirrored in the last day, within {span(lag.worst)}."
    else:
        yield (
            f"Of {counted(lag.count, 'act')} that were mirrored in the last day, half took {span(lag.median)} or "
            f"less, the slowest {span(lag.worst)} (done at {clock(lag.now, lag.worst_at)})."
        )
    if lag.is_cut:
        yield "Only the newest writes are counted."


def _hour(begins: datetime, lags: list[float]) -> Hour:
    return Hour(begins, len(lags), median(lags), max(lags)) if lags else Hour(begins)


def _first(now: datetime) -> datetime:
    """When the oldest of the hours begins; the present one is the last."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
