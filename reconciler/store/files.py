"""The files of an SQLite database: whose they are, who may read them, whether they are still those in use."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from reconciler.errors import Misconfigured

PRIVATE = 0o600
"""Only the program's own user: alerts and notes may hold anything."""
_ROOT = 0


def create_private(file: Path) -> None:
    """Create the file if it is missing, for its owner alone; SQLite gives the files beside it the same mode.

    What keeps it from being created is reported by SQLite, which tries next.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))


def check_owner(file: Path) -> None:
    """Misconfigured if the file belongs to another user, who could read and change it. Root's is accepted."""
    with suppress(FileNotFoundError):
        _check(file, file.stat())


def check_private(file: Path) -> None:
    """Misconfigured if `open_private` would refuse the file."""
    with suppress(FileNotFoundError):
        _check(file, file.lstat())


def open_private(file: Path) -> int:
    """A descriptor of the file, created if it is missing, that its owner alone can open from now on.

    Misconfigured for a symbolic link, for what is no file, and for a file of another user: somebody else could
    have put it there. OSError if it cannot be opened.
    """
    check_private(file)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, PRIVATE)
    try:
        found = os.fstat(descriptor)
        _check(file, found)
        if stat.S_IMODE(found.st_mode) != PRIVATE:
            os.fchmod(descriptor, PRIVATE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(file: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise Misconfigured(f"DATABASE_URL: {file} is a symbolic link, which is not followed: remove it")
    if not stat.S_ISREG(found.st_mode):
        raise Misconfigured(f"DATABASE_URL: {file} is no file: remove it, or name another database")
    if found.st_uid not in (os.geteuid(), _ROOT):
        raise Misconfigured(
            f"DATABASE_URL: {file} belongs to user {found.st_uid}, and this is user {os.geteuid()}: run as that "
            "user, or give the file to this one"
        )


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
