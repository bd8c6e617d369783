"""24 hours without PagerDuty while 5,000 acts wait, and the recovery.

In simulated time: every call takes a tenth of a second, computation takes none. During the outage a poll comes
every half an hour, which does not affect the waiting actions; afterwards every ten seconds. The sweep reads each
open pair every half an hour throughout, as a day at the default would be 288,000 reads that find nothing. At the
default, tests/system/test_reading_goes_on.py limits the reads of the healthy side.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.figures import Curve, Figure, Finding, at_least, at_most
from benchmarks.scale import Scale
from reconciler.sandbox.audit import audit
from reconciler.sandbox.settings import SandboxSettings
from tests.support.floor import finish
from tests.support.simulated_daemon import Call, SimulatedDaemon, world

LATENCY = 0.1
DAY = 86400.0
SELDOM, OFTEN = 1800.0, 10.0
PER_MINUTE = 960
ANA = "Ana Ruiz"
SECTION = "Outage of 24 h"


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """A fifth of the acts are new alerts, three fifths notes, a fifth acknowledgements."""
    alerts, limit = scale.of(1000, 30), scale.of(PER_MINUTE, 60)
    settings = SandboxSettings(acknowledgement_timeout=None, pagerduty_per_minute=limit)
    with world(
        folder / "outage.db", settings=settings, latency=LATENCY, interval=SELDOM, sweep_interval=SELDOM
    ) as here:
        here.cycle()
        here.pause()
        here.wire.gone.add("pagerduty")
        _live(here, alerts)
        end = here.clock.monotonic() + DAY
        while here.clock.monotonic() < end:
            here.cycle()
            here.pause()
        here.every(OFTEN)
        here.cycle()  # brings the sweep to where a cycle every ten seconds would have brought it
        here.pause()
        here.wire.gone.clear()
        with here.database.reading() as unit:
            waiting = len(unit.outbox.open())
        back, before = here.clock.monotonic(), len(here.wire.calls)
        here.until(lambda: here.is_settled, 4 * 3600)
        calls = [call for call in here.wire.calls[before:] if call.vendor == "pagerduty"]
        with here.people.lock:
            found = audit(here.people.state()).as_json()
    yield from _figures(f"{5 * alerts:,} acts, {waiting:,} writes waiting", calls, back, limit)
    yield at_most(
        SECTION, "lost, twice, looped or forbidden", sum(len(rows) for rows in found.values() if rows), 0
    )


def _live(here: SimulatedDaemon, alerts: int) -> None:
    """Customers' acts at random times of the day."""
    people, chance, now = here.people.opsgenie, random.Random(1), here.clock.monotonic()

    def begin(number: int) -> None:
        alert = people.create_alert(f"service {number} is down", user=ANA)["id"]
        acts: list[Callable[[], object]] = [partial(people.add_note, alert, ANA, f"note {n}") for n in range(3)]
        acts.append(partial(people.acknowledge, alert, ANA))
        chance.shuffle(acts)
        left = now + DAY - SELDOM - here.clock.monotonic()
        for act in acts:
            here.clock.at(here.clock.monotonic() + chance.uniform(1, left), act)

    for number in range(alerts):
        here.clock.at(now + chance.uniform(1, DAY - 2 * SELDOM), partial(begin, number))


def _figures(what: str, calls: list[Call], back: float, limit: int) -> Iterator[Finding]:
    written = sorted(call.at - back for call in calls if call.is_write and call.status < 300)
    pages = sorted(call.at - back for call in calls if call.path == "/incidents" and call.status == 201)
    looks = sum(call.method == "PUT" and call.status < 300 for call in calls)
    least = finish([0.0] * (len(written) + looks), limit, latency=LATENCY)
    yield Figure(SECTION, "until all is mirrored", written[-1], "s", floor=least[-1],
                 note=f"{what}; the floor looks once before each acknowledgement, as one must")  # fmt: skip
    yield at_least(SECTION, "smallest possible time over measured", least[-1] / written[-1], 0.95)
    yield Figure(SECTION, "until the last page", pages[-1], "s", floor=least[len(pages) - 1])
    yield Figure(SECTION, "requests to PagerDuty a write", len(calls) / len(written), floor=1)
    yield at_most(SECTION, "429s caused", sum(call.status == 429 for call in calls), 0)
    yield Curve(
        "outage", f"After an outage of 24 h: {what}", "seconds since PagerDuty is back", "writes",
        {
            "reconciler": [(round(at, 2), number) for number, at in enumerate(written, 1)],
            "smallest possible": [(round(at, 2), number) for number, at in enumerate(least, 1)],
        },
    )  # fmt: skip
