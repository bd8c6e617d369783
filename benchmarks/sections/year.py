"""A simulated year of service: the size of the database with and without the deletion of finished pairs.

Every day a number of alerts are raised, commented on, acknowledged, resolved and closed.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.figures import Curve, Figure, Finding, at_most
from benchmarks.scale import Scale
from reconciler.sandbox.audit import audit
from reconciler.sandbox.settings import SandboxSettings
from tests.support.simulated_daemon import SimulatedDaemon, world

DAY = 86400.0
STEP = DAY / 4
ANA, JANE = "Ana Ruiz", "Jane Doe"
SECTION = "A year of service"


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """The same year twice: with the default of RETENTION_SECONDS, and without a limit."""
    days, daily = scale.of(365, 20), 1
    retention = timedelta(days=scale.of(30, 5))
    kept, found = _live(folder / "kept.db", days, daily, retention)
    grown, _ = _live(folder / "grown.db", days // 5, daily, timedelta(days=3650))
    month = kept[2 * retention.days][1]
    what = f"{days} days, {daily} alert a day, kept for {retention.days} days"
    yield at_most(
        SECTION, "database at the end over that after two retention times", kept[-1][1] / month, 1.25, note=what
    )
    yield Figure(SECTION, "database at the end", kept[-1][1], "MiB")
    yield Figure(SECTION, f"the same with nothing forgotten, after {days // 5} days", grown[-1][1], "MiB")
    yield at_most(SECTION, "lost, twice, looped or forbidden", found, 0)
    yield Curve("year", f"Database in a year of service, {daily} alert a day", "days", "MiB",
                {f"kept for {retention.days} days": kept, "nothing forgotten": grown})  # fmt: skip


def _live(file: Path, days: int, daily: int, retention: timedelta) -> tuple[list[tuple[float, float]], int]:
    """The database's size by day, and the findings of the audit."""
    sizes: list[tuple[float, float]] = []
    settings = SandboxSettings(acknowledgement_timeout=None)
    with world(
        file, settings=settings, interval=STEP, sweep_interval=DAY / 4, retention=retention, hands=1
    ) as here:
        here.cycle()
        here.pause()
        for day in range(days):
            _day(here, daily)
            sizes.append((day, _size(here)))
        with here.people.lock:
            found = audit(here.people.state()).as_json()
    return sizes, sum(len(rows) for rows in found.values() if rows)


def _size(here: SimulatedDaemon) -> float:
    """MiB, including the write-ahead log."""
    with here.database.engine.connect() as connection:
        pages, page = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        return float(pages * page / 1024 / 1024)


def _day(here: SimulatedDaemon, daily: int) -> None:
    """One day: alerts are raised in the morning and finished in the evening."""
    customers, engineers = here.people.opsgenie, here.people.pagerduty
    alerts = [customers.create_alert(f"disk {number} is full", user=ANA)["id"] for number in range(daily)]
    _beat(here)
    for alert in alerts:
        customers.add_note(alert, ANA, "customers cannot log in")
        incident = engineers.find(alert).now.id
        engineers.acknowledge(incident, JANE)
        engineers.add_note(incident, JANE, "looking into it, the primary is out of space")
    _beat(here)
    for alert in alerts:
        engineers.resolve(engineers.find(alert).now.id, JANE)
        customers.close(alert, ANA)
    _beat(here)
    _beat(here)


def _beat(here: SimulatedDaemon) -> None:
    here.cycle()
    here.pause()
