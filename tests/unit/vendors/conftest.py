"""Each test has a clock of its own."""

import pytest
from remotes.wire_helpers import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
