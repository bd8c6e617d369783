"""JSM's client wired to a fake clock, and rows of the shapes that JSM sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import responses

from reconciler.vendors.http import Http
from reconciler.vendors.integration_api import NamedWriting
from reconciler.vendors.jsm.client import JsmClient
from reconciler.vendors.jsm.people import People
from reconciler.vendors.jsm.receipts import Receipts
from reconciler.vendors.jsm.roads import Roads
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.jsm.writes import JsmWriting
from reconciler.vendors.rate_limiter import RateLimiter
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE
from tests.support.clock import SimClock

API = "https://api.atlassian.com"
SITE = "https://acme.atlassian.net"
CLOUD = "7d2f6a3e-4c1b-4f0e-9a58-3b6f2c1d0e94"
ALERTS = f"{API}/jsm/ops/api/{CLOUD}/v1/alerts"
NAMED = f"{API}/jsm/ops/integration/v2/alerts"
USERS = f"{API}/ex/jira/{CLOUD}/rest/api/3"
A1 = "0b1c2d3e-0000-4000-8000-000000000001-1795424400000"
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOW = SimClock(1000.0).now()
BOT = "712020:5a0c1b7e-90d4-4a53-8a3f-6c1f0e2d9b41"
ANA = "712020:0c9a6c2e-1111-4a53-8a3f-6c1f0e2d9b41"
EMAIL = "robot@customer.example"
PATIENCE = 120.0
MYSELF = {"accountId": BOT, "displayName": "Ops Robot", "emailAddress": EMAIL}


def http(name: str = "JSM", clock: Any = None, url: str = "") -> Http:
    """A session; Basic authentication is of robot@customer.example:jsm-5ecret."""
    clock = clock or SimClock(1000.0)
    key = {"JSM": "Basic cm9ib3RAY3VzdG9tZXIuZXhhbXBsZTpqc20tNWVjcmV0", JSM_KEYED: "GenieKey k-5ecret"}.get(name)
    base = {"JSM": API, JSM_KEYED: f"{API}/jsm/ops/integration", JSM_SITE: SITE}[name]
    headers = {} if key is None else {"Authorization": key}
    return Http(url or base, headers, name=name, clock=clock, limiter=RateLimiter(clock))


class Jsm:
    """The client and its parts over one clock. `cloud`: the cloud id is configured. `named`: with a key."""

    def __init__(self, query: str = "", *, cloud: str = CLOUD, named: bool = False, email: str = EMAIL) -> None:
        self.clock = SimClock(1000.0)
        self.bad: list[tuple[str, str]] = []
        self.notices: list[str] = []
        account, keyed = http(clock=self.clock), http(JSM_KEYED, self.clock) if named else None
        roads = Roads()
        self.site = Site(http(JSM_SITE, self.clock), cloud)
        self.people = People(account, self.site, email, self.notices.append)
        receipts = Receipts(account, self.site, keyed, roads, PATIENCE)
        self.client = JsmClient(
            account,
            self.site,
            self.people,
            receipts,
            query,
            SITE,
            lambda vendor, what: self.bad.append((vendor, what)),
        )
        in_name = NamedWriting(keyed) if keyed else None
        self.writing = JsmWriting(account, self.site, in_name, roads, self.notices.append)


def known(wire: responses.RequestsMock, query: str = "", **more: Any) -> Jsm:
    """A client that has asked who it is."""
    jsm = Jsm(query, **more)
    wire.get(f"{USERS}/myself", json=MYSELF)
    jsm.people.ask()
    return jsm


def stamp(age: float = 0) -> str:
    return (AT - timedelta(seconds=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row(n: int, *, age: float = 0, **more: Any) -> dict[str, Any]:
    """A list row, `age` seconds older than AT."""
    at = stamp(age)
    return {
        "id": f"alert-{n}", "tinyId": str(n), "createdAt": at, "updatedAt": at, "message": f"Disk {n} full",
        "entity": "", "source": "probe", "status": "open", "alias": f"alias-{n}", "tags": ["disk"],
        "extraProperties": {"host": "db1"}, "description": "All of it", "acknowledged": False, "count": 1,
        "owner": "", "snoozed": False, "lastOccuredAt": at, "integrationType": "API", "integrationName": "api",
        "priority": "P2", "responders": [], "actions": [], "seen": False,
    } | more  # fmt: skip


def page(values: Any, *, count: Any = None, more: bool = False) -> dict[str, Any]:
    total = len(values) if count is None and isinstance(values, list) else count
    return {"values": values, "count": total, "links": {"next": "/v1/alerts?offset=77&size=5"} if more else {}}


def note(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{1795424400000 - n * 1000}000050", "note": f"note {n}", "owner": "ana@customer.example",
        "createdAt": stamp(n), "updatedAt": stamp(n),
    } | more  # fmt: skip


def records(values: list[Any], after: str = "", what: str = "notes") -> dict[str, Any]:
    links = {"next": f"/v1/alerts/{A1}/{what}?after={after}&size=100"} if after else {}
    return {"values": values, "links": links}
