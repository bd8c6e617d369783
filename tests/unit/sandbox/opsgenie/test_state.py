"""Alerts by alias and tiny id; ids by seed."""

from tests.support.sandbox import OpsgenieBench


def test_an_alias_finds_only_the_open_alert_and_counts_it_up() -> None:
    world = OpsgenieBench()
    first = world.alert(alias="host/disk #1")
    assert world.alert(alias="host/disk #1") == first
    path = "/v2/alerts/host%2Fdisk%20%231?identifierType=alias"
    assert world.get(path).json()["data"]["count"] == 2
    world.api.close(first, "Ana Ruiz")
    assert world.get(path).status == 404
    assert world.alert(alias="host/disk #1") != first
    assert world.get("/v2/alerts/1?identifierType=tiny").json()["data"]["id"] == first


def test_the_same_seed_gives_the_same_ids() -> None:
    assert OpsgenieBench(seed=7).alert() == OpsgenieBench(seed=7).alert() != OpsgenieBench(seed=8).alert()
