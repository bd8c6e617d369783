"""The examination of several routes: each by itself, what their keys share only once, and all of them together."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.model import Side
from reconciler.operations import findings
from reconciler.operations.doctor import Examined, OnFound, examine
from reconciler.operations.doctor_together import Overlaps, together
from reconciler.operations.doctor_vendor import VendorChecks
from reconciler.operations.findings import Check, Finding, Group

_OF_PROCESS = frozenset(
    {"variables", "network", "heartbeat", "status page", "database writable", "pagerduty user"}
)
"""Checks that are made for each route; a result is shown again only if it differs from that of the first route."""
_OF_KEY = frozenset(
    {
        *("opsgenie key", "opsgenie region", "opsgenie clock"),
        *("jsm site", "jsm token", "jsm user", "jsm sort", "jsm integration", "jsm clock"),
        *("pagerduty key", "pagerduty region", "pagerduty owner", "pagerduty user's duties", "pagerduty clock"),
    }
)
"""Checks of a key: they are made for the first of the routes that share it."""


@dataclass(frozen=True, slots=True)
class OfRoute:
    """A route to be examined. `keys` are the same for two routes that use a side with the same key."""

    name: str
    examined: Examined
    keys: Mapping[Side, Hashable]


@dataclass(frozen=True, slots=True)
class RouteFindings:
    """What was found of one route; of all routes together, if the name is empty."""

    route: str
    findings: tuple[Finding, ...]


class _Rest:
    """The checks of a vendor that are not made for an earlier route, whose checks are `first`."""

    def __init__(self, checks: VendorChecks, first: VendorChecks, name: str) -> None:
        self._checks = checks
        self._first = first
        self._name = name

    @property
    def lost(self) -> str:
        """Why the rest is not made: also what was lost with the first of the routes."""
        inherited = f"{self._first.lost}: see route {self._name}" if self._first.lost else ""
        return inherited or self._checks.lost

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""
        return tuple(check for check in self._checks.checks() if check[0] not in _OF_KEY)


class _Keys:
    """The keys that have been examined, each with the route that it was examined for."""

    def __init__(self) -> None:
        self._first: dict[Hashable, tuple[str, VendorChecks]] = {}

    def rest(self, route: OfRoute) -> Callable[[VendorChecks], Group]:
        """Which of a vendor's checks are still to be made for this route."""
        settings = route.examined.settings

        def of(checks: VendorChecks) -> Group:
            if checks.side is Side.ALERTS and checks.product.key != settings.alert_source:
                return checks  # that of ALERT_SHADOW, whose key is another one
            user = (settings.pagerduty_email, settings.pagerduty_user) if checks.side is Side.PAGERDUTY else ()
            key = (checks.product.key, checks.side, route.keys[checks.side], user)
            name, first = self._first.setdefault(key, (route.name, checks))
            return checks if first is checks else _Rest(checks, first, name)

        return of


def examine_routes(
    routes: Sequence[OfRoute], stored: Collection[str], overlaps: Overlaps, on_found: OnFound
) -> tuple[RouteFindings, ...]:
    """The findings of all routes together, then those of each, in the order given.

    `stored` are the routes of the database that the file should name.
    """
    keys, told = _Keys(), set[Finding]()
    found = []
    for route in routes:
        every = examine(route.examined, on_found, rest=keys.rest(route))
        news = tuple(each for each in every if each.check not in _OF_PROCESS or each not in told)
        told.update(every)
        found.append(RouteFindings(route.name, news))
    settings = [(route.name, route.examined.settings) for route in routes]
    return RouteFindings("", tuple(together(settings, stored, overlaps))), *found


def is_bad(found: Sequence[RouteFindings]) -> bool:
    """Whether anything must be fixed."""
    return findings.is_bad(_every(found))


def as_data(found: Sequence[RouteFindings]) -> dict[str, Any]:
    """The document that `doctor --json` prints: each check with its route, None for what is of all routes."""
    rows = [findings.row(each) | {"route": one.route or None} for one in found for each in one.findings]
    return {"checks": rows, "counts": findings.counts(_every(found))}


def as_text(found: Sequence[RouteFindings]) -> str:
    """The text that `doctor` prints: a heading for each route, a line for each check, and the sum."""
    parts = []
    for one in found:
        heading = f"Route {one.route}" if one.route else "All routes"
        parts.append("\n".join([heading, *findings.lines(one.findings)]))
    return "\n\n".join([*parts, findings.sum_line(_every(found))])


def _every(found: Sequence[RouteFindings]) -> Iterator[Finding]:
    return (each for one in found for each in one.findings)
