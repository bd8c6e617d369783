from pathlib import Path

import click
import pytest

from reconciler.cli.common import Seconds, complain, env_file


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
