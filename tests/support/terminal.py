"""The installed command on a terminal: what it prints there."""

import os
import pty
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

from tests.support.harness import COMMAND, World


def on_a_terminal(
    world: World, *arguments: str, environ: Mapping[str, str] = MappingProxyType({}), stderr_only: bool = False
) -> bytes:
    """What the command prints on a terminal, until its successful end, or on request on stderr alone."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [COMMAND, *arguments],
        env=world.env({**environ}),
        cwd=world.folder,
        stdout=subprocess.DEVNULL if stderr_only else theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := _read(ours):
            shown += part
        assert started.wait(60) == 0
    finally:
        started.kill()
        os.close(ours)
    return shown


def _read(terminal: int) -> bytes:
    """The next output; empty once the other end is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
