"""Several routes in one installed daemon: each alert on its own service, and no route at another's mercy."""

import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.harness import World, a_world
from tests.support.harness.customers import Customers
from tests.support.harness.vendors import never

ONE, TWO, THREE, FOUR = "PSVC001", "PSVC002", "PSVC003", "PSVC004"
SOON = 15.0
"""Seconds within which a page of a good route is made, whatever the others meet; other tests run beside it."""


@pytest.fixture
def customers(tmp_path: Path) -> Iterator[Customers]:
    with a_world(tmp_path / "world", services=4, jsm_only=False) as world:
        yield Customers(world)


def hang_up(world: World) -> None:
    world.daemons[-1].send_signal(signal.SIGHUP)


def story(world: World, alerts: Iterable[str]) -> None:
    """Each row of the mapping, of all alerts at once."""

    def act(who: Callable[..., None], verb: str, seen: Callable[[str], bool], **more: str) -> None:
        for alert in alerts:
            who(alert, verb, **more)
        world.until(lambda: all(map(seen, alerts)), f"{verb} of every alert")

    was = "it began after the deploy"
    act(world.customer, "notes", lambda alert: world.is_told(alert, was), text=was)
    act(world.engineer, "notes", lambda alert: world.is_noted(alert, "on it"), text="on it")
    act(world.engineer, "acknowledge", lambda alert: bool(world.alert(alert)["acknowledged"]))
    act(world.engineer, "unacknowledge", lambda alert: not world.alert(alert)["acknowledged"])
    act(world.customer, "acknowledge", lambda alert: world.incident(alert)["status"] == "acknowledged")
    act(world.customer, "unacknowledge", lambda alert: world.incident(alert)["status"] == "triggered")
    act(world.engineer, "resolve", lambda alert: world.is_noted(alert, "resolved the incident"))
    act(world.engineer, "reopen", lambda alert: world.is_noted(alert, "reopened the incident"))
    act(world.customer, "close", lambda alert: world.is_told(alert, "closed the alert"))


def test_three_routes_mirror_every_row_each_to_its_own_service(customers: Customers) -> None:
    world = customers.world
    customers.route(acme={"service": ONE}, globex={"service": TWO}, initech={"service": THREE})
    world.open()
    customers.until_ready("acme", "globex", "initech")
    alerts = {ONE: customers.alert("acme"), TWO: customers.alert("globex"), THREE: customers.alert("initech")}
    nobodys = customers.alert("hooli")
    for service, alert in alerts.items():
        customers.until_paged(alert, service)
    story(world, alerts.values())
    customers.until_good()
    assert customers.paged_on(nobodys) == []
    assert world.get("/readyz").json()["ready"]
    samples = world.metrics()
    for route in ("acme", "globex", "initech"):
        labels = [sample for sample in samples if f'route="{route}"' in sample]
        assert any(sample.startswith("reconciler_actions_total{") for sample in labels)
        created = world.metric("reconciler_actions_total", route=route, kind="pagerduty.create_incident")
        assert created == 1


def test_bad_routes_neither_delay_nor_stop_the_others_and_lose_nothing(customers: Customers) -> None:
    """One service is deleted, one key of each vendor is refused."""
    world = customers.world
    og, pd = world.environment["OPSGENIE_API_KEY"], world.environment["PAGERDUTY_API_KEY"]
    customers.route(
        acme={"service": ONE},
        globex={"service": TWO},
        initech={"service": THREE, "opsgenie_api_key_file": customers.key("og", "revoked")},
        hooli={"service": FOUR, "pagerduty_api_key_file": customers.key("pd", "revoked")},
    )
    world.settings(bad_services={TWO: "gone"})
    world.open()
    customers.until_ready("acme")
    bad = {name: customers.alert(name) for name in ("globex", "initech", "hooli")}
    world.until(lambda: world.told("401") > 0, "that a key is refused")
    for number in range(3):
        alert = customers.alert("acme", message=f"alert {number}")
        world.until(lambda alert=alert: customers.paged_on(alert) == [ONE], "the page", SOON)  # type: ignore[misc]
    assert [customers.paged_on(alert) for alert in bad.values()] == [[], [], []]
    world.until(lambda: {*world.get("/readyz").json().get("not_ready", ())} == {*bad}, "the bad routes named")
    answer = world.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert [customers.state_of(name)["ready"] for name in ("acme", "globex")] == [True, False]

    world.settings(bad_services={})
    customers.key("og", og)
    customers.key("pd", pd)
    hang_up(world)
    for name, service in (("globex", TWO), ("initech", THREE), ("hooli", FOUR)):
        customers.until_paged(bad[name], service)
    customers.until_good()
    world.until(lambda: "not_ready" not in world.get("/readyz").json(), "all ready again")


def test_a_reload_adds_changes_and_removes_routes_and_a_wrong_file_is_refused_whole(customers: Customers) -> None:
    world = customers.world
    customers.route(acme={"service": ONE}, globex={"service": TWO})
    world.open()
    customers.until_ready("acme", "globex")
    early = customers.alert("initech")
    first = customers.alert("globex")
    customers.until_paged(first, TWO)

    good = customers.file.read_text()
    customers.write(good + '[routes.hooli]\nservice = "PSVC004"\nqueri = "tag: hooli"\n')
    hang_up(world)
    world.until(lambda: world.told("queri") > 0, "that the file is refused")
    assert world.told("the routes before stay in force") > 0
    assert world.told("route added") == 0

    customers.route(acme={"service": ONE}, globex={"service": TWO}, initech={"service": THREE})
    hang_up(world)
    world.until(lambda: world.told("route added: initech") == 1, "that the route is added")
    customers.until_paged(early, THREE)
    customers.until_paged(customers.alert("acme"), ONE)

    world.customer(first, "notes", text="before the end")
    world.until(lambda: world.is_told(first, "before the end"), "Ana's note")
    customers.until_good()
    customers.route(acme={"service": ONE, "on_alert_close": "resolve"}, initech={"service": THREE})
    hang_up(world)
    world.until(lambda: world.told("route removed: globex") == 1, "that the route is removed")
    world.until(lambda: world.told("route changed: acme (on_opsgenie_close)") == 1, "that the route is changed")
    last = customers.alert("acme")
    customers.until_paged(last, ONE)
    world.customer(last, "close")
    world.until(lambda: world.incident(last)["status"] == "resolved", "the new rule of the route")
    late = customers.alert("globex", message="nobody's any more")
    never(lambda: bool(customers.paged_on(late)), 1.0, "a page of a route that is gone")
    assert world.told("this is a defect") == world.told("PAGERDUTY_SERVICE_ID") == 0
    world.control(
        "routes", **{ONE: "tag: acme", TWO: "tag: globex AND NOT message: nobody", THREE: "tag: initech"}
    )
    customers.until_good()


@pytest.mark.parametrize("shared", [False, True])
def test_an_alert_of_two_queries_goes_to_the_first_or_to_all_that_share(
    customers: Customers, shared: bool
) -> None:
    world = customers.world
    more = {"shared": True} if shared else {}
    customers.route(acme={"service": ONE} | more, vips={"service": TWO} | more, globex={"service": THREE})
    world.open()
    customers.until_ready("acme", "vips", "globex")
    both, other = customers.alert("acme", "vips"), customers.alert("vips", "globex")
    customers.until_paged(both, *((ONE, TWO) if shared else (ONE,)))
    customers.until_paged(other, TWO)
    world.customer(both, "notes", text="it began after the deploy")
    world.until(lambda: all("after" in str(each["notes"]) for each in world.incidents(both)), "Ana's note")
    first = world.incidents(both)[0]["id"]
    world.control(f"pagerduty/incidents/{first}/notes", user="Jane Doe", text="on it")
    world.control(f"pagerduty/incidents/{first}/acknowledge", user="Jane Doe")
    world.until(lambda: world.alert(both)["acknowledged"] and world.is_noted(both, "on it"), "what Jane did")
    world.until(
        lambda: {each["status"] for each in world.incidents(both)} == {"acknowledged"}, "it on each service"
    )
    customers.until_good()
    world.assert_quiet(5)
    customers.until_good()


def test_a_kill_loses_nothing_of_any_route(customers: Customers) -> None:
    world = customers.world
    customers.route(acme={"service": ONE}, globex={"service": TWO}, initech={"service": THREE})
    world.start()
    customers.until_ready("acme", "globex", "initech")
    names = (("acme", ONE), ("globex", TWO), ("initech", THREE))
    alerts = [(customers.alert(name, message=f"alert {n}"), service) for n in range(3) for name, service in names]
    world.until(lambda: any(customers.paged_on(alert) for alert, _ in alerts), "that it pages")
    world.kill()
    for alert, _ in alerts:
        world.customer(alert, "notes", text="while it is away")
    alerts += [(customers.alert(name, message="raised meanwhile"), service) for name, service in names]
    world.start()
    for alert, service in alerts:
        customers.until_paged(alert, service)
    customers.until_good()
    world.assert_quiet(5)
