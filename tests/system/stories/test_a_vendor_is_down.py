"""PagerDuty is down for an hour: any ten minutes of the log show it. Here a minute is a fraction of a second."""

from datetime import datetime, timedelta
from itertools import pairwise

from tests.support.harness import World

REMIND = 1.0
SLACK = 4.0
"""Seconds that a reminder may be late by, on a busy machine: it is said with a report, once a second."""
OUTAGE = 10 * REMIND


def test_any_stretch_of_the_log_shows_the_outage_how_long_it_lasts_and_what_waits(world: World) -> None:
    world.begin(REMIND_SECONDS=str(REMIND))
    alert = world.raise_alert("before")
    world.until(lambda: world.is_paged(alert) and world.is_settled(), "the page")
    world.faults({"do": "503_before", "vendor": "pagerduty", "times": 0})
    page = world.raise_alert("during", priority="P1")
    world.customer(alert, "notes", text="any news?")

    def said() -> list[tuple[datetime, str]]:
        """When and what was said of PagerDuty."""
        lines = (event for event in world.events() if event.get("subject") == "pagerduty")
        return [(datetime.fromisoformat(line["timestamp"]), line["event"]) for line in lines]

    def lasted() -> timedelta:
        return said()[-1][0] - said()[0][0] if said() else timedelta()

    world.until(lambda: lasted() >= timedelta(seconds=OUTAGE), "an outage of some length")
    times = [at for at, _ in said()]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= timedelta(seconds=REMIND + SLACK), gaps
    (last,) = [words for _, words in said()][-1:]
    assert last.startswith("PagerDuty: still ")
    assert "503" in last
    assert "UTC (" in last
    assert "1 page and 1 note wait, the oldest for " in last
    started = world.run("status").stdout.splitlines()[0]
    assert started.startswith("1 page waits: PagerDuty answers 503 since ")
    world.no_faults()
    world.until(lambda: world.is_paged(page) and world.is_settled(), "the page")
    world.until(lambda: said()[-1][1].startswith("works again after "), "its end")
    assert "1 page and 1 note had waited" in said()[-1][1]
