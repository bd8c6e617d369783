"""Reading a row of JSM: every form of every field, and rows that are malformed in one field."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.model import SOMEBODY, Actor, Alert, Person
from reconciler.vendors.jsm.rows import created, parse_act, parse_alert, parse_note
from reconciler.vendors.json_fields import LONGEST_ID, BadRow
from tests.support.wire.jsm import AT, NOW, SITE, note, row, stamp
from tests.support.wire.mutations import mutations

SINCE = datetime(2026, 11, 23, tzinfo=UTC)
LATEST = NOW + timedelta(hours=1)
LINE = {"log": "Alert acknowledged via web", "logType": "system", "owner": "Ana Ruiz", "logTime": stamp(9)}


def named(owner: str) -> Person:
    return Person(owner, owner)


def alert(*, whole: bool = False, **more: Any) -> Alert:
    return parse_alert(row(1, **more), NOW, SITE, named, whole=whole)


def test_an_alert_is_read_completely() -> None:
    times = {"ackTime": stamp(-5), "closeTime": stamp(-9), "updatedAt": stamp(-9), "snoozedUntil": stamp(-90)}
    found = alert(whole=True, acknowledged=True, status="closed", snoozed=True, owner="Ana Ruiz", **times)
    assert found == Alert(
        "alert-1", "1", "Disk 1 full", False, True, AT, AT + timedelta(seconds=9),
        snoozed_until=AT + timedelta(seconds=90), acknowledged_by="Ana Ruiz",
        acknowledged_at=AT + timedelta(seconds=5), closed_at=AT + timedelta(seconds=9), priority="P2",
        tags=("disk",), source="probe", description="All of it", details=(("host", "db1"),),
        url=f"{SITE}/jira/ops/alerts/alert-1", alias="alias-1",
    )  # fmt: skip
    assert alert().description is None


@pytest.mark.parametrize(
    ("said", "is_open", "acknowledged", "snoozed"),
    [
        ({"status": "open"}, True, False, False),
        ({"status": "open", "acknowledged": True}, True, True, False),
        ({"status": "acked", "acknowledged": True}, True, True, False),
        ({"status": "acked", "acknowledged": False}, True, True, False),
        ({"status": "acked", "acknowledged": None}, True, True, False),
        ({"status": "snoozed"}, True, False, True),
        ({"status": "open", "snoozed": True}, True, False, True),
        ({"status": "open", "snoozed": None}, True, False, True),
        ({"status": "resolved"}, False, False, False),
        ({"status": " Closed "}, False, False, False),
        ({"status": None}, None, False, False),
        ({"status": ""}, None, False, False),
        ({"status": "open", "acknowledged": None}, True, None, False),
        ({"status": "escalated"}, True, False, False),
    ],
)
def test_a_state_is_read_in_every_form(
    said: dict[str, Any], is_open: bool | None, acknowledged: bool | None, *, snoozed: bool
) -> None:
    found = alert(snoozedUntil=stamp(-90), **said)
    assert (found.open, found.acknowledged, found.snoozed_until is not None) == (is_open, acknowledged, snoozed)


def test_who_holds_an_alert_that_nobody_acknowledged_has_not_acknowledged_it() -> None:
    assert alert(owner="Ana Ruiz").acknowledged_by == ""


def test_a_time_before_the_creation_is_none() -> None:
    found = alert(acknowledged=True, ackTime=stamp(60), closeTime=stamp(60))
    assert (found.acknowledged_at, found.closed_at) == (None, None)


def test_the_creation_of_a_list_row_is_read_if_it_can_be() -> None:
    assert created(row(1), NOW) == AT
    assert created(row(1, createdAt="soon"), NOW) is None
    assert created(None, NOW) is None


def test_an_alert_that_is_malformed_in_one_field_stays_an_alert_of_the_same_state() -> None:
    sample = row(1, acknowledged=True, snoozed=True, ackTime=stamp(-5), closeTime=stamp(-9), owner="Ana Ruiz")
    for path, value, changed in mutations(sample):
        where = (path, value)
        try:
            found = parse_alert(changed, NOW, SITE, named)
        except BadRow:
            assert path == ("id",), where
            continue
        if path != ("acknowledged",):
            assert found.acknowledged is True, where
        if path != ("status",):
            assert found.open is True, where
        else:
            assert found.open is (value != "closed" if isinstance(value, str) and value.strip() else None), where
        for at in (found.created_at, found.updated_at):
            assert SINCE <= at <= LATEST, where
        for end in (found.acknowledged_at, found.closed_at):
            assert end is None or found.created_at <= end <= LATEST, where
        assert all(shown.strip() for _, shown in found.details), where


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, {"id": None}, {"id": "a"}, {"id": "a", "seen": True}])
def test_what_is_no_alert_is_a_bad_row(odd: Any) -> None:
    with pytest.raises(BadRow):
        parse_alert(odd, NOW, SITE, named)


def test_a_note_is_read() -> None:
    found = parse_note(note(5), NOW, named)
    assert (found.id, found.author.name, found.text) == ("1795424395000000050", "ana@customer.example", "note 5")
    assert found.at == AT - timedelta(seconds=5)


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"createdAt": None}, AT - timedelta(seconds=5)),
        (
            {"createdAt": "2999-01-01T00:00:00Z", "id": "1795424395000_1795424395000000050"},
            AT - timedelta(seconds=5),
        ),
        ({"createdAt": None, "id": "n-1"}, NOW),
    ],
)
def test_a_note_without_a_time_is_dated_by_its_id_or_now(changed: dict[str, Any], at: datetime) -> None:
    assert parse_note(note(5, **changed), NOW, named).at == at


def test_a_malformed_note_is_read_or_left_out() -> None:
    for path, value, changed in mutations(note(5)):
        try:
            found = parse_note(changed, NOW, named)
        except BadRow:
            assert path == ("id",), (path, value)
        else:
            assert SINCE <= found.at <= LATEST
    assert parse_note(note(5, owner=None), NOW, named).author == SOMEBODY
    with pytest.raises(BadRow, match="without a readable createdAt"):
        parse_note({"id": "n-1"}, NOW, named)


@pytest.mark.parametrize(
    ("line", "verb", "actor"),
    [
        ({}, "acknowledge", Actor.PERSON),
        ({"log": "Ana Ruiz acknowledged the alert"}, "acknowledge", Actor.PERSON),
        ({"log": "Alert unacknowledged"}, "unacknowledge", Actor.PERSON),
        ({"log": "Alert closed"}, "close", Actor.PERSON),
        ({"log": "Alert ownership assigned to [x] via web"}, "other", Actor.PERSON),
        ({"log": "Alert acknowledged via JSM", "owner": "System"}, "other", Actor.MACHINE),
        ({"log": "Alert acknowledged", "owner": "jira service management"}, "other", Actor.MACHINE),
        ({"log": "Alert closed", "owner": ""}, "close", Actor.MACHINE),
        ({"logTime": None, "createdAt": stamp(9)}, "acknowledge", Actor.PERSON),
    ],
)
def test_a_log_line_says_who_did_what(line: dict[str, Any], verb: str, actor: Actor) -> None:
    found = parse_act(LINE | line, NOW, named)
    assert (found.verb, found.actor, found.at) == (verb, actor, AT - timedelta(seconds=9))
    assert (found.person is None) == (actor is Actor.MACHINE)


def test_log_lines_are_told_apart_by_time_owner_and_text() -> None:
    others: tuple[dict[str, Any], ...] = ({}, {"logTime": stamp(8)}, {"owner": "Bo"}, {"log": "Alert closed"})
    assert len({parse_act(LINE | other, NOW, named).id for other in others}) == 4
    assert parse_act(LINE, NOW, named).id == parse_act(LINE | {"logType": "x"}, NOW, named).id


def test_long_log_lines_are_told_apart_by_their_ends_too() -> None:
    first, second = (parse_act(LINE | {"log": "x" * 9_000 + end}, NOW, named).id for end in "ab")
    assert first != second
    assert max(len(first), len(second)) <= LONGEST_ID


def test_a_malformed_log_line_names_nobody_or_is_left_out() -> None:
    for path, value, changed in mutations(LINE):
        try:
            found = parse_act(changed, NOW, named)
        except BadRow:
            assert path == ("logTime",), (path, value)
        else:
            assert (found.person is None) == (found.actor is Actor.MACHINE)
    with pytest.raises(BadRow, match="no object"):
        parse_act("line", NOW, named)
