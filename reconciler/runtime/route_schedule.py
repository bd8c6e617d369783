"""One route's jobs in the schedule that all routes of a process share."""

from collections.abc import Callable

from reconciler.runtime.schedule import Schedule


class RouteSchedule:
    """The schedule as one route has it: its jobs' names are its own. For any thread."""

    def __init__(self, schedule: Schedule, route: str) -> None:
        self._schedule = schedule
        self._route = route
        self._names: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the jobs that are on the schedule."""
        return tuple(self._names)

    def every(self, name: str, seconds: float | Callable[[], float], run: Callable[[], None]) -> None:
        """Run at once, then every so many seconds: see `Schedule.every`."""
        self._names.append(name)
        self._schedule.every(self._full(name), seconds, run)

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
