"""The place where an unexpected exception was raised, as a text that a bug report can quote."""

from pathlib import Path
from traceback import extract_tb

_PACKAGE = Path(__file__).parent.parent


def place_of(error: BaseException) -> str:
    """The innermost frame of this package's code: its module and line."""
    ours = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f"{Path(ours[-1].filename).stem}, line {ours[-1].lineno}" if ours else "an unknown place"
