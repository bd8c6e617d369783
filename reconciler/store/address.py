"""The database's address: which file it names, whether there is one, and how a server is connected to."""

import os
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import Misconfigured

TCP = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""libpq parameters with which a dead host is noticed within half a minute; the URL may override them."""


def file_of(url: str) -> Path | None:
    """The file of an SQLite database, None for any other. Misconfigured if the URL cannot be used."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        try:
            address.get_dialect()().create_connect_args(address)
        except ArgumentError:  # its text would show the address
            raise Misconfigured(
                "DATABASE_URL: the hosts and ports after the ? do not fit together: give as many ports as hosts, "
                "each a number"
            ) from None
        return None
    file = Path(address.database or "").absolute()
    try:
        if not file.parent.is_dir():
            raise Misconfigured(f"DATABASE_URL: there is no folder {file.parent}: create it, or name another file")
        if file.is_dir():
            raise Misconfigured(f"DATABASE_URL: {file} is a folder: name a file in it")
    except OSError as error:
        raise Misconfigured(
            f"DATABASE_URL: user {os.geteuid()} may not enter the folder {file.parent} ({error.strerror}): give "
            "it to this user, or name a file in another folder"
        ) from error
    return file


def exists(url: str) -> bool:
    """Whether there is a database to read. The check creates none."""
    file = file_of(url)
    return file is None or file.exists()


def is_blank(file: Path) -> bool:
    """Whether the file is empty or missing."""
    return not file.exists() or file.stat().st_size == 0


def tcp(url: str) -> dict[str, int]:
    """Connection parameters for PostgreSQL, without those that the URL sets."""
    return {name: value for name, value in TCP.items() if name not in make_url(url).query}
