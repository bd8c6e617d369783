from pathlib import Path

import click
import pytest

from reconciler.cli.common import (
    Seconds,
    chosen,
    complain,
    configured,
    configured_routes,
    env_file,
    route_warnings,
    warnings,
)
from reconciler.observability.logs import HIDDEN, get_logger
from tests.support.configured import REQUIRED
from tests.support.routes import COMMON, TWO, environ_of, routes_of


@pytest.mark.parametrize("text", ["nan", "-1", "3601", "x"])
def test_seconds_are_numbers_in_their_range(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Seconds(0, 3600).convert(text, None, None)


def test_seconds_may_be_fractions() -> None:
    assert Seconds(0, 3600).convert("0.5", None, None) == 0.5


def test_settings_come_from_the_current_directory_unless_a_file_is_named() -> None:
    assert env_file() == Path(".env")
    with click.Context(click.Group("reconciler"), obj=Path("other.env")):
        assert env_file() == Path("other.env")


def test_a_complaint_is_one_line_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    complain("refused: é \x1b[2J\n\u202e")
    assert capsys.readouterr() == ("", "reconciler: refused: é \\u001b[2J\\n\\u202e\n")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of this process: what a test puts into it."""
    given: dict[str, str] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", given)
    return given


def test_the_configuration_of_routes_keeps_every_routes_secrets_out_of_the_log(
    environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "routes.toml").write_text(f"{TWO}pagerduty_api_key_file = 'key'\n")
    (tmp_path / "key").write_text("key-of-bank")
    environment |= environ_of(Path("routes.toml"), COMMON)
    assert configured_routes().names() == ("shop", "bank")
    get_logger("reconciler.test").warning(f"key-of-bank {COMMON['PAGERDUTY_API_KEY']}")
    assert f"{HIDDEN} {HIDDEN}" in capsys.readouterr().err


def test_a_command_for_one_route_takes_the_only_one_or_the_named_one(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= REQUIRED
    assert configured().pagerduty_service_id == configured("default").pagerduty_service_id == "PSERV01"
    routes = routes_of(tmp_path, TWO)
    assert chosen(routes, "bank").name == "bank"
    with pytest.raises(click.UsageError, match="several routes: choose one with --route: shop, bank"):
        chosen(routes)
    with pytest.raises(click.UsageError, match="there is no route b; the routes are: shop, bank"):
        chosen(routes, "b")
    environment |= environ_of(tmp_path / "routes.toml", COMMON)
    (tmp_path / "routes.toml").write_text(TWO.partition("[routes.bank]")[0])
    del environment["PAGERDUTY_SERVICE_ID"]
    assert configured().pagerduty_service_id == "PSHOP01", "the environment need not have what the route gives"


def test_the_warnings_of_routes_are_those_of_settings_where_there_is_no_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= REQUIRED | {"STATUS_PASSWORD": "open-sesame"}
    (tmp_path / ".env").write_text("PAGERDUTY_API_KEY=key-in-a-file\n")
    (tmp_path / ".env").chmod(0o644)
    assert route_warnings(configured_routes()) == warnings(configured())
    assert len(warnings(configured())) == 2
