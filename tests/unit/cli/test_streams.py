"""Output that cannot be written: no work ends half-way, the loss is said once, and `head` is no failure."""

import errno
import io
import sys

import pytest

from reconciler.cli.streams import Output, kept_output


class Broken(io.StringIO):
    """A stream that fails with this error, at once or when it is flushed."""

    def __init__(self, number: int, *, at_flush: bool = False) -> None:
        super().__init__()
        self._error = OSError(number, "it is full")
        self._at_flush = at_flush

    def write(self, text: str) -> int:
        if not self._at_flush:
            raise self._error
        return super().write(text)

    def flush(self) -> None:
        raise self._error


def ended(status: object) -> object:
    """The exit status of a command that prints and ends with this one."""
    with pytest.raises(SystemExit) as caught:
        _command(status)
    return caught.value.code


def _command(status: object) -> None:
    with kept_output():
        print("a report")  # noqa: T201 - what a command does
        raise SystemExit(status)


@pytest.mark.parametrize("at_flush", [False, True])
@pytest.mark.parametrize(("given", "status"), [(0, 1), (None, 1), (2, 2), (3, 3)])
def test_a_lost_report_fails_a_command_that_has_done_its_work(
    monkeypatch: pytest.MonkeyPatch, given: int | None, status: int, *, at_flush: bool
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Broken(errno.ENOSPC, at_flush=at_flush))
    monkeypatch.setattr(sys, "stderr", stderr)
    assert ended(given) == status
    assert stderr.getvalue().startswith("reconciler: stdout: it is full: the command has done its work, but")
    assert len(stderr.getvalue().splitlines()) == 1


def test_a_reader_that_has_seen_enough_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Broken(errno.EPIPE))
    monkeypatch.setattr(sys, "stderr", stderr)
    assert (ended(0), ended(3), stderr.getvalue()) == (0, 3, "")


def test_what_cannot_be_told_on_stderr_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(errno.ENOSPC))
    assert ended(0) == 0


def test_a_character_that_the_encoding_lacks_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    with kept_output():
        print("Zoë → 山")  # noqa: T201 - what a command does
    stream.flush()
    assert raw.getvalue() == b"Zo\xeb ? ?\n"


def test_the_streams_are_as_before_afterwards_and_everything_else_is_theirs() -> None:
    before = sys.stdout, sys.stderr
    with kept_output():
        assert isinstance(sys.stdout, Output)
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
