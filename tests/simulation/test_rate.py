"""Behaviour under a short rate limit: pages before notes, no unused capacity, no read that a list makes needless.

In simulated time; a call takes a tenth of a second.
"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.sections.storm import blow
from reconciler.sandbox.settings import SandboxSettings
from tests.support.canned import Canned
from tests.support.seed import seed
from tests.support.simulated_daemon import Call, SimulatedDaemon, world
from tests.support.simulated_time import START, ThreadsClock

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANA = "Ana Ruiz"


def raised(here: SimulatedDaemon, alerts: int) -> list[str]:
    return [here.people.opsgenie.create_alert(f"disk {n} is full", user=ANA)["id"] for n in range(alerts)]


def asked(calls: list[Call], side: str = "pagerduty") -> Counter[str]:
    return Counter(f"{call.method} {call.path}" for call in calls if call.vendor == side)


def test_notes_do_not_wait_for_pages_that_have_a_limit_of_their_own(tmp_path: Path) -> None:
    settings = SandboxSettings(acknowledgement_timeout=None, creations_per_minute=20)
    storm = blow(tmp_path / "storm.db", settings, 60)
    first_note = min(call.at for call in storm.writes if call.path.endswith("/notes"))
    assert storm.findings == 0
    assert not [call for call in storm.calls if call.status == 429]
    assert first_note < max(storm.pages) - 60  # the last pages wait for two more minutes


def test_a_storms_notes_wait_for_its_pages(tmp_path: Path) -> None:
    settings = SandboxSettings(acknowledgement_timeout=None, pagerduty_per_minute=120)
    storm = blow(tmp_path / "storm.db", settings, 120)
    notes = [call.at for call in storm.writes if call.path.endswith("/notes")]
    early = sum(at < max(storm.pages) for at in notes)
    assert (len(storm.pages), len(notes), storm.findings) == (120, 120, 0)
    assert early <= 12


def test_late_creations_are_looked_for_in_one_listing(tmp_path: Path) -> None:
    settings = SandboxSettings(acknowledgement_timeout=None, noise=False)
    with world(tmp_path / "late.db", settings=settings, latency=0.1, hands=4) as here:
        here.cycle()
        here.pause()
        here.wire.gone.add("pagerduty")
        raised(here, 30)
        for _ in range(20):  # longer than the staleness bound
            here.cycle()
            here.pause()
        here.wire.gone.clear()
        before = len(here.wire.calls)
        here.until(lambda: here.is_settled, 600)
        costs = asked(here.wire.calls[before:])
        assert costs["POST /incidents"] == 30
        assert costs["GET /incidents"] <= 6


def test_a_long_cycle_looks_for_new_alerts_before_it_goes_on_with_notes(tmp_path: Path) -> None:
    settings = SandboxSettings(acknowledgement_timeout=None, noise=False)
    with world(tmp_path / "long.db", settings=settings, latency=1.0, hands=2, interval=10.0) as here:
        here.cycle()
        here.pause()
        alerts = raised(here, 20)
        here.until(lambda: here.is_settled, 600)
        for number, alert in enumerate(alerts * 3):
            here.people.opsgenie.add_note(alert, ANA, f"note {number}")
        here.clock.at(here.clock.monotonic() + 12.0, lambda: raised(here, 1))
        before = len(here.wire.calls)
        here.until(lambda: here.is_settled, 600)
        written = [call.path for call in here.wire.calls[before:] if call.is_write]
    assert len(written) == 61
    assert written.index("/incidents") < 45


def test_the_sweep_pauses_while_writes_need_the_rate(tmp_path: Path) -> None:
    settings = SandboxSettings(acknowledgement_timeout=None, noise=False, pagerduty_per_minute=60)
    with world(tmp_path / "busy.db", settings=settings, latency=0.1, sweep_interval=20.0) as here:
        here.cycle()
        here.pause()
        alerts = raised(here, 20)
        here.until(lambda: here.is_settled, 600)
        quiet = here.clock.monotonic() + 120
        while here.clock.monotonic() < quiet:
            here.cycle()
            here.pause()
        for number, alert in enumerate(alerts * 4):
            here.people.opsgenie.add_note(alert, ANA, f"note {number}")
        for _ in range(
            2
        ):  # the rate is not short in the first one yet, and what that has begun ends in the second
            here.cycle()
            here.pause()
        begun = len(here.wire.calls)
        here.until(lambda: here.is_settled, 600)
        calls = [call for call in here.wire.calls[begun:] if call.vendor == "pagerduty"]
    assert sum(call.is_write for call in calls) > 20
    reads = [call.path for call in calls if not call.is_write]
    assert reads == ["/log_entries"] * len(reads)  # no pair is swept, and no open set is listed


@pytest.mark.parametrize("busy", [True, False])
def test_the_open_set_is_not_listed_while_the_rate_is_short_and_the_log_was_read_completely(
    tmp_path: Path, *, busy: bool
) -> None:
    clock = ThreadsClock()
    canned = Canned(1000, START, clock.now, log_rate=20.0)
    seed(tmp_path / "busy.db", canned, START, 1e9)
    with world(tmp_path / "busy.db", vendor=canned, clock=clock, sweep_interval=1e9) as here:
        here.wiring.busy = busy
        for _ in range(8):
            here.cycle()
            here.pause()
    costs = asked(here.wire.calls)
    assert costs["GET /log_entries"] >= 8 * 2
    assert (costs["GET /incidents"] == 0) is busy
