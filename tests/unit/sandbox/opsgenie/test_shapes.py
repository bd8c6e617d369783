"""The JSON of Opsgenie's alerts."""

from tests.support.sandbox import OpsgenieBench


def test_a_row_has_neither_description_nor_details_but_the_alert_has() -> None:
    world = OpsgenieBench()
    alert = world.alert(description="long story", details={"host": "db-1"})
    (row,) = world.get("/v2/alerts").json()["data"]
    assert "description" not in row
    assert "details" not in row
    assert world.detail(alert)["details"] == {"host": "db-1"}
