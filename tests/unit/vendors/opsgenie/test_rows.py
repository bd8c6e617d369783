"""Reading a row of Opsgenie: stated, missing and malformed values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from tests.support.wire.opsgenie import (
    A1,
    ALERTS,
    AT,
    NOW,
    client,
    page,
    row,
)

# -- stated, missing and malformed values --

ODD_STAMPS: list[Any] = [
    None, 0, -1, 0.5, True, "", "yesterday", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.9Z",
    "2999-01-01T00:00:00Z", 32_472_144_000_000, 10**30, [], {}, "2026-11-23T11:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_an_impossible_time_is_ignored_and_the_alert_is_kept(wire: responses.RequestsMock, odd: Any) -> None:
    first = [row(1), row(2, updatedAt=odd, age=5), row(3, createdAt=odd, age=5), row(4, age=9, updatedAt=odd)]
    second = [row(5, age=20), row(6, age=200)]
    wire.get(ALERTS, json=page(first, more=True))
    wire.get(ALERTS, json=page(second, more=True))
    bad: list[tuple[str, str]] = []
    found = {alert.id: alert for alert in client(bad=bad).recent_alerts(AT - timedelta(seconds=100))}
    assert list(found) == [f"alert-{n}" for n in (1, 2, 3, 4, 5)]
    assert found["alert-2"].updated_at == found["alert-3"].created_at == AT - timedelta(seconds=5)
    assert bad == []


def test_a_change_long_before_the_creation_is_ignored(wire: responses.RequestsMock) -> None:
    rows = [row(1), row(2, age=5, updatedAt="2001-01-01T00:00:00Z")]
    wire.get(ALERTS, json=page(rows, more=True))
    wire.get(ALERTS, json=page([row(3, age=200)]))
    found = {alert.id: alert for alert in client().recent_alerts(AT - timedelta(seconds=100))}
    assert list(found) == ["alert-1", "alert-2"]
    assert found["alert-2"].updated_at == AT - timedelta(seconds=5)
    assert len(wire.calls) == 2


@pytest.mark.parametrize(
    ("alert_id", "expected"),
    [
        ("86289902-1111-4000-8000-000000000000-1795424400000", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("86289902-1111-4000-8000-000000000000-9999999999999", NOW),
        ("86289902-1111-4000-8000-795424400000", NOW),
        ("plain", NOW),
    ],
)
def test_an_alert_without_a_time_is_dated_by_its_id_or_now(
    wire: responses.RequestsMock, alert_id: str, expected: datetime
) -> None:
    wire.get(ALERTS, json=page([row(1, id=alert_id, createdAt="?", updatedAt=None)]))
    (alert,) = client().recent_alerts(None)
    assert (alert.created_at, alert.updated_at) == (expected, expected)


@pytest.mark.parametrize("odd", [-1, 10**30, "x", True, [], {}, 1e308, 86_400_000, None])
def test_an_impossible_duration_is_ignored(wire: responses.RequestsMock, odd: Any) -> None:
    report = {"ackTime": odd, "closeTime": odd}
    wire.get(ALERTS, json=page([row(1, acknowledged=True, report=report)]))
    (alert,) = client().recent_alerts(None)
    assert (alert.acknowledged_at, alert.closed_at) == (None, None)


@pytest.mark.parametrize(
    ("acknowledged", "expected"),
    [
        (True, True), (False, False), ("true", True), ("False", False), (" TRUE ", True),
        (None, None), (1, None), (0, None), ("yes", None), ("", None), ([], None), ({}, None), ("acked", None),
    ],
)  # fmt: skip
def test_an_acknowledgement_is_read_only_where_it_is_stated(
    wire: responses.RequestsMock, acknowledged: Any, expected: bool | None
) -> None:
    rows = [row(1, acknowledged=acknowledged, owner="ana", report={"ackTime": 5, "acknowledgedBy": "ana"})]
    wire.get(ALERTS, json=page(rows))
    (alert,) = client().recent_alerts(None)
    assert alert.acknowledged is expected
    assert alert.acknowledged_by == ("ana" if expected else "")


def test_an_acknowledgement_that_is_not_stated_is_unknown(
    wire: responses.RequestsMock,
) -> None:
    silent = row(1)
    del silent["acknowledged"], silent["status"]
    wire.get(ALERTS, json=page([silent]))
    (alert,) = client().recent_alerts(None)
    assert (alert.acknowledged, alert.open) == (None, None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("open", True), ("closed", False), (" Closed ", False), ("snoozed", True), ("resolved", True),
        ("", None), (" ", None), (None, None), (7, None), (True, None), ([], None), ({}, None),
    ],
)  # fmt: skip
def test_a_status_is_read_only_where_it_is_stated(
    wire: responses.RequestsMock, status: Any, expected: bool | None
) -> None:
    wire.get(ALERTS, json=page([row(1, status=status)]))
    assert client().recent_alerts(None)[0].open is expected
    assert len(client().open_alerts_page(0)[0]) == (expected is not False)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("P1", "P1"), (" p2 ", "P2"), ("P1-Critical", "P1-CRITICAL"), (3, "3"), (None, ""), ([], ""), ("", "")],
)
def test_a_priority_is_kept_as_stated(wire: responses.RequestsMock, priority: Any, expected: str) -> None:
    wire.get(ALERTS, json=page([row(1, priority=priority)]))
    assert client().recent_alerts(None)[0].priority == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"prod": True, "n": 1.5, "list": ["a", {"b": None}], "nested": {"ü": [1]}, "zero": 0, "no": False},
         (("prod", "true"), ("n", "1.5"), ("list", '["a",{"b":null}]'), ("nested", '{"ü":[1]}'), ("zero", "0"),
          ("no", "false"))),
        ({"a": "", "b": None, "c": [], "d": {}, "e": "  ", "f": " x "}, (("f", " x "),)),
        (["a", 1], (("details", '["a",1]'),)), ("text", (("details", "text"),)), (None, ()), ([], ()),
    ],
)  # fmt: skip
def test_details_of_any_type_are_shown_and_empty_ones_are_not(
    wire: responses.RequestsMock, details: Any, expected: Any
) -> None:
    wire.get(f"{ALERTS}/{A1}", json={"data": row(1, details=details)})
    assert client().alert(A1).details == expected
