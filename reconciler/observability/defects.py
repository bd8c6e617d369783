"""Where an exception that nobody expects was raised, in words that a report can quote."""

from pathlib import Path
from traceback import extract_tb

_PACKAGE = Path(__file__).parent


def place_of(error: BaseException) -> str:
    """The innermost line of this package: the clone's folder and the libraries in it are not ours."""
    ours = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f"{Path(ours[-1].filename).stem}, line {ours[-1].lineno}" if ours else "an unknown place"
