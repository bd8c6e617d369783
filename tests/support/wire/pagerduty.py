"""PagerDuty's client wired to a fake clock, and rows of the shapes that PagerDuty sends."""

from datetime import UTC, datetime
from typing import Any

from reconciler.core.model import Person
from reconciler.vendors.pagerduty.client import PagerDutyClient, PagerDutyWriting
from reconciler.vendors.ports import PagerDutyReader, PagerDutyWriter
from tests.support.wire.http import PAGERDUTY, PAGERDUTY_KEY, http, sent

SERVICE = "PSERVICE"
EMAIL = "bot@operator.example"
BOT = "PBOT001"
INCIDENTS = f"{PAGERDUTY}/incidents"
ALWAYS = sent(
    Authorization=f"Token token={PAGERDUTY_KEY}",
    Accept="application/vnd.pagerduty+json;version=2",
    Cache_Control="no-cache",
)
WRITES = sent(
    Authorization=f"Token token={PAGERDUTY_KEY}",
    Accept="application/vnd.pagerduty+json;version=2",
    Content_Type="application/json",
    From=EMAIL,
)
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def client(user: str = BOT, bad: list[tuple[str, str]] | None = None) -> PagerDutyReader:
    reports = bad if bad is not None else []
    return PagerDutyClient(
        http("PagerDuty"), SERVICE, EMAIL, user, on_bad_row=lambda vendor, what: reports.append((vendor, what))
    )


def writing() -> PagerDutyWriter:
    return PagerDutyWriting(http("PagerDuty"), SERVICE, EMAIL)


def user(user_id: str, name: str) -> dict[str, Any]:
    return {"id": user_id, "type": "user_reference", "summary": name, "self": "https://evil.example/users"}


def incident(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"PINC{n}", "type": "incident", "summary": f"[#{n}] Disk", "incident_number": n, "title": "Disk",
        "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:05:00Z", "status": "triggered",
        "incident_key": f"alert-{n}", "service": {"id": SERVICE, "type": "service_reference"},
        "assignments": [], "last_status_change_at": "2026-11-23T09:01:00Z", "resolved_at": None,
        "escalation_policy": {"id": "PESC", "type": "escalation_policy_reference"}, "acknowledgements": [],
        "last_status_change_by": {"id": SERVICE, "type": "service_reference", "summary": "API Service"},
        "resolve_reason": None, "urgency": "high", "self": "https://evil.example/incidents/1",
    } | more  # fmt: skip


def page(name: str, rows: Any, *, more: Any = False) -> dict[str, Any]:
    return {name: rows, "limit": 100, "offset": 0, "total": None, "more": more}


NOT_FOUND = {"error": {"message": "Not Found", "code": 2100}}
DENIED = {"error": {"message": "Access Denied", "code": 2010}}


US = Person(BOT, "Mirror Bot")


LOG = f"{PAGERDUTY}/log_entries"


def entry(n: int, kind: str = "acknowledge_log_entry", **more: Any) -> dict[str, Any]:
    return {
        "id": f"R{n}", "type": kind, "summary": "…", "created_at": f"2026-11-23T09:00:{n:02}Z",
        "agent": user("PJANE", "Jane Doe"), "channel": {"type": "website"}, "service": {"id": SERVICE},
        "incident": {"id": "PINC1", "type": "incident_reference"}, "teams": [], "contexts": [],
    } | more  # fmt: skip


API = {"id": SERVICE, "type": "service_reference", "summary": "API Service"}


WORKFLOW = {"id": "PWF1", "type": "workflow_reference", "name": "Night shift"}
SOMEBODY = Person("", "somebody")
JANE = Person("PJANE", "Jane Doe")


BOT_ALONE = {"assignments": [{"at": "2026-11-23T09:00:00Z", "assignee": user(BOT, "Mirror Bot")}]}


BOTH = {"assignments": [*BOT_ALONE["assignments"], {"assignee": user("PJANE", "Jane Doe")}]}
UNREADABLE = {"assignments": [{"assignee": None}]}


PAGING = {"assignments": [{"assignee": user("PJANE", "Jane Doe")}]}
