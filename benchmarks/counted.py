"""The daemon in this process, with its transactions counted: `python benchmarks/counted.py FILE`.

The file holds two numbers of eight bytes, which another process reads at any time: commits, reading transactions.
"""

import mmap
import struct
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, event

NUMBERS = struct.Struct("=QQ")


def transactions(file: Path) -> tuple[int, int]:
    """Commits and reading transactions so far."""
    commits, reads = NUMBERS.unpack(file.read_bytes())
    return commits, reads


def _count(shared: Any) -> None:
    lock, counts = Lock(), {True: 0, False: 0}

    def begun(connection: Connection) -> None:
        writes = bool(connection.get_execution_options().get("immediate", True))
        with lock:
            counts[writes] += 1
            NUMBERS.pack_into(shared, 0, counts[True], counts[False])

    event.listen(Engine, "begin", begun)


def main(file: Path) -> None:
    """Run until a signal."""
    from reconciler.cli.commands import main as command  # noqa: PLC0415 - after the file is there

    file.write_bytes(NUMBERS.pack(0, 0))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), NUMBERS.size) as shared:
        _count(shared)
        sys.argv = ["reconciler", "run"]
        command()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
