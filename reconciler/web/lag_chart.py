"""The geometry of the lag's chart: one bar an hour up to the median, and a line from there to the slowest.

The scale is logarithmic, since a lag is a second as a rule and an hour in an outage.
"""

from dataclasses import dataclass
from datetime import UTC
from math import log10

from reconciler.observability.naming import counted, span
from reconciler.operations.lag import HOURS, Hour, Lag

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 92, 8, 16, 40
BAR = 14
SHORTEST = 1.0
"""Seconds at the foot of the scale; what is shorter is drawn as a bar of the least height."""
LEAST_TOP = 60.0
"""The scale reaches at least so many seconds, so that a usual day does not look like a bad one."""
LEAST_BAR = 3.0
_TICKS = (
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (36_000, "10 h"),
    (864_000, "10 d"),
)
LABELLED = 6
"""Every sixth hour has its time below the axis."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of an hour in which writes were done. `words` describe it for readers who do not see the chart.

    Places are in the chart's units from its upper edge: `top` is where the median stands, `tip` the slowest write.
    """

    x: float
    top: float
    tip: float
    height: float
    words: str

    @property
    def middle(self) -> float:
        """Where the line stands."""
        return self.x + BAR / 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A label at an axis, and where it stands."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One hour of the chart's alternative in text."""

    hour: str
    count: int
    median: str
    worst: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn, and the same as rows of text."""

    bars: tuple[Bar, ...]
    levels: tuple[Mark, ...]
    hours: tuple[Mark, ...]
    rows: tuple[Row, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    foot: int = HEIGHT - BOTTOM
    bar: int = BAR

    @property
    def beside(self) -> int:
        """Where the labels of the levels end, left of the bars."""
        return self.left - 8

    @property
    def below(self) -> int:
        """The base line of the hours' labels."""
        return self.foot + 24


def chart_of(lag: Lag) -> Chart:
    """The chart; without bars where nothing was mirrored."""
    top = max(LEAST_TOP, lag.worst)
    step = (WIDTH - LEFT - RIGHT) / HOURS
    drawn = [(nth, hour) for nth, hour in enumerate(lag.hours) if hour.count]
    return Chart(
        bars=tuple(_bar(LEFT + nth * step + (step - BAR) / 2, hour, top) for nth, hour in drawn),
        levels=tuple(Mark(_height(seconds, top), words) for seconds, words in _TICKS if seconds <= top),
        hours=tuple(
            Mark(LEFT + nth * step + step / 2, _clock(hour))
            for nth, hour in enumerate(lag.hours)
            if hour.begins.hour % LABELLED == 0
        ),
        rows=tuple(Row(_clock(hour), hour.count, span(hour.median), span(hour.worst)) for _, hour in drawn),
    )


def _bar(x: float, hour: Hour, top: float) -> Bar:
    foot = HEIGHT - BOTTOM
    middle = min(_height(hour.median, top), foot - LEAST_BAR)
    tip = min(_height(hour.worst, top), middle)
    words = (
        f"{_clock(hour)}: {counted(hour.count, 'act')}, half within {span(hour.median)}, "
        f"the slowest {span(hour.worst)}"
    )
    return Bar(round(x, 1), middle, tip, round(foot - middle, 1), words)


def _height(seconds: float, top: float) -> float:
    """Where this lag stands, in the chart's units from its upper edge."""
    foot = HEIGHT - BOTTOM
    part = log10(max(seconds, SHORTEST)) / log10(top)
    return round(foot - part * (foot - TOP), 1)


def _clock(hour: Hour) -> str:
    return f"{hour.begins.astimezone(UTC):%H:%M}"
