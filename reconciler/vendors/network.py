"""What lies between this machine and a vendor: the proxy and certificates in force, and the vendor's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from requests.utils import select_proxy

from reconciler.vendors.surroundings import check_proxy, trusted

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

    `certificates` is the file or folder of trusted certificates, empty for those that `requests` brings along.
    """

    proxy: str = ""
    certificates: str = ""


def route_to(url: str) -> Route:
    """The proxy and the certificates in force for this address. Misconfigured if they cannot be used."""
    with requests.Session() as session:
        proxies = session.merge_environment_settings(url, {}, None, None, None)["proxies"]
    check_proxy(url, proxies)
    path = trusted(url)
    return Route(_without_login(select_proxy(url, proxies) or ""), path if isinstance(path, str) else "")


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
