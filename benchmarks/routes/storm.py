"""A storm on one route, and the time to page on another one with the same keys.

The installed daemon over HTTP, with PagerDuty's rate of 960 calls a minute. While the storm lasts, an alert of the
quiet route is raised about once a second.
"""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty

from benchmarks.figures import Figure, Finding, at_least, at_most, share
from benchmarks.live import Live, live
from benchmarks.process import daemon
from benchmarks.routes.file import SECTION, routes_file, tag_of
from benchmarks.scale import Scale
from reconciler.sandbox.settings import SandboxSettings
from tests.support.floor import finish

ANA = "Ana Ruiz"
LOUD, QUIET = 0, 1
"""The routes by their numbers."""
LONGEST = 300.0


@dataclass(frozen=True, slots=True)
class Storm:
    """The pages of both routes: seconds from each alert to its page, and from the beginning to the last page.

    `least` is when the last page is possible at the earliest, with every other call at its time; `refused` counts
    PagerDuty's 429s.
    """

    quiet: list[float]
    last: float
    least: float
    refused: int


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """The quiet route without a storm, with one that lasts a minute, and with one whose alerts come at once."""
    alerts, limit, over = scale.of(1000, 40), 960, scale.of(60, 3)
    calm = measure(folder / "calm", 0, limit, 0.0, over)
    yield from _times("without a storm", calm)
    for name, lasts in (("within a minute", float(over)), ("at once", 0.0)):
        storm = measure(folder / name.replace(" ", "-"), alerts, limit, lasts, over)
        what = f"{alerts:,} alerts {name} on another route, {limit} calls a minute"
        yield from _times(what, storm)
        added = share(storm.quiet, 0.99) - share(calm.quiet, 0.99)
        yield at_most(SECTION, "time to page, p99: added by the storm", added, 1.0, "s", note=what)
        yield at_least(SECTION, "rate reached over rate allowed", storm.least / storm.last, 0.95, note=what)
        yield at_most(SECTION, "429s caused", storm.refused, 0, note=what)


def measure(folder: Path, alerts: int, limit: int, lasts: float, over: float) -> Storm:
    """A storm of so many alerts within `lasts` seconds; alerts of the quiet route come for `over` seconds."""
    folder.mkdir()
    settings = SandboxSettings(acknowledgement_timeout=None, pagerduty_per_minute=limit, services=2)
    with live(settings) as here:
        file = routes_file(folder, 2, ((settings.opsgenie_key, settings.pagerduty_key),))
        given = here.environment(folder / "storm.db", POLL_INTERVAL_SECONDS="1", ROUTES_FILE=str(file))
        with daemon(given, folder):
            here.until_polled(3)
            time.sleep(3.0)
            return _blown(here, alerts, limit, lasts, over)


def _blown(here: Live, alerts: int, limit: int, lasts: float, over: float) -> Storm:
    chance, began, at_first = random.Random(1), time.monotonic(), datetime.now(UTC)
    moments = [(lasts * number / max(1, alerts), LOUD) for number in range(alerts)]
    at = 0.0
    while (at := at + chance.uniform(0.5, 1.5)) < over:
        moments.append((at, QUIET))
    with here.sandbox.lock:
        seen = len(here.sandbox.journal.calls)
    raised: dict[str, tuple[float, int]] = {}
    for moment, route in sorted(moments):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        with here.sandbox.lock:
            alert = here.sandbox.opsgenie.create_alert("it is down", user=ANA, tags=(tag_of(route),))["id"]
        raised[alert] = (time.monotonic(), route)
    paged = _pages(here, set(raised))
    with here.sandbox.lock:
        calls = [call for call in list(here.sandbox.journal.calls)[seen:] if call.vendor == "pagerduty"]
    refused = sum(call.status == 429 for call in calls)
    quiet = [paged.get(alert, at + LONGEST) - at for alert, (at, route) in raised.items() if route == QUIET]
    others = [
        (datetime.fromisoformat(call.at) - at_first).total_seconds()
        for call in calls
        if call.status != 429 and (call.method, call.path) != ("POST", "/incidents")
    ]
    last = max(paged.values()) - began
    ready = [at - began for at, _ in raised.values()] + [at for at in others if at < last]
    return Storm(quiet, last, finish(ready, limit)[-1], refused)


def _pages(here: Live, wanted: set[str]) -> dict[str, float]:
    """When each of these alerts was paged; those that are not within the longest time are missing."""
    paged: dict[str, float] = {}
    last = time.monotonic() + LONGEST
    while len(paged) < len(wanted) and time.monotonic() < last:
        with suppress(Empty):
            write = here.writes.get(timeout=1.0)
            if write.path == "/incidents" and write.method == "POST":
                key = write.values["incident"]["incident_key"]
                if key in wanted:
                    paged.setdefault(key, write.at)
    assert paged, "nobody was paged"
    return paged


def _times(what: str, storm: Storm) -> Iterator[Finding]:
    pages = f"{what}; {len(storm.quiet)} pages"
    yield Figure(SECTION, "time to page on a quiet route, p50", share(storm.quiet, 0.5), "s", note=pages)
    yield Figure(SECTION, "time to page on a quiet route, p99", share(storm.quiet, 0.99), "s", note=pages)
