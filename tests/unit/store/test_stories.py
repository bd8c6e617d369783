from dataclasses import replace

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Settlement, Side, Status
from reconciler.store import stories
from reconciler.store.database import Database
from tests.support.builders import action, at


def test_the_times_of_an_action_are_those_of_its_plan_and_its_end(database: Database) -> None:
    with database.writing() as unit:
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE, key="1"), action(Kind.PAGERDUTY_NOTE, key="2")], at(20))
        unit.outbox.settle(Settlement(1, Status.DONE), at(30))
        assert stories.times(unit, [1, 2]) == {
            1: stories.ActionTimes(at(20), at(30)),
            2: stories.ActionTimes(at(20), None),
        }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("PINC2", ["a-2"]),  # a second incident, or an earlier one
        ("PINC1", ["a-1"]),
        ("9", ["a-2"]),
        ("#9", ["a-2"]),
        ("8", ["a-1"]),
        ("99", []),
        ("PINC%", []),
        ("nope", []),
    ],
)
def test_an_incident_is_found_by_the_stories_in_which_it_occurs(
    database: Database, given: str, expected: list[str]
) -> None:
    followed = Entry(
        at(0), Event.FOLLOWED, "a-1", Side.PAGERDUTY, incident_id="PINC1", words="incident #8 from now on"
    )
    second = replace(followed, alert_id="a-2", incident_id="PINC5", words="a second incident, #9 (PINC2), which")
    paused = replace(second, alert_id="", words="incident #99 (PINC9)")
    with database.writing() as unit:
        unit.journal.append([followed, second, second, paused])
    with database.reading() as unit:
        assert stories.named_in_journal(unit, given) == expected
