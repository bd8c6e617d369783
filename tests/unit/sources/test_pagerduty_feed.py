"""PagerDuty's feed: the log, the open set as its substitute, and incidents without a pair."""

from dataclasses import replace
from typing import Any, cast

import pytest

from reconciler.core.model import Act, Actor
from reconciler.core.work import ReadRequest
from reconciler.errors import Blocked, Missing, NotExecuted, Permanent, ReconcilerError, Refused, Unknown
from reconciler.sources.pagerduty_feed import STRANGERS, WINDOWS_REFUSED, PagerDutyFeed, SharedKey
from reconciler.store.cursors import OLDEST, LogMark
from reconciler.store.database import Database
from reconciler.vendors.call_context import CallPriority
from reconciler.vendors.ports import LogPage
from tests.support.builders import ALERT_ID, BOT, JANE, act, at, incident, pair, policy
from tests.support.sources import INTERVAL, Stage

TWIN = incident(id="PINC2", number=4712)
RAISED = Act("L1", "trigger", at(3550), Actor.PERSON, BOT, "PINC2")


@pytest.fixture
def pair_of_ours(stage: Stage) -> Stage:
    stage.save(pair())
    stage.store(pagerduty=LogMark(at(3500)))
    stage.pagerduty.incidents = TWIN
    return stage


def fails(stage: Stage, error: type[ReconcilerError]) -> None:
    with pytest.raises(error):
        stage.pagerduty_feed().poll()


def test_nothing_is_polled_before_the_first_start(stage: Stage) -> None:
    with stage.database.writing() as unit:
        unit.cursors.connection.exec_driver_sql("DELETE FROM cursors")
    assert not stage.pagerduty_feed().poll()
    assert not stage.pagerduty.asked


def test_a_log_entry_makes_its_pair_be_read_once(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    done = replace(act("acknowledge", JANE), at=at(3550))
    stage.pagerduty.log = LogPage((done,), 1)
    feed = stage.pagerduty_feed()
    assert feed.poll()
    assert stage.request(ALERT_ID) == ReadRequest(incident=True, acts=(done,))
    assert stage.standing.pagerduty == LogMark(at(3550), frozenset({done.id}))
    assert stage.standing.polled_pagerduty == at(3600)
    assert stage.pace.interval(stage.clock.monotonic()) < INTERVAL
    assert stage.work() == [ALERT_ID]
    feed.poll()
    assert stage.work() == []


@pytest.mark.parametrize(
    "error", [Permanent("400", 400), Refused("403"), Unknown("large"), Blocked("proxy")], ids=repr
)
def test_the_open_set_is_read_where_the_log_cannot_be(pair_of_ours: Stage, error: ReconcilerError) -> None:
    stage = pair_of_ours
    stage.pagerduty.log, stage.pagerduty.open_set = error, [incident("acknowledged")]
    fails(stage, type(error))
    assert stage.request(ALERT_ID).incident
    assert stage.standing.polled_pagerduty == at(3600)
    assert stage.standing.pagerduty == LogMark(at(3500))


def test_an_incident_missing_from_the_open_set_is_read_by_its_id(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log = Unknown("large")
    fails(stage, Unknown)
    assert stage.request(ALERT_ID) == ReadRequest(incident=True)


def test_after_a_failed_connection_nothing_else_is_read(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log = NotExecuted("no connection")
    fails(stage, NotExecuted)
    assert stage.pagerduty.asked == {"log": 1}


def test_a_window_that_stays_refused_is_restarted_and_swept(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.store(sweep=at(3590))
    stage.pagerduty.log = Permanent("400", 400)
    feed = stage.pagerduty_feed()
    for number in range(WINDOWS_REFUSED):
        assert stage.standing.pagerduty == LogMark(at(3500)), number
        assert stage.standing.sweep == at(3590)
        with pytest.raises(Permanent):
            feed.poll()
    assert stage.standing.pagerduty == LogMark(at(3600) - policy().staleness)
    assert stage.standing.sweep == OLDEST


def test_an_outage_of_the_vendor_keeps_the_window(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log = stage.pagerduty.open_set = Unknown("500")
    feed = stage.pagerduty_feed()
    for _ in range(3 * WINDOWS_REFUSED):
        with pytest.raises(Unknown):
            feed.poll()
    assert stage.standing.pagerduty == LogMark(at(3500))
    assert (stage.standing.sweep, stage.standing.polled_pagerduty) == (None, None)


def test_a_log_entry_with_a_future_time_moves_the_watermark_to_now_at_most(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log = LogPage((Act("L1", "trigger", at(9000), Actor.PERSON, None, "PELSE"),), 1)
    stage.pagerduty_feed().poll()
    assert stage.standing.pagerduty == LogMark(at(3600))


def long_log() -> LogPage:
    """One page of a log far longer than the open set; the page contains every new entry."""
    acts = tuple(Act(f"L{n}", "resolve", at(3599 - 20 * n), Actor.PERSON, None, "PELSE") for n in range(6))
    return LogPage(acts, 2, whole=False)


@pytest.mark.parametrize("busy", [True, False])
def test_no_open_set_is_listed_while_the_rate_is_saturated_and_all_new_entries_were_read(
    pair_of_ours: Stage, *, busy: bool
) -> None:
    stage = pair_of_ours
    stage.busy = busy
    stage.pagerduty.log, stage.pagerduty.open_set = long_log(), [incident("acknowledged")]
    stage.pagerduty_feed().poll()
    assert (stage.pagerduty.asked["open set"] == 0) is busy
    assert stage.request(ALERT_ID).incident is not busy
    assert stage.standing.polled_pagerduty == at(3600)


def test_after_a_failure_of_the_open_set_the_log_advances_and_the_set_is_read_at_the_next_poll(
    pair_of_ours: Stage,
) -> None:
    stage = pair_of_ours
    stage.pagerduty.log, stage.pagerduty.open_set = long_log(), Unknown("500")
    feed = stage.pagerduty_feed()
    for _ in range(2):
        with pytest.raises(Unknown):
            feed.poll()
    assert stage.standing.pagerduty == LogMark(at(3599))
    assert stage.standing.polled_pagerduty is None
    assert stage.pagerduty.asked["open set"] == 2


def test_a_second_incident_of_ours_is_found_by_its_log_entry_and_read_once(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log = LogPage((RAISED,), 1)
    feed = stage.pagerduty_feed()
    feed.poll()
    assert stage.request(ALERT_ID) == ReadRequest(twins=(TWIN,))
    stage.work()
    feed.poll()
    assert stage.work() == []
    assert stage.pagerduty.asked["incident"] == 1


def test_a_forbidden_incident_is_read_once_and_is_no_problem(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log, stage.pagerduty.incidents = LogPage((RAISED,), 1), Missing("404")
    feed = stage.pagerduty_feed()
    for _ in range(2):
        feed.poll()
    assert stage.pagerduty.asked["incident"] == 1


def test_a_second_incident_that_could_not_be_read_is_read_again(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    stage.pagerduty.log, stage.pagerduty.incidents = LogPage((RAISED,), 1), Unknown("500")
    feed = stage.pagerduty_feed()
    for _ in range(2):
        with pytest.raises(Unknown):
            feed.poll()
    assert stage.pagerduty.asked["incident"] == 2
    assert stage.standing.pagerduty == LogMark(at(3550))


def test_a_bounded_number_of_second_incidents_is_read_per_poll(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    raised = tuple(replace(RAISED, id=f"L{n}", incident_id=f"PX{n}") for n in range(STRANGERS + 2))
    stage.pagerduty.log = LogPage(raised, 1)
    feed = stage.pagerduty_feed()
    feed.poll()
    assert stage.pagerduty.asked["incident"] == STRANGERS
    feed.poll()
    assert stage.pagerduty.asked["incident"] == STRANGERS + 2


def test_reads_of_the_feed_have_the_priority_of_feeds(pair_of_ours: Stage) -> None:
    pair_of_ours.pagerduty.log = Unknown("large")
    fails(pair_of_ours, Unknown)
    assert pair_of_ours.pagerduty.priorities == {CallPriority.FEED}


class Log:
    """The log of the key, as another route has read it."""

    def __init__(self, *acts: Act) -> None:
        self._acts = acts

    def log_entries(self, _since: object, _enough: object) -> LogPage:
        return LogPage(self._acts, 1)


def sharing(stage: Stage, *acts: Act, pages: int = 1, service_id: str = "PSVC") -> PagerDutyFeed:
    """The feed of a route whose key has others; what is open of all of them takes so many requests to list."""
    shared = SharedKey(Log(*acts), lambda: pages, service_id)
    reader = cast("Any", stage.pagerduty)
    return PagerDutyFeed(
        reader,
        stage.database,
        stage.intake,
        stage.clock,
        stage.policy,
        stage.is_busy,
        stage.pace,
        shared=shared,
    )


def test_a_shared_log_is_read_instead_of_an_own_one(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    done = replace(act("acknowledge", JANE), at=at(3550))
    sharing(stage, done).poll()
    assert stage.request(ALERT_ID).incident
    assert not stage.pagerduty.asked


def test_an_incident_that_another_route_follows_is_not_read(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    other = Database(stage.database.engine, "other")
    with other.writing() as unit:
        unit.snapshot.save_pairs([pair(alert_id="a-9", incident_id="PINC2", swept_at=at(0))])
    sharing(stage, RAISED).poll()
    assert not stage.pagerduty.asked["incident"]


@pytest.mark.parametrize(("service_id", "reads"), [("PSVC", 1), ("", 1), ("POTHER", 0)])
def test_an_incident_of_another_service_is_not_read(pair_of_ours: Stage, service_id: str, reads: int) -> None:
    sharing(pair_of_ours, replace(RAISED, service_id=service_id)).poll()
    assert pair_of_ours.pagerduty.asked["incident"] == reads


def test_the_log_may_cost_as_much_as_what_is_open_of_all_routes(pair_of_ours: Stage) -> None:
    stage = pair_of_ours
    asked: list[bool] = []

    class Long(Log):
        def log_entries(self, _since: object, enough: Any) -> LogPage:
            acts = tuple(replace(act("notify", JANE), id=f"L{n}", at=at(3600 - n)) for n in range(100))
            asked.append(enough(LogPage(acts, 3, whole=False)))
            return LogPage(acts, 3, whole=False)

    for pages in (1, 50):
        feed = PagerDutyFeed(
            cast("Any", stage.pagerduty),
            stage.database,
            stage.intake,
            stage.clock,
            stage.policy,
            stage.is_busy,
            stage.pace,
            shared=SharedKey(Long(), lambda: pages, "PSVC"),  # noqa: B023 - polled in the same turn
        )
        feed.poll()
    assert asked == [True, False]
