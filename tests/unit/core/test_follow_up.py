"""When a pair is due again, what is read of it then, and when the sweep reads it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.follow_up import Left, in_doubt, next_item, next_look
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


def test_a_pair_with_nothing_left_to_do_is_not_due_again() -> None:
    settled = (action(Kind.PAGERDUTY_NOTE, Status.DONE), action(Kind.PAGERDUTY_NOTE, Status.PLANNED))
    assert due(pair(), mine=settled) is None
    assert due(pair(None)) is None
    assert due(None) is None


def test_only_the_side_that_could_not_be_read_is_read_again() -> None:
    left = Left(unread=frozenset({PD}), read_at=at(64))
    assert due(pair(), left) == item(at(64), everything([PD]), Reason.UNREAD)


@pytest.mark.parametrize("asked", [ReadRequest(is_new=True, row=alert()), ReadRequest(by_key=True)])
def test_an_unknown_alert_is_read_again_completely_at_page_priority(asked: ReadRequest) -> None:
    """Its incident may exist by now. If its details cannot be read again, it pages from its row."""
    left = Left(unread=frozenset({PD}), read_at=at(61), unknown=asked)
    request = replace(everything(), by_key=True, is_new=True, row=asked.row)
    assert due(None, left) == item(at(61), request, Reason.UNREAD, Priority.PAGE)


def test_a_failed_read_does_not_make_an_untracked_alert_page() -> None:
    left = Left(unread=frozenset({OG}), read_at=at(61), unknown=ReadRequest(is_baseline=True, row=alert()))
    request = replace(everything(), by_key=True, is_baseline=True, row=alert())
    assert due(None, left) == item(at(61), request, Reason.UNREAD)


def test_a_waiting_action_needs_no_read() -> None:
    assert due(pair(), Left(deliver_at=at(90))) == item(at(90), ReadRequest(), Reason.OUTBOX)


def test_a_pair_has_page_priority_until_its_incident_is_created() -> None:
    """After a long outage all pairs are due at the same time; a page must not wait for older notes."""
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
def test_a_write_in_doubt_is_checked_each_time_its_age_doubles(
    request_id: str, sent_at: datetime | None, wait: float
) -> None:
    mine = replace(action(Kind.ALERT_NOTE, Status.SENT), request_id=request_id, sent_at=sent_at)
    request = ReadRequest(alert_notes=True)
    reason = Reason.QUEUED if request_id else Reason.OUTBOX
    assert due(pair(), mine=[mine]) == item(at(60 + wait), request, reason)


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        (Kind.CREATE_INCIDENT, ReadRequest(by_key=True, alert_notes=True, incident_notes=True)),
        (Kind.ALERT_NOTE, ReadRequest(alert_notes=True)),
        (Kind.PAGERDUTY_NOTE, ReadRequest(incident_notes=True)),
        (Kind.ALERT_ACKNOWLEDGE, ReadRequest(alert=True)),
        (Kind.PAGERDUTY_SET_URGENCY, ReadRequest(incident=True)),
    ],
)
def test_a_write_in_doubt_makes_the_records_read_that_show_its_effect(kind: Kind, request_: ReadRequest) -> None:
    assert in_doubt(action(kind)) == request_


@pytest.mark.parametrize("changes", [{"unpaged": "nobody"}, {"unexplained_since": at(50)}], ids=str)
def test_an_incident_that_pages_nobody_or_is_unexplained_is_read_every_interval(
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
def test_a_missing_alert_is_read_again_until_its_deletion_is_certain(
    changes: dict[str, object], is_due: bool
) -> None:
    base = replace(pair().alerts, missing_since=at(50))
    lost = replace(pair(), alerts=replace(base, **changes))  # type: ignore[arg-type]
    expected = item(at(120), ReadRequest(alert=True), Reason.UNSETTLED)
    assert due(lost) == (expected if is_due else None)


def test_remaining_work_is_merged_into_one_item_due_at_the_earliest_time() -> None:
    left = Left(unread=frozenset({OG}), read_at=at(70), deliver_at=at(62))
    found = due(pair(), left, [replace(action(Kind.PAGERDUTY_NOTE, Status.SENT), sent_at=at(50))])
    assert found == WorkItem(
        ALERT_ID,
        at(62),
        replace(everything([OG]), incident_notes=True),
        Priority.UNSETTLED,
        frozenset({Reason.UNREAD, Reason.OUTBOX}),
    )


def test_refused_details_follow_right_after_the_page() -> None:
    plain = action(Kind.CREATE_INCIDENT, Status.DONE, plain=True, body="Priority: P3")
    assert due(pair(), mine=[plain]) == item(at(60), ReadRequest(), Reason.OUTBOX)
    assert due(pair(), mine=[replace(plain, plain=False)]) is None


# -- when the sweep reads a pair --

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
FINISHED = pair("resolved", is_open=False, swept_at=at(0), next_look_at=None)


@pytest.mark.parametrize(
    ("set_before", "swept", "expected"),
    [
        pytest.param(None, False, at(3600), id="no time yet"),
        pytest.param(at(60), False, at(60), id="a future time stays"),
        pytest.param(at(-60), False, at(-60), id="an overdue time stays until the pair was swept"),
        pytest.param(at(-60), True, at(3600), id="after a sweep, one interval later"),
        pytest.param(at(9_000_000), False, at(3600), id="an impossible time set by a wrong clock is ignored"),
    ],
)
def test_an_open_pair_is_swept_once_per_interval(
    set_before: datetime | None, expected: datetime, *, swept: bool
) -> None:
    assert next_look(pair(next_look_at=set_before), at(0), HOUR, MONTH, swept=swept) == expected


def test_a_finished_pair_is_swept_less_and_less_often_about_a_dozen_times_a_month() -> None:
    looks, moment = [], next_look(FINISHED, at(0), HOUR, MONTH, swept=False)
    while moment is not None:
        looks.append((moment - at(0)) / HOUR)
        moment = next_look(replace(FINISHED, next_look_at=moment), moment, HOUR, MONTH, swept=True)
    assert looks == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_a_finished_pair_that_was_not_swept_yet_is_still_due_after_its_time() -> None:
    overdue = replace(FINISHED, next_look_at=at(60))
    assert next_look(overdue, at(0) + 2 * MONTH, HOUR, MONTH, swept=False) == at(60)
    assert next_look(overdue, at(0) + 2 * MONTH, HOUR, MONTH, swept=True) is None


@pytest.mark.parametrize("swept_at", [None, at(0) + MONTH])
def test_a_finished_pair_without_a_usable_time_of_its_last_sweep_counts_from_now(
    swept_at: datetime | None,
) -> None:
    assert next_look(replace(FINISHED, swept_at=swept_at), at(0), HOUR, MONTH, swept=True) == at(3600)


def test_sweeps_of_a_finished_pair_end_however_short_the_interval() -> None:
    assert next_look(FINISHED, at(0) + MONTH, timedelta(microseconds=1), MONTH, swept=True) is None


def test_a_finished_untracked_alert_is_never_swept_again() -> None:
    assert next_look(pair(None, is_open=False, tracked=False), at(0), HOUR, MONTH, swept=True) is None
