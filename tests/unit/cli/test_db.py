"""`reconciler db`."""

from pathlib import Path

from reconciler.store.schema import REVISION
from tests.support.command import Command


def test_the_schema_is_shown_before_and_after_it_is_made(command: Command) -> None:
    assert command("db", "current") == (0, f"none (this version: {REVISION})\n", "")
    assert command("db", "current", "--check").status == 1
    assert not Path("reconciler.db").exists()
    assert command("db", "upgrade") == (0, f"The schema is at revision {REVISION}.\n", "")
    assert command("db", "current") == (0, f"{REVISION} (this version: {REVISION})\n", "")
    assert command("db", "current", "--check").status == 0
