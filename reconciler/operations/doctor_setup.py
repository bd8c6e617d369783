"""Checks that need neither a vendor nor the database: variables, network, who notices a failure."""

from reconciler.core.product import JSM, OPSGENIE
from reconciler.errors import Misconfigured
from reconciler.operations.findings import Check, Finding, bad, good, warning
from reconciler.settings import Settings
from reconciler.vendors.network import Route, route_to


class SetupChecks:
    """The set-up's checks."""

    def __init__(self, settings: Settings) -> None:
        self.lost = ""
        self._settings = settings

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""
        return (
            ("variables", self.variables),
            ("network", self.network),
            ("heartbeat", self.heartbeat),
            ("status page", self.status_page),
        )

    def variables(self) -> Finding:
        """Names and values that are probably mistakes. What cannot be read at all has ended the command before."""
        found = (
            *self._settings.warnings(),
            *(f"{each}: is of no use without HTTP_LISTEN" for each in self._settings.unused()),
        )
        if found:
            return warning("variables", " / ".join(found))
        return good("variables", "all are read; see `reconciler config`")

    def network(self) -> Finding:
        """The proxies and certificates in force."""
        settings = self._settings
        alerts = {
            OPSGENIE.key: (OPSGENIE.name, settings.opsgenie_api_url),
            JSM.key: (JSM.name, settings.jsm_api_url),
        }
        read_from = [alerts[each] for each in (settings.alert_source, settings.alert_shadow) if each]
        urls = dict((*read_from, ("PagerDuty", settings.pagerduty_api_url)))
        try:
            return good("network", "; ".join(f"{name} {_how(route_to(url))}" for name, url in urls.items()))
        except Misconfigured as error:
            return bad("network", str(error))

    def heartbeat(self) -> Finding:
        """Whether anybody notices when the reconciler itself is dead."""
        settings = self._settings
        kinds = [
            "HEARTBEAT_URL" if settings.heartbeat_url else "",
            f"Opsgenie's heartbeat {settings.opsgenie_heartbeat}" if settings.opsgenie_heartbeat else "",
        ]
        found = " and ".join(filter(None, kinds))
        has_opsgenie = settings.alert_source == OPSGENIE.key
        if not has_opsgenie and found.startswith("Opsgenie"):
            return warning("heartbeat", f"{found} alone, which ends with Opsgenie's API", "set HEARTBEAT_URL")
        if found:
            return good("heartbeat", f"{found} every {settings.heartbeat_interval_seconds:g} s")
        if settings.http_listen is not None:
            return good("heartbeat", f"none; {settings.http_listen} can be watched instead (/readyz, /metrics)")
        heartbeats = "HEARTBEAT_URL or OPSGENIE_HEARTBEAT" if has_opsgenie else "HEARTBEAT_URL"
        fix = f"set {heartbeats}, or HTTP_LISTEN and watch that"
        return warning("heartbeat", "none: nobody notices when the reconciler is dead", fix)

    def status_page(self) -> Finding:
        """Where the status page is, and who may read it. An open one has ended the command before."""
        settings = self._settings
        if settings.status_listen is None:
            return good("status page", "none: STATUS_LISTEN is empty")
        who = "whoever has STATUS_PASSWORD" if settings.status_password else "everybody on this machine"
        return good("status page", f"at http://{settings.status_listen}/ for {who}")


def _how(route: Route) -> str:
    certificates = f", certificates of {route.certificates}" if route.certificates else ""
    return (f"through the proxy {route.proxy}" if route.proxy else "directly") + certificates
