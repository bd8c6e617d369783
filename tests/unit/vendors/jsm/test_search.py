"""How JSM's search finds given alerts again."""

from reconciler.vendors.jsm.search import SEARCH
from tests.support.builders import alert, at


def test_an_alert_is_found_by_the_time_of_its_creation() -> None:
    moment = at(1.5)
    exact, whole = (SEARCH.term(alert(created_at=each)) for each in (moment, at(1)))
    ms = int(moment.timestamp() * 1000)
    assert exact == f"(createdAt>={ms} AND createdAt<={ms})"
    assert whole == f"(createdAt>={ms - 500} AND createdAt<={ms + 499})"
    assert SEARCH.stamp(alert(created_at=at(1), updated_at=at(9))) == at(1)
