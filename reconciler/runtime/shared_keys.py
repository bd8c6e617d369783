"""What routes with the same key share besides its rate: one list of alerts, and one log of PagerDuty.

Where the variables configure the only route there is none of this: it uses its clients directly.
"""

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace
from threading import RLock
from weakref import WeakKeyDictionary

from reconciler.core.model import Side
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS
from reconciler.core.routing import Member
from reconciler.routes import Route
from reconciler.runtime.alert_side import Use, alert_side, query_of
from reconciler.runtime.connections import Connections, key_of
from reconciler.runtime.sessions import authorization, session
from reconciler.settings import Settings
from reconciler.sources.pagerduty_feed import SharedKey
from reconciler.sources.shared_alerts import SharedAlerts
from reconciler.sources.shared_log import SharedLog, open_set
from reconciler.store.database import Database
from reconciler.store.key_routes import open_pairs, owners
from reconciler.vendors.http import Http, RequestRecord
from reconciler.vendors.jsm.search import SEARCH as JSM_SEARCH
from reconciler.vendors.json_fields import OnBadRow
from reconciler.vendors.opsgenie.search import SEARCH as OPSGENIE_SEARCH
from reconciler.vendors.pagerduty.client import PagerDutyClient
from reconciler.vendors.ports import AlertReader, Clock

OnRequest = Callable[[RequestRecord], None]
Wake = Callable[[Collection[str]], None]
"""Takes the names of routes that are to poll their alerts at once."""


@dataclass(slots=True)
class _AlertKey:
    """One key of an alert product: the value in use, its sessions by their names, and what is shared.

    `uses` take a new value for readers, which remember whose the key is.
    """

    value: str
    sessions: dict[str, Http]
    uses: WeakKeyDictionary[AlertReader, Use]
    shared: SharedAlerts


@dataclass(slots=True)
class _PagerDutyKey:
    """One key of PagerDuty: its log, session, the value in use, and the routes that are polled with it here."""

    log: SharedLog
    session: Http
    value: str
    routes: tuple[str, ...] = field(default=())
    counted_at: float = float("-inf")
    open_set: int = 1


class SharedKeys:
    """All keys of this process. For any thread."""

    def __init__(
        self,
        database: Database,
        connections: Connections,
        clock: Clock,
        on_request: OnRequest,
        on_bad_row: OnBadRow,
        wake: Wake,
    ) -> None:
        self._database = database
        self._connections = connections
        self._clock = clock
        self._on_request = on_request
        self._on_bad_row = on_bad_row
        self._wake = wake
        self._lock = RLock()
        self._alerts: dict[Hashable, _AlertKey] = {}
        self._pagerduty: dict[Hashable, _PagerDutyKey] = {}

    def use(self, routes: Iterable[Route], polled: Collection[str]) -> None:
        """Share among these routes, in the order of the file. `polled` are those that this process leads.

        A route that is moved between two products counts in both when it is decided whose an alert is. One that is
        being changed is there twice, first as it was: it counts with both keys; as it was if they are the same.
        """
        routes = tuple(routes)
        self._connections.keep(routes)
        with self._lock:
            used = {key_of(route, side) for route in routes for side in Side}
            self._alerts = {key: known for key, known in self._alerts.items() if key in used}
            self._pagerduty = {key: known for key, known in self._pagerduty.items() if key in used}
            for key, of_key in _by_key(routes, Side.ALERTS).items():
                members: dict[str, Member] = {}
                for member in (member for route in routes for member in _members(route, key, polled)):
                    members.setdefault(member.name, member)
                self._alert_key(key, of_key[0]).shared.set_members(tuple(members.values()))
            for key, of_key in _by_key(routes, Side.PAGERDUTY).items():
                found = self._pagerduty_key(key, of_key[0])
                found.routes = tuple(route.name for route in of_key if route.name in polled)

    def alerts(self, route: Route) -> SharedAlerts:
        """The alerts of this route's key, whose value in the route's settings was read just now."""
        with self._lock:
            shared = self._alert_key(key_of(route, Side.ALERTS), route).shared
        self.renewed(route, route.settings, Side.ALERTS)
        return shared

    def pagerduty(self, route: Route) -> SharedKey:
        """PagerDuty as this route shares it. The key's value in its settings was read just now."""
        settings = route.settings
        with self._lock:
            found = self._pagerduty_key(key_of(route, Side.PAGERDUTY), route)
        self.renewed(route, settings, Side.PAGERDUTY)
        log = found.log.reader(route.name)
        return SharedKey(log, lambda: self._open_set(found, settings), settings.pagerduty_service_id)

    def renewed(self, route: Route, now: Settings, side: Side) -> None:
        """Use the value that these settings have of this route's key from now on, for all that share it."""
        product = PRODUCTS[now.alert_source]
        value, key = authorization(now, product.name_of(side)), key_of(route, side)
        with self._lock:
            known = self._pagerduty.get(key) if side is Side.PAGERDUTY else self._alerts.get(key)
            if known is None or known.value == value:
                return
            known.value = value
            if isinstance(known, _PagerDutyKey):
                known.session.use_key(value)
                return
            for name, one in known.sessions.items():
                if name == product.name:
                    one.use_key(value)
            for use in known.uses.values():
                use(now)

    def _open_set(self, key: _PagerDutyKey, settings: Settings) -> int:
        """Requests that list what is open of all routes of a key, counted once a POLL_INTERVAL_SECONDS."""
        now = self._clock.monotonic()
        if now - key.counted_at >= settings.poll_interval_seconds:
            with self._database.reading() as unit:
                key.open_set = max(1, open_set(open_pairs(unit, key.routes)))
            key.counted_at = now
        return key.open_set

    def _alert_key(self, key: Hashable, route: Route) -> _AlertKey:
        if key not in self._alerts:
            sessions: dict[str, Http] = {}
            uses: WeakKeyDictionary[AlertReader, Use] = WeakKeyDictionary()
            settings, product = route.settings, PRODUCTS[route.settings.alert_source]

            def http(name: str) -> Http:
                with self._lock:
                    if name not in sessions:
                        sessions[name] = self._session(route, Side.ALERTS, name)
                        if name == product.name:
                            sessions[name].use_key(self._alerts[key].value)
                    return sessions[name]

            def reader_for(query: str) -> AlertReader:
                name = "opsgenie_query" if product is OPSGENIE else "jsm_query"
                side = alert_side(settings.model_copy(update={name: query}), http, self._on_bad_row)
                with self._lock:
                    uses[side.reader] = side.keys[product.credential]
                return side.reader

            shared = SharedAlerts(
                reader_for,
                self._owners,
                OPSGENIE_SEARCH if product is OPSGENIE else JSM_SEARCH,
                self._clock,
                fresh_for=settings.poll_interval_seconds,
                retry=settings.sweep_interval_seconds,
                wake=self._wake,
            )
            value = authorization(settings, product.name_of(Side.ALERTS))
            self._alerts[key] = _AlertKey(value, sessions, uses, shared)
        return self._alerts[key]

    def _pagerduty_key(self, key: Hashable, route: Route) -> _PagerDutyKey:
        if key not in self._pagerduty:
            settings, made = route.settings, self._session(route, Side.PAGERDUTY, "")
            client = PagerDutyClient(
                made,
                settings.pagerduty_service_id,
                settings.pagerduty_email,
                settings.pagerduty_user,
                on_bad_row=self._on_bad_row,
            )
            log = SharedLog(client.log_pages, self._clock, fresh_for=settings.poll_interval_seconds)
            self._pagerduty[key] = _PagerDutyKey(log, made, authorization(settings, made.name))
        return self._pagerduty[key]

    def _session(self, route: Route, side: Side, name: str) -> Http:
        limiter = self._connections.limiter(route, side)
        return session(route.settings, side, self._clock, limiter, self._on_request, name=name)

    def _owners(self, alert_ids: Collection[str]) -> dict[str, frozenset[str]]:
        with self._database.reading() as unit:
            return owners(unit, alert_ids)


def _members(route: Route, key: Hashable, polled: Collection[str]) -> tuple[Member, ...]:
    """The route as one of those that share a key; none if it does not use it.

    In the product that it is moved to, or was moved from, it counts with the query that its table has for that.
    """
    settings = route.settings
    service = f"{settings.pagerduty_api_url} {settings.pagerduty_service_id}"
    if key_of(route, Side.ALERTS) == key:
        return (Member(route.name, query_of(settings), route.is_shared, route.name in polled, service),)
    other = OPSGENIE if settings.alert_source == JSM.key else JSM
    moved = replace(route, settings=settings.model_copy(update={"alert_source": other.key}))
    if route.other_query and key_of(moved, Side.ALERTS) == key:
        return (Member(route.name, route.other_query, route.is_shared, is_polled=False, service=service),)
    return ()


def _by_key(routes: Iterable[Route], side: Side) -> dict[Hashable, list[Route]]:
    found: dict[Hashable, list[Route]] = {}
    for route in routes:
        found.setdefault(key_of(route, side), []).append(route)
    return found
