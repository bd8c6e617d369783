"""Wires what an examination of the set-up needs: the vendors' reads, and no part that could write."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from reconciler.core.model import Side
from reconciler.core.product import JSM, OPSGENIE
from reconciler.errors import ReconcilerError
from reconciler.operations.doctor import Elsewhere, Examined
from reconciler.operations.doctor_routes import OfRoute
from reconciler.operations.doctor_together import Overlaps
from reconciler.routes import Route
from reconciler.runtime.connections import Connections, key_of
from reconciler.runtime.sessions import PAGERDUTY_PER_MINUTE, session
from reconciler.runtime.shared_keys import SharedKeys
from reconciler.settings import Settings
from reconciler.store.read_only import in_memory, open_read_only
from reconciler.store.routes import routes_in
from reconciler.vendors.http import Http, SystemClock
from reconciler.vendors.jsm.examination import JsmExamination
from reconciler.vendors.json_fields import ignore
from reconciler.vendors.network import OTHER_REGION
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.ports import AlertExaminer, Clock, JsmExaminer, PagerDutyExaminer
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE


def assemble_examination(settings: Settings, clock: Clock | None = None) -> Examined:
    """The vendors whose keys are given, and the same keys at the other region's address where there is one."""
    clock = clock or SystemClock()
    has_opsgenie = bool(settings.opsgenie_api_key.get_secret_value())
    has_jsm = JSM.key in (settings.alert_source, settings.alert_shadow)
    og_url = OTHER_REGION.get(settings.opsgenie_api_url, "") if has_opsgenie else ""
    pd_url = OTHER_REGION.get(settings.pagerduty_api_url, "")
    elsewhere = Elsewhere(
        _opsgenie(settings, clock, og_url) if og_url else None,
        og_url,
        _pagerduty(settings, clock, pd_url) if pd_url else None,
        pd_url,
    )
    return Examined(
        settings,
        clock,
        _opsgenie(settings, clock, settings.opsgenie_api_url) if has_opsgenie else None,
        _pagerduty(settings, clock, settings.pagerduty_api_url),
        elsewhere,
        _jsm(settings, clock) if has_jsm else None,
    )


def of_route(route: Route, clock: Clock) -> OfRoute:
    """What an examination of one route among several needs."""
    examined = replace(assemble_examination(route.settings, clock), route=route.name)
    return OfRoute(route.name, examined, {side: key_of(route, side) for side in Side})


def stored_in(url: str) -> tuple[str, ...]:
    """The routes of the database; none if it cannot be read, as each route's own checks say."""
    try:
        database = open_read_only(url)
        with database.connected(immediate=False) as connection:
            return routes_in(connection)
    except ReconcilerError:
        return ()


def overlaps_of(routes: Sequence[Route], clock: Clock) -> Overlaps:
    """For each key of the alert side that several routes share: how the overlaps of their queries are found."""
    nothing = in_memory()  # who has a pair for an alert makes no difference to an overlap
    keys = SharedKeys(nothing, Connections(clock), clock, lambda _: None, ignore, lambda _: None)
    keys.use(routes, [route.name for route in routes])
    first: dict[Hashable, Route] = {}
    sharing: dict[Hashable, Route] = {}
    for route in routes:
        key = key_of(route, Side.ALERTS)
        if first.setdefault(key, route) is not route:
            sharing[key] = first[key]
    return [keys.alerts(route).overlaps for route in sharing.values()]


def _opsgenie(settings: Settings, clock: Clock, url: str) -> AlertExaminer:
    http = session(settings, Side.ALERTS, clock, RateLimiter(clock), url=url, name=OPSGENIE.name)
    return OpsgenieExamination(http, settings.opsgenie_query, url)


def _jsm(settings: Settings, clock: Clock) -> JsmExaminer:
    def http(name: str) -> Http:
        return session(settings, Side.ALERTS, clock, RateLimiter(clock), name=name)

    return JsmExamination(
        http(JSM.name),
        http(JSM_SITE),
        http(JSM_KEYED) if settings.jsm_integration_key else None,
        email=settings.jsm_email,
        cloud_id=settings.jsm_cloud_id,
        query=settings.jsm_query,
        site_url=settings.jsm_site_url,
    )


def _pagerduty(settings: Settings, clock: Clock, url: str) -> PagerDutyExaminer:
    http = session(settings, Side.PAGERDUTY, clock, RateLimiter(clock, PAGERDUTY_PER_MINUTE), url=url)
    return PagerDutyExamination(
        http, settings.pagerduty_service_id, settings.pagerduty_email, settings.pagerduty_user
    )
