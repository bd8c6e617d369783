"""The simulation runs the product a million times over: coverage is measured elsewhere."""

import pytest


@pytest.fixture(autouse=True)
def unmeasured(no_cover: None) -> None:
    """Not measured: tracing would double the time."""
