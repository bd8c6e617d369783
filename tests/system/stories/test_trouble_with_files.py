"""Who may read what the program keeps, and folders that its user may not use: what is wrong is named as such."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.harness import COMMAND, World

SOMEBODY = 424_242
"""The owner of folders that the command's user has no right to but by their mode."""
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Starts root's programs without root's powers: modes then hold for them, too."""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of somebody else's, which is given to group 0."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root may give a folder away, and start a program without root's powers (`setpriv`)")
    folder = tmp_path / "foreign"
    folder.mkdir()
    os.chown(folder, SOMEBODY, 0)
    return folder


def powerless(world: World, folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in this folder as a user of group 0 who owns nothing there."""
    given = {"PATH": os.environ["PATH"]} | world.environment | environ
    return subprocess.run(
        [*POWERLESS, COMMAND, *arguments],
        env=given,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_foreign_user_works_in_a_folder_of_group_0(world: World, foreign: Path) -> None:
    foreign.chmod(0o770)
    alert = world.raise_alert()
    done = powerless(world, foreign, "once", DATABASE_URL="sqlite:///reconciler.db")
    assert done.returncode == 0, done.stderr
    assert world.is_paged(alert)
    assert {oct(file.stat().st_mode & 0o777) for file in foreign.glob("*.db")} == {"0o600"}


@pytest.mark.parametrize("command", ["once", "run", "status"])
def test_a_working_folder_that_may_not_be_entered_is_named(world: World, foreign: Path, command: str) -> None:
    """The folder is entered as root and closed to the user, as a volume of another owner is."""
    foreign.chmod(0o700)
    done = powerless(world, foreign, command, DATABASE_URL="sqlite:///reconciler.db")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"reconciler: the folder {foreign}, in which this was started: user 0 may not enter it")


def test_a_databases_folder_that_may_not_be_entered_is_named(world: World, foreign: Path) -> None:
    foreign.chmod(0o700)
    done = powerless(world, world.folder, "once", DATABASE_URL=f"sqlite:///{foreign}/reconciler.db")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"reconciler: DATABASE_URL: user 0 may not enter the folder {foreign}")


def test_a_folder_that_is_not_there_is_named_and_not_made(world: World) -> None:
    done = world.run("once", DATABASE_URL=f"sqlite:///{world.folder}/nowhere/reconciler.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"reconciler: DATABASE_URL: there is no folder {world.folder}/nowhere: create it, or name another file\n"
    )
    assert not (world.folder / "nowhere").exists()


def test_files_that_everybody_may_read_are_warned_of(world: World) -> None:
    dotenv = world.folder / ".env"
    dotenv.write_text(f"PAGERDUTY_API_KEY={world.environment.pop('PAGERDUTY_API_KEY')}\n")
    dotenv.chmod(0o644)
    world.once()
    world.database.chmod(0o644)
    done = world.run("once")
    assert done.returncode == 0
    of_dotenv, of_database = done.stderr.splitlines()
    assert "reconciler: .env: every user of this machine may read it, and it holds PAGERDUTY_API_KEY" in of_dotenv
    assert f"reconciler: DATABASE_URL: every user of this machine may read {world.database}" in of_database
    world.start()
    world.until(lambda: world.told("every user of this machine may read") == 2, "the same in the log")
    for file in (dotenv, *world.folder.glob("reconciler.db*")):
        file.chmod(0o600)
    assert world.run("once", "--dry-run").stderr == ""
