"""The sweep reads every open pair once per interval, evenly spread, with the unused part of the rate."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.model import Pair, Side
from reconciler.core.work import Priority, ReadRequest, Reason
from reconciler.errors import Unknown
from reconciler.sources.sweep import FLUSHED_AFTER, MOST_WAITING
from reconciler.store.cursors import OLDEST
from tests.support.builders import ALERT_ID, alert, at, incident, pair
from tests.support.sources import Stage
from tests.support.sweeping import Swept


def due(number: int, **changed: Any) -> Pair:
    made = pair(alert_id=f"a-{number}", incident_id=f"P{number}", next_look_at=at(3000 + number / 1000))
    return replace(made, **changed)


@pytest.fixture
def just_listed(stage: Stage) -> Stage:
    """Marks the listings as just finished, so that they are not due."""
    stage.store(sweep=at(3600))
    return stage


def store_as_swept(stage: Stage, alert_ids: list[str]) -> None:
    """Stores that these pairs were swept and are due again after an interval."""
    later = stage.clock.now() + stage.horizons.sweep_interval
    with stage.database.writing() as unit:
        pairs = unit.snapshot.pairs(alert_ids).values()
        unit.snapshot.save_pairs([replace(one, next_look_at=later) for one in pairs])


def test_a_pair_is_not_swept_again_before_its_read_is_stored(just_listed: Stage) -> None:
    """A deferrable plan is stored with the next commit, some seconds later."""
    just_listed.save(*(due(number) for number in range(3)))
    swept = Swept(just_listed)
    taken = [alert_id for _ in range(12) for alert_id in swept.second()]
    assert sorted(taken) == ["a-0", "a-1", "a-2"]
    again = [alert_id for _ in range(12) for alert_id in swept.second()]
    assert sorted(again) == ["a-0", "a-1", "a-2"], "none of them is stored as swept"


def test_a_pair_that_is_due_has_its_notes_read(just_listed: Stage) -> None:
    just_listed.save(pair(), pair(None, alert_id="a-2"), pair(None, alert_id="a-3", tracked=False))
    just_listed.save(pair(alert_id="later", next_look_at=at(9000)))
    swept = Swept(just_listed)
    for _ in range(3):
        just_listed.clock.wait(1)
        swept.sweep.poll()
    item = just_listed.items[ALERT_ID]
    assert item.request == ReadRequest(swept=True, alert_notes=True, incident_notes=True)
    assert (item.priority, item.reasons) == (Priority.SWEEP, frozenset({Reason.SWEEP}))
    assert just_listed.request("a-2") == ReadRequest(swept=True, alert_notes=True)
    assert just_listed.request("a-3") == ReadRequest(swept=True)
    assert "later" not in just_listed.items


@pytest.mark.unmeasured
def test_pairs_due_at_the_same_time_are_spread_over_the_interval(just_listed: Stage) -> None:
    just_listed.save(*(due(number) for number in range(900)))
    swept = Swept(just_listed)
    taken: list[str] = []
    for _ in range(200):
        found = swept.second()
        assert 3 <= len(found) <= 5
        store_as_swept(just_listed, found)
        taken += found
    assert taken[:3] == ["a-0", "a-1", "a-2"], "the longest waiting first"
    assert len(taken) == len(set(taken)) >= 600


def test_a_pair_in_the_queue_is_not_swept_again_and_does_not_block_others(
    just_listed: Stage,
) -> None:
    just_listed.save(*(due(number) for number in range(10)))
    swept = Swept(just_listed)
    for _ in range(10):
        just_listed.clock.wait(1)
        swept.sweep.poll()
    assert len(just_listed.items) == 10
    assert {item.generation for item in just_listed.items.values()} == {1}


@pytest.mark.unmeasured
def test_the_sweep_puts_a_few_hundred_pairs_at_most_into_the_queue(just_listed: Stage) -> None:
    just_listed.save(*(due(number) for number in range(400)))
    swept = Swept(just_listed)
    for _ in range(3):
        just_listed.clock.wait(3600)
        just_listed.store(sweep=just_listed.clock.now())
        swept.sweep.poll()
    assert len(just_listed.items) == MOST_WAITING
    assert len(just_listed.work()) == MOST_WAITING


def test_finished_pairs_delay_no_open_pair(just_listed: Stage) -> None:
    over = [due(number, next_look_at=at(0)) for number in range(200)]
    over = [
        replace(one, alerts=replace(one.alerts, open=False), pagerduty=pair("resolved").pagerduty) for one in over
    ]
    just_listed.save(*over, pair())
    found = Swept(just_listed).second()
    assert ALERT_ID in found
    assert len(found) == 2


def test_nothing_is_swept_before_the_first_start_or_while_the_rate_is_saturated(just_listed: Stage) -> None:
    just_listed.save(pair())
    just_listed.busy = True
    swept = Swept(just_listed)
    assert swept.second() == []
    just_listed.busy = False
    with just_listed.database.writing() as unit:
        unit.cursors.connection.exec_driver_sql("DELETE FROM cursors")
    assert swept.second() == []


@pytest.mark.unmeasured
def test_once_sweeps_every_due_pair_however_saturated_the_rate(just_listed: Stage) -> None:
    just_listed.save(*(due(number) for number in range(500)))
    just_listed.busy = True
    just_listed.store(sweep=OLDEST)
    swept = Swept(just_listed, whole=True)
    just_listed.opsgenie.opened = [alert(id=f"b-{number}", created_at=at(3000)) for number in range(250)]
    swept.sweep.poll()
    assert len(just_listed.work()) == 500
    assert swept.alerts.poll()
    assert not swept.alerts.is_under_way
    assert len([one for one in just_listed.items.values() if one.request.is_new]) == 250


# -- the listings --


def test_open_records_of_both_sides_are_listed_once_per_interval(stage: Stage) -> None:
    stage.save(pair(), pair(alert_id="a-2", incident_id="PINC2"))
    stage.opsgenie.opened = [alert(acknowledged=True)]
    stage.pagerduty.open_set = [incident("acknowledged")]
    swept = Swept(stage)
    swept.sweep.poll()
    assert stage.standing.sweep == at(3600)
    stage.work()
    for listing in swept.listings:
        assert listing.poll()
        assert not listing.poll(), "the listing is complete"
    assert stage.request(ALERT_ID).alert
    assert stage.request(ALERT_ID).incident
    assert stage.request("a-2") == ReadRequest(alert=True, incident=True), "the listing does not contain it"
    assert stage.items["a-2"].priority is Priority.SWEEP
    for _ in range(299):
        swept.second()
        assert not any(listing.is_under_way for listing in swept.listings)
    swept.second()
    assert all(listing.is_under_way for listing in swept.listings)


def test_a_feed_that_restarted_its_window_makes_the_listing_begin_at_once(stage: Stage) -> None:
    stage.store(sweep=OLDEST)
    swept = Swept(stage)
    swept.sweep.poll()
    assert swept.alerts.is_under_way


@pytest.mark.parametrize("side", list(Side))
def test_while_a_listing_fails_the_states_of_due_pairs_are_read_by_id(stage: Stage, side: Side) -> None:
    stage.save(pair())
    swept = Swept(stage)
    swept.sweep.poll()
    stage.work()
    stage.clock.wait(FLUSHED_AFTER)
    (listing,) = [one for one in swept.listings if one.side is side]
    stage.opsgenie.opened = stage.pagerduty.open_set = Unknown("500")
    with pytest.raises(Unknown):
        listing.poll()
    stage.clock.wait(1)
    swept.sweep.poll()
    request = stage.request(ALERT_ID)
    assert (request.alert, request.incident) == (side is Side.ALERTS, side is Side.PAGERDUTY)


@pytest.mark.parametrize("keep", [True, False])
def test_long_finished_pairs_are_deleted_when_a_listing_begins_except_in_a_dry_run(
    stage: Stage, *, keep: bool
) -> None:
    long_ago = at(3600) - timedelta(days=31)
    stage.save(pair("resolved", is_open=False, swept_at=long_ago, next_look_at=None))
    Swept(stage, keep=keep).sweep.poll()
    with stage.database.reading() as unit:
        assert bool(unit.snapshot.pairs([ALERT_ID])) is keep
