"""What is shipped: the wheel holds all that runs, and the image is built from no more than it needs.

There is no Docker here; the Dockerfile's steps are followed as far as they go without it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, comments removed and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in text.splitlines() if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    """The same, per stage."""
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def of(stage: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def run(*command: str, folder: Path, **environ: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage has: only what its COPY lines bring, and .dockerignore lets through."""
    folder = tmp_path_factory.mktemp("src")
    for rest in of(stages()[0], "COPY"):
        *sources, target = rest.split()
        for source in sources:
            to = folder / target / source if target.endswith("/") else folder / target
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            else:
                shutil.copy(ROOT / source, to)
    return folder


@pytest.fixture(scope="module")
def wheel(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as the Dockerfile builds it."""
    (step,) = [rest for rest in of(stages()[0], "RUN") if rest.startswith("pip wheel ")]
    into = tmp_path_factory.mktemp("wheel")
    assert "--wheel-dir /wheel" in step
    arguments = step.replace("/wheel", str(into)).split()[1:]
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments, folder=context)
    (built,) = into.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed elsewhere than in the clone; the dependencies are those of these tests."""
    into = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--no-deps", "--target", str(into), str(wheel), folder=into)
    return into


def test_the_wheel_holds_code_migrations_and_licence_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("reconciler", "reconciler"), ("migrations", "reconciler/_migrations")):
        sources = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*.py")}
        assert {f"{inside}/{name}" for name in sources} <= names
    assert "reconciler/web/openapi.yaml" in names
    for folder in ("templates", "static"):
        pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "reconciler" / "web" / folder).iterdir()}
        assert pages
        assert pages <= names
    assert any(re.fullmatch(r"reconciler-[^/]+\.dist-info/licenses/LICENSE", name) for name in names)
    assert not [name for name in names if not re.match(r"reconciler(-[^/]+\.dist-info)?/", name)]
    assert not [name for name in names if re.search(r"\.pyc$|\.env|\.db", name)]


def test_neither_wheel_nor_source_distribution_holds_the_documentation(wheel: Path) -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]
    assert "/docs" in targets["sdist"]["exclude"]
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if "docs/" in name]


def test_what_is_installed_runs_and_finds_its_migrations(installed: Path, tmp_path: Path) -> None:
    def python(*arguments: str) -> str:
        return run(sys.executable, *arguments, folder=tmp_path, PYTHONPATH=str(installed))

    assert "Usage:" in python("-m", "reconciler", "--help")
    found = python("-c", "from reconciler.store.migrate import location; print(location())").strip()
    assert Path(found) == installed / "reconciler" / "_migrations"
    python(
        "-c",
        "from reconciler.store.database import open_database\n"
        "from reconciler.store.migrate import upgrade\n"
        "upgrade(open_database('sqlite:///fresh.db'))",
    )
    assert (tmp_path / "fresh.db").stat().st_size > 0


def test_the_wheel_declares_the_command_that_the_image_starts(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (points,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
    assert "reconciler = reconciler.cli.commands:main" in archive.read(points).decode()
    assert json.loads(of(stages()[-1], "ENTRYPOINT")[0]) == ["reconciler"]
    assert json.loads(of(stages()[-1], "CMD")[0]) == ["run"]


def test_the_image_installs_the_wheel_that_it_built_and_no_other() -> None:
    (step,) = [rest for rest in of(stages()[0], "RUN") if " install " in rest]
    assert '"$(echo /wheel/*.whl)[postgres]"' in step


def test_the_image_runs_as_nobody_in_particular_and_stops_gently() -> None:
    runtime = stages()[-1]
    (user,) = of(runtime, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert runtime.index(("USER", user)) < [word for word, _ in runtime].index("ENTRYPOINT")
    assert of(runtime, "STOPSIGNAL") == ["SIGTERM"]
    assert of(runtime, "VOLUME") == of(runtime, "WORKDIR") == ["/data"]
    assert f"-o {user.split(':')[0]} " in " ".join(of(runtime, "RUN"))
    assert "-g 0 -m 0770 /data" in " ".join(of(runtime, "RUN")), "a user without a name is in group 0"
    assert not of(runtime, "HEALTHCHECK")
    assert not of(runtime, "EXPOSE")
    assert "PYTHONUNBUFFERED=1" in of(runtime, "ENV")[0]


def test_the_image_holds_only_what_the_builder_made() -> None:
    build, runtime = stages()
    assert build[0][1].split()[0] == runtime[0][1] == "python:3.12-slim"
    assert all(rest.startswith("--from=build ") for rest in of(runtime, "COPY"))


def test_no_secret_is_built_into_the_image() -> None:
    assert not [rest for word, rest in instructions() if word == "ARG"]
    for rest in of(stages()[-1], "ENV"):
        assert {pair.partition("=")[0] for pair in rest.split()} <= {
            "PATH",
            "PYTHONUNBUFFERED",
            "PYTHONDONTWRITEBYTECODE",
        }


def test_nothing_reaches_the_builder_but_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    copied = {source for rest in of(stages()[0], "COPY") for source in rest.split()[:-1]}
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert "**/__pycache__" in rules
