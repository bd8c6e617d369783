"""How JSM's search finds an alert again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.vendors.jsm.search import SEARCH
from tests.support.builders import alert


@pytest.mark.parametrize(
    ("created", "term"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC), "(createdAt>=1767323045678 AND createdAt<=1767323045678)"),
        (datetime(2026, 1, 2, 3, 4, 5, 0, UTC), "(createdAt>=1767323045000 AND createdAt<=1767323045999)"),
    ],
    ids=["with milliseconds", "a whole second may hide them"],
)
def test_it_is_found_by_the_time_of_its_creation(created: datetime, term: str) -> None:
    found = replace(alert(), created_at=created)
    assert (SEARCH.term(found), SEARCH.stamp(found)) == (term, created)
