from pathlib import Path

from reconciler.operations.config import (
    Configuration,
    Line,
    against_database,
    as_data,
    as_text,
    survey,
    survey_routes,
)
from reconciler.routes_keys import PROCESS_WIDE
from reconciler.routes_reading import read_routes
from reconciler.settings import Settings, read, variables
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, open_database
from reconciler.store.migrate import upgrade
from tests.support.builders import at
from tests.support.configured import REQUIRED, WITH_JSM
from tests.support.routes import COMMON, TWO, environ_of


def lines(given: dict[str, str], dotenv: Path | None = None) -> dict[str, Line]:
    return {line.name: line for line in survey(read(given, dotenv)).lines}


def test_every_variable_is_there_with_its_value_and_its_place(tmp_path: Path) -> None:
    file, key = tmp_path / ".env", tmp_path / "key"
    file.write_text(f"\nOPSGENIE_QUERY=tag: a\nOPSGENIE_API_KEY_FILE={key}\n")
    key.write_text("0123456789\n")
    given = {name: text for name, text in REQUIRED.items() if name not in ("OPSGENIE_API_KEY", "PAGERDUTY_USER")}
    found = lines(given, file)
    assert list(found) == list(variables())
    assert found["OPSGENIE_QUERY"] == Line("OPSGENIE_QUERY", "tag: a", ".env, line 2")
    assert found["OPSGENIE_API_KEY"].value == "set, 10 characters"
    assert found["OPSGENIE_API_KEY"].origin == "OPSGENIE_API_KEY_FILE in .env, line 3"
    assert found["PAGERDUTY_EMAIL"].origin == "environment"
    assert found["PAGERDUTY_USER"] == Line("PAGERDUTY_USER", "", "missing")
    assert found["LOG_LEVEL"] == Line("LOG_LEVEL", "INFO", "default")


def test_a_default_is_shown_as_it_is_written_in_a_file() -> None:
    found = lines(REQUIRED)
    shown = {name: line.value for name, line in found.items() if line.origin == "default" and line.value}
    again = read(REQUIRED | shown, None)
    assert again.problems == ()
    assert Settings(**again.values) == Settings(**read(REQUIRED, None).values)
    assert shown["RETENTION_SECONDS"] == "2592000"


def test_no_secret_is_shown_wherever_it_was_given() -> None:
    given = REQUIRED | {
        "DATABASE_URL": "postgres://u:hunter2@db/name",
        "OPSGENIE_QUERY": f"tag: {REQUIRED['PAGERDUTY_API_KEY']}",
        "HEARTBEAT_URL": "https://example.com/ping/1234",
    }
    found = survey(read(given, None))
    text = as_text(found) + str(as_data(found)) + repr(found)
    for secret in ("hunter2", "/ping/1234", REQUIRED["PAGERDUTY_API_KEY"], REQUIRED["OPSGENIE_API_KEY"]):
        assert secret not in text
    assert "postgresql+psycopg://u:***@db/name" in text
    assert "tag: ***" in text
    assert "hunter2" not in as_text(survey(read(REQUIRED | {"DATABASE_URL": "mysql://u:hunter2@db"}, None)))


def test_problems_and_warnings_stand_at_the_end() -> None:
    found = survey(read(REQUIRED | {"LOGLEVEL": "x", "OPSGENIE_QUERY": "status: open"}, None))
    assert as_text(found).count("\n  OPSGENIE_QUERY: asks for status") == 1
    assert "Warnings:\n  LOGLEVEL: is not read" in as_text(found)
    assert "Problems" not in as_text(found)
    wrong = survey(read({"LOG_LEVEL": "loud"}, None))
    assert as_text(wrong).splitlines()[-1].startswith('  LOG_LEVEL: "loud" is not known')
    assert as_data(wrong)["problems"] == list(wrong.problems)
    assert as_data(Configuration(wrong.lines))["settings"][0] == {
        "name": "PAGERDUTY_API_KEY",
        "value": "",
        "origin": "missing",
        "secret": True,
    }


def test_a_database_of_another_product_is_a_problem(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'reconciler.db'}"
    assert against_database(read(REQUIRED | {"DATABASE_URL": url}, None)) == ()
    database = open_database(url)
    upgrade(database)
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(at(1), at(0)), source="jsm")
    database.close()
    (problem,) = against_database(read(REQUIRED | {"DATABASE_URL": url}, None))
    assert "this database mirrors JSM's alerts" in problem
    assert against_database(read({}, None)) == (), "nothing is known of a configuration that is incomplete"


def test_only_the_variables_of_the_products_that_are_read_are_missing() -> None:
    def missing(given: dict[str, str]) -> set[str]:
        return {name for name, line in lines(given).items() if line.origin == "missing"}

    of_jsm, no_key = set(WITH_JSM) - {"ALERT_SOURCE"}, REQUIRED | {"OPSGENIE_API_KEY": ""}
    assert missing(REQUIRED) == set()
    assert missing(no_key) == {"OPSGENIE_API_KEY"}
    assert missing(no_key | WITH_JSM) == set()
    assert missing(no_key | {"ALERT_SOURCE": "jsm"}) == of_jsm
    assert missing(REQUIRED | {"ALERT_SHADOW": "jsm"}) == of_jsm


def test_the_queries_of_the_products_that_are_read_are_looked_at() -> None:
    queries = {"OPSGENIE_QUERY": "status: open", "JSM_QUERY": "acknowledged: false"}

    def told(**given: str) -> list[str]:
        return [
            each.partition(":")[0] for each in survey(read(REQUIRED | WITH_JSM | queries | given, None)).warnings
        ]

    assert told(ALERT_SOURCE="opsgenie") == ["OPSGENIE_QUERY"]
    assert told() == ["JSM_QUERY"]
    assert told(ALERT_SOURCE="opsgenie", ALERT_SHADOW="jsm") == ["OPSGENIE_QUERY", "JSM_QUERY"]
    assert told(JSM_QUERY="") == ["JSM_QUERY"]


# -- routes --


def of_routes(folder: Path, text: str, only: str | None = None, **given: str) -> Configuration:
    file = folder / "routes.toml"
    file.write_text(text)
    return survey_routes(read_routes(environ_of(file, COMMON | given), None), only)


def test_each_route_shows_what_is_set_for_it_and_where(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789\n")
    text = (
        f"[defaults]\nlate_seconds = 60\non_late_alert = ''\n{TWO}shared = true\npagerduty_api_key_file = 'key'\n"
    )
    found = of_routes(tmp_path, text, ON_LATE_ALERT="skip", LOG_LEVEL="error")
    assert {line.name for line in found.lines} == PROCESS_WIDE
    assert Line("LOG_LEVEL", "error", "environment") in found.lines
    shop, bank = found.routes
    assert (shop.name, shop.is_shared, bank.name, bank.is_shared) == ("shop", False, "bank", True)
    assert shop.lines == (
        Line("PAGERDUTY_API_KEY", "set, 13 characters", "environment", secret=True),
        Line("PAGERDUTY_SERVICE_ID", "PSHOP01", "routes.toml: [routes.shop]"),
        Line("PAGERDUTY_EMAIL", "bot@example.com", "environment"),
        Line("PAGERDUTY_USER", "Reconciler Bot", "environment"),
        Line("OPSGENIE_API_KEY", "set, 11 characters", "environment", secret=True),
        Line("OPSGENIE_QUERY", "tag: shop", "routes.toml: [routes.shop]"),
        Line("ON_LATE_ALERT", "page", "routes.toml: [defaults]"),
        Line("LATE_SECONDS", "60", "routes.toml: [defaults]"),
    )
    assert bank.lines[0] == Line(
        "PAGERDUTY_API_KEY",
        "set, 10 characters",
        "pagerduty_api_key_file in routes.toml: [routes.bank]",
        secret=True,
    )
    text = as_text(found)
    assert "\n\nRoute shop:\nPAGERDUTY_API_KEY " in text
    assert "\n\nRoute bank, shared:\n" in text
    assert not any(secret in text + str(as_data(found)) for secret in ("0123456789", COMMON["PAGERDUTY_API_KEY"]))


def test_one_route_is_shown_alone_and_the_document_has_it(tmp_path: Path) -> None:
    found = of_routes(tmp_path, TWO, "bank")
    assert [route.name for route in found.routes] == ["bank"]
    (route,) = as_data(found)["routes"]
    assert (route["name"], route["shared"]) == ("bank", False)
    assert {
        "name": "OPSGENIE_QUERY",
        "value": "tag: bank",
        "origin": "routes.toml: [routes.bank]",
        "secret": False,
    } in (route["settings"])


def test_routes_with_problems_are_shown_as_far_as_they_can_be_read(tmp_path: Path) -> None:
    found = of_routes(tmp_path, "[routes.a]\nquery = 'tag: a'\nlate_seconds = true\n")
    (route,) = found.routes
    assert Line("OPSGENIE_QUERY", "tag: a", "routes.toml: [routes.a]") in route.lines
    assert Line("PAGERDUTY_SERVICE_ID", "", "missing") in route.lines
    assert [line.split(": ")[1] for line in found.problems] == ["[routes.a] late_seconds", "[routes.a] service"]


def test_without_a_routes_file_nothing_is_different() -> None:
    found = survey_routes(read_routes(REQUIRED, None))
    assert found == survey(read(REQUIRED, None))
    assert "routes" not in as_data(found)


def test_a_database_is_compared_for_its_route(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'reconciler.db'}"
    opened = open_database(url)
    upgrade(opened)
    with Database(opened.engine, "shop").writing() as unit:
        unit.cursors.save(origin=Origin(at(1), at(0)), source="jsm")
    opened.close()
    reading = read(REQUIRED | {"DATABASE_URL": url}, None)
    assert against_database(reading) == against_database(reading, "bank") == ()
    assert len(against_database(reading, "shop")) == 1
