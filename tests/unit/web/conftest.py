"""Each test has a door of its own."""

import pytest

from tests.support.door import Door
from tests.support.harness.listener import FAST_PATH


@pytest.fixture
def door() -> Door:
    """With both webhooks configured."""
    return Door(**FAST_PATH)
