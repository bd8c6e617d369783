"""Which call each kind of read is, and in what form its answer comes."""

from typing import Any

import pytest

from reconciler.core.read_progress import Read, What
from reconciler.core.reads import begin
from reconciler.core.work import ReadRequest
from reconciler.errors import Unknown
from reconciler.reconcile.absence import Absence
from reconciler.reconcile.read_calls import ReadCalls
from reconciler.reconcile.request_status import RequestStatuses
from reconciler.store.database import Database
from reconciler.vendors.ports import RequestStatus
from tests.support.builders import JANE, alert, at, incident, note, observation, pair, policy
from tests.support.clock import SimClock
from tests.support.reading import Vendors

NOTE = note("N1", JANE, "on it")
PROGRESS = begin(ReadRequest(alert=True), observation(pair=pair()), policy(), at(60))


def made(database: Database, read: Read, **answers: Any) -> Any:
    """The answer to the read, by vendors that answer these calls and no other."""
    vendor: Any = Vendors(**answers)
    calls = ReadCalls(vendor, vendor, RequestStatuses(SimClock()), Absence(database, SimClock()))
    return calls.make(read, PROGRESS)


@pytest.mark.parametrize(
    ("what", "call", "answer", "expected"),
    [
        (What.ALERT, "alert", alert(), alert()),
        (What.ALERT_NOTES, "notes", [NOTE], (NOTE,)),
        (What.ALERT_LOG, "acts", [], ()),
        (What.INCIDENT, "incident", incident(), incident()),
        (What.INCIDENT_NOTES, "notes", [NOTE], (NOTE,)),
        (What.INCIDENT_LOG, "acts", [], ()),
        (What.INCIDENTS_BY_KEY, "incidents_by_key", [incident()], (incident(),)),
    ],
)
def test_each_kind_is_one_call_and_lists_are_kept_as_they_come(
    database: Database, what: What, call: str, answer: Any, expected: Any
) -> None:
    assert made(database, Read(what, "id"), **{call: answer}) == expected


def test_a_status_is_that_of_the_action(database: Database) -> None:
    receipt = made(database, Read(What.REQUEST, "r-1", action_id=7), request_status=RequestStatus(done=True))
    assert (receipt.action_id, receipt.carried_out) == (7, True)


def test_whether_an_alert_is_missing_is_answered_by_the_newest_others(database: Database) -> None:
    read = Read(What.RECENT_ALERTS, "a-1")
    assert made(database, read, recent_alerts=[alert(id="a-2")]) is True
    assert made(database, read, recent_alerts=[alert()]) is False


def test_the_vendors_error_is_passed_on(database: Database) -> None:
    with pytest.raises(Unknown):
        made(database, Read(What.ALERT, "a-1"), alert=Unknown("500"))
