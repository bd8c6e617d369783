"""How Opsgenie's search finds an alert again."""

from reconciler.vendors.opsgenie.search import SEARCH
from tests.support.builders import alert


def test_it_is_found_by_its_id() -> None:
    found = alert()
    assert (SEARCH.term(found), SEARCH.stamp(found)) == (f"alertId: {found.id}", found.updated_at)
