"""One alert with thousands of new notes: the cost of the decision, which grows linearly with their number."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Curve, Finding, at_most
from benchmarks.scale import Scale
from reconciler.core.model import AlertBaseline, IncidentBaseline, Note, Observation, Pair, Person
from reconciler.core.plan import decide
from reconciler.core.policy import DecisionInput, Policy

SECTION = "Many notes at once"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ANA, BRIDGE = Person("", "Ana Ruiz"), Person("PBRIDGE", "Opsgenie Bridge")
REPEATS = 3


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """New notes on one alert, up to the number that a script can write within a few minutes."""
    del folder
    sizes = scale.sizes(625, 1250, 2500, 5000, quick=1250)
    costs = [(count, _cost(count)) for count in sizes]
    (few, least), (many, most) = costs[0], costs[-1]
    yield at_most(SECTION, f"deciding on {many:,} new notes of one alert", round(most, 3), 1.0, "s of CPU")
    yield at_most(
        SECTION,
        f"cost a note at {many:,} against {few:,}",
        round((most / many) / (least / few), 2),
        2.0,
        "times",
        note="1 is linear",
    )
    yield Curve("notes", "Deciding on new notes of one alert", "notes", "s of CPU", {"reconciler": list(costs)})


def _cost(count: int) -> float:
    """CPU seconds of one plan, the minimum of several runs."""
    inputs = _inputs(count)
    return min(_timed(inputs, count) for _ in range(REPEATS))


def _timed(inputs: DecisionInput, count: int) -> float:
    begun = time.process_time()
    plan = decide(inputs)
    spent = time.process_time() - begun
    assert len(plan.actions) == count
    return spent


def _inputs(count: int) -> DecisionInput:
    notes = tuple(
        Note(f"o{n}", ANA, f"line {n} of what a script reports", START + timedelta(milliseconds=n))
        for n in range(count)
    )
    pair = Pair(
        "a-1",
        "17",
        tracked=True,
        alerts=AlertBaseline(True, False, START),
        incident_id="P1",
        incident_number=1,
        pagerduty=IncidentBaseline("triggered"),
    )
    seen = Observation("a-1", pair=pair, alert_notes=notes, incident_notes=())
    return DecisionInput(START + timedelta(hours=1), Policy(automation=BRIDGE), (seen,))
