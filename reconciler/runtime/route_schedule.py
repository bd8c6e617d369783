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
        if self._monotonic is None:
            self._schedule.every(self._full(name), seconds, run)
        else:
            phased = _Phased(seconds, run, self._phase, self._monotonic)
            self._schedule.every(self._full(name), phased.next_in, phased.run)

    def soon(self, name: str, after: float = 0.0) -> None:
        """Run the job after so many seconds, or sooner if it is due anyway. Nothing happens once it is removed."""
        if name in self._names:
            self._schedule.soon(self._full(name), after)

    def remove(self, *names: str) -> None:
        """Run these jobs no more; all of them if none is named."""
        for name in names or tuple(self._names):
            self._names.remove(name)
            self._schedule.remove(self._full(name))

    def _full(self, name: str) -> str:
        return f"{self._route}: {name}"


class _Phased:
    """A job with a phase: the part of its interval, from 0 to 1, at which it runs."""

    def __init__(
        self,
        seconds: float | Callable[[], float],
        run: Callable[[], None],
        phase: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._interval = seconds if callable(seconds) else lambda: seconds
        self._run = run
        self._phase = phase
        self._monotonic = monotonic
        self._began = monotonic()

    def run(self) -> None:
        """Run the job."""
        self._began = self._monotonic()
        self._run()

    def next_in(self) -> float:
        """Seconds from the beginning of the last run to that of the next.

        That is the interval; once longer or shorter by up to a half of it after a run at another time.
        """
        wanted = self._interval()
        if wanted <= 0:
            return wanted
        ahead = (self._phase * wanted - self._began) % wanted
        return ahead if ahead >= wanted / 2 else ahead + wanted
