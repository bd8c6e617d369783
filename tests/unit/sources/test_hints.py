"""A record named by a webhook is queued at once; the webhook's body is never taken as its state."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.errors import Unknown
from reconciler.sources.alert_feed import AlertFeed
from reconciler.sources.debounce import BETWEEN_ROUNDS, QUIET
from reconciler.sources.hints import Hints
from tests.support.builders import ALERT_ID, INCIDENT_ID, incident, pair
from tests.support.sources import Stage

TWIN = incident(id="PINC2", number=4712)


@pytest.fixture
def feed(stage: Stage) -> AlertFeed:
    return stage.alert_feed()


@pytest.fixture
def hints(stage: Stage, feed: AlertFeed) -> Hints:
    stage.pagerduty.incidents = TWIN
    return Hints(
        cast("Any", stage.pagerduty), stage.database, stage.intake, stage.queue, stage.clock, feed, stage.is_busy
    )


def test_a_known_alert_is_read_at_once(stage: Stage, hints: Hints, feed: AlertFeed) -> None:
    stage.save(pair(), pair(None, alert_id="a-2", tracked=False))
    hints.waiting.put(Hint(Side.ALERTS, ALERT_ID))
    hints.waiting.put(Hint(Side.ALERTS, "a-2"))
    assert not hints.poll()
    item = stage.items[ALERT_ID]
    assert (item.priority, item.reasons) == (Priority.CHANGED, frozenset({Reason.WEBHOOK}))
    assert item.request == ReadRequest(alert=True, alert_notes=True)
    assert stage.work() == [ALERT_ID]
    assert feed.asked_in() is None


def test_an_unknown_alert_makes_the_feed_be_polled(stage: Stage, hints: Hints, feed: AlertFeed) -> None:
    hints.waiting.put(Hint(Side.ALERTS, "new"))
    hints.poll()
    assert feed.asked_in() == 0
    assert stage.items == {}


def test_an_alert_already_shown_by_the_feed_does_not_make_it_be_polled(
    stage: Stage, hints: Hints, feed: AlertFeed
) -> None:
    stage.intake.accept([_new("new", stage)])
    hints.waiting.put(Hint(Side.ALERTS, "new"))
    hints.poll()
    assert feed.asked_in() is None


@pytest.mark.parametrize("has_pair", [True, False], ids=["a pair", "an item in its work queue"])
def test_an_alert_that_another_route_has_does_not_make_the_feed_be_polled(
    stage: Stage, hints: Hints, feed: AlertFeed, *, has_pair: bool
) -> None:
    with stage.database.for_route("other").writing() as unit:
        if has_pair:
            unit.snapshot.save_pairs([replace(pair(alert_id="theirs"), swept_at=stage.clock.now())])
        else:
            unit.work.add([_new("theirs", stage)])
    hints.waiting.put(Hint(Side.ALERTS, "theirs"))
    hints.poll()
    assert feed.asked_in() is None
    stage.clock.advance(BETWEEN_ROUNDS)
    for alert_id in ("theirs", "nobody's"):
        hints.waiting.put(Hint(Side.ALERTS, alert_id))
    stage.clock.advance(QUIET)
    hints.poll()
    assert feed.asked_in() == 0


def _new(alert_id: str, stage: Stage) -> WorkItem:
    return WorkItem(alert_id, stage.clock.now(), ReadRequest(is_new=True), Priority.PAGE)


@pytest.mark.parametrize(
    "hint",
    [
        Hint(Side.PAGERDUTY, INCIDENT_ID),
        Hint(Side.PAGERDUTY, INCIDENT_ID, ALERT_ID),
        Hint(Side.PAGERDUTY, "", ALERT_ID),
    ],
)
def test_an_incident_is_found_by_its_id_or_by_its_key(stage: Stage, hints: Hints, hint: Hint) -> None:
    stage.save(pair())
    hints.waiting.put(hint)
    hints.poll()
    assert stage.request(ALERT_ID) == ReadRequest(incident=True, incident_notes=True)
    assert not stage.pagerduty.asked


def test_an_unknown_incident_is_ignored(stage: Stage, hints: Hints) -> None:
    hints.waiting.put(Hint(Side.PAGERDUTY, "PELSE", "their own"))
    assert not hints.poll()
    assert stage.items == {}
    assert not stage.pagerduty.asked


def test_the_incident_of_an_alert_without_one_is_looked_up_by_key(stage: Stage, hints: Hints) -> None:
    stage.save(pair(None))
    hints.waiting.put(Hint(Side.PAGERDUTY, "PINC2", ALERT_ID))
    hints.poll()
    assert stage.request(ALERT_ID).by_key


def test_a_hint_about_another_incident_with_a_known_key_makes_it_be_read(stage: Stage, hints: Hints) -> None:
    stage.save(pair())
    hints.waiting.put(Hint(Side.PAGERDUTY, "PINC2", ALERT_ID))
    assert hints.poll()
    assert stage.request(ALERT_ID).twins == (TWIN,)


def test_an_unreadable_other_incident_does_not_prevent_the_other_hints(stage: Stage, hints: Hints) -> None:
    stage.save(pair(), pair(alert_id="a-2", incident_id="P2"))
    stage.pagerduty.incidents = Unknown("500")
    hints.waiting.put(Hint(Side.PAGERDUTY, "PINC3", ALERT_ID))
    hints.waiting.put(Hint(Side.PAGERDUTY, "P2"))
    with pytest.raises(Unknown):
        hints.poll()
    assert stage.items.keys() == {ALERT_ID, "a-2"}
    assert hints.waiting.next_due() is None


def test_hints_wait_while_the_rate_is_saturated(stage: Stage, hints: Hints) -> None:
    stage.save(pair())
    stage.busy = True
    hints.waiting.put(Hint(Side.ALERTS, ALERT_ID))
    assert not hints.poll()
    assert stage.items == {}
    stage.busy = False
    hints.poll()
    assert stage.items.keys() == {ALERT_ID}


@pytest.mark.parametrize("error", [None, Unknown("500")], ids=["answered", "not answered"])
def test_after_a_round_the_next_hints_wait_a_moment_so_that_webhooks_alone_never_fill_the_rate(
    stage: Stage, hints: Hints, error: Unknown | None
) -> None:
    stage.save(pair())
    stage.pagerduty.incidents = error or TWIN
    hints.waiting.put(Hint(Side.PAGERDUTY, "PINC2", ALERT_ID))
    with suppress(Unknown):
        hints.poll()
    hints.waiting.put(Hint(Side.ALERTS, ALERT_ID))
    assert hints.waiting.take() == ()
    stage.clock.advance(BETWEEN_ROUNDS)
    assert hints.waiting.take() == (Hint(Side.ALERTS, ALERT_ID),)
