"""A world for each test: the sandbox over real HTTP, people in it, and the installed command beside it.

Long stories, most of which is waiting, are told in the background while the module's other tests run: a module
lists them in BACKGROUND, each a function of a folder; its tests ask `finished` for one by its name, and come last.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.stage import Stage, a_stage

AT_A_TIME = 5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the background comes last of what is in this folder."""
    here = [number for number, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    in_order = sorted((items[number] for number in here), key=lambda item: "finished" in _fixtures(item))
    for number, item in zip(here, in_order, strict=True):
        items[number] = item


@pytest.fixture(scope="module", autouse=True)
def background(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """This module's stories, if a test that waits for one was selected; they end with the module.

    Beside another module's tests they would meet what those patch: `responses` takes every thread's requests.
    """
    waiting = any(item.path == request.path and "finished" in _fixtures(item) for item in request.session.items)
    stories = request.module.BACKGROUND if waiting else {}
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="story") as pool:
        yield {name: pool.submit(story, tmp_path_factory.mktemp("story")) for name, story in stories.items()}
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def finished(background: dict[str, Future[None]]) -> Callable[[str], None]:
    """Waits for a story of this module; fails when it failed."""
    return lambda name: background[name].result()


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A world; `@pytest.mark.parametrize("world", [{…}], indirect=True)` turns the sandbox's knobs."""
    with a_stage(tmp_path, **getattr(request, "param", {})) as stage:
        yield stage


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
