"""A PostgreSQL server for a section; without one, its figures are left out and the reason is printed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.postgres import Postgres, Unavailable


@contextmanager
def postgres() -> Iterator[Postgres | None]:
    """A server until the end of the block; None if none can be had."""
    try:
        server = Postgres("max_connections=200")
    except Unavailable as reason:
        print(f"left out, as there is no PostgreSQL: {reason}", file=sys.stderr)
        yield None
        return
    try:
        yield server
    finally:
        server.close()
