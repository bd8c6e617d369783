"""The examination of the whole set-up: reads only, every check made, within about a minute."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.doctor_opsgenie import OpsgenieChecks
from reconciler.operations.doctor_pagerduty import PagerDutyChecks
from reconciler.operations.doctor_setup import SetupChecks
from reconciler.operations.findings import Finding, Group, bad, made
from reconciler.settings import Settings
from reconciler.vendors.ports import AlertExaminer, Clock, PagerDutyExaminer

LONGEST = 60.0
"""Seconds after which the checks that have not ended are given up."""
OnFound = Callable[[int, int], None]
"""Called with the numbers of checks made and of all."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same keys at the other regions' addresses, as far as there are any."""

    opsgenie: AlertExaminer | None = None
    opsgenie_url: str = ""
    pagerduty: PagerDutyExaminer | None = None
    pagerduty_url: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What is examined: the settings, both vendors, and the vendors' other regions."""

    settings: Settings
    clock: Clock
    opsgenie: AlertExaminer
    pagerduty: PagerDutyExaminer
    elsewhere: Elsewhere = Elsewhere()


def examine(examined: Examined, on_found: OnFound, longest: float = LONGEST) -> tuple[Finding, ...]:
    """Make every check: the set-up's and the database's first, then both vendors' at the same time."""
    settings, clock, elsewhere = examined.settings, examined.clock, examined.elsewhere
    url = settings.database_url.get_secret_value()
    lookback = timedelta(seconds=settings.initial_lookback_seconds)
    database = DatabaseChecks(url, lookback, clock, settings.alert_source)
    opsgenie = OpsgenieChecks(
        examined.opsgenie,
        examined.pagerduty,
        elsewhere.opsgenie,
        elsewhere.opsgenie_url,
        settings,
        database,
        clock,
    )
    pagerduty = PagerDutyChecks(
        examined.pagerduty, elsewhere.pagerduty, elsewhere.pagerduty_url, settings, database, clock
    )
    run = _Run((SetupChecks(settings), database, opsgenie, pagerduty), clock, on_found)
    return run.made(longest)


class _Run:
    """One examination. Threads that hang in a read are left behind: they end with the process."""

    def __init__(self, groups: tuple[Group, ...], clock: Clock, on_found: OnFound) -> None:
        self._clock = clock
        self._groups = groups
        self._on_found = on_found
        self._found: Mapping[int, list[Finding]] = {number: [] for number in range(len(groups))}
        self._lock = threading.Lock()

    def made(self, longest: float) -> tuple[Finding, ...]:
        """The findings in the order of the groups; checks that have not ended in time are bad."""
        last = self._clock.monotonic() + longest
        first, *vendors = (self._of(numbers) for numbers in ((0, 1), (2,), (3,)))
        first.start()
        first.join(longest / 2)
        for thread in vendors:
            thread.start()
        for thread in vendors:
            thread.join(max(0.0, last - self._clock.monotonic()))
        with self._lock:
            return tuple(chain.from_iterable(self._completed(number) for number in self._found))

    def _of(self, numbers: tuple[int, ...]) -> threading.Thread:
        def make() -> None:
            for number in numbers:
                for finding in made(self._groups[number]):
                    self._add(number, finding)

        return threading.Thread(target=make, daemon=True)

    def _add(self, number: int, finding: Finding) -> None:
        with self._lock:
            self._found[number].append(finding)
            done = sum(map(len, self._found.values()))
        self._on_found(done, sum(len(group.checks()) for group in self._groups))

    def _completed(self, number: int) -> list[Finding]:
        names = [name for name, _ in self._groups[number].checks()]
        found = list(self._found[number])
        return found + [
            bad(name, "no answer in the time for all checks", "try again") for name in names[len(found) :]
        ]
