"""Every list of all three dialects, read whole by the real client, with rows malformed in one field each."""

from collections.abc import Iterator

import pytest
import responses

from tests.support.wire.mutations import FEW, ODD
from tests.support.wire.reading_checks import FIRST, LAST, check_keys, check_rows, numbered, prepare, read
from tests.support.wire.readings import ROWS, SHARED, Rows

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time
each_list = pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows.name)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@each_list
def test_a_malformed_row_hides_no_other_and_is_read_to_what_it_says_or_reported(
    wire: responses.RequestsMock, rows: Rows
) -> None:
    check_rows(wire, rows, FEW if rows.name in SHARED else ODD)


@each_list
def test_a_row_with_a_malformed_key_is_read_or_reported(wire: responses.RequestsMock, rows: Rows) -> None:
    check_keys(wire, rows)


@each_list
def test_what_is_no_row_is_reported(wire: responses.RequestsMock, rows: Rows) -> None:
    prepare(wire)
    first, last = numbered(rows, FIRST), numbered(rows, LAST)
    alone, _ = read(wire, rows, [first, last])
    others = [value for value in ODD if not isinstance(value, dict)]
    found, reported = read(wire, rows, [first, *others, last])
    assert found == alone
    assert len(reported) >= len(others)
