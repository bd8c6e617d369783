"""1,000 alerts within a minute under PagerDuty's 960 requests a minute, with and without a limit on creations.

In simulated time: every call takes a tenth of a second, computation takes none.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path

from benchmarks.figures import Curve, Figure, Finding, at_least, at_most
from benchmarks.scale import Scale
from reconciler.sandbox.audit import audit
from reconciler.sandbox.settings import SandboxSettings
from tests.support.floor import finish
from tests.support.simulated_daemon import Call, SimulatedDaemon, world

LATENCY = 0.1
INTERVAL = 10.0
"""The default of POLL_INTERVAL_SECONDS."""
PER_MINUTE = 960
ONE_A_SECOND = 60
SECTION = "Storm"
QUIET = SandboxSettings(acknowledgement_timeout=None)


@dataclass(frozen=True, slots=True)
class Storm:
    """The result of a storm. Times are seconds since its beginning."""

    raised: dict[str, float]
    calls: list[Call]
    findings: int
    cycles: int

    @property
    def pages(self) -> list[float]:
        """When each incident was created."""
        return [call.at for call in self.calls if _is_page(call)]

    @property
    def writes(self) -> list[Call]:
        """Pages and notes."""
        return [call for call in self.calls if call.is_write and call.status < 300]


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Both storms."""
    alerts = scale.of(1000, 60)
    limit, creations = (PER_MINUTE, ONE_A_SECOND) if not scale.quick else (72, 30)
    for name, stricter in (("", 0), (f", creations {creations} a minute", creations)):
        settings = replace(QUIET, pagerduty_per_minute=limit, creations_per_minute=stricter)
        storm = blow(folder / f"{stricter}.db", settings, alerts)
        yield from _figures(name, storm, limit, stricter)


def blow(file: Path, settings: SandboxSettings, alerts: int) -> Storm:
    """Run the storm; each alert gets a customer's note five seconds later."""
    raised: dict[str, float] = {}
    with world(file, settings=settings, latency=LATENCY, interval=INTERVAL) as here:
        here.cycle()
        here.pause()
        begun = here.clock.monotonic() + 1.0
        for number in range(alerts):
            here.clock.at(begun + 60 * number / alerts, partial(_raise, here, raised, begun, number))
        before = len(here.wire.calls)
        cycles = 0
        while True:
            cycles += 1
            here.cycle()
            over = here.clock.monotonic() > begun + 70
            if over and here.is_settled and _written(here) >= 2 * alerts:
                break
            assert here.clock.monotonic() < begun + 7200, "the storm does not end"
            here.pause()
        calls = [
            Call(call.at - begun, call.vendor, call.method, call.path, call.status, call.body)
            for call in here.wire.calls[before:]
            if call.vendor == "pagerduty"
        ]
        with here.people.lock:
            found = audit(here.people.state()).as_json()
    return Storm(raised, calls, sum(len(rows) for rows in found.values() if rows), cycles)


def _raise(here: SimulatedDaemon, raised: dict[str, float], begun: float, number: int) -> None:
    people = here.people.opsgenie
    alert = people.create_alert(f"service {number} is down", user="Ana Ruiz")["id"]
    raised[alert] = here.clock.monotonic() - begun
    here.clock.at(here.clock.monotonic() + 5, lambda: people.add_note(alert, "Ana Ruiz", "what is going on?"))


def _written(here: SimulatedDaemon) -> int:
    incidents = here.people.pagerduty.incidents.entries()
    return sum(1 + len(entry.notes) for entry in incidents)


def _is_page(call: Call) -> bool:
    return call.method == "POST" and call.path == "/incidents" and call.status == 201


def _figures(name: str, storm: Storm, limit: int, creations: int) -> Iterator[Finding]:
    """Rates are successful writes relative to those of a bare loop that learns of alerts and notes as often."""
    raised = [ceil(at / INTERVAL) * INTERVAL for at in storm.raised.values()]
    pages, done = sorted(storm.pages), sorted(call.at for call in storm.writes)
    first_pages = finish(raised, limit, creations, latency=LATENCY)
    notes = [ceil((at + 5) / INTERVAL) * INTERVAL for at in storm.raised.values()]
    everything = finish([*(at - LATENCY for at in first_pages), *notes], limit, latency=LATENCY)
    what = f"{len(raised):,} alerts, {limit} a minute{name}"
    yield at_least(SECTION, "rate reached over rate allowed", everything[-1] / done[-1], 0.95, note=what)
    yield at_least(SECTION, "the same for the pages alone", first_pages[-1] / pages[-1], 0.95, note=what)
    refused = sum(call.status == 429 for call in storm.calls)
    yield at_most(SECTION, "429s caused", refused, 0, note=what)
    yield Figure(SECTION, "until the last page", pages[-1], "s", floor=first_pages[-1], note=what)
    yield Figure(SECTION, "until everything is mirrored", done[-1], "s", floor=everything[-1], note=what)
    if not creations:  # with a limit on creations, pages wait for that, and notes do not delay them
        early = _early_notes(storm)
        yield at_most(SECTION, "notes sent while a page waited for longer than a cycle", early, 0, note=what)
    yield at_most(SECTION, "lost, twice, looped or forbidden", storm.findings, 0, note=what)
    steps = {
        "reconciler": _steps(pages),
        "smallest possible": _steps(first_pages),
        "alerts raised": _steps(list(storm.raised.values())),
    }
    yield Curve(f"storm-{creations or limit}", f"Pages: {what}", "seconds", "pages", steps)


def _early_notes(storm: Storm) -> int:
    """Notes that were sent while an alert that had been raised a cycle before was not paged yet."""
    paged = [
        (storm.raised[json.loads(call.body)["incident"]["incident_key"]], call.at)
        for call in storm.calls
        if _is_page(call)
    ]
    notes = [call.at for call in storm.writes if not _is_page(call)]
    return sum(any(raised < note - INTERVAL and at > note for raised, at in paged) for note in notes)


def _steps(times: list[float]) -> list[tuple[float, float]]:
    return [(round(at, 2), number) for number, at in enumerate(sorted(times), 1)]
