"""Both databases, and a scene on each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Postgres
from tests.support.scene import Scene, a_scene, over

BOTH = ("sqlite", "postgresql")


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'reconciler.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A scene over SQLite; its parameter turns the sandbox's knobs."""
    with a_scene(tmp_path / "scene", **getattr(request, "param", {})) as scene:
        yield scene


@pytest.fixture(params=BOTH)
def both(request: pytest.FixtureRequest, scene: Scene) -> Scene:
    """A scene over either database."""
    if request.param == "sqlite":
        return scene
    server: Postgres = request.getfixturevalue("postgres")
    return over(scene, server, request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def on_postgres(scene: Scene, postgres: Postgres, empty_postgres_url: str) -> Scene:
    """A scene over PostgreSQL."""
    return over(scene, postgres, empty_postgres_url)
