"""The installed daemon on either database: what the tests of this folder look at and meddle with."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from reconciler.sandbox.faults import from_json
from reconciler.sandbox.server import serve
from tests.support.harness import Json, World, hurried
from tests.support.postgres import Postgres, name_in

Rows = list[tuple[Any, ...]]


class Scene(World):
    """A world whose database is `url`; `ask` runs a statement on it beside the reconciler."""

    ask: Callable[[str], Rows]

    def on(self, url: str, ask: Callable[[str], Rows]) -> "Scene":
        """The same world with its database there."""
        self.environment["DATABASE_URL"] = url
        self.ask = ask
        return self

    @property
    def kind(self) -> str:
        """Which database it is over."""
        return self.environment["DATABASE_URL"].partition(":")[0].partition("+")[0]

    def until(self, shown: Callable[[], bool], what: str = "", patience: float = 60.0) -> None:
        """Wait for something to show. Patient: processes start slowly on a machine that does much else."""
        last = time.monotonic() + patience
        while not shown():
            assert time.monotonic() < last, f"not seen: {what}\n{self.log() if self.daemons else ''}"
            time.sleep(0.05)

    # -- what goes wrong --

    def fault(self, do: str, **more: object) -> None:
        """One more thing goes wrong."""
        with self.sandbox.sandbox.lock:
            self.sandbox.sandbox.faults.add(from_json({"do": do} | more))

    def no_faults(self) -> int:
        """Nothing goes wrong any more; how many faults were still to come."""
        with self.sandbox.sandbox.lock:
            left = len(self.sandbox.sandbox.faults.as_json())
            self.sandbox.sandbox.faults.clear()
        return left

    # -- what is there --

    def seq(self) -> int:
        """How many requests both APIs have had."""
        return self.sandbox.sandbox.journal._calls_seen

    def calls(self, since: int = 0) -> list[Json]:
        """The requests after so many."""
        with self.sandbox.sandbox.lock:
            return self.sandbox.sandbox.journal.calls_json(since)

    def written(self, since: int = 0) -> list[Json]:
        """Those of them that write."""
        return [call for call in self.calls(since) if call["write"]]

    def events(self, daemon: int = -1) -> list[Json]:
        """What a daemon has logged, as data."""
        number = daemon % len(self.daemons)
        lines = (self.folder / f"daemon-{number}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def told(self, words: str, daemon: int = -1) -> int:
        """How often a daemon has logged these words."""
        return sum(words in line["event"] for line in self.events(daemon))

    def standing(self) -> dict[str, int]:
        """How many actions stand where; nothing where there is no database yet."""
        try:
            rows = self.ask("SELECT status, count(*) FROM actions GROUP BY status")
        except Exception:  # noqa: BLE001 - of either driver: not migrated yet
            return {}
        return {str(status): int(count) for status, count in rows}

    def has_settled(self) -> bool:
        """Whether no action is open."""
        standing = self.standing()
        return not standing.get("planned") and not standing.get("sent")

    def is_ready(self) -> bool:
        """Whether the first cycle has been written down."""
        try:
            return bool(self.ask("SELECT 1 FROM cursors WHERE name = 'origin'"))
        except Exception:  # noqa: BLE001 - not migrated yet
            return False

    def begin(self, **environ: str) -> None:
        """A daemon, and its first cycle."""
        self.start(**environ)
        self.until(self.is_ready, "the first cycle")

    def pass_cycles(self, count: int) -> list[Json]:
        """Wait for so many whole cycles; the requests meanwhile."""
        since = self.seq()

        def polls() -> int:
            return sum(c["path"] == "/v2/alerts" and "sort" in c["query"] for c in self.calls(since))

        for done in range(count + 1):  # patience is for each
            self.until(lambda done=done: polls() > done + 1, f"cycle {done} of {count}")  # type: ignore[misc]
        return self.calls(since)

    def end(self) -> None:
        """No daemon is left behind."""
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()


@contextmanager
def a_scene(folder: Path, **settings: Any) -> Iterator[Scene]:
    """A scene over SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(settings=hurried(**settings)) as sandbox:
        scene = Scene(sandbox, folder)
        scene.on(f"sqlite:///{scene.database}", lambda statement: _ask_file(scene.database, statement))
        try:
            yield scene
        finally:
            scene.end()


def over(scene: Scene, server: Postgres, url: str) -> Scene:
    """The scene over PostgreSQL."""
    return scene.on(url, lambda statement: server.run(name_in(url), statement))


def _ask_file(file: Path, statement: str) -> Rows:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        return list(connection.execute(statement))
