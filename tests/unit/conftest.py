"""What every unit test does without: a socket, and sleep."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
SLEEPERS = {
    "runtime/test_schedule.py": "the scheduler's own threads keep the time: a job that does not run is waited for",
    "store/test_group_commit.py": "a writer is begun once the others are seen to wait, a millisecond at a time",
}
"""The only files that may sleep, and why."""


def _connects(*_: object, **_more: object) -> NoReturn:
    raise AssertionError("a unit test opens no socket: it belongs into tests/integration or tests/system")


def _sleeps(_seconds: float) -> NoReturn:
    raise AssertionError("a unit test does not sleep: give the product a tests.support.clock.SimClock")


@pytest.fixture(scope="module", autouse=True)
def neither_socket_nor_sleep(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both fail, in any thread, while a module of this folder is at work."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("connect", "connect_ex", "bind", "listen"):
            patched.setattr(socket.socket, name, _connects)
        patched.setattr(socket, "getaddrinfo", _connects)
        if request.path.relative_to(HERE).as_posix() not in SLEEPERS:
            patched.setattr(time, "sleep", _sleeps)
        yield
