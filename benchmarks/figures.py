"""Figures and curves: the results of a section as a Markdown table, as JSON and as pictures."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Number = float | int


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    `poller` is the value for a plain poller (lists everything, reads each open pair every cycle), `floor` that for
    a bare loop that makes the same writes without state, the lower bound. `met` is None without a target.
    """

    section: str
    name: str
    value: Number
    unit: str = ""
    poller: Number | None = None
    floor: Number | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """One picture. `series` are points by name."""

    name: str
    title: str
    x: str
    y: str
    series: dict[str, list[tuple[Number, Number]]] = field(default_factory=dict)
    logarithmic: str = ""  # "x", "y" or "xy"


@dataclass(frozen=True, slots=True)
class Bars:
    """One picture of horizontal bars: for each of `groups` a bar for each of `series`; None leaves a bar out.

    `limit` is drawn as a line across all groups.
    """

    name: str
    title: str
    x: str
    groups: list[str]
    series: dict[str, list[float | None]]
    limit: float | None = None


Finding = Figure | Curve | Bars


def at_most(section: str, name: str, value: Number, limit: Number, unit: str = "", **more: Any) -> Figure:
    """A figure that should not be larger than `limit`."""
    target = f"≤ {_plain(limit)} {unit}".strip()
    return Figure(section, name, value, unit, target=target, met=value <= limit, **more)


def at_least(section: str, name: str, value: Number, limit: Number, unit: str = "", **more: Any) -> Figure:
    """A figure that should not be smaller than `limit`."""
    target = f"≥ {_plain(limit)} {unit}".strip()
    return Figure(section, name, value, unit, target=target, met=value >= limit, **more)


def as_markdown(figures: Iterable[Figure], *, quick: bool) -> str:
    """The table, with ratios where there are any, and the machine."""
    lines = [
        "| | figure | measured | plain poller | bare loop (floor) | target | |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    section = ""
    for figure in figures:
        shown = [
            f"**{figure.section}**" if figure.section != section else "",
            figure.name + (f" ({figure.note})" if figure.note else ""),
            f"{_plain(figure.value)} {figure.unit}".strip(),
            _beside(figure.poller, figure.value),
            _beside(figure.floor, figure.value),
            figure.target,
            {None: "", True: "reached", False: "**missed**"}[figure.met],
        ]
        section = figure.section
        lines.append(f"| {' | '.join(shown)} |")
    said = "A quick run (BENCH_QUICK=1): it shows that the benchmarks run, its figures are none. " if quick else ""
    return "\n".join([*lines, "", f"{said}Measured on {machine()}. In brackets: measured over compared.", ""])


def machine() -> str:
    """The machine and the Python version."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = next(iter(models), name)
    return f"{name}, {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"


def write(folder: Path, findings: Sequence[Finding], *, quick: bool, seconds: float) -> str:
    """Write results.md, results.json and one picture a curve; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = [found for found in findings if isinstance(found, Figure)]
    curves = [found for found in findings if isinstance(found, Curve)]
    bars = [found for found in findings if isinstance(found, Bars)]
    table = as_markdown(figures, quick=quick)
    (folder / "results.md").write_text(table)
    document = {
        "quick": quick,
        "machine": machine(),
        "seconds": round(seconds, 1),
        "figures": [asdict(figure) for figure in figures],
        "curves": [asdict(curve) for curve in curves],
        "bars": [asdict(one) for one in bars],
    }
    (folder / "results.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    for curve in curves:
        draw(curve, folder / f"{curve.name}.png")
    for one in bars:
        draw_bars(one, folder / f"{one.name}.png")
    return table


def draw(curve: Curve, file: Path) -> None:
    """Draw one picture of curves."""
    import matplotlib as mpl  # noqa: PLC0415 - a section by itself and the tests do without it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice above

    picture, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, points in curve.series.items():
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        axes.plot(xs, ys, label=name, marker="o" if len(points) < 15 else "", markersize=4)
    if "x" in curve.logarithmic:
        axes.set_xscale("symlog", linthresh=100)
    if "y" in curve.logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set(title=curve.title, xlabel=curve.x, ylabel=curve.y)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    picture.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(picture)


def draw_bars(bars: Bars, file: Path) -> None:
    """Draw one picture of bars on a logarithmic axis, the first group at the top."""
    import matplotlib as mpl  # noqa: PLC0415 - a section by itself and the tests do without it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice above

    height = 0.8 / len(bars.series)
    picture, axes = plt.subplots(figsize=(9, 1.2 + 0.45 * len(bars.groups)), layout="constrained")
    for number, (name, values) in enumerate(bars.series.items()):
        places = [group + (number - (len(bars.series) - 1) / 2) * height for group in range(len(bars.groups))]
        axes.barh(places, [value or 0.0 for value in values], height, label=name)
    if bars.limit is not None:
        axes.axvline(bars.limit, color="black", linestyle="--", linewidth=1, label=f"target: {_plain(bars.limit)}")
    axes.set_xscale("log")
    axes.set_xlim(left=0.1)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(bars.groups)), bars.groups)
    axes.invert_yaxis()
    axes.set(title=bars.title, xlabel=bars.x)
    axes.grid(visible=True, axis="x", alpha=0.3)
    picture.legend(loc="outside lower center", ncols=len(bars.series) + 1)
    picture.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(picture)


def share(values: Sequence[float], of: float) -> float:
    """The quantile: the value below which this share of all values lies."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(of * len(ranked)))]


def _plain(value: Number) -> str:
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _beside(other: Number | None, value: Number) -> str:
    if other is None:
        return ""
    ratio = f" ({value / other:.2g})" if other else ""
    return _plain(other) + ratio
