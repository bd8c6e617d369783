"""Clients for the few questions that `explain` asks: read-only, and only where there is a key."""

import base64
from collections.abc import Callable

from pydantic import SecretStr

from reconciler.core.model import Alert, Incident
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS
from reconciler.observability.logs import get_logger
from reconciler.operations.untracked import Searches
from reconciler.settings import LookupSettings, Settings
from reconciler.vendors.http import Http, SystemClock
from reconciler.vendors.jsm import rows as jsm_rows
from reconciler.vendors.jsm.client import JsmClient
from reconciler.vendors.jsm.people import People
from reconciler.vendors.jsm.receipts import Receipts
from reconciler.vendors.jsm.roads import Roads
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.opsgenie import rows as opsgenie_rows
from reconciler.vendors.opsgenie.client import OpsgenieClient
from reconciler.vendors.pagerduty.client import PagerDutyClient
from reconciler.vendors.ports import AlertReader
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.variables import JSM_SITE

TIMEOUT = 15.0
"""Seconds for one question: somebody waits at a terminal."""


class AlertLookup:
    """The alerts, by id or by any query. `reader` reads those of a query."""

    def __init__(self, reader: Callable[[str], AlertReader]) -> None:
        self._reader = reader

    def alert(self, alert_id: str) -> Alert:
        """The alert itself. Missing if there is none."""
        return self._reader("").alert(alert_id)

    def find(self, query: str) -> list[Alert]:
        """The alerts on the first page that this query finds."""
        return self._reader(query).recent_alerts(None)


class IncidentLookup:
    """PagerDuty's incidents, by id or number."""

    def __init__(self, http: Http, service_id: str) -> None:
        self._client = PagerDutyClient(http, service_id, "", "")

    def incident(self, given: str) -> Incident:
        """The incident. Missing if there is none."""
        return self._client.incident(given)


def searches(settings: LookupSettings) -> Searches:
    """How the vendors can be asked with these settings."""
    incidents = None
    if settings.pagerduty_api_key is not None:
        http = _http("PagerDuty", settings.pagerduty_api_url, "Token token=", settings.pagerduty_api_key)
        incidents = IncidentLookup(http, settings.pagerduty_service_id)
    is_jsm = PRODUCTS[settings.alert_source] is JSM
    return Searches(_jsm(settings) if is_jsm else _opsgenie(settings), incidents, settings.pagerduty_service_id)


def alert_page(settings: LookupSettings | Settings, alert_id: str) -> str:
    """The alert's page in the configured product."""
    if PRODUCTS[settings.alert_source] is JSM:
        return jsm_rows.page_of(settings.jsm_site_url, alert_id)
    return opsgenie_rows.page_of(settings.opsgenie_api_url, alert_id)


def query_of(settings: LookupSettings) -> str:
    """The query of the configured product."""
    return settings.jsm_query if PRODUCTS[settings.alert_source] is JSM else settings.opsgenie_query


def _opsgenie(settings: LookupSettings) -> AlertLookup | None:
    if settings.opsgenie_api_key is None:
        return None
    url = settings.opsgenie_api_url
    http = _http(OPSGENIE.name, url, "GenieKey ", settings.opsgenie_api_key)
    return AlertLookup(lambda query: OpsgenieClient(http, query, url))


def _jsm(settings: LookupSettings) -> AlertLookup | None:
    if settings.jsm_api_token is None or not settings.jsm_email or not settings.jsm_site_url:
        return None
    pair = f"{settings.jsm_email}:{settings.jsm_api_token.get_secret_value()}"
    key = SecretStr(base64.b64encode(pair.encode()).decode())
    http = _http(JSM.name, settings.jsm_api_url, "Basic ", key)
    site = Site(_http(JSM_SITE, settings.jsm_site_url), settings.jsm_cloud_id)
    people = People(http, site, settings.jsm_email, get_logger(__name__).warning)
    receipts = Receipts(http, site, None, Roads(), patience=0.0)
    return AlertLookup(lambda query: JsmClient(http, site, people, receipts, query, settings.jsm_site_url))


def _http(name: str, url: str, scheme: str = "", key: SecretStr | None = None) -> Http:
    clock = SystemClock()
    headers = {"Authorization": f"{scheme}{key.get_secret_value()}"} if key else {}
    return Http(url, headers, name=name, clock=clock, limiter=RateLimiter(clock), timeout=TIMEOUT)
