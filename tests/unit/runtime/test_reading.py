"""The parts of every program that only read."""

import threading
from pathlib import Path

import pytest

from reconciler.core.model import Side
from reconciler.runtime.reading import Reading, report_bad_rows
from reconciler.store.database import Database
from reconciler.vendors.http import RequestRecord
from tests.support.clock import SimClock
from tests.support.database import url
from tests.support.in_process import settings


@pytest.fixture
def reading(tmp_path: Path, database: Database) -> Reading:
    return Reading(settings(database_url=url(tmp_path)), threading.Event(), database, clock=SimClock())


def test_a_program_that_only_reads_has_nothing_to_write_with(reading: Reading) -> None:
    assert reading.write_breakers is None
    assert (reading.route.name, reading.shared) == ("default", None)


@pytest.mark.parametrize(("status", "checks"), [(200, 0), (401, 1), (403, 0)])
def test_each_request_is_counted_and_a_refused_key_is_looked_at_again(
    reading: Reading, status: int, checks: int
) -> None:
    heard: list[object] = []
    checked: list[str] = []
    reading.on_request, reading.on_unauthorized = heard.append, lambda: checked.append("now")
    reading.requested(RequestRecord("Opsgenie", "GET", "/v2/alerts", status, "done", 0.1))
    assert (len(heard), len(checked)) == (1, checks)


def test_the_stricter_vendor_gives_the_rate(reading: Reading) -> None:
    assert reading.rate() == min(limiter.rate() for limiter in reading.limiters.values())
    assert not reading.is_busy()
    reading.limiters[Side.PAGERDUTY].is_saturated = lambda: True  # type: ignore[method-assign]
    assert reading.is_busy()


def test_a_kind_of_bad_row_is_told_once_and_memory_stays_bounded(caplog: pytest.LogCaptureFixture) -> None:
    report = report_bad_rows()
    for number in (*range(1_100), *range(1_100)):
        report("Opsgenie", f"row {number}")
    assert len(caplog.records) == 1_000
