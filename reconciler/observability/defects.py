"""Exceptions that nobody expects, in words that a report can quote: what it is, and where it was raised."""

from pathlib import Path
from traceback import extract_tb

from reconciler.errors import ReconcilerError
from reconciler.observability.logs import get_logger

_PACKAGE = Path(__file__).parents[1]
_KINDS = 100
_LOGGED: set[str] = set()
"""Kinds of defects that this process has logged with their traceback."""

log = get_logger(__name__)


class Defect(ReconcilerError):
    """An error in this program that was met while one thing was worked on. The rest is not affected."""


def defect(error: Exception, where: str) -> Defect:
    """An unexpected exception as a problem in one line; its traceback goes to the log, once a kind."""
    words = f"{type(error).__name__} in {place_of(error)}, about {where}: this is a defect, please report it"
    if words not in _LOGGED and len(_LOGGED) < _KINDS:
        _LOGGED.add(words)
        log.error(words, exc_info=error)
    return Defect(words)


def place_of(error: BaseException) -> str:
    """The innermost line of this package: the clone's folder and the libraries in it are not ours."""
    ours = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f"{Path(ours[-1].filename).stem}, line {ours[-1].lineno}" if ours else "an unknown place"
