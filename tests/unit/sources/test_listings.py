"""The listings of everything open: a few pages with each poll, and what is missing at the end."""

import pytest

from reconciler.errors import Unknown
from reconciler.sources.listings import RETRY
from reconciler.vendors.call_context import CallPriority
from tests.support.builders import ALERT_ID, alert, at, pair
from tests.support.sources import Stage
from tests.support.sweeping import Swept


def test_a_listing_reads_a_page_per_poll_and_compares_missing_records_at_its_end(stage: Stage) -> None:
    rows = [alert(id=f"b-{number}", created_at=at(-3600)) for number in range(250)]
    stage.save(*(pair(None, alert_id=row.id, tracked=False, next_look_at=None) for row in rows), pair())
    stage.opsgenie.opened = rows
    swept = Swept(stage)
    swept.sweep.poll()
    stage.work()
    for under_way in (True, True, False):
        assert stage.items == {}
        swept.alerts.poll()
        assert swept.alerts.is_under_way is under_way
    assert stage.work() == [ALERT_ID]


def test_a_large_listing_takes_no_longer_than_the_interval(stage: Stage) -> None:
    stage.save(*(pair(None, alert_id=f"b-{number}", tracked=False, next_look_at=None) for number in range(600)))
    stage.opsgenie.opened = [alert(id=f"b-{number}") for number in range(600)]
    swept = Swept(stage)
    swept.sweep.poll()
    stage.clock.wait(150)
    swept.alerts.poll()
    assert stage.opsgenie.asked["page"] == 4


def test_a_listing_continues_at_a_failed_page_after_a_pause(stage: Stage) -> None:
    swept = Swept(stage)
    swept.sweep.poll()
    stage.opsgenie.opened = Unknown("500")
    with pytest.raises(Unknown):
        swept.alerts.poll()
    stage.opsgenie.opened = ()
    assert not swept.alerts.poll(), "no request is made, so that no success is reported"
    assert swept.alerts.is_failing
    stage.clock.wait(RETRY)
    assert swept.alerts.poll()
    assert not swept.alerts.is_failing
    assert stage.opsgenie.asked["page"] == 2


def test_a_listing_pauses_while_the_rate_is_saturated(stage: Stage) -> None:
    swept = Swept(stage)
    swept.sweep.poll()
    stage.busy = True
    assert not swept.alerts.poll()
    assert not stage.opsgenie.asked


def test_reads_of_a_listing_have_the_lowest_priority(stage: Stage) -> None:
    swept = Swept(stage)
    swept.sweep.poll()
    for listing in swept.listings:
        listing.poll()
    assert stage.opsgenie.priorities == stage.pagerduty.priorities == {CallPriority.SWEEP}


@pytest.mark.parametrize("query", ["team: a", "tag: loud"])
def test_a_changed_query_is_left_to_the_feed_which_knows_what_is_a_baseline(stage: Stage, query: str) -> None:
    stage.store(query=query)
    stage.opsgenie.opened = [alert(created_at=at(10))]
    swept = Swept(stage)
    swept.sweep.poll()
    swept.alerts.poll()
    assert list(stage.items) == ([ALERT_ID] if query == stage.horizons.query else [])


def test_a_listing_that_is_asked_for_while_one_is_under_way_follows_it(stage: Stage) -> None:
    stage.opsgenie.opened = [alert(id=f"b-{number}") for number in range(150)]
    swept = Swept(stage)
    swept.alerts.begin()
    swept.alerts.poll()
    swept.alerts.ask()
    swept.alerts.poll()
    assert not swept.alerts.is_under_way
    assert swept.alerts.poll()
    assert swept.alerts.poll()
    assert stage.opsgenie.asked["page"] == 4
    assert not swept.alerts.poll()


def test_a_listing_that_the_sweep_starts_is_the_one_that_was_asked_for(stage: Stage) -> None:
    swept = Swept(stage)
    swept.alerts.ask()
    swept.sweep.poll()
    assert swept.alerts.poll()
    assert not swept.alerts.poll()
    assert stage.opsgenie.asked["page"] == 1
