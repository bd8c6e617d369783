from pathlib import Path

import pytest

from reconciler.settings_sources import Found, Layer, look_up, read_dotenv
from reconciler.settings_texts import Wrong


def test_a_variable_knows_the_line_it_is_set_in(tmp_path: Path) -> None:
    file = tmp_path / "my.env"
    file.write_text("# comment\n\n\nexport A=1\nB='two\nlines'\n\nC=3\n")
    problems: list[str] = []
    found = read_dotenv(file, problems)
    assert problems == []
    assert [found.origin(name) for name in "ABCD"] == [
        "my.env, line 4",
        "my.env, line 5",
        "my.env, line 8",
        "my.env",
    ]


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("\n\nA 'x'\nB=2\n")
    problems: list[str] = []
    assert read_dotenv(file, problems).texts == {"B": "2"}
    assert problems == [".env: line 3 cannot be read; write NAME=value"]


def test_the_first_layer_that_sets_a_variable_wins(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-file\n")
    environ = Layer("environment", {"A": " 1 ", "K_FILE": str(secret), "E": ""})
    dotenv = Layer(".env", {"A": "2", "K": "other", "E": "3"}, {"E": 7})
    layers = (environ, dotenv)
    assert look_up("A", layers, secret=False) == Found("1", "environment")
    assert look_up("A", layers, secret=True) == Found(" 1 ", "environment")
    assert look_up("K", layers, secret=True) == Found("from-file", "K_FILE in environment")
    assert look_up("E", layers, secret=False) == Found("3", ".env, line 7")
    assert look_up("NONE", layers, secret=True) == Found()
    with pytest.raises(Wrong, match="is given twice"):
        look_up("K", (Layer("environment", {"K": "x", "K_FILE": "y"}),), secret=True)
