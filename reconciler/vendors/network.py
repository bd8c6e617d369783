"""What lies between this machine and a vendor: the proxy and certificates in force, and the vendor's clock."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
OTHER_REGION = {
    "https://api.opsgenie.com": "https://api.eu.opsgenie.com",
    "https://api.eu.opsgenie.com": "https://api.opsgenie.com",
    "https://api.pagerduty.com": "https://api.eu.pagerduty.com",
    "https://api.eu.pagerduty.com": "https://api.pagerduty.com",
}
"""Where an account of the other region is; nothing for an address of one's own, such as a gateway's."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a vendor is reached. `proxy` is empty for none, and shows no password.

    `ca` is the file of trusted certificates, empty for the built-in ones, `ca_from` the variable that names it.
    """

    proxy: str = ""
    ca: str = ""
    ca_from: str = ""

    @property
    def lacks_ca(self) -> bool:
        """Whether the named file or folder of certificates is not there."""
        return bool(self.ca) and not Path(self.ca).exists()


def route_to(url: str) -> Route:
    """The proxy and the certificates that the environment names for this address."""
    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, None, None, None)
    proxy = found["proxies"].get(urlsplit(url).scheme, "") or found["proxies"].get("all", "")
    ca = found["verify"] if isinstance(found["verify"], str) else ""
    variable = next((name for name in _CA_VARIABLES if ca and os.environ.get(name) == ca), "")
    return Route(_without_login(proxy), ca, variable)


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The time by an answer's Date header; None if it has no readable one."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None


def _without_login(proxy: str) -> str:
    """The proxy's address without user and password."""
    scheme, separator, rest = proxy.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
