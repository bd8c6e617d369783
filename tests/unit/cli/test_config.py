import json
from pathlib import Path

from tests.support.command import Command
from tests.support.configured import REQUIRED


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
