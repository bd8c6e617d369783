"""The console blocks of a page, run in order in one shell, and what they print compared with what the page shows.

A line `$ command` is run; lines `> …` directly below continue it. Then follows the output that is to come: a line
`…` stands for any number of lines, and `…` within a line for any text. A command that only reads is repeated until
its output is the expected one, as a reader repeats it who waits for an effect.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.docs.pages import Block, Page

PATIENCE = 40.0
"""Seconds until a command must have ended, or a repeated one must show what is expected."""
PORTS = ("8900", "8080", "8081", "8082")
"""The ports that pages name; each run has free ones in their place."""
_READING = re.compile(
    r"^(?:[A-Z_]+=\S+ )*(?:reconciler (?:status|explain|doctor)\b|curl (?!.*(?: -d| -X|--data))|grep\b|cat\b)"
)
_WAIT = 0.25
_INSTALLED = sysconfig.get_path("scripts")
_PROMPT, _GOES_ON, _ANY = "$ ", "> ", "…"
_ANY_LINES, _ANY_TEXT = r"(?:[^\n]*\n)*", r"[^\n]*"


@dataclass(frozen=True, slots=True)
class Step:
    """A command and the output that the page shows for it."""

    command: str
    expected: tuple[str, ...]
    line: int

    @property
    def is_reading(self) -> bool:
        """Whether repeating it changes nothing."""
        return _READING.match(self.command) is not None


def steps(page: Page) -> Iterator[Step]:
    """The commands of all console blocks of a page, in order."""
    for block in page.blocks:
        if block.language == "console":
            yield from _steps(block)


def _steps(block: Block) -> Iterator[Step]:
    command: list[str] = []
    expected: list[str] = []
    at = 0
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith(_PROMPT):
            if command:
                yield Step("\n".join(command), tuple(expected), at)
            command, expected, at = [line.removeprefix(_PROMPT)], [], number
        elif not command:
            raise ValueError(f"line {number}: the block begins with output; the first line must be `$ command`")
        elif line.startswith(_GOES_ON) and not expected:
            command.append(line.removeprefix(_GOES_ON))
        else:
            expected.append(line)
    if command:
        yield Step("\n".join(command), tuple(expected), at)


def agrees(expected: tuple[str, ...], printed: str) -> bool:
    """Whether what was printed is what is expected; blank lines at the end do not count."""
    lines = "\n".join(expected).rstrip("\n").split("\n")
    pattern = "".join(_ANY_LINES if line == _ANY else f"{_ANY_TEXT.join(_parts(line))}[ ]*\n" for line in lines)
    if not any(expected):
        return not printed.strip()
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def _parts(line: str) -> list[str]:
    return [re.escape(part) for part in line.split(_ANY)]


class Shell:
    """One bash in a folder, with `programs` first on its PATH.

    Its output goes to a file, so that what it starts in the background blocks nobody.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str], ports: Mapping[str, str], programs: Path | None = None
    ) -> None:
        self._ports = ports
        self._file = folder.parent / "printed"
        self._printed: IO[str] = self._file.open("w+", encoding="utf-8", errors="replace")
        found = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
        path = ":".join((*(str(each) for each in (programs,) if each), _INSTALLED, os.environ["PATH"]))
        self._bash = subprocess.Popen(
            [shutil.which("bash") or "bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**found, "PATH": path, "HOME": str(folder), "COLUMNS": "140", **environ},
            stdin=subprocess.PIPE,
            stdout=self._printed,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._count = 0
        self._read = 0

    def run(self, command: str) -> str:
        """Run one command; returns what it has printed, with the ports that the page names."""
        self._count += 1
        mark = f"--- end of command {self._count} ---"
        assert self._bash.stdin
        self._bash.stdin.write(f"{self._own(command)}\n_status=$?; printf '\\n%s\\n' '{mark}'; (exit $_status)\n")
        self._bash.stdin.flush()
        last = time.monotonic() + PATIENCE
        while (end := self._new().find(f"\n{mark}\n")) < 0:
            assert time.monotonic() < last, f"not ended after {PATIENCE:.0f} s: {command}\n{self._new()}"
            assert self._bash.poll() is None, f"the shell has ended: {command}\n{self._new()}"
            time.sleep(0.01)
        found = self._new()[:end]
        self._read += len(self._new()[: end + len(mark) + 2].encode())
        return self._shown(found)

    def close(self) -> None:
        """End the shell and all that it has started."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()
        self._printed.close()

    def _new(self) -> str:
        return self._file.read_bytes()[self._read :].decode("utf-8", "replace")

    def _own(self, command: str) -> str:
        command = re.sub(r"\breconciler sandbox(?! --port)", "reconciler sandbox --port 8900", command)
        return re.sub(r"\b\d{4}\b", lambda found: self._ports.get(found[0], found[0]), command)

    def _shown(self, printed: str) -> str:
        shown = {own: port for port, own in self._ports.items()}
        return re.sub(r"\b\d{4}\b", lambda found: shown.get(found[0], found[0]), printed)


def free_ports() -> dict[str, str]:
    """For each port that pages name, one of as many digits on which nobody listens.

    They are chosen by chance from all of four digits, as other pages, also of other runs, choose theirs meanwhile.
    """
    tried = dict.fromkeys(2000 + secrets.randbelow(8000) for _ in range(100))
    free = (str(port) for port in tried if _is_free(port))
    return {shown: next(free) for shown in PORTS}


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        return str(port) not in PORTS and tried.connect_ex(("127.0.0.1", port)) != 0


def follow(shell: Shell, step: Step) -> str:
    """Run a step until it prints what is expected; returns what it has printed last."""
    last = time.monotonic() + PATIENCE
    printed = shell.run(step.command)
    while step.is_reading and not agrees(step.expected, printed) and time.monotonic() < last:
        time.sleep(_WAIT)
        printed = shell.run(step.command)
    return printed
