"""A full or read-only disk: one clear log line, no partial work, and work resumes once there is room again."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from reconciler.core.model import Side
from reconciler.store.database import DatabaseDown, open_database
from reconciler.store.migrate import upgrade
from tests.support.harness import World
from tests.support.postgres import Postgres, a_server, name_in

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@contextmanager
def a_small_disk(folder: Path, size: str, owner: int | None = None) -> Iterator[Path]:
    """A small file system, mounted in this folder."""
    folder.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size},uid={owner or os.geteuid()}", "tmpfs", folder)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no disk can be mounted here: {error.stderr.strip()}")
    try:
        yield folder
    finally:
        _run("umount", "--lazy", folder)


def _run(*command: str | Path) -> None:
    subprocess.run(command, capture_output=True, text=True, check=True)


def fill(folder: Path) -> Path:
    """Fill the file system to the last byte."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as filler:
        for size in (65536, 4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue
    return file


def test_while_the_daemons_disk_is_full_nothing_is_written_and_nothing_is_lost(
    world: World, tmp_path: Path
) -> None:
    with a_small_disk(tmp_path / "disk", "8m") as disk:
        world.environment["DATABASE_URL"] = f"sqlite:///{disk}/reconciler.db"
        world.database = disk / "reconciler.db"
        it_waits_and_goes_on(world, disk, "disk is full")


def test_while_the_database_servers_disk_is_full_nothing_is_written_and_nothing_is_lost(
    world: World, pytestconfig: pytest.Config
) -> None:
    """Only the tablespace of this database is full; the server's write-ahead log is elsewhere."""
    with a_server(pytestconfig) as server, a_small_disk(server.folder / "disk", "24m", server.owner) as disk:
        server.run("postgres", f"CREATE TABLESPACE disk LOCATION '{disk}'")
        server.run("postgres", "CREATE DATABASE small TEMPLATE template0 TABLESPACE disk")
        it_waits_and_goes_on(world.use(server, server.url("small")), disk, "No space left on device")


def it_waits_and_goes_on(world: World, disk: Path, words: str) -> None:
    """No vendor write happens while its intent cannot be committed, and none is lost."""
    world.begin()
    first = world.raise_alert()
    world.until(lambda: bool(world.incidents(first)), "the first incident")
    filler = fill(disk)
    number = 0
    while not world.told(words):  # existing files may have free space inside
        world.raise_alert(f"alert {number}", description="x" * 10_000)
        number += 1
        assert number < 500
        time.sleep(0.05)
    world.until(lambda: nothing_is_written(world), "that nothing fits in any more")
    assert world.told(words) == world.told("works again") + 1
    filler.unlink()
    world.until(lambda: world.told("works again") == world.told(words), "that it works again")
    world.until(lambda: world.is_settled() and world.audit() == {}, "all of it, once")
    assert world.told("defect") == 0
    assert world.stop() == 0


def nothing_is_written(world: World) -> bool:
    """Whether no vendor write happens for a while: small intents fit into existing files for longer."""
    since = world.seq()
    time.sleep(1.5)
    return world.writes(since) == []


def test_a_full_disk_leaves_no_partial_transaction(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/reconciler.db")
    upgrade(database)
    database.lead()
    pages: list[int] = []

    @event.listens_for(database.engine, "connect")
    def _full(connection: object, _record: object) -> None:
        if pages:
            connection.execute(f"PRAGMA max_page_count={pages[0]}")  # type: ignore[attr-defined]

    with database.engine.connect() as connection:
        pages.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    database.close()
    much = [("a1", Side.ALERTS, f"{number} {'x' * 1000}") for number in range(200)]
    with pytest.raises(DatabaseDown, match=r"cannot be used now: database or disk is full$"):  # noqa: SIM117
        with database.writing() as unit:
            unit.snapshot.save_notes(much)
    with database.reading() as unit:
        assert unit.snapshot.known_notes(["a1"]) == {}
    pages.clear()
    database.close()
    with database.writing() as unit:
        unit.snapshot.save_notes(much)
    with database.reading() as unit:
        assert len(unit.snapshot.known_notes(["a1"])["a1"]) == len(much)
    database.close()


def test_a_full_disk_at_the_first_start_is_reported_in_one_line_and_nothing_is_written(
    world: World, tmp_path: Path
) -> None:
    with a_small_disk(tmp_path / "disk", "64k") as disk:
        world.environment["DATABASE_URL"] = f"sqlite:///{disk}/reconciler.db"
        world.raise_alert()
        done = world.run("once")
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("reconciler: DATABASE_URL: the database cannot be used now: ")
        assert world.writes() == []
        _run("mount", "-o", "remount,size=8m", disk)
        assert [action["status"] for action in world.once()["actions"]] == ["done"]


def test_a_read_only_folder_is_reported_once_and_nothing_is_written_meanwhile(
    world: World, tmp_path: Path
) -> None:
    world.once()
    with _read_only(world, tmp_path):
        alert = world.raise_alert()
        done = world.run("once")
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "DATABASE_URL: cannot write beside the database" in line
        world.start()
        world.until(lambda: world.told("cannot write beside the database") == 1, "what is wrong")
        time.sleep(0.5)
        assert world.told("cannot write beside the database") == 1
        assert world.writes() == []
    world.until(lambda: bool(world.incidents(alert)), "the incident")


@contextmanager
def _read_only(world: World, tmp_path: Path) -> Iterator[None]:
    """The database's folder is read-only; for root this takes a read-only disk."""
    if os.geteuid() != 0:
        world.database.chmod(0o400)
        world.folder.chmod(0o555)
        try:
            yield
        finally:
            world.folder.chmod(0o755)
            world.database.chmod(0o600)
        return
    with a_small_disk(tmp_path / "disk", "8m") as disk:
        for file in world.folder.glob("reconciler.db*"):
            shutil.copy(file, disk)
        world.environment["DATABASE_URL"] = f"sqlite:///{disk}/reconciler.db"
        _run("mount", "-o", "remount,ro", disk)
        yield
        _run("mount", "-o", "remount,rw", disk)
        world.until(lambda: world.told("works again") == 1, "that it works again")
        world.kill()
        world.begin()


def test_a_read_only_server_is_reported_and_nothing_is_written_meanwhile(
    on_postgres: World, postgres: Postgres
) -> None:
    """As after a failover to a read-only replica."""
    world, name = on_postgres, name_in(on_postgres.environment["DATABASE_URL"])
    world.begin()
    others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    postgres.run("postgres", f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    postgres.run("postgres", others)
    alert = world.raise_alert()
    world.until(lambda: world.told("in a read-only transaction") > 0, "what is wrong")
    time.sleep(1.0)
    # A session begun between the two commands meets one trouble after the other, and each change is logged.
    told = world.told("in a read-only transaction")
    assert told <= 2
    time.sleep(1.0)
    assert world.told("in a read-only transaction") == told
    assert world.writes() == []
    postgres.run("postgres", f"ALTER DATABASE {name} RESET default_transaction_read_only")
    world.until(lambda: bool(world.incidents(alert)), "the incident")
    world.until(lambda: world.told("works again") == 1, "that it works again")
    assert world.audit() == {}
