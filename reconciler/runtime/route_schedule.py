"""One route's jobs in the schedule that all routes of a process share."""

from collections.abc import Callable
from zlib import crc32

from reconciler.runtime.schedule import Schedule


class RouteSchedule:
    """The schedule as one route has it: its jobs' names are its own. For any thread.

    `monotonic` is given where there are several routes: then the jobs of each have a phase of their own within
    their interval, so that those of a hundred routes do not all run at the same moment.
    """

    def __init__(self, schedule: Schedule, route: str, monotonic: Callable[[], float] | None = None) -> None:
        self._schedule = schedule
        self._route = route
        self._monotonic = monotonic
        self._phase = crc32(route.encode()) / 2**32
        self._names: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the jobs that are on the schedule."""
        return tuple(self._names)

    def every(self, name: str, seconds: float | Callable[[], float], run: Callable[[], None]) -> None:
        """Run at once, then every so many seconds: see `Schedule.every`."""
        self._names.append(name)
        self._schedule.every(self._full(name), self._in_phase(seconds), run)

    def soon(self, name: str, after: float = 0.0) -> None:
        """Run the job after so many seconds, or sooner if it is due anyway. Nothing happens once it is removed."""
        if name in self._names:
            self._schedule.soon(self._full(name), after)

    def remove(self, *names: str) -> None:
        """Run these jobs no more; all of them if none is named."""
        for name in names or tuple(self._names):
            self._names.remove(name)
            self._schedule.remove(self._full(name))

    def _in_phase(self, seconds: float | Callable[[], float]) -> float | Callable[[], float]:
        """The interval, once longer or shorter by up to a half after each run at another time than the phase's."""
        monotonic = self._monotonic
        if monotonic is None:
            return seconds
        interval = seconds if callable(seconds) else lambda: seconds

        def next_in() -> float:
            wanted = interval()
            if wanted <= 0:
                return wanted
            ahead = (self._phase * wanted - monotonic()) % wanted
            return ahead if ahead >= wanted / 2 else ahead + wanted

        return next_in

    def _full(self, name: str) -> str:
        return f"{self._route}: {name}"
