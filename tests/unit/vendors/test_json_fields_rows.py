"""Every list of all three dialects, read whole by the real client, with rows malformed in one field each."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from tests.support.wire.mutations import ODD, mutations, shown
from tests.support.wire.reading_oracle import check_alert_state, check_untouched, check_value
from tests.support.wire.readings import ROWS, Clients, Rows

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

FIRST, LAST = 3_001, 3_002
"""The numbers of the sound rows before and after the malformed ones."""


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def read(wire: responses.RequestsMock, rows: Rows, given: list[Any]) -> tuple[dict[Any, Any], list[str]]:
    """The values by label, and what was reported."""
    clients = Clients(wire)
    wire.upsert("GET", rows.url, body=json.dumps(rows.answer(given)), content_type="application/json")
    return {rows.label(value): value for value in rows.read(clients)}, clients.bad


def malformed(rows: Rows) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Rows malformed in one field each: its path, what is there instead, the row."""
    return list(mutations(dict(rows.sample)))


def numbered(rows: Rows, number: int, row: Any) -> dict[str, Any]:
    """The row with a key of its own."""
    return {**row, rows.key: rows.named(number)}


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows.name)
def test_a_malformed_row_hides_no_other_and_is_read_to_what_it_says_or_reported(
    wire: responses.RequestsMock, rows: Rows
) -> None:
    first, last = (numbered(rows, number, rows.sample) for number in (FIRST, LAST))
    alone, reported = read(wire, rows, [first, last])
    assert (len(alone), reported) == (2, [])
    sound = alone[rows.named(FIRST)]
    odd = [
        (path, given, numbered(rows, number, row))
        for number, (path, given, row) in enumerate(malformed(rows))
        if path != (rows.key,)
    ]
    for start in range(0, len(odd), 98):
        batch = odd[start : start + 98]
        found, reported = read(wire, rows, [first, *(row for *_, row in batch), last])
        assert {label: found.get(label) for label in alone} == alone, "a sound row is missing, or read otherwise"
        missing = []
        for path, given, row in batch:
            where, value = (path, shown(given)), found.get(row[rows.key])
            if value is None:
                missing += [] if rows.leaves(path, given) else [where]
                continue
            check_value(value, rows.ahead, where)
            check_untouched(value, sound, rows.fields, {path[0], rows.key}, where)
            check_alert_state(rows.name.partition(":")[0], value, path, given, where)
        assert len(reported) >= len(missing), (missing, reported)


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows.name)
def test_a_row_with_a_malformed_key_is_read_or_reported(wire: responses.RequestsMock, rows: Rows) -> None:
    first, last = (numbered(rows, number, rows.sample) for number in (FIRST, LAST))
    alone, _ = read(wire, rows, [first, last])
    for path, given, row in malformed(rows):
        if path == (rows.key,):
            found, reported = read(wire, rows, [first, row, last])
            assert {label: found.get(label) for label in alone} == alone, shown(given)
            assert len(found) + len(reported) >= 3 or rows.leaves(path, given), shown(given)
            for value in found.values():
                check_value(value, rows.ahead, shown(given))


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows.name)
def test_what_is_no_row_is_reported(wire: responses.RequestsMock, rows: Rows) -> None:
    first, last = (numbered(rows, number, rows.sample) for number in (FIRST, LAST))
    alone, _ = read(wire, rows, [first, last])
    others = [value for value in ODD if not isinstance(value, dict)]
    found, reported = read(wire, rows, [first, *others, last])
    assert found == alone
    assert len(reported) >= len(others)
