"""The commands in this process: in an empty folder, with no more of the environment than a test gives."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.cli.commands import main
from reconciler.settings import variables


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
