"""The file of an SQLite database: who may read it, and whether it is still the one that was opened."""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600
"""Only the program's own user: alerts and notes may hold anything."""


def create_private(file: Path) -> None:
    """Create the file if it is missing, for its owner alone; SQLite gives the files beside it the same mode.

    What keeps it from being created is reported by SQLite, which tries next.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))


def exposed(file: Path | None) -> tuple[str, ...]:
    """A warning if everybody on the machine may use the file.

    Its mode is left as it is: whoever made it so may have given it to a backup, or to `status` of another user.
    """
    try:
        mode = file.stat().st_mode if file else 0
    except OSError:
        return ()
    if not mode & stat.S_IRWXO:
        return ()
    may = "change" if mode & stat.S_IWOTH else "read"
    words = f"every user of this machine may {may} {file}, with all alerts and notes: chmod 600 {file}*"
    return (f"DATABASE_URL: {words}",)


class OpenedFile:
    """The file that the connections of one pool have opened. For any thread."""

    def __init__(self, file: Path) -> None:
        self.path = file
        self._opened: os.stat_result | None = None

    def opened(self) -> None:
        """Note that a connection has opened it; the first of them counts."""
        if self._opened is None:
            with suppress(OSError):
                self._opened = self.path.stat()

    def is_gone(self) -> bool:
        """Whether the path leads to another file by now, or to none: connections go on in the removed one."""
        if self._opened is None:
            return False
        try:
            return not os.path.samestat(self._opened, self.path.stat())
        except OSError:
            return True

    def forget(self) -> None:
        """Begin anew with what the path leads to now."""
        self._opened = None
