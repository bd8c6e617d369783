"""What the steps of this module find, with each of the sandbox's facts both ways."""

import pytest

from reconciler.probe import notes
from tests.support.probe_rows import Row, is_told_apart, rows_of

ROWS = rows_of(*vars(notes).values())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fact_is_told_from_its_opposite(row: Row) -> None:
    is_told_apart(row)
