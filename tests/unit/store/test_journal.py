from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Side
from reconciler.store.database import Database

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SEEN = Entry(
    NOW, Event.SEEN, "a1", Side.ALERTS, who="Ana Ruiz", words="acknowledged the alert", source="feed, sweep"
)
REFUSED = Entry(
    NOW,
    Event.REFUSED,
    "a1",
    Side.PAGERDUTY,
    Kind.CREATE_INCIDENT,
    key="create a1",
    incident_id="PINC1",
    words="503",
    request_id="01ABC",
)
PAUSED = Entry(NOW, Event.PAUSED, words="maintenance", who="ops")


def test_entries_are_kept_as_they_are_in_their_order(database: Database) -> None:
    with database.writing() as unit:
        unit.journal.append([SEEN, PAUSED])
        unit.journal.append([REFUSED])
        unit.journal.append([])
    with database.reading() as unit:
        assert unit.journal.of(["a1"]) == [SEEN, REFUSED]
        assert unit.journal.of(["a1", ""]) == [SEEN, PAUSED, REFUSED]
        assert unit.journal.of(["a2"]) == []
        assert unit.journal.last(2) == [REFUSED, PAUSED]


def test_entries_of_no_single_pair_are_forgotten_by_their_age(database: Database) -> None:
    with database.writing() as unit:
        unit.journal.append([SEEN, PAUSED])
        unit.journal.forget_general(NOW)
        assert unit.journal.last(9) == [PAUSED, SEEN]
        unit.journal.forget_general(NOW + timedelta(seconds=1))
    with database.reading() as unit:
        assert unit.journal.last(9) == [SEEN]


@pytest.mark.parametrize("event", Event)
def test_every_event_is_read_back(database: Database, event: Event) -> None:
    with database.writing() as unit:
        unit.journal.append([Entry(NOW, event)])
        assert unit.journal.last(1) == [Entry(NOW, event)]
