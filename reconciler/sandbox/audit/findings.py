"""What rules find."""

from collections.abc import Iterator
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong. STATE: the sides disagree in the end; PAGED: somebody was paged without a cause."""

    LOST = "LOST"
    STATE = "STATE"
    TWICE = "TWICE"
    ORDER = "ORDER"
    LOOP = "LOOP"
    FORBIDDEN = "FORBIDDEN"
    PAGED = "PAGED"
    WRONG_NAME = "WRONG NAME"
    MISROUTED = "MISROUTED"


Wrong = Iterator[tuple[Kind, str]]
"""What a rule yields: a kind, and what is wrong."""


def compare(found: int, what: str, *, least: int, most: int) -> Wrong:
    """Too few is lost, too many is twice."""
    if found < least:
        yield Kind.LOST, f"{what}: {found} of {least}"
    if found > most:
        yield Kind.TWICE, f"{what}: {found} instead of {most}"
