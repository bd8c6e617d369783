"""The newest decisions, with the pairs that they are about."""

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Side
from reconciler.operations.decisions import as_data, newest
from reconciler.store.database import Database
from tests.support.builders import ALERT_ID, INCIDENT_ID, at, pair


def test_they_come_newest_first_and_with_their_pairs(database: Database) -> None:
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
        unit.journal.append(
            [
                Entry(at(1), Event.SEEN, ALERT_ID, Side.ALERTS, who="Ana Ruiz", words="acknowledged"),
                Entry(at(2), Event.PLANNED, "gone", Side.PAGERDUTY, Kind.PAGERDUTY_NOTE, who="Ana Ruiz"),
                Entry(at(3), Event.PAUSED, side=Side.PAGERDUTY, who="ops@host", words="maintenance"),
            ]
        )
    with database.reading() as unit:
        paused, planned, seen = newest(unit)
        assert [each.entry.event for each in newest(unit, 2)] == [Event.PAUSED, Event.PLANNED]
    assert (paused.pair, planned.pair) == (None, None)
    assert seen.pair is not None
    assert as_data(seen) == {
        "at": at(1).isoformat(),
        "event": "seen",
        "side": "opsgenie",
        "kind": None,
        "alert_id": ALERT_ID,
        "alert": "17",
        "title": "Disk full",
        "incident_id": INCIDENT_ID,
        "incident": 4711,
        "who": "Ana Ruiz",
        "words": "acknowledged",
        "source": "",
        "request_id": "",
        "key": "",
    }
    assert (as_data(planned)["kind"], as_data(planned)["alert"]) == ("pagerduty.add_note", None)
    assert (as_data(paused)["alert_id"], as_data(paused)["incident_id"]) == (None, None)
