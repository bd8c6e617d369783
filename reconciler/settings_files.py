"""Files that settings come from: the `.env` file, and files that hold one secret each."""

import difflib
import io
import os
import stat
from collections.abc import Collection
from pathlib import Path

from dotenv.parser import parse_stream

from reconciler.settings_texts import Wrong

LARGEST_FILE = 65536  # characters of a file that holds one secret
OURS = ("OPSGENIE_", "PAGERDUTY_", "ON_OPSGENIE", "ON_PAGERDUTY")
"""Beginnings of names that are ours alone: one that is unknown is a misspelt one."""


def read_secret(name: str, path: str) -> str:
    """The content of a secret's file. The path is never shown: it may be the secret itself, given by mistake."""
    fix = "give the path of a readable file that holds the value alone"
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(LARGEST_FILE + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Wrong(f"cannot be read from {name}: {words}; {fix}") from None
    if not text or len(text) > LARGEST_FILE:
        raise Wrong(f"cannot be read from {name}: the file is {'too large' if text else 'empty'}; {fix}")
    return text


def can_be_read_again(path: str) -> bool:
    """Whether the file has a content: a pipe, such as the shell's `<(…)`, gives its text once."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return True  # it is missing for now, which is told when it is read


def read_dotenv(file: Path | None, known: Collection[str], problems: list[str]) -> dict[str, str]:
    """The values of the .env file, without interpolation; unreadable lines and misspelt names are problems."""
    if file is None:
        return {}
    try:
        lines = list(parse_stream(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(_closed(file) or f"{file.name}: cannot be read: {words}; fix or remove it")
        return {}
    values: dict[str, str] = {}
    for line in lines:
        if line.error:
            problems.append(f"{file.name}: line {line.original.line} cannot be read; write NAME=value")
        elif line.key is not None:
            values[line.key] = line.value or ""
            if line.key not in known and line.key.startswith(OURS):
                nearest = difflib.get_close_matches(line.key, known, n=1, cutoff=0.0)[0]
                problems.append(f"{line.key}: there is no such variable; {file.name} perhaps means {nearest}")
    return values


def _closed(file: Path) -> str:
    """That the file's folder may not be entered, so that nothing can be said of the file; empty if it may."""
    folder = file.absolute().parent
    if os.access(folder, os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return ""
    return (
        f"the folder {folder}, in which this was started: user {os.geteuid()} may not enter it, so that "
        f"neither {file.name} nor a database in it can be reached; start in another folder, or let this user enter"
    )


def exposed(file: Path, secrets: Collection[str]) -> tuple[str, ...]:
    """A warning if everybody on the machine may read the file, and it holds one of these variables."""
    try:
        mode = file.stat().st_mode
    except OSError:
        return ()
    values = read_dotenv(file, secrets, []) if mode & stat.S_IROTH else {}
    held = [name for name in secrets if values.get(name)]
    if not held:
        return ()
    return (f"{file.name}: every user of this machine may read it, and it holds {held[0]}: chmod 600 {file.name}",)
