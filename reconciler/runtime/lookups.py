"""Clients for the few questions that `explain` asks: read-only, and only where there is a key."""

from pydantic import SecretStr

from reconciler.core.model import Alert, Incident
from reconciler.operations.untracked import Searches
from reconciler.settings import LookupSettings
from reconciler.vendors.http import Http, SystemClock
from reconciler.vendors.opsgenie.client import OpsgenieClient
from reconciler.vendors.opsgenie.rows import page_of
from reconciler.vendors.pagerduty.client import PagerDutyClient
from reconciler.vendors.rate_limiter import RateLimiter

TIMEOUT = 15.0
"""Seconds for one question: somebody waits at a terminal."""


class AlertLookup:
    """Opsgenie's alerts, by id or by any query."""

    def __init__(self, http: Http, api_url: str) -> None:
        self._http = http
        self._api_url = api_url

    def alert(self, alert_id: str) -> Alert:
        """The alert itself. Missing if there is none."""
        return OpsgenieClient(self._http, "", self._api_url).alert(alert_id)

    def find(self, query: str) -> list[Alert]:
        """The alerts on the first page that this query finds."""
        return OpsgenieClient(self._http, query, self._api_url).recent_alerts(None)


class IncidentLookup:
    """PagerDuty's incidents, by id or number."""

    def __init__(self, http: Http, service_id: str) -> None:
        self._client = PagerDutyClient(http, service_id, "", "")

    def incident(self, given: str) -> Incident:
        """The incident. Missing if there is none."""
        return self._client.incident(given)


def searches(settings: LookupSettings) -> Searches:
    """How the vendors can be asked with these settings."""
    alerts = incidents = None
    if settings.opsgenie_api_key is not None:
        url = settings.opsgenie_api_url
        alerts = AlertLookup(_http("Opsgenie", url, "GenieKey ", settings.opsgenie_api_key), url)
    if settings.pagerduty_api_key is not None:
        http = _http("PagerDuty", settings.pagerduty_api_url, "Token token=", settings.pagerduty_api_key)
        incidents = IncidentLookup(http, settings.pagerduty_service_id)
    return Searches(alerts, incidents, settings.pagerduty_service_id)


def alert_page(api_url: str, alert_id: str) -> str:
    """The alert's page in Opsgenie, whose API has this address."""
    return page_of(api_url, alert_id)


def _http(name: str, url: str, scheme: str, key: SecretStr) -> Http:
    clock = SystemClock()
    headers = {"Authorization": f"{scheme}{key.get_secret_value()}"}
    return Http(url, headers, name=name, clock=clock, limiter=RateLimiter(clock), timeout=TIMEOUT)
