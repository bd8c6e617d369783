"""Worlds for the tests of the installed command: one for each test, or one with a listening daemon for a module.

Long stories spend most of their time waiting, so they run in the background beside the module's other tests. A
module lists them in BACKGROUND, each a function of a folder; a test waits for one by its name with `finished`, and
such tests run last.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.harness import World, a_world
from tests.support.harness.listener import RARELY, Listener
from tests.support.postgres import Postgres

AT_A_TIME = 5
BOTH = ("sqlite", "postgresql")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within this folder, run the tests that wait for a background story last."""
    here = [number for number, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    in_order = sorted((items[number] for number in here), key=lambda item: "finished" in _fixtures(item))
    for number, item in zip(here, in_order, strict=True):
        items[number] = item


@pytest.fixture(scope="module", autouse=True)
def background(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """This module's stories, if a selected test waits for one; they end with the module.

    They must not outlast it, as another module's tests may patch the whole process: `responses` intercepts the
    requests of every thread.
    """
    waiting = any(item.path == request.path and "finished" in _fixtures(item) for item in request.session.items)
    stories = request.module.BACKGROUND if waiting else {}
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="story") as pool:
        yield {name: pool.submit(story, tmp_path_factory.mktemp("story")) for name, story in stories.items()}
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def finished(background: dict[str, Future[None]]) -> Callable[[str], None]:
    """Wait for a story of this module; raises what the story has raised."""
    return lambda name: background[name].result()


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world over SQLite; `@pytest.mark.parametrize("world", [{…}], indirect=True)` sets up the sandbox."""
    with a_world(tmp_path / "world", **getattr(request, "param", {})) as world:
        yield world


@pytest.fixture
def on_postgres(world: World, postgres: Postgres, empty_postgres_url: str) -> World:
    """A world over PostgreSQL."""
    world.use(postgres, empty_postgres_url)
    return world


@pytest.fixture(params=BOTH)
def both(request: pytest.FixtureRequest, world: World) -> World:
    """A world over either database."""
    if request.param == "postgresql":
        request.getfixturevalue("on_postgres")
    return world


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'reconciler.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One listening daemon for a whole module; it hardly ever polls, so that every effect is due to a webhook."""
    with a_world(tmp_path_factory.mktemp("front")) as front:
        front.open_ready(POLL_INTERVAL_SECONDS=RARELY)
        yield front


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """The listener without the rest of the daemon, for a whole module."""
    listener = Listener(tmp_path_factory.mktemp("listener"))
    yield listener
    assert listener.end() == 0


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
