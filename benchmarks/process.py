"""The installed command in a process of its own, and its duration, memory and processor time."""

import os
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

COMMAND = Path(sysconfig.get_path("scripts")) / "reconciler"
MIB = 1024 * 1024


def clean(environment: dict[str, str]) -> dict[str, str]:
    """A child's environment: the neutral part of ours, and the given variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return kept | environment


def seconds(arguments: list[str], environment: dict[str, str], folder: Path) -> float:
    """The seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(arguments, env=clean(environment), cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - started


@contextmanager
def daemon(
    environment: dict[str, str], folder: Path, command: Sequence[str | Path] = (COMMAND, "run")
) -> Iterator[psutil.Process]:
    """Run the daemon until the end of the block."""
    name = f"daemon-{time.monotonic_ns()}.log"
    with (folder / name).open("w") as log:
        child = subprocess.Popen(command, env=clean(environment), cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield psutil.Process(child.pid)
        assert child.poll() is None, (folder / name).read_text()[-2000:]
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def busy(process: psutil.Process) -> float:
    """Its processor seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def resident(process: psutil.Process) -> float:
    """Its resident memory in MiB."""
    return float(process.memory_info().rss / MIB)
