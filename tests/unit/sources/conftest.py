"""Each test has a stage of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.database.close()
