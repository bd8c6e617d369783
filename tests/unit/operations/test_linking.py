"""Orders to link and to unlink: handed over to the daemon, or refused at once, and how the answer is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Order
from reconciler.core.work import Reason
from reconciler.errors import Misconfigured
from reconciler.operations import linking
from reconciler.operations.linking import Answer, Ordered
from reconciler.store.database import Database
from tests.support.builders import at, pair

PAIR = pair(swept_at=at(0))
BASELINE = replace(
    PAIR, alert_id="a-2", tiny_id="18", tracked=False, incident_id=None, incident_number=None, pagerduty=None
)


@pytest.fixture
def known(database: Database) -> Database:
    with database.writing() as unit:
        unit.snapshot.save_pairs([PAIR, BASELINE])
    return database


def polled(database: Database, seconds_ago: float) -> None:
    with database.writing() as unit:
        unit.cursors.save(polled_alerts=datetime.now(UTC) - timedelta(seconds=seconds_ago))


def link(database: Database, alert: str, incident: str) -> Ordered:
    return linking.link(database, alert, incident, "ops@host", 10.0)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("PINC9", "PINC9"), ("#12", "12"), ("4711", "PINC1"), ("#4711", "PINC1"), ("PINC1", "PINC1")],
)
def test_an_order_to_link_is_an_item_of_the_queue_for_the_daemon(known: Database, given: str, wanted: str) -> None:
    ordered = link(known, "#18", given)
    assert (ordered.pair, ordered.order) == (BASELINE, Order("ops@host", wanted))
    with known.writing() as unit:
        (item,) = unit.work.take_in()
    assert (item.alert_id, item.request.order) == ("a-2", ordered.order)
    assert item.reasons == {Reason.OPERATOR}
    assert item.request.alert_notes
    assert item.request.incident_notes


def test_an_order_to_unlink_needs_nothing_to_be_read(known: Database) -> None:
    linking.unlink(known, "17", "ops@host", 10.0)
    with known.writing() as unit:
        (item,) = unit.work.take_in()
    assert (item.request.order, item.request.sides) == (Order("ops@host"), frozenset())


@pytest.mark.parametrize(
    ("alert", "incident", "words"),
    [
        ("99", "PINC9", "link: 99: no alert of that id"),
        ("18", "no such", "link: no such: is no incident's id"),
        ("17", "PINC9", "`reconciler unlink 17` it first"),
    ],
)
def test_what_cannot_be_linked_is_refused_and_nothing_is_handed_over(
    known: Database, alert: str, incident: str, words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        link(known, alert, incident)
    with pytest.raises(Misconfigured, match=r"unlink: #18 .* is not followed"):
        linking.unlink(known, "18", "ops@host", 10.0)
    with known.reading() as unit:
        assert not unit.work.has_external()


def test_a_number_of_several_alerts_is_refused(known: Database) -> None:
    with known.writing() as unit:
        unit.snapshot.save_pairs([replace(BASELINE, alert_id="a-3")])
    with pytest.raises(Misconfigured, match=r"18 may be .*\(a-2\), .*\(a-3\): name the alert by its id"):
        link(known, "18", "PINC9")


def test_the_answer_is_the_journals_next_entry_of_this_order(known: Database) -> None:
    polled(known, 1)
    mine = Entry(at(9), Event.LINKED, "a-2", who="ops@host", words="linked to incident #9")
    others = [
        replace(mine, who="eva@host"),
        replace(mine, event=Event.SEEN),
        replace(mine, kind=Kind.ALERT_NOTE),
    ]
    with known.writing() as unit:
        unit.journal.append([replace(mine, words="an earlier one")])
    ordered = link(known, "18", "PINC9")
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            with known.writing() as unit:
                unit.journal.append([*others, mine])

    assert linking.answer(known, ordered, wait) == Answer(ordered, "linked", "linked to incident #9")
    assert len(waited) == 3


@pytest.mark.parametrize(("seconds_ago", "words", "waits"), [(5, "has not answered", 40), (99, "the next run", 0)])
def test_without_an_answer_the_order_is_queued(
    known: Database, seconds_ago: float, words: str, waits: int
) -> None:
    polled(known, seconds_ago)
    waited: list[float] = []
    found = linking.answer(known, link(known, "18", "PINC9"), waited.append)
    assert (found.event, found.is_refused, len(waited)) == ("queued", False, waits)
    assert words in found.words


def test_an_answer_is_told_by_the_alerts_name(known: Database) -> None:
    ordered = linking.unlink(known, "17", "ops@host", 10.0)
    found = Answer(ordered, Event.REFUSED, "it is not followed")
    assert found.is_refused
    assert linking.as_text(found) == '#17 "Disk full": it is not followed'
    assert linking.as_data(found) == {
        "alert_id": PAIR.alert_id,
        "alert": "17",
        "incident_id": "PINC1",
        "result": "refused",
        "words": "it is not followed",
    }
