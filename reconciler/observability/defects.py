"""Unexpected exceptions as one line for reports: what was raised, and where."""

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
    """An unexpected error in this program while it worked on one object. Others are not affected."""


def defect(error: Exception, where: str) -> Defect:
    """The unexpected exception as a one-line problem. The first of each kind is logged with its traceback."""
    words = f"{type(error).__name__} in {place_of(error)}, about {where}: this is a defect, please report it"
    if words not in _LOGGED and len(_LOGGED) < _KINDS:
        _LOGGED.add(words)
        log.error(words, subject="defect", exc_info=error)
    return Defect(words)


def place_of(error: BaseException) -> str:
    """The innermost line of this package in the traceback; paths of the clone and of libraries are left out."""
    ours = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f"{Path(ours[-1].filename).stem}, line {ours[-1].lineno}" if ours else "an unknown place"
