"""JSON from outside the program: bounded before it is parsed, because a byte of it may cost a hundred in memory.

The measure is the number of structural characters (`{`, `[`, `,` and `:`) outside of texts. A parsed document
takes at most about a hundred bytes for each, besides its texts.
"""

import json
from itertools import chain
from typing import Any

MOST_DEEP = 100
"""The most levels of objects and arrays within each other; a vendor's answers have about ten."""
PIECE = 65536
_STRUCTURAL = b"{[,:"
_CONTAINERS = frozenset({dict, list})


class NotJson(ValueError):
    """A document that is not valid JSON; the text says so, as what follows its name."""


class TooLarge(NotJson):
    """A document with more structure than it may have. It has not been parsed, or is not kept."""


class Structure:
    """Counts the structural characters of a document that grows at its end. `most` is how many it may have."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._read = 0
        self._in_text = False
        self._escaping = False

    def is_too_much(self, content: bytes | bytearray) -> bool:
        """Whether the document, as far as it has arrived, has more than `most`.

        `content` is the whole of it so far. One that is not longer than `most` bytes is not even looked at.
        """
        if len(content) <= self._most:
            return False
        while self._read < len(content) and self._count <= self._most:
            piece = bytes(content[self._read : self._read + PIECE])
            self._read += len(piece)
            self._add(piece)
        return self._count > self._most

    def _add(self, piece: bytes) -> None:
        # A backslash and what follows it may be cut in two: the next piece then begins in the middle of an escape.
        rest = piece[1:] if self._escaping else piece
        rest = rest.replace(b"\\\\", b"")
        self._escaping = rest.endswith(b"\\")
        parts = rest.replace(b'\\"', b"").split(b'"')
        outside = b"".join(parts[self._in_text :: 2])
        self._count += sum(outside.count(one) for one in _STRUCTURAL)
        self._in_text ^= len(parts) % 2 == 0


def parsed(content: bytes | bytearray, most: int) -> Any:
    """The document. TooLarge, unparsed, for one with more than `most` structural characters; else NotJson."""
    if Structure(most).is_too_much(content):
        raise TooLarge(f"has more than {most:,} values")
    return loaded(content.decode("utf-8-sig", "replace"))


def loaded(document: str) -> Any:
    """The document, whose size is known to be bounded. NotJson if it is not JSON, TooLarge if it is too deep."""
    try:
        found = json.loads(document)
    except RecursionError:
        raise TooLarge(f"is nested more than {MOST_DEEP} levels deep") from None
    except ValueError:
        raise NotJson("is not JSON") from None
    if type(found) in _CONTAINERS and _is_deep(found):
        raise TooLarge(f"is nested more than {MOST_DEEP} levels deep")
    return found


def _is_deep(found: Any) -> bool:
    """Whether there are more than MOST_DEEP levels: to compare or to show such values would fail later."""
    level = [found]
    for _ in range(MOST_DEEP):
        inner = chain.from_iterable(one.values() if type(one) is dict else one for one in level if one)
        level = [one for one in inner if type(one) in _CONTAINERS]
        if not level:
            return False
    return True
