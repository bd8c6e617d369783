"""Starts `reconciler …` as forks of a process that has imported it, which saves half a second of CPU time a start.

A fork runs the entry point of the installed command with its own environment, folder and output. Each worker of a
test run has one such parent process, which runs nothing of the product itself.

Where the run measures coverage, the commands that the tests in MEASURED start are measured too.
"""

import atexit
import contextlib
import functools
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import IO, NoReturn

from tests.support.paths import ROOT
from tests.support.sockets import received

_PRELOADED = (
    "alembic.command",
    "reconciler.cli.commands",
    "reconciler.cli.demo",
    "reconciler.cli.rendering",
    "reconciler.observability.metrics",
    "reconciler.operations.retry",
    "reconciler.operations.status",
    "reconciler.runtime.bootstrap",
    "reconciler.runtime.once",
    "reconciler.sandbox.command",
    "reconciler.web.app",
    "reconciler.web.server",
)
_LENGTH = 8
COVERAGE = "RECONCILER_COVERAGE"
"""The environment variable that names coverage's data file, where a test run measures coverage."""
MEASURED = (
    "tests/project/test_readme.py",
    "tests/system/test_bad_input.py",
    "tests/system/test_daemon.py",
    "tests/system/test_dry_run.py",
    "tests/system/test_retry.py",
)
"""Tests whose commands are measured: they cover what only commands run, and tracing all would double the time."""


class Launched:
    """A started command: what the tests need of `subprocess.Popen`."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended
        self._lock = Lock()

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit status. Raises TimeoutExpired where it does not end within that many seconds."""
        found = self._look(timeout)
        if found is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return found

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def _look(self, timeout: float | None) -> int | None:
        last = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            with self._lock:
                if self.returncode is None and select.select([self._ended], [], [], 0)[0]:
                    status = os.read(self._ended, 16)
                    os.close(self._ended)
                    if not status:  # the launcher has died and cannot end the command any more
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(self.pid, signal.SIGKILL)
                    self.returncode = int(status) if status else -signal.SIGKILL
            if self.returncode is not None or (last is not None and time.monotonic() >= last):
                break
            with contextlib.suppress(ValueError, OSError):  # another thread has seen the end meanwhile
                left = 1.0 if last is None else max(0.0, last - time.monotonic())
                select.select([self._ended], [], [], min(left, 1.0))
        return self.returncode


class _Launcher:
    """This worker's end of the connection to its launcher."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def launch(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdout: int, stderr: int
    ) -> Launched:
        """Start the command."""
        is_measured = os.environ.get("PYTEST_CURRENT_TEST", "").startswith(MEASURED)
        message = pickle.dumps((list(arguments), dict(env), str(cwd), is_measured))
        ended, tell = os.pipe()
        with self._lock:
            socket.send_fds(self._ours, [len(message).to_bytes(_LENGTH)], [stdout, stderr, tell])
            self._ours.sendall(message)
            os.close(tell)
            pid = int.from_bytes(received(self._ours, _LENGTH))
        return Launched(pid, ended)


_STARTING = Lock()


@functools.cache
def _launcher() -> _Launcher:
    return _Launcher()


def launch(
    arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdout: IO[str], stderr: IO[str]
) -> Launched:
    """`reconciler` with these arguments, in the background."""
    with _STARTING:
        launcher = _launcher()
    return launcher.launch(arguments, env, cwd, stdout.fileno(), stderr.fileno())


# -- the launcher's own process --


def _serve(connection: socket.socket) -> None:
    """Start a command for each message and write its exit status to its pipe, until the socket closes."""
    import gc  # noqa: PLC0415 - of this process alone
    import importlib  # noqa: PLC0415 - the same

    done = _measure(os.environ[COVERAGE]) if COVERAGE in os.environ else lambda: None
    for name in _PRELOADED:
        importlib.import_module(name)
    done()
    gc.collect()
    gc.freeze()  # what is there already is shared with the children, and stays so
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake)
    children: dict[int, int] = {}
    watched: list[socket.socket | int] = [connection, woken]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if woken in ready:
            os.read(woken, 4096)
        _reap(children)
        if connection not in ready:
            continue
        head, given, _, _ = socket.recv_fds(connection, _LENGTH, 3)
        if not head:
            return
        message = received(connection, int.from_bytes(head))
        pid = os.fork()
        if pid == 0:
            for left in (connection.detach(), woken, wake, given[2], *children.values()):
                os.close(left)
            _become(message, given[0], given[1])
            return
        for kept in given[:2]:
            os.close(kept)
        children[pid] = given[2]
        connection.sendall(pid.to_bytes(_LENGTH))


def _reap(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        end = children.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(end)


def _become(message: bytes, stdout: int, stderr: int) -> None:
    """Turn this fork into the command, as its script would start it."""
    arguments, env, cwd, is_measured = pickle.loads(message)  # noqa: S301 - of the worker that has started us
    if is_measured and COVERAGE in os.environ:
        atexit.register(_measure(os.environ[COVERAGE]))
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    # New ones, as those of the launcher know whether its own output, and not this one's, is a pipe.
    sys.stdout = os.fdopen(1, "w", encoding=sys.stdout.encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = ["reconciler", *arguments]
    from reconciler.cli.commands import main  # noqa: PLC0415 - it is there already

    try:
        main()
    except SystemExit as end:
        if is_measured or not isinstance(end.code, int):
            raise
        _end(end.code)


def _end(status: int) -> NoReturn:
    """End as the interpreter does, but leave its memory to the system.

    To free each object one by one copies every page that is shared with the launcher: four fifths of the time of a
    short command. The commands of the tests in MEASURED end in full.
    """
    threading._shutdown()  # type: ignore[attr-defined] # waits for the threads that are no daemons
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _measure(file: str) -> Callable[[], None]:
    """Measure coverage from now on. Returns a function that ends it; a killed process counts nothing."""
    import coverage  # noqa: PLC0415 - where coverage is measured alone

    measured = coverage.Coverage(data_file=file, data_suffix=True, config_file=str(ROOT / "pyproject.toml"))
    measured.start()

    def end() -> None:
        measured.stop()
        measured.save()

    return end


if __name__ == "__main__":
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - for as long as the process lives
    _serve(socket.socket(fileno=int(sys.argv[1])))
