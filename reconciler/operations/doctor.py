"""The examination of the whole set-up: reads only, every check made, within about a minute."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from reconciler.core.product import OPSGENIE
from reconciler.operations.doctor_database import DatabaseChecks
from reconciler.operations.doctor_jsm import JsmChecks
from reconciler.operations.doctor_opsgenie import OpsgenieChecks
from reconciler.operations.doctor_pagerduty import PagerDutyChecks
from reconciler.operations.doctor_setup import SetupChecks
from reconciler.operations.doctor_vendor import VendorChecks
from reconciler.operations.findings import Finding, Group, bad, made
from reconciler.settings import Settings
from reconciler.store.database import DEFAULT_ROUTE
from reconciler.vendors.ports import AlertExaminer, Clock, JsmExaminer, PagerDutyExaminer

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
    """What is examined: a route's settings, the vendors whose keys are given, and their other regions."""

    settings: Settings
    clock: Clock
    opsgenie: AlertExaminer | None
    pagerduty: PagerDutyExaminer
    elsewhere: Elsewhere = Elsewhere()
    jsm: JsmExaminer | None = None
    route: str = DEFAULT_ROUTE


def examine(
    examined: Examined,
    on_found: OnFound,
    longest: float = LONGEST,
    rest: Callable[[VendorChecks], Group] = lambda checks: checks,
) -> tuple[Finding, ...]:
    """Make every check: the set-up's and the database's first, then all vendors' at the same time.

    `rest` gives those of a vendor's checks that are to be made: not all, where another route has shown the same.
    """
    settings, clock, elsewhere = examined.settings, examined.clock, examined.elsewhere
    database = DatabaseChecks(
        settings.database_url.get_secret_value(),
        timedelta(seconds=settings.initial_lookback_seconds),
        clock,
        settings.alert_source,
        examined.route,
        examined.route if settings.routes_file else "",
    )
    pagerduty = PagerDutyChecks(
        examined.pagerduty, elsewhere.pagerduty, elsewhere.pagerduty_url, settings, database, clock
    )
    vendors = tuple(map(rest, (*_alert_checks(examined, database), pagerduty)))
    return _Run((SetupChecks(settings), database), vendors, clock, on_found).made(longest)


def _alert_checks(examined: Examined, database: DatabaseChecks) -> Iterator[VendorChecks]:
    """The checks of the product that alerts are read from, and of the one that it is compared with."""
    settings, clock = examined.settings, examined.clock
    if examined.opsgenie and settings.alert_source == OPSGENIE.key:
        yield OpsgenieChecks(
            examined.opsgenie,
            examined.pagerduty,
            examined.elsewhere.opsgenie,
            examined.elsewhere.opsgenie_url,
            settings,
            database,
            clock,
        )
    if examined.jsm:
        yield JsmChecks(examined.jsm, examined.opsgenie, examined.pagerduty, settings, database, clock)


class _Run:
    """One examination. Threads that hang in a read are left behind: they end with the process."""

    def __init__(
        self, own: tuple[Group, ...], vendors: tuple[Group, ...], clock: Clock, on_found: OnFound
    ) -> None:
        self._clock = clock
        self._own = own
        self._groups = groups = own + vendors
        self._on_found = on_found
        self._found: Mapping[int, list[Finding]] = {number: [] for number in range(len(groups))}
        self._lock = threading.Lock()

    def made(self, longest: float) -> tuple[Finding, ...]:
        """The findings in the order of the groups; checks that have not ended in time are bad."""
        last = self._clock.monotonic() + longest
        first = self._of(range(len(self._own)))
        vendors = [self._of((number,)) for number in range(len(self._own), len(self._groups))]
        first.start()
        first.join(longest / 2)
        for thread in vendors:
            thread.start()
        for thread in vendors:
            thread.join(max(0.0, last - self._clock.monotonic()))
        with self._lock:
            return tuple(chain.from_iterable(self._completed(number) for number in self._found))

    def _of(self, numbers: Iterable[int]) -> threading.Thread:
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
