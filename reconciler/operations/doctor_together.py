"""Checks of all routes together: alerts and services that several select, and routes that no file names."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from reconciler.core.text import shortened
from reconciler.observability.naming import counted
from reconciler.operations.doctor_vendor import CALL_SECONDS
from reconciler.operations.findings import Finding, Verdict, attempted, good, warning
from reconciler.settings import Settings
from reconciler.sources.overlaps import Overlap
from reconciler.store.routes import listed
from reconciler.vendors.call_context import CallPriority, calling

Overlaps = Sequence[Callable[[], Sequence[Overlap]]]
"""For each key of the alert side that several routes share: how the overlaps of their queries are found."""
MOST = 20
"""The most overlaps that are listed one by one."""


def together(
    routes: Sequence[tuple[str, Settings]], stored: Collection[str], overlaps: Overlaps
) -> Iterator[Finding]:
    """Every finding. `stored` are the routes of the database."""
    yield from _overlaps(overlaps)
    yield _services(routes)
    yield _unnamed({name for name, _ in routes}, stored)


def _overlaps(overlaps: Overlaps) -> Iterator[Finding]:
    """Alerts that the queries of several routes select. A failed request is a finding and ends no other check."""
    found: list[Overlap] = []

    def look() -> Finding:
        with calling(CallPriority.CHANGED, CALL_SECONDS):
            for find in overlaps:
                found.extend(find())
        more = f"{counted(len(found) - MOST, 'further overlap')}: narrow the queries" if len(found) > MOST else ""
        if more:
            return warning("overlaps", more)
        return good("overlaps", "no alert among the newest is selected by two routes")

    told = attempted(("overlaps", look))
    yield from map(_overlap, found[:MOST])
    if told.verdict is Verdict.BAD:
        yield warning("overlaps", f"not checked: {told.found}", told.fix)
    elif not found or told.verdict is Verdict.WARNING:
        yield told


def _overlap(one: Overlap) -> Finding:
    alerts = counted(one.count, "alert")
    both = f"{one.first} and {one.other}: both queries select {alerts} of the newest, such as {_named(one)}"
    if one.is_for_both:
        return good("overlaps", f"{both}: shared, so that both routes page for them")
    if one.is_rest:
        return good("overlaps", f"{both}: {one.first} pages, and {one.other} has what is left")
    fix = "set shared = true in both routes if both should page, or narrow a query"
    return warning("overlaps", f"{both}: {one.first} alone pages, as the first in the file", fix)


def _named(one: Overlap) -> str:
    return f'#{one.example.tiny_id} "{shortened(one.example.message)}"'


def _services(routes: Sequence[tuple[str, Settings]]) -> Finding:
    """Whether routes with different keys make incidents in the same service."""
    keys: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name, settings in routes:
        service = settings.pagerduty_api_url, settings.pagerduty_service_id
        keys[service][name] = settings.pagerduty_api_key.get_secret_value()
    odd = {service: names for (_, service), names in keys.items() if len(set(names.values())) > 1}
    if not odd:
        return good("services", f"{counted(len(keys), 'service')}, each used with one key")
    words = "; ".join(f"{listed(names)} use the service {service}" for service, names in odd.items())
    fix = "give these routes the same key: each reads what the others make, and none knows what the others may ask"
    return warning("services", f"{words} with different keys", fix)


def _unnamed(named: Collection[str], stored: Collection[str]) -> Finding:
    """Whether the database has routes that nobody works on."""
    left = [name for name in stored if name not in named]
    if not left:
        return good("routes", f"the database has none that the file does not name: {counted(len(named), 'route')}")
    fix = "name them in the file again to go on with their pairs, as [routes.NAME]; else they are forgotten"
    return warning("routes", f"in the database, and not in the file: {listed(left)}", fix)
