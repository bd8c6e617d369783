"""The commands in this process: in an empty folder, with no more of the environment than a test gives."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.cli.commands import main
from reconciler.core.model import Kind, Settlement, Status
from reconciler.settings import variables
from reconciler.store.database import open_database
from tests.support.builders import action, at, pair


class Done(NamedTuple):
    """What a command has returned and printed."""

    status: object
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs `reconciler` with these arguments and variables, as its installed script does."""
    monkeypatch.chdir(tmp_path)
    for name in {*os.environ} & {name + end for name in variables() for end in ("", "_FILE")}:
        monkeypatch.delenv(name)

    def run(*arguments: str, **environ: str) -> Done:
        monkeypatch.setattr("sys.argv", ["reconciler", *arguments])
        with monkeypatch.context() as patched:
            for name, value in environ.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        return Done(ended.value.code, *capsys.readouterr())

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield run
    for number, handler in handlers.items():  # `run` has installed its own
        signal.signal(number, handler)


def named(err: str) -> list[str]:
    """The variables that stderr names, one a line."""
    return [line.split(":")[1].strip() for line in err.splitlines()]


def with_a_dead_note(command: Command) -> None:
    """The database of the folder, with one pair whose note has been given up."""
    assert command("db", "upgrade").status == 0
    database = open_database("sqlite:///reconciler.db")
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
        unit.outbox.add([action(Kind.PAGERDUTY_NOTE)], at(20))
        unit.outbox.settle(Settlement(1, Status.DEAD, "too long"), at(30))
    database.close()
