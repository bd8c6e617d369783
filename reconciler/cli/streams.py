"""What commands print: no character and no full disk turns a report into a defect, or ends the work half-way."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from reconciler.cli.common import FAILED


class Output:
    """A stream whose reader may go away, and whose disk may be full: `lost` is the first error of a write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or forget the text if nothing can be written any more."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = self.lost or error
        with suppress(OSError, ValueError):  # the rest goes nowhere, so that the stream's end does not fail either
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def kept_output() -> Iterator[None]:
    """Keep errors of stdout and stderr from ending the command; if its output is lost, it ends with FAILED.

    A reader that has seen enough, such as `head`, is no failure. What stdout's encoding has no character for is
    replaced.
    """
    before = sys.stdout, sys.stderr
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    output = Output(sys.stdout)
    sys.stdout, sys.stderr = output, Output(sys.stderr)
    try:
        yield
    except SystemExit as end:
        output.flush()
        if output.lost is None or output.lost.errno == errno.EPIPE:
            raise
        words = f"stdout: {output.lost.strerror}: the command has done its work, but what it prints is lost"
        click.echo(f"reconciler: {words}; give it a place with room", err=True)
        raise SystemExit(end.code or FAILED) from None
    finally:
        sys.stdout, sys.stderr = before
