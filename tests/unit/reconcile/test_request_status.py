"""The status of a request that Opsgenie has accepted: read not too often, and kept meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Kind, Receipt, Status
from reconciler.core.work import ReadRequest
from reconciler.errors import Missing, Unknown
from reconciler.reconcile import request_status
from reconciler.reconcile.request_status import ASK_AGAIN, RequestStatuses
from reconciler.vendors.ports import RequestStatus
from tests.support.builders import action, alert, at, observation, pair
from tests.support.clock import SimClock
from tests.support.reading import NONE, SILENT, Scene, Vendors

ACCEPTED = action(Kind.ALERT_ACKNOWLEDGE, Status.SENT, request_id="r-1", person="Bob Ray", sent_at=at(1))


def receipts(scene: Scene, *mine: Any) -> tuple[Receipt, ...]:
    known = observation(pair=pair(), mine=mine or (ACCEPTED,))
    return scene.fetch(ReadRequest(alert=True), known).observation.receipts


@pytest.mark.parametrize(
    ("status", "receipt"),
    [
        (RequestStatus(None), (Receipt(7, None),)),
        (
            RequestStatus(done=False, detail="no such user"),
            (Receipt(7, carried_out=False, detail="no such user"),),
        ),
        (Missing("404"), ()),
        (SILENT, (Receipt(7, None, detail="not asked yet"),)),
    ],
    ids=["waits", "failed", "unknown to Opsgenie", "no answer"],
)
def test_a_request_status_is_turned_into_a_receipt(status: Any, receipt: tuple[Receipt, ...]) -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), acts=[], request_status=status))
    assert receipts(scene) == receipt


def test_an_unreadable_request_status_leaves_nothing_unread() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), acts=[], request_status=SILENT))
    fetched = scene.fetch(ReadRequest(alert=True), observation(pair=pair(), mine=(ACCEPTED,)))
    assert (fetched.unread, [problem.error for problem in fetched.problems]) == (NONE, [SILENT])


def test_a_request_is_checked_once_a_second_and_its_last_status_is_reused_meanwhile() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), request_status=RequestStatus(None)))
    for _ in range(30):
        assert receipts(scene) == (Receipt(7, None),)
        scene.clock.passed += 0.1
    assert scene.opsgenie.asked["request_status"] == 3


def test_a_write_that_is_sent_again_does_not_reuse_the_status_of_its_first_request() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), acts=[], request_status=RequestStatus(done=False)))
    receipts(scene)
    scene.opsgenie.answers["request_status"] = RequestStatus(None)
    assert receipts(scene, replace(ACCEPTED, request_id="r-2")) == (Receipt(7, None),)


def test_at_most_fifty_requests_are_checked_per_second() -> None:
    scene = Scene(opsgenie=Vendors(alert=alert(), request_status=RequestStatus(None)))
    sent = [replace(ACCEPTED, id=number, request_id=f"r-{number}") for number in range(120)]
    asked = []
    for _ in range(3):
        before = scene.opsgenie.asked["request_status"]
        assert len(receipts(scene, *sent)) == 120
        asked.append(scene.opsgenie.asked["request_status"] - before)
        scene.clock.passed += 0.5
    assert asked == [50, 0, 50]


def test_the_memory_of_requests_is_bounded_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_status, "REMEMBERED_REQUESTS", 2)
    clock = SimClock()
    statuses = RequestStatuses(clock)
    for number in (1, 2, 1, 3):
        clock.advance(ASK_AGAIN)
        statuses.receipt(number, f"r-{number}", lambda: RequestStatus(done=True))
    known = [statuses.last(number, f"r-{number}").carried_out for number in (1, 2, 3)]  # type: ignore[union-attr]
    assert known == [True, None, True]


def test_a_read_without_an_answer_keeps_the_last_status_and_counts_as_asked() -> None:
    clock = SimClock()
    statuses = RequestStatuses(clock)
    waits = statuses.receipt(7, "r-1", lambda: RequestStatus(None, "in the queue"))
    clock.advance(ASK_AGAIN)

    def silent() -> RequestStatus:
        raise SILENT

    with pytest.raises(Unknown):
        statuses.receipt(7, "r-1", silent)
    assert statuses.receipt(7, "r-1", silent) == statuses.last(7, "r-1") == waits
