"""One daemon with its HTTP side open for a whole module, or a world of its own for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.front import RARELY, Front, Listener, a_front


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A daemon that polls once a minute: what happens meanwhile happens by the fast path."""
    with a_front(tmp_path_factory.mktemp("front")) as front:
        front.open_ready(POLL_INTERVAL_SECONDS=RARELY)
        yield front


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Front]:
    """A world of its own; its daemon is not started yet."""
    with a_front(tmp_path) as front:
        yield front


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """The listener alone, for a whole module."""
    listener = Listener(tmp_path_factory.mktemp("listener"))
    yield listener
    assert listener.end() == 0
