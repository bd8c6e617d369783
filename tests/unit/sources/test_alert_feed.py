"""Opsgenie's feed: new and changed alerts are queued, with the cursor in the same transaction."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.work import Priority
from reconciler.errors import Misconfigured, Transient, Unknown
from reconciler.sources.intake import DryIntake
from reconciler.sources.unrepeated import UnrepeatedIntake
from reconciler.store.database import DatabaseDown
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.ports import AlertNews
from tests.support.builders import ALERT_ID, alert, at, pair, policy
from tests.support.sources import INTERVAL, Stage


def test_a_new_alert_is_a_page(stage: Stage) -> None:
    stage.opsgenie.recent = [alert(created_at=at(3590), updated_at=at(3590))]
    assert stage.alert_feed().poll()
    item = stage.items[ALERT_ID]
    assert item.priority is Priority.PAGE
    assert item.request.is_new
    assert stage.queue.lease(pages_only=True) == item


def test_the_list_is_read_back_to_the_watermark_minus_its_possible_lag(stage: Stage) -> None:
    stage.opsgenie.recent = [alert(created_at=at(3500), updated_at=at(3500))]
    feed = stage.alert_feed()
    feed.poll()
    assert stage.opsgenie.since == [at(3600) - 2 * policy().staleness]
    assert stage.standing.alerts == at(3500)
    stage.opsgenie.recent = []
    feed.poll()
    assert stage.opsgenie.since[1] == at(3500) - policy().staleness
    assert stage.standing.alerts == at(3500)
    assert stage.standing.polled_alerts == at(3600)


def test_an_alert_with_a_future_time_moves_the_watermark_to_now_at_most(stage: Stage) -> None:
    stage.opsgenie.recent = [alert(created_at=at(3500), updated_at=at(9000))]
    stage.alert_feed().poll()
    assert stage.standing.alerts == at(3600)


def test_an_unreadable_list_keeps_the_cursor_and_raises_the_error(stage: Stage) -> None:
    stage.opsgenie.recent = Unknown("500")
    with pytest.raises(Unknown):
        stage.alert_feed().poll()
    assert stage.standing.alerts is None
    assert stage.standing.polled_alerts is None


def test_a_dry_run_moves_no_cursor(stage: Stage) -> None:
    stage.intake = DryIntake(stage.queue)  # type: ignore[assignment]
    stage.opsgenie.recent = [alert(created_at=at(3590), updated_at=at(3590))]
    stage.alert_feed().poll()
    assert stage.standing.alerts is None
    assert stage.work() == [ALERT_ID]


def test_an_alert_that_only_recurs_is_not_read_at_every_poll(stage: Stage) -> None:
    stage.save(pair())
    feed = stage.alert_feed()
    read = 0
    for second in range(60):
        stage.opsgenie.recent = [alert(updated_at=at(3600 + second))]
        feed.poll()
        read += len(stage.work())
        stage.clock.wait(1)
    assert read == 3 + 5


def test_an_unchanged_row_does_not_change_work_that_already_waits(stage: Stage) -> None:
    stage.save(pair())
    stage.opsgenie.recent = [alert(acknowledged=True, updated_at=at(3590))]
    stage.intake = UnrepeatedIntake(stage.intake, stage.queue, stage.clock)  # type: ignore[assignment]
    feed = stage.alert_feed()
    feed.poll()
    item = stage.queue.lease()
    assert item is not None
    for _ in range(5):
        feed.poll()
        stage.clock.wait(1)
    stage.queue.again(replace(item, due_at=stage.clock.now() + timedelta(seconds=60)))
    assert stage.queue.lease() is None, "it backs off for a minute"
    stage.opsgenie.recent = [alert(updated_at=at(3591), acknowledged=True)]
    feed.poll()
    assert stage.queue.lease() is not None, "the row has changed"


def test_a_changed_query_adds_its_open_alerts_and_is_stored_with_them(stage: Stage) -> None:
    stage.store(query="team: b")
    stage.save(pair())
    old, new = at(3600) - timedelta(days=2), at(3000)
    stage.opsgenie.opened = [alert(), alert(id="old", created_at=old), alert(id="new", created_at=new)]
    stage.alert_feed().poll()
    assert stage.standing.query == "team: a"
    assert stage.request("old").is_baseline
    assert stage.request("new").is_new
    assert ALERT_ID not in stage.items


def test_the_feed_waits_until_the_alerts_of_a_changed_query_can_be_listed(stage: Stage) -> None:
    stage.store(query="team: b")
    stage.opsgenie.opened = Unknown("500")
    with pytest.raises(Unknown):
        stage.alert_feed().poll()
    assert stage.standing.query == "team: b"
    assert "recent" not in stage.opsgenie.asked


def test_a_change_speeds_up_the_feeds_and_a_baseline_or_a_recurrence_does_not(stage: Stage) -> None:
    stage.save(pair())
    feed = stage.alert_feed()
    stage.opsgenie.recent = [alert(updated_at=at(10)), alert(id="old", open=False, created_at=at(-9000))]
    feed.poll()
    assert stage.pace.interval(stage.clock.monotonic()) == INTERVAL
    stage.opsgenie.recent = [alert(updated_at=at(20), acknowledged=True)]
    feed.poll()
    assert stage.pace.interval(stage.clock.monotonic()) < INTERVAL


def test_a_poll_requested_by_webhooks_waits_for_as_long_as_the_last_took(stage: Stage) -> None:
    feed = stage.alert_feed()
    assert feed.asked_in() is None
    feed.ask()
    assert feed.asked_in() == 0

    class Slow(list[object]):
        def __iter__(self) -> object:  # type: ignore[override]
            stage.clock.wait(3)
            return iter(())

    stage.opsgenie.recent = Slow()
    feed.poll()
    assert feed.asked_in() is None
    feed.ask()
    assert feed.asked_in() == 3
    stage.opsgenie.recent = Transient("away")
    with pytest.raises(Transient):
        feed.poll()
    assert feed.asked_in() is None


def test_a_webhook_asks_for_a_new_list_and_another_routes_finding_for_the_same_one(stage: Stage) -> None:
    expired = []
    feed = stage.alert_feed()
    feed._expire = lambda: expired.append(1)
    feed.wake()
    assert (feed.asked_in(), expired) == (0, [])
    feed.poll()
    feed.ask()
    assert expired == [1]


def test_reads_of_the_feed_have_the_priority_of_feeds(stage: Stage) -> None:
    stage.alert_feed().poll()
    assert stage.opsgenie.priorities == {CallPriority.FEED}


def test_an_alert_that_has_left_the_lists_is_read_by_id_if_its_pair_is_known_and_open(stage: Stage) -> None:
    stage.save(pair(), pair(alert_id="closed", is_open=False))
    stage.opsgenie.news = AlertNews(absent=frozenset({ALERT_ID, "closed", "unknown"}))
    stage.alert_feed().poll()
    assert stage.work() == [ALERT_ID]
    stage.alert_feed().poll()
    assert stage.request(ALERT_ID).alert


def test_what_was_seen_is_given_back_once_it_is_stored(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.opsgenie.news = AlertNews(seen="first look")
    feed = stage.alert_feed()
    with monkeypatch.context() as broken:
        broken.setattr(stage.intake, "accept", _down)
        with pytest.raises(DatabaseDown):
            feed.poll()
    feed.poll()
    feed.poll()
    assert stage.opsgenie.seen == [None, None, "first look"]


def test_news_that_are_not_whole_cause_one_listing_of_everything_open(stage: Stage) -> None:
    stage.save(pair())
    feed, listing = stage.alert_feed(), stage.listing()
    stage.opsgenie.news = AlertNews(is_whole=False)
    feed.poll()
    assert listing.poll()
    assert stage.work() == [ALERT_ID], "it is not listed any more"
    stage.opsgenie.news = AlertNews()
    feed.poll()
    assert not listing.poll()


def test_news_of_which_a_part_could_not_be_read_are_taken_in_all_the_same(stage: Stage) -> None:
    new = alert(id="a-9", created_at=at(3590), updated_at=at(3590))
    stage.opsgenie.news = AlertNews((new,), new.created_at, problem=Misconfigured("a list is refused"))
    with pytest.raises(Misconfigured, match="a list is refused"):
        stage.alert_feed().poll()
    assert stage.work() == ["a-9"]
    assert stage.standing.polled_alerts != at(3600), "the poll is not whole"


def _down(*_: object, **__: object) -> None:
    raise DatabaseDown("away")
