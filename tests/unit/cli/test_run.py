"""`reconciler run`, and what each run needs."""

from pathlib import Path

import pytest

from reconciler.settings import variables
from tests.support.command import Command, named


@pytest.mark.parametrize("words", [("run",), ("once",), ("once", "--dry-run")], ids=" ".join)
def test_without_settings_each_required_variable_is_named_in_one_line(
    command: Command, words: tuple[str, ...]
) -> None:
    done = command(*words)
    assert (done.status, done.out) == (2, "")
    assert named(done.err) == [name for name, read in variables().items() if read.needs and read.source != "jsm"]
    assert not [*Path().iterdir()]
