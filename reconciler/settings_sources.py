"""Where the texts of settings come from: the environment, a .env file, and files that hold one secret each."""

import errno
import io
import os
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from reconciler.settings_texts import Wrong

LARGEST_FILE = 65536  # characters of a file that holds one secret
LARGEST_ROUTES = 2**20
"""Bytes of a routes file."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Texts by name, from the place `name`; `lines` are the names' lines in a file.

    `keys` is for a table of the routes file: how it writes each name. There an empty text is a value, too: it
    stands for the variable's default, whatever later layers say.
    """

    name: str
    texts: Mapping[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)

    def origin(self, variable: str) -> str:
        """Where the variable is set."""
        line = self.lines.get(variable)
        return self.name if line is None else f"{self.name}, line {line}"

    def sets(self, variable: str) -> bool:
        """Whether the variable is set here, by itself or by its file."""
        names = (variable, f"{variable}_FILE")
        return any(name in self.keys or self.texts.get(name) for name in names)

    def called(self, variable: str) -> str:
        """The variable's name in a problem with its value of this layer."""
        key = self.keys.get(variable) or self.keys.get(f"{variable}_FILE")
        return f"{self.name} {key}" if key else variable


@dataclass(frozen=True, slots=True)
class Found:
    """A variable's text, and where it comes from; both are empty if it is not set.

    An empty text that comes from somewhere stands for the variable's default.
    """

    text: str = ""
    origin: str = ""


def read_dotenv(file: Path | None, problems: list[str]) -> Layer:
    """The values of a .env file, without interpolation; what cannot be read is added to `problems`."""
    name = file.name if file else ".env"
    if file is None:
        return Layer(name, {})
    try:
        with os.fdopen(_opened(str(file)), encoding="utf-8-sig") as opened:
            bindings = list(parse_stream(io.StringIO(opened.read())))
    except FileNotFoundError:
        return Layer(name, {})
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(_closed(file) or f"{name}: cannot be read: {words}; fix or remove it")
        return Layer(name, {})
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in bindings:
        written = binding.original.string
        line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
        if binding.error:
            problems.append(f"{name}: line {line} cannot be read; write NAME=value")
        elif binding.key is not None:
            texts[binding.key] = binding.value or ""
            lines[binding.key] = line
    return Layer(name, texts, lines)


def look_up(name: str, layers: Sequence[Layer], *, secret: bool) -> Found:
    """The variable's text from the first layer that sets it. Wrong if it is given twice, or its file is bad."""
    for layer in layers:
        text = layer.texts.get(name, "")
        path = layer.texts.get(f"{name}_FILE", "") if secret else ""
        if not secret:
            text = text.strip()
        if text and path:
            raise Wrong(f"is given twice, as {name} and as {name}_FILE; remove one of them")
        if path:
            key = layer.keys.get(f"{name}_FILE")  # a problem names it already
            text = read_secret("the file" if key else f"{name}_FILE", path)
            return Found(text, f"{key or f'{name}_FILE'} in {layer.origin(f'{name}_FILE')}")
        if text or (layer.keys and layer.sets(name)):
            return Found(text, layer.origin(name))
    return Found()


def read_secret(name: str, path: str) -> str:
    """The content of a secret's file. The path is never shown: it may be the secret itself, given by mistake.

    Wrong for a named pipe, which would have to be waited for; the shell's `<(…)` gives one that is open already.
    """
    fix = "give the path of a readable file that holds the value alone"
    try:
        with os.fdopen(_opened(path), encoding="utf-8") as file:
            text = file.read(LARGEST_FILE + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Wrong(f"cannot be read from {name}: {words}; {fix}") from None
    if not text or len(text) > LARGEST_FILE:
        raise Wrong(f"cannot be read from {name}: the file is {'too large' if text else 'empty'}; {fix}")
    return text


def read_routes_file(path: Path) -> bytes:
    """The content of a routes file. Wrong if it cannot be read, or is so large that it must be another file."""
    fix = "give the path of a TOML file that this user may read"
    if not can_be_read_again(str(path)):
        raise Wrong(f"cannot be read: it is no regular file; {fix}")
    try:
        with os.fdopen(_opened(str(path)), "rb") as file:
            content = file.read(LARGEST_ROUTES + 1)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "its name is not valid"
        raise Wrong(f"cannot be read: {words}; {fix}") from None
    if len(content) > LARGEST_ROUTES:
        raise Wrong("is larger than 1 MiB, which no routes file is; name the right file in ROUTES_FILE")
    return content


def _opened(path: str) -> int:
    """A descriptor of the file. OSError for what is neither a regular file nor a pipe that is open already."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    kind = os.fstat(descriptor).st_mode
    is_given = stat.S_ISFIFO(kind) and os.path.realpath(path).startswith("/proc/")
    if not (stat.S_ISREG(kind) or is_given):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    os.set_blocking(descriptor, True)
    return descriptor


def can_be_read_again(path: str) -> bool:
    """Whether the file has a content: a pipe, such as the shell's `<(…)`, gives its text once."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return True  # it is missing for now, which is told when it is read


def _closed(file: Path) -> str:
    """That the file's folder may not be entered, so that nothing can be said of the file; empty if it may."""
    folder = file.absolute().parent
    if os.access(folder, os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return ""
    return (
        f"the folder {folder}, in which this was started: user {os.geteuid()} may not enter it, so that "
        f"neither {file.name} nor a database in it can be reached; start in another folder, or let this user enter"
    )


def exposed(file: Path | None, secrets: Collection[str]) -> tuple[str, ...]:
    """A warning if others may change the file, or everybody may read it and it holds one of these variables."""
    if file is None:
        return ()
    try:
        found = file.stat()
    except OSError:
        return ()
    mode, name = found.st_mode, file.name
    if found.st_uid not in (os.geteuid(), 0):
        return (
            f"{name}: belongs to user {found.st_uid}, who decides what is done: chown it to user {os.geteuid()}",
        )
    if mode & stat.S_IWOTH:
        return (f"{name}: every user of this machine may change it, and so what is done: chmod 600 {name}",)
    values = read_dotenv(file, []).texts if secrets and mode & stat.S_IROTH else {}
    held = [name for name in secrets if values.get(name)]
    if not held:
        return ()
    return (f"{file.name}: every user of this machine may read it, and it holds {held[0]}: chmod 600 {file.name}",)
