"""What `once` says of a first start and of a changed query: how many alerts page, and how many never will."""

from dataclasses import replace

from reconciler.core.model import Kind
from reconciler.core.work import Reason, WorkItem
from reconciler.runtime.milestones import Milestones, are_over, lines, look
from reconciler.store.cursors import Origin, Positions
from reconciler.store.database import Database
from reconciler.store.overview import Census
from tests.support.builders import action, at, pair

NOTHING = Milestones(Positions(), Census(0, 0, 0))
BEGUN = Milestones(Positions(origin=Origin(at(0), at(-3600)), query=""), Census(baseline=2, followed=4, raised=1))


def test_a_first_start_is_told_once_with_its_numbers() -> None:
    assert lines(NOTHING, BEGUN) == [
        (
            "first start: alerts from before 2026-11-23 08:00 UTC page nobody; 2 alerts recorded as a baseline, "
            "3 incidents found by their key and followed, 1 new alert to page for"
        )
    ]
    assert lines(BEGUN, BEGUN) == []


def test_a_first_start_is_not_over_while_pairs_of_it_wait() -> None:
    waiting = replace(BEGUN, waiting=1)
    assert lines(NOTHING, waiting) == []
    assert lines(waiting, BEGUN)[0].startswith("first start: ")


def test_a_changed_query_is_not_settled_before_opsgenie_was_polled_with_it() -> None:
    polled = replace(BEGUN, sources=replace(BEGUN.sources, polled_alerts=at(60)))
    assert not are_over(BEGUN, BEGUN)
    assert are_over(BEGUN, polled)


def test_a_changed_query_is_told_with_what_is_new_since() -> None:
    after = replace(
        BEGUN,
        sources=replace(BEGUN.sources, query='tag: "prod"', polled_alerts=at(60)),
        census=Census(baseline=3, followed=6, raised=3),
    )
    assert lines(BEGUN, after) == [
        (
            'OPSGENIE_QUERY has changed from every alert to "tag: \\"prod\\"": 1 alert recorded as a baseline, '
            "0 incidents found by their key and followed, 2 new alerts to page for"
        )
    ]


def test_the_numbers_are_those_of_the_database(database: Database) -> None:
    with database.writing() as unit:
        followed, baseline = pair(swept_at=at(0)), pair(None, alert_id="a-2", swept_at=at(0), tracked=False)
        unit.snapshot.save_pairs([followed, baseline])
        unit.outbox.add([action(Kind.CREATE_INCIDENT), action(Kind.PAGERDUTY_NOTE)], at(0))
        unit.work.add([WorkItem("a-1", at(0), reasons=frozenset({Reason.FIRST_START})), WorkItem("a-2", at(0))])
        unit.cursors.save(origin=Origin(at(0), at(0)), query="")
    found = look(database, at(60))
    assert (found.census, found.waiting, found.is_begun) == (Census(1, 1, 1), 1, False)
