"""When a pair is due again, and what is read of it then."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.follow_up import Left, in_doubt, next_item
from reconciler.core.model import Action, Kind, Pair, Status
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything
from tests.support.builders import ALERT_ID, OG, PD, action, alert, at, pair, policy

INTERVAL = timedelta(seconds=5)
NOTHING = Left()


def due(pair: Pair | None, left: Left = NOTHING, mine: Iterable[Action] = ()) -> WorkItem | None:
    return next_item(ALERT_ID, pair, mine, left, policy(), at(60), INTERVAL)


def item(
    due_at: datetime, request: ReadRequest, reason: Reason, priority: Priority = Priority.UNSETTLED
) -> WorkItem:
    return WorkItem(ALERT_ID, due_at, request, priority, frozenset({reason}))


def test_a_pair_of_which_nothing_is_left_is_not_due_again() -> None:
    settled = (action(Kind.PAGERDUTY_NOTE, Status.DONE), action(Kind.PAGERDUTY_NOTE, Status.PLANNED))
    assert due(pair(), mine=settled) is None
    assert due(pair(None)) is None
    assert due(None) is None


def test_what_could_not_be_read_is_read_again_on_its_side_alone() -> None:
    left = Left(unread=frozenset({PD}), read_at=at(64))
    assert due(pair(), left) == item(at(64), everything([PD]), Reason.UNREAD)


@pytest.mark.parametrize("asked", [ReadRequest(is_new=True, row=alert()), ReadRequest(by_key=True)])
def test_an_alert_that_is_still_unknown_is_read_again_whole_and_as_urgently_as_a_page(asked: ReadRequest) -> None:
    """It may have its incident by now, and if its details cannot be read again, it pages from its row."""
    left = Left(unread=frozenset({PD}), read_at=at(61), unknown=asked)
    request = replace(everything(), by_key=True, is_new=True, row=asked.row)
    assert due(None, left) == item(at(61), request, Reason.UNREAD, Priority.PAGE)


def test_an_alert_that_pages_nobody_does_not_page_because_it_could_not_be_read() -> None:
    left = Left(unread=frozenset({OG}), read_at=at(61), unknown=ReadRequest(is_baseline=True, row=alert()))
    request = replace(everything(), by_key=True, is_baseline=True, row=alert())
    assert due(None, left) == item(at(61), request, Reason.UNREAD)


def test_an_action_that_waits_needs_nothing_to_be_read() -> None:
    assert due(pair(), Left(deliver_at=at(90))) == item(at(90), ReadRequest(), Reason.OUTBOX)


def test_a_pair_is_as_urgent_as_a_page_while_its_incident_is_to_be_created() -> None:
    """After an outage of hours everything is due at once, and a page must not wait for older notes."""
    left, creation = Left(deliver_at=at(90)), action(Kind.CREATE_INCIDENT, Status.PLANNED)
    assert due(pair(None), left, [creation]) == item(at(90), ReadRequest(), Reason.OUTBOX, Priority.PAGE)
    assert due(pair(), left, [action(Kind.PAGERDUTY_NOTE, Status.PLANNED)]) == due(pair(), left)


@pytest.mark.parametrize(
    ("request_id", "sent_at", "wait"),
    [
        ("", at(60), 1),
        ("", None, 1),
        ("", at(57), 3),
        ("", at(63), 3),  # a clock that was set back
        ("", at(0), 10),
        ("r-1", at(20), 40),
        ("r-1", at(-600), 60),
    ],
)
def test_a_write_of_unknown_outcome_is_asked_about_whenever_it_is_twice_as_old(
    request_id: str, sent_at: datetime | None, wait: float
) -> None:
    mine = replace(action(Kind.OPSGENIE_NOTE, Status.SENT), request_id=request_id, sent_at=sent_at)
    request = ReadRequest(alert_notes=True)
    reason = Reason.QUEUED if request_id else Reason.OUTBOX
    assert due(pair(), mine=[mine]) == item(at(60 + wait), request, reason)


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        (Kind.CREATE_INCIDENT, ReadRequest(by_key=True, alert_notes=True, incident_notes=True)),
        (Kind.OPSGENIE_NOTE, ReadRequest(alert_notes=True)),
        (Kind.PAGERDUTY_NOTE, ReadRequest(incident_notes=True)),
        (Kind.OPSGENIE_ACKNOWLEDGE, ReadRequest(alert=True)),
        (Kind.PAGERDUTY_SET_URGENCY, ReadRequest(incident=True)),
    ],
)
def test_what_shows_whether_a_write_has_landed(kind: Kind, request_: ReadRequest) -> None:
    assert in_doubt(action(kind)) == request_


@pytest.mark.parametrize("changes", [{"unpaged": "nobody"}, {"unexplained_since": at(50)}], ids=str)
def test_an_incident_that_pages_nobody_or_is_unexplained_is_read_at_every_interval(
    changes: dict[str, object],
) -> None:
    unsettled = replace(pair(), **changes)  # type: ignore[arg-type]
    assert due(unsettled) == item(at(65), ReadRequest(incident=True), Reason.UNSETTLED)
    assert due(replace(unsettled, incident_id=None)) is None


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [({}, True), ({"open": False}, False), ({"deleted": True}, False), ({"missing_since": None}, False)],
    ids=str,
)
def test_a_missing_alert_is_read_again_until_it_is_known_to_be_deleted(
    changes: dict[str, object], is_due: bool
) -> None:
    base = replace(pair().opsgenie, missing_since=at(50))
    lost = replace(pair(), opsgenie=replace(base, **changes))  # type: ignore[arg-type]
    expected = item(at(120), ReadRequest(alert=True), Reason.UNSETTLED)
    assert due(lost) == (expected if is_due else None)


def test_all_that_is_left_becomes_one_item_as_early_as_the_earliest() -> None:
    left = Left(unread=frozenset({OG}), read_at=at(70), deliver_at=at(62))
    found = due(pair(), left, [replace(action(Kind.PAGERDUTY_NOTE, Status.SENT), sent_at=at(50))])
    assert found == WorkItem(
        ALERT_ID,
        at(62),
        replace(everything([OG]), incident_notes=True),
        Priority.UNSETTLED,
        frozenset({Reason.UNREAD, Reason.OUTBOX}),
    )


def test_details_that_were_refused_follow_at_once_after_the_page() -> None:
    plain = action(Kind.CREATE_INCIDENT, Status.DONE, plain=True, body="Priority: P3")
    assert due(pair(), mine=[plain]) == item(at(60), ReadRequest(), Reason.OUTBOX)
    assert due(pair(), mine=[replace(plain, plain=False)]) is None
