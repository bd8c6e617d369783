"""Current problems, by the place where they were met. A place that works again has none."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from reconciler.core.model import Side
from reconciler.errors import ReconcilerError


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not work; `alert_id` is empty when it concerns a whole vendor."""

    side: Side
    error: ReconcilerError
    alert_id: str = ""


class Problems:
    """The problems of every place: a source, a side of one pair, one pair's deliveries. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_place: dict[str, tuple[Problem, ...]] = {}

    def put(self, place: str, problems: Iterable[Problem] = ()) -> None:
        """Replace the problems of this place; without any, it works."""
        found = tuple(problems)
        with self._lock:
            if found:
                self._by_place[place] = found
            else:
                self._by_place.pop(place, None)

    def all(self) -> tuple[Problem, ...]:
        """All current problems, place by place in the order of first occurrence."""
        with self._lock:
            return tuple(problem for problems in self._by_place.values() for problem in problems)

    def clear(self) -> None:
        """Forget all problems, because another process leads."""
        with self._lock:
            self._by_place.clear()
