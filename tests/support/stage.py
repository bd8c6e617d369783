"""A world with what tests of many cycles, faults and crashes need besides."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import requests

from reconciler.sandbox.server import serve
from reconciler.sandbox.wire import Request, Response
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from tests.support.harness import Json, World, hurried
from tests.support.launcher import Launched


class Stage(World):
    """The world."""

    # -- the reconciler --

    def once(self, **environ: str) -> Json:
        """One cycle; its JSON report."""
        self._migrate()
        return super().once(**environ)

    def start(self, **environ: str) -> Launched:
        """The daemon."""
        self._migrate()
        return super().start(**environ)

    def _migrate(self) -> None:
        """Half a second is spent once for all worlds, not in each. `run` and a plain World start from nothing."""
        if not self.database.exists():
            with _ONE_AT_A_TIME:
                self.database.write_bytes(_migrated())

    def until(self, shown: Callable[[], bool], what: str = "", patience: float = 30.0) -> None:
        """Wait for something to show. Patient: other tests run beside this one."""
        last = time.monotonic() + patience
        while not shown():
            assert time.monotonic() < last, f"not seen: {what}\n{self._logged()}"
            time.sleep(0.05)

    # -- what goes wrong --

    def faults(self, *rows: Json) -> None:
        """Something shall go wrong: see `reconciler.sandbox.faults`."""
        requests.post(f"{self.sandbox.url}/control/faults", json=list(rows), timeout=10).raise_for_status()

    def no_faults(self) -> None:
        """Nothing shall go wrong any more."""
        requests.delete(f"{self.sandbox.url}/control/faults", timeout=10).raise_for_status()

    def answers(self, when: Callable[[str, Request], bool], answer: Response) -> Callable[[], None]:
        """From now on these calls get that answer, and have no effect. Returns what ends it."""
        sandbox = self.sandbox.sandbox
        machine = sandbox.answer
        sandbox.answer = lambda vendor, request: (  # type: ignore[method-assign]
            answer if when(vendor, request) else machine(vendor, request)
        )

        def end() -> None:
            sandbox.answer = machine  # type: ignore[method-assign]

        return end

    # -- what has happened --

    def state(self) -> Json:
        """Both sides whole, taken from the sandbox itself: asked for very often."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            return sandbox.state()

    def calls(self, since: int = 0) -> list[Json]:
        """API requests with a higher `seq`."""
        sandbox = self.sandbox.sandbox
        with sandbox.lock:
            return sandbox.journal.calls_json(since)

    def seq(self) -> int:
        """The number of the newest API request."""
        return max((int(call["seq"]) for call in self.calls()), default=0)

    def pass_cycles(self, count: int, patience: float = 60.0) -> list[Json]:
        """Wait until the reconciler has gone through so many more cycles; all requests made meanwhile."""
        since, last = self.seq(), time.monotonic() + patience
        while True:
            calls = self.calls(since)
            polls = [c for c in calls if c["path"] == "/v2/alerts" and c["query"].get("sort") == ["updatedAt"]]
            if len(polls) > count + 1:  # the first may have been begun before, the last has only begun
                return calls
            assert time.monotonic() < last, f"only {len(polls)} of {count} cycles\n{self._logged()}"
            time.sleep(0.05)

    def assert_quiet(self, cycles: int = 50) -> None:
        """So many further cycles write nothing."""
        written = [call for call in self.pass_cycles(cycles) if call["write"]]
        assert written == [], f"{written}\n{self._logged()}"

    def assert_good(self) -> None:
        """Nothing lost, nothing twice, no loop, nothing forbidden."""
        assert self.audit() == {}, self._logged()

    def events(self, daemon: int = -1) -> list[Json]:
        """What a daemon has logged, as data."""
        number = daemon % len(self.daemons)
        lines = (self.folder / f"daemon-{number}.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def told(self, words: str, daemon: int = -1) -> int:
        """How often a daemon has logged these words."""
        return sum(words in line["event"] for line in self.events(daemon))

    def ledger(self) -> list[tuple[str, str]]:
        """Kind and status of every action, oldest first, looked up beside the reconciler."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            try:
                return list(connection.execute("SELECT kind, status FROM actions ORDER BY id"))
            except sqlite3.OperationalError:  # not migrated yet
                return []

    def is_settled(self) -> bool:
        """Whether no action is open."""
        return all(status not in ("planned", "sent") for _, status in self.ledger())

    def until_ready(self) -> None:
        """Wait for the end of the newest daemon's first cycle."""
        self.until(lambda: bool(self._cursor("origin")), "the first cycle")

    def files(self) -> dict[str, bytes]:
        """Every file in the folder but the daemons' logs, with what it holds."""
        return {file.name: file.read_bytes() for file in self.folder.iterdir() if file.suffix != ".log"}

    def end(self) -> None:
        """No daemon is left behind."""
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()

    def _cursor(self, name: str) -> str | None:
        if not self.database.exists():
            return None
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            try:
                row = connection.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
            except sqlite3.OperationalError:  # not migrated yet
                return None
        return row[0] if row else None

    def _logged(self) -> str:
        return self.log() if self.daemons else ""


_ONE_AT_A_TIME = Lock()
"""Alembic knows one migration at a time."""


@cache
def _migrated() -> bytes:
    """A database as the first start leaves it before it looks anywhere: half a second, spent once."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/template.db"
        database = open_database(url)
        upgrade(database)
        database.close()
        return (Path(folder) / "template.db").read_bytes()


@contextmanager
def a_stage(folder: Path, **settings: Any) -> Iterator[Stage]:
    """A world outside of the fixture: for a whole module, or for several at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(settings=hurried(**settings)) as sandbox:
        stage = Stage(sandbox, folder)
        try:
            yield stage
        finally:
            stage.end()
