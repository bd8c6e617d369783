"""Paging of lists, notes and logs: its bounds, and lists that move or never end, over Opsgenie's client."""

import json
from datetime import timedelta
from typing import Any

import pytest
import responses

from tests.support.wire.http import query
from tests.support.wire.opsgenie import (
    A1,
    ALERTS,
    AT,
    client,
    note,
    notes_page,
    page,
    row,
)


def test_a_full_page_without_a_link_means_there_is_more(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([row(n) for n in range(100)]), match=[query(
        sort="updatedAt", order="desc", limit="100", offset="0")])  # fmt: skip
    wire.get(ALERTS, json=page([]), match=[query(sort="updatedAt", order="desc", limit="100", offset="100")])
    assert len(client().recent_alerts(AT - timedelta(days=1))) == 100


def test_a_repeated_page_ends_the_reading(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([row(1)], more=True))
    assert len(client().recent_alerts(AT - timedelta(days=1))) == 1
    assert len(wire.calls) == 2


@pytest.mark.unmeasured
def test_paging_stays_within_opsgenies_window(wire: responses.RequestsMock) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        assert offset + 100 <= 19_999
        return 200, {}, json.dumps(page([row(offset + n) for n in range(100)]))

    bad: list[tuple[str, str]] = []
    wire.add_callback("GET", ALERTS, answer)
    assert len(client(bad=bad).recent_alerts(AT - timedelta(days=1))) == 19_900
    assert len(wire.calls) == 199
    assert bad


@pytest.mark.unmeasured
def test_open_alerts_continue_past_the_window_by_creation(wire: responses.RequestsMock) -> None:
    queries: list[str] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        if request.params["query"] not in queries:
            queries.append(request.params["query"])
        if len(queries) > 1:
            return 200, {}, json.dumps(page([row(19_899), row(20_000)]))
        return 200, {}, json.dumps(page([row(offset + n, age=20_000 - (offset + n)) for n in range(100)]))

    wire.add_callback("GET", ALERTS, answer)
    found = [alert.id for some in client().open_alerts() for alert in some]
    last = int((AT - timedelta(seconds=101)).timestamp() * 1000)
    assert queries == ["status:open", f"status:open AND createdAt>={last}"]
    assert len(found) == len(set(found)) == 19_901


def test_one_page_of_open_alerts_is_read(wire: responses.RequestsMock) -> None:
    exact = query(query="status:open", sort="createdAt", order="asc", limit="100", offset="300")
    wire.get(ALERTS, json=page([row(1)], more=True), match=[exact])
    alerts, more = client().open_alerts_page(300)
    assert ([alert.id for alert in alerts], more) == (["alert-1"], True)
    assert client().open_alerts_page(19_900) == ([], False)


def test_notes_stop_at_a_token_seen_before(wire: responses.RequestsMock) -> None:
    wire.get(f"{ALERTS}/{A1}/notes", json=notes_page([note(1)], "o1"))
    assert len(client().notes(A1)) == 1
    assert len(wire.calls) == 2


@pytest.mark.parametrize("rows", [[None, {}, 7], []])
def test_a_list_continues_past_a_page_without_a_readable_row(
    wire: responses.RequestsMock, rows: list[Any]
) -> None:
    for _ in range(2):
        wire.get(ALERTS, json=page(rows, more=True))
        wire.get(ALERTS, json=page([row(1)]))
        wire.get(ALERTS, json=page([row(1)]))
    assert [alert.id for alert in client().recent_alerts(AT - timedelta(days=1))] == ["alert-1"]
    wire.reset()
    wire.get(ALERTS, json=page(rows, more=True))
    wire.get(ALERTS, json=page([row(1)]))
    assert [alert.id for some in client().open_alerts() for alert in some] == ["alert-1"]


def test_the_reading_of_an_endless_list_ends(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([], more=True))
    assert client().recent_alerts(AT - timedelta(days=1)) == []
    assert len(wire.calls) == 2
    assert client().open_alerts_page(0) == ([], False)


@pytest.mark.unmeasured
def test_an_impossible_time_hides_no_alert_past_the_window(wire: responses.RequestsMock) -> None:
    queries: list[str] = []

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        offset = int(request.params["offset"])
        if request.params["query"] not in queries:
            queries.append(request.params["query"])
        if len(queries) > 1:
            return 200, {}, json.dumps(page([row(20_000)]))
        rows = [row(offset + n, age=20_000 - (offset + n)) for n in range(100)]
        rows[50] |= {"createdAt": "2999-01-01T00:00:00Z"}
        return 200, {}, json.dumps(page(rows))

    wire.add_callback("GET", ALERTS, reply)
    assert sum(len(some) for some in client().open_alerts()) == 19_901
    assert queries[1] == f"status:open AND createdAt>={int((AT - timedelta(seconds=101)).timestamp() * 1000)}"


def test_the_reading_of_endless_notes_ends(wire: responses.RequestsMock) -> None:
    numbers = iter(range(1, 1000))

    def reply(_request: Any) -> tuple[int, dict[str, str], str]:
        n = next(numbers)
        return 200, {}, json.dumps(notes_page([note(n)], f"o{n}"))

    wire.add_callback("GET", f"{ALERTS}/{A1}/notes", reply)
    bad: list[tuple[str, str]] = []
    assert len(client(bad=bad).notes(A1)) == 100
    assert bad == [("Opsgenie", f"more than 100 pages of notes of alert {A1}: the rest is not read")]
