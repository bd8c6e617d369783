"""The installed command in a process of its own, and how long, how big and how busy it is."""

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

COMMAND = Path(sysconfig.get_path("scripts")) / "reconciler"
MIB = 1024 * 1024


def clean(environment: dict[str, str]) -> dict[str, str]:
    """What a child gets of our environment, and what it is given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return kept | environment


def seconds(arguments: list[str], environment: dict[str, str], folder: Path) -> float:
    """How long a command takes to its end."""
    started = time.perf_counter()
    subprocess.run(arguments, env=clean(environment), cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - started


@contextmanager
def daemon(environment: dict[str, str], folder: Path) -> Iterator[psutil.Process]:
    """The daemon, until the end of the block."""
    name = f"daemon-{time.monotonic_ns()}.log"
    with (folder / name).open("w") as log:
        child = subprocess.Popen(
            [COMMAND, "run"], env=clean(environment), cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
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


def busy(process: psutil.Process) -> float:
    """Processor seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def resident(process: psutil.Process) -> float:
    """MiB of memory."""
    return float(process.memory_info().rss / MIB)
