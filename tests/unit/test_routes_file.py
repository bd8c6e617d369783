"""What can be wrong with a routes file before any of its keys is looked at."""

import os
from pathlib import Path

import pytest

from reconciler.routes_file import MOST_ROUTES, read_tables
from reconciler.settings_sources import LARGEST_ROUTES

NONE = "has no route; write one, for example [routes.default], or unset ROUTES_FILE"
PROBLEMS = {
    "": NONE,
    "[defaults]\nlate_seconds = 5\n": NONE,
    "[routes]\n": NONE,
    "routes = 1\n": "routes: is no table; write [routes.NAME], one for each route",
    "[[routes]]\nservice = 'P1'\n": "routes: is no table; write [routes.NAME], one for each route",
    "defaults = 1\n[routes.a]\n": "defaults: is no table; write [defaults]",
    "[default]\n[routes.a]\n": (
        "[default]: is not known; a routes file has [defaults] and a [routes.NAME] for each route"
    ),
    "service = 'P1'\n[routes.a]\n": (
        "service: stands before any table; put it below [defaults] or the [routes.NAME] that it is for"
    ),
    "[routes]\nservice = 'P1'\n": "[routes] service: is no table; write [routes.NAME] above the keys of a route",
    "[routes.Shop]\n": (
        '[routes."Shop"]: is no name of a route, which has 1 to 40 lower-case letters, digits and dashes; '
        "rename it"
    ),
    "[routes.a]\nservice = \n": "line 2, column 11: is not TOML: Invalid value; correct it there",
    "[routes.a]\nx = 1\nx = 2\n": "line 3, column 6: is not TOML: Cannot overwrite a value; correct it there",
    "[routes.a]\n[routes.a]\n": None,
    "[routes.a": None,
    "[routes.a]\nx = " + "[" * 5000: None,
    "[routes.a]\nx = "
    + "9" * 5000: "is not TOML: a number has too many digits, or too much is nested; correct it",
}


def problems(folder: Path, content: bytes) -> tuple[str, ...]:
    file = folder / "routes.toml"
    file.write_bytes(content)
    return read_tables(file).problems


@pytest.mark.parametrize("text", PROBLEMS, ids=lambda text: text[:30].replace("\n", " "))
def test_one_line_says_what_is_wrong_and_what_to_do(tmp_path: Path, text: str) -> None:
    (told,) = problems(tmp_path, text.encode())
    assert told.startswith("routes.toml: ")
    assert PROBLEMS[text] in (None, told.removeprefix("routes.toml: "))
    assert "\n" not in told


@pytest.mark.parametrize("name", ["x" * 41, "", "a_b", "a b", "a.b", "é", "a\\n"])
def test_a_name_that_no_route_may_have_is_refused(tmp_path: Path, name: str) -> None:
    (told,) = problems(tmp_path, f'[routes."{name}"]'.encode())
    assert "is no name of a route" in told
    assert told.isprintable()


@pytest.mark.parametrize("name", ["x" * 40, "a", "0-9", "default"])
def test_a_name_of_lower_case_letters_digits_and_dashes_is_good(tmp_path: Path, name: str) -> None:
    assert problems(tmp_path, f"[routes.{name}]".encode()) == ()


def test_the_routes_are_in_file_order_and_the_files_marks_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_bytes(b"\xef\xbb\xbf[routes.b]\r\n[routes.a]\r\n[defaults]\r\n")
    assert list(read_tables(file).routes) == ["b", "a"]


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, b"[routes.a]\nservice = 'P\xff'\n")
    assert told == "routes.toml: line 2: is not UTF-8; save the file as UTF-8"


def test_too_many_routes_are_one_problem(tmp_path: Path) -> None:
    text = "\n".join(f"[routes.r{number}]" for number in range(MOST_ROUTES + 1))
    assert problems(tmp_path, text.encode()) == ("routes.toml: has 1,001 routes; 1,000 are the most for one file",)
    assert problems(tmp_path, text.rpartition("\n")[0].encode()) == ()


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, b"#" * (LARGEST_ROUTES + 1))
    assert told.startswith("routes.toml: is larger than 1 MiB")
    (told,) = problems(tmp_path, b"#" * LARGEST_ROUTES)
    assert "has no route" in told


def test_what_is_no_readable_file_is_a_problem_and_nothing_is_waited_for(tmp_path: Path) -> None:
    pipe, secret = tmp_path / "pipe", tmp_path / "secret"
    os.mkfifo(pipe)
    secret.touch(mode=0)
    for path, words in (
        (pipe, "no regular file"),
        (tmp_path, "no regular file"),
        (tmp_path / "none", "No such file"),
    ):
        (told,) = read_tables(path).problems
        assert told.startswith(f"{path.name}: cannot be read: ")
        assert words in told
    if os.geteuid():
        (told,) = read_tables(secret).problems
        assert "Permission denied" in told
