"""A world for each test: the sandbox over real HTTP, people in it, and the installed command beside it.

Long stories, most of which is waiting, are told in the background while other tests run: a module lists them in
BACKGROUND, each a function of a folder; its tests ask `finished` for one by its name, and come last.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from stage import Stage, a_stage

AT_A_TIME = 5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the background comes last of what is in this folder."""
    here = [number for number, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    in_order = sorted((items[number] for number in here), key=lambda item: "finished" in _fixtures(item))
    for number, item in zip(here, in_order, strict=True):
        items[number] = item


@pytest.fixture(scope="session", autouse=True)
def background(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[ModuleType, str], Future[None]]]:
    """The stories of all modules of which a test was selected that waits for one."""
    waiting = [item for item in request.session.items if "finished" in _fixtures(item)]
    modules = dict.fromkeys(item.module for item in waiting if isinstance(item, pytest.Function))
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="story")
    yield {
        (module, name): pool.submit(story, tmp_path_factory.mktemp("story"))
        for module in modules
        for name, story in module.BACKGROUND.items()
    }
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def finished(
    request: pytest.FixtureRequest, background: dict[tuple[ModuleType, str], Future[None]]
) -> Callable[[str], None]:
    """Waits for a story of this module; fails when it failed."""
    return lambda name: background[request.module, name].result()


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A world; `@pytest.mark.parametrize("world", [{…}], indirect=True)` turns the sandbox's knobs."""
    with a_stage(tmp_path, **getattr(request, "param", {})) as stage:
        yield stage


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
