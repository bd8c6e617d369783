"""What is wrong now, by the place where it was met. A place that works again has no problem any more."""

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
        """What is wrong at this place now; nothing: it works."""
        found = tuple(problems)
        with self._lock:
            if found:
                self._by_place[place] = found
            else:
                self._by_place.pop(place, None)

    def all(self) -> tuple[Problem, ...]:
        """Everything that is wrong now, place by place in the order it was first met."""
        with self._lock:
            return tuple(problem for problems in self._by_place.values() for problem in problems)

    def clear(self) -> None:
        """Nothing is known any more: another process leads."""
        with self._lock:
            self._by_place.clear()
