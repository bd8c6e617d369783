"""Opsgenie's client wired to a fake clock, and rows of the shapes that Opsgenie sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.ports import AlertReader, AlertWriter
from tests.support.clock import SimClock
from tests.support.wire.http import OPSGENIE, http

ALERTS = f"{OPSGENIE}/v2/alerts"
A1 = "0b1c2d3e-0000-4000-8000-000000000001-1795424400000"
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def client(text: str = "", url: str = OPSGENIE, bad: list[tuple[str, str]] | None = None) -> AlertReader:
    reports = bad if bad is not None else []
    return OpsgenieClient(
        http("Opsgenie"), text, url, on_bad_row=lambda vendor, what: reports.append((vendor, what))
    )


def writing() -> AlertWriter:
    return OpsgenieWriting(http("Opsgenie"))


def row(n: int, *, age: float = 0, **more: Any) -> dict[str, Any]:
    """A list row, `age` seconds older than AT."""
    at = (AT - timedelta(seconds=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "seen": False, "id": f"alert-{n}", "tinyId": str(n), "alias": f"alias-{n}", "message": f"Disk {n} full",
        "status": "open", "acknowledged": False, "isSeen": False, "tags": ["disk"], "snoozed": False, "count": 1,
        "lastOccurredAt": at, "createdAt": at, "updatedAt": at, "source": "probe", "owner": "", "priority": "P2",
        "teams": [], "responders": [], "ownerTeamId": "",
    } | more  # fmt: skip


def page(rows: Any, *, more: bool = False) -> dict[str, Any]:
    paging = {"first": f"{ALERTS}?offset=0"} | (
        {"next": "https://evil.example/v2/alerts?offset=77"} if more else {}
    )
    return {"data": rows, "paging": paging, "took": 0.01, "requestId": "r"}


def note(n: int, **more: Any) -> dict[str, Any]:
    at = (AT - timedelta(seconds=n)).isoformat().replace("+00:00", "Z")
    return {"note": f"note {n}", "owner": "ana@customer.example", "createdAt": at, "offset": f"o{n}"} | more


def notes_page(notes: list[Any], token: str = "") -> dict[str, Any]:
    url = f"https://elsewhere.example/v2/alerts/{A1}/notes?limit=100&offset={token}&order=desc"
    return {"data": notes, "paging": {"next": url} if token else {}, "took": 1, "requestId": "r"}


NOW = SimClock(1000.0).now()
