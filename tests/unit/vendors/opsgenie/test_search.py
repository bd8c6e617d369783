"""How Opsgenie's search finds given alerts again."""

from reconciler.vendors.opsgenie.search import SEARCH
from tests.support.builders import alert, at


def test_an_alert_is_found_by_its_id() -> None:
    assert SEARCH.term(alert(id="a-1")) == "alertId: a-1"
    assert SEARCH.stamp(alert(created_at=at(1), updated_at=at(9))) == at(9)
