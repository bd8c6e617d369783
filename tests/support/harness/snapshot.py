"""The reconciler's database, read beside it."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from tests.support.harness.commands import Commands
from tests.support.postgres import Postgres, name_in

Rows = list[tuple[Any, ...]]


class SnapshotReader(Commands):
    """Statements on whichever database the reconciler uses; no rows while it has no schema."""

    _server: Callable[[str], Rows] | None = None

    def use(self, server: Postgres, url: str) -> Self:
        """Use this PostgreSQL database from now on; returns the world itself."""
        self.environment["DATABASE_URL"] = url
        self._server = lambda statement: server.run(name_in(url), statement)
        return self

    @property
    def kind(self) -> str:
        """Which database it is: sqlite or postgresql."""
        return self.environment["DATABASE_URL"].partition(":")[0].partition("+")[0]

    def ask(self, statement: str) -> Rows:
        """Run a statement; its rows."""
        if self._server is not None:
            return self._server(statement)
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            return list(connection.execute(statement))

    def ledger(self) -> list[tuple[str, str]]:
        """Kind and status of every action, oldest first."""
        return [(kind, status) for kind, status in self._asked("SELECT kind, status FROM actions ORDER BY id")]

    def standing(self) -> Counter[str]:
        """How many actions have which status."""
        return Counter(status for _, status in self.ledger())

    def is_settled(self) -> bool:
        """Whether no action is open."""
        standing = self.standing()
        return not standing["planned"] and not standing["sent"]

    def is_ready(self) -> bool:
        """Whether the database has a record of the first start."""
        return bool(self._asked("SELECT 1 FROM cursors WHERE name = 'origin'"))

    def until_ready(self) -> None:
        """Wait for the end of the first start."""
        self.until(self.is_ready, "the first start")

    def begin(self, **environ: str) -> None:
        """Start a daemon, and wait for the end of its first start."""
        self.start(**environ)
        self.until_ready()

    def _asked(self, statement: str) -> Rows:
        """Rows; none while the database or its tables are missing."""
        if self._server is None and not Path(self.database).exists():
            return []
        try:
            return self.ask(statement)
        except Exception as error:
            if "no such table" in str(error) or "does not exist" in str(error):
                return []
            raise
