import json
from pathlib import Path

import pytest

from tests.support.command import Command
from tests.support.configured import REQUIRED
from tests.support.routes import COMMON, TWO, environ_of


def test_the_configuration_is_shown_even_if_it_cannot_be_used(command: Command) -> None:
    done = command("config")
    assert (done.status, done.err) == (2, "")
    assert "PAGERDUTY_API_KEY: is missing; give " in done.out
    assert command("config", **REQUIRED).status == 0


def test_the_configuration_as_json_is_one_document(command: Command) -> None:
    done = command("config", "--json", LOG_LEVEL="loud", **REQUIRED)
    assert (done.status, done.err) == (2, "")
    found = json.loads(done.out)
    assert len(found["problems"]) == 1
    assert {"name": "LOG_LEVEL", "value": "loud", "origin": "environment", "secret": False} in found["settings"]
    assert REQUIRED["PAGERDUTY_API_KEY"] not in done.out


def test_another_file_can_be_named_instead_of_the_one_of_the_current_directory(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=error\n")
    other = tmp_path / "other.env"
    other.write_text("LOG_LEVEL=debug\n")
    assert ".env, line 1" in command("config", **REQUIRED).out
    done = command("--env-file", str(other), "config", **REQUIRED)
    assert "other.env, line 1" in done.out
    assert "DEBUG" not in done.out
    assert "debug" in done.out
    missing = command("--env-file", str(tmp_path / "none.env"), "config", **REQUIRED)
    assert (missing.status, missing.out) == (2, "")
    assert "does not exist" in missing.err


def test_routes_are_shown_all_or_one(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(TWO)
    given = environ_of(file)
    done = command("config", **given)
    assert (done.status, done.err) == (0, "")
    assert "Route shop:" in done.out
    assert "Route bank:" in done.out
    one = command("config", "--route", "bank", "--json", **given)
    assert [route["name"] for route in json.loads(one.out)["routes"]] == ["bank"]
    unknown = command("config", "--route", "bnak", **given)
    assert (unknown.status, unknown.out) == (2, "")
    assert "there is no route bnak; the routes are: shop, bank" in unknown.err


def test_without_a_routes_file_there_is_the_route_default(command: Command) -> None:
    assert command("config", "--route", "default", **REQUIRED) == command("config", **REQUIRED)
    assert "the routes are: default" in command("config", "--route", "a", **REQUIRED).err


BAD = f"{TWO}late_seconds = true\nquary = 'x'\n[routes.Bad]\nservice = 'P7'\n"


def test_a_bad_routes_file_is_shown_with_its_problems(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(BAD)
    done = command("config", "--route", "nowhere", **environ_of(file))
    assert (done.status, done.err) == (2, "")
    assert done.out.partition("Problems:")[2].count("\n  routes.toml: ") == 3


@pytest.mark.parametrize("name", ["run", "once", "doctor"])
def test_a_bad_routes_file_ends_each_command_with_all_problems_at_once(
    command: Command, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(BAD)
    done = command(name, **environ_of(file, COMMON | {"LOG_LEVEL": "loud"}))
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) == 4
    assert [line for line in lines if not line.startswith("reconciler: routes.toml: [routes.")] == [
        'reconciler: LOG_LEVEL: "loud" is not known; give DEBUG, INFO, WARNING, ERROR or CRITICAL'
    ]
