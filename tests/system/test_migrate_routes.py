"""`reconciler migrate --route`: one route of two goes to JSM, and the other one notices nothing."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from reconciler.sandbox.server import jsm_environment
from reconciler.sandbox.settings import SandboxSettings
from reconciler.store.schema import metadata
from tests.support.harness import World, a_world
from tests.support.harness.customers import Customers
from tests.support.postgres import Postgres

ONE, TWO = "PSVC001", "PSVC002"


@pytest.fixture
def customers(tmp_path: Path) -> Iterator[Customers]:
    with a_world(tmp_path / "world", services=2, jsm_only=False) as world:
        yield Customers(world)


def write(customers: Customers, **sources: str) -> None:
    """The routes file, with the product that each route follows; `rest` selects what acme does not."""
    queries = {"acme": "tag: acme", "rest": ""}
    services = {"acme": ONE, "rest": TWO}
    customers.write(
        "\n".join(
            f'[routes.{name}]\nservice = "{services[name]}"\nalert_source = "{sources[name]}"\n'
            f'opsgenie_query = "{query}"\njsm_query = "{query}"\n'
            for name, query in queries.items()
        )
    )


def begun(customers: Customers) -> tuple[str, str]:
    """An alert of each route with its incident; Atlassian's tool has run, and given both new ids."""
    world = customers.world
    world.environment |= jsm_environment(world.running.url, SandboxSettings())
    write(customers, acme="opsgenie", rest="opsgenie")
    world.open()
    customers.until_ready("acme", "rest")
    alerts = customers.alert("acme"), customers.alert("globex")
    customers.until_paged(alerts[0], ONE)
    customers.until_paged(alerts[1], TWO)
    for alert in alerts:
        world.customer(alert, "notes", text="look at db-3")
    world.until(lambda: all(world.is_told(alert, "look at db-3") for alert in alerts), "the notes")
    world.until(world.is_settled, "the outbox")
    world.pass_cycles(2)  # the last poll has seen all of it
    world.control("migrate", jsm_ids="new", jsm_note_ids="fresh")
    return alerts


def rows(world: World, route: str) -> dict[str, list[str]]:
    """All that the database has of a route, but where its feeds stand and who leads it."""
    engine = create_engine(world.environment["DATABASE_URL"])
    with engine.connect() as connection:
        found = {
            table.name: sorted(map(repr, connection.execute(select(table).where(table.c.route == route))))
            for table in metadata.sorted_tables
            if "route" in table.c and table.name != "cursors"
        }
    engine.dispose()
    return found


def in_jsm(world: World, alert: str) -> dict[str, object]:
    """The alert as JSM has it, by its id in Opsgenie."""
    return next(each for each in world.state()["jsm"]["alerts"] if each["opsgenie_id"] == alert)


def hang_up(world: World) -> None:
    world.daemons[-1].send_signal(signal.SIGHUP)


def assert_followed_in_jsm(customers: Customers, alert: str) -> None:
    """What Jane does in PagerDuty reaches JSM, and nobody is paged for the alert again."""
    world = customers.world
    world.engineer(alert, "notes", text="on it")
    world.until(lambda: "on it" in json.dumps(in_jsm(world, alert)["notes"]), "the note in JSM")


def test_one_route_moves_and_is_held_alone_until_its_file_says_so(customers: Customers) -> None:
    world = customers.world
    mine, others = begun(customers)
    assert world.stop() == 0
    chosen = world.run("migrate", "--to", "jsm")
    assert (chosen.returncode, "choose one with --route: acme, rest" in chosen.stderr) == (2, True)
    before = rows(world, "rest")
    checked = world.run("migrate", "--to", "jsm", "--route", "acme", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith("1 pair: 1 rekeyed\n"), checked.stdout
    moved = world.run("migrate", "--to", "jsm", "--route", "acme", "--drain")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert moved.stdout.splitlines()[-1] == (
        'Next: write alert_source = "jsm" into [routes.acme] of routes.toml, see `reconciler once --dry-run`, '
        "then start `reconciler run`; one that runs reads the file by itself."
    )
    assert rows(world, "rest") == before
    assert "Route acme follows JSM already" in world.run("migrate", "--to", "jsm", "--route", "acme").stdout

    wrong = "ALERT_SOURCE: of route acme it is opsgenie, and this database mirrors JSM's alerts for it"
    planned = world.run("once", "--dry-run")
    assert (planned.returncode, wrong in planned.stderr) == (2, True), planned.stdout + planned.stderr
    ran = world.run("once")
    assert (ran.returncode, wrong in ran.stderr) == (2, True), ran.stdout + ran.stderr
    world.open()
    world.until(lambda: world.told(wrong) > 0, "that the route is held")
    world.customer(others, "notes", text="it began after the deploy")
    world.until(lambda: world.is_told(others, "it began after the deploy"), "the other route's note")
    answer = world.get("/readyz")
    assert (answer.status_code, [*answer.json()["not_ready"]]) == (200, ["acme"])
    status = json.loads(world.run("status", "--json", "--route", "acme").stdout)
    assert (wrong in json.dumps(status), world.told("this is a defect")) == (True, 0)

    write(customers, acme="jsm", rest="opsgenie")
    hang_up(world)
    assert_followed_in_jsm(customers, mine)
    world.until(lambda: "not_ready" not in world.get("/readyz").json(), "both ready")
    status = json.loads(world.run("status", "--json", "--route", "acme").stdout)
    assert wrong not in json.dumps(status)
    later = customers.alert("globex", message="disk is full")
    customers.until_paged(later, TWO)
    world.until(world.is_settled, "the outbox")
    assert [customers.paged_on(alert) for alert in (mine, others)] == [[ONE], [TWO]]


def test_on_postgresql_the_daemon_goes_on_with_the_other_route(
    customers: Customers, postgres: Postgres, empty_postgres_url: str
) -> None:
    world = customers.world.use(postgres, empty_postgres_url)
    mine, others = begun(customers)
    busy = world.run("migrate", "--to", "jsm", "--route", "acme", "--no-backup")
    says = 'it lets go of the route once it has read alert_source = "jsm" in [routes.acme]; else stop it first'
    assert (busy.returncode, says in busy.stderr) == (1, True), busy.stdout + busy.stderr

    write(customers, acme="jsm", rest="opsgenie")
    hang_up(world)
    world.until(lambda: world.told("run `reconciler migrate --to jsm --route acme`") > 0, "that the route is held")
    before = rows(world, "rest")
    moved = world.run("migrate", "--to", "jsm", "--route", "acme", "--drain", "--no-backup")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert rows(world, "rest") == before, "its lead, too, is as it was"
    assert_followed_in_jsm(customers, mine)
    world.customer(others, "notes", text="it began after the deploy")
    world.until(lambda: world.is_told(others, "it began after the deploy"), "the other route's note")
    world.until(world.is_settled, "the outbox")
    assert [customers.paged_on(alert) for alert in (mine, others)] == [[ONE], [TWO]]
