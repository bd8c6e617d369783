"""A value with its earlier versions, so that a list can lag: it shows the version of some seconds ago."""

from bisect import bisect_right
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


class History(Generic[T]):
    """The versions of one value, each with the time from which it holds."""

    def __init__(self, first: T, at: datetime) -> None:
        self._versions = [first]
        self._since = [at]

    @property
    def now(self) -> T:
        """The newest version."""
        return self._versions[-1]

    @property
    def first(self) -> T:
        """The oldest version."""
        return self._versions[0]

    @property
    def since(self) -> datetime:
        """The time from which the first version holds."""
        return self._since[0]

    def put(self, at: datetime, value: T) -> None:
        """Add a version."""
        self._versions.append(value)
        self._since.append(at)

    def as_of(self, at: datetime) -> T | None:
        """The version that held at a time; None before the first version."""
        found = bisect_right(self._since, at)
        return self._versions[found - 1] if found else None
