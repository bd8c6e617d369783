"""Conversion of Opsgenie's rows to core values: alerts, notes, log lines.

Defensive: any optional field may be missing or odd.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from reconciler.core.model import Act, Alert, Note, Person
from reconciler.vendors.alert_rows import creation, details, last_change, log_entry, milliseconds
from reconciler.vendors.json_fields import BadRow, identifier, items, mapping, moment, number, state, text
from reconciler.vendors.ports import SKEW

LONGEST_SNOOZE = timedelta(days=366)
"""Opsgenie snoozes for a week at most; a later end is not a real date."""
_MACHINES = frozenset({"", "system", "alert api", "opsgenie"})


def parse_alert(row: Any, now: datetime, url: str, *, whole: bool = False) -> Alert:
    """An alert of any list or answer. BadRow only without an id, or if there is nothing but an id.

    `whole`: with its description. An unreadable time stamp is replaced by the next best one.
    """
    alert_id = identifier(row)
    if not any(text(row.get(name)) for name in ("message", "tinyId", "alias", "status", "createdAt", "updatedAt")):
        raise BadRow(f"alert {alert_id} with nothing else that an alert has")
    created = creation(row, alert_id, now)
    report = mapping(row.get("report"))
    acknowledged, status = state(row.get("acknowledged")), row.get("status")
    holder = text(report.get("acknowledgedBy")) or text(row.get("owner"))
    return Alert(
        id=alert_id,
        tiny_id=text(row.get("tinyId")),
        message=text(row.get("message")),
        open=status.strip().lower() != "closed" if isinstance(status, str) and status.strip() else None,
        acknowledged=acknowledged,
        created_at=created,
        updated_at=last_change(row, now) or created,
        snoozed_until=None
        if state(row.get("snoozed")) is False
        else moment(row.get("snoozedUntil"), now, LONGEST_SNOOZE),
        acknowledged_by=holder if acknowledged else "",
        acknowledged_at=_after(created, report.get("ackTime"), now) if acknowledged else None,
        closed_by=text(report.get("closedBy")),
        closed_at=_after(created, report.get("closeTime"), now),
        priority=text(row.get("priority")).strip().upper(),
        tags=tuple(filter(None, map(text, items(row.get("tags"))))),
        source=text(row.get("source")),
        description=text(row.get("description")) if whole else None,
        details=details(row.get("details")),
        url=page_of(url, alert_id),
        alias=text(row.get("alias")),
    )


def parse_note(row: Any, now: datetime) -> Note:
    """A note. BadRow without the token that identifies it, and if both its time and its text are missing."""
    token = identifier(row, "offset")
    owner, content = text(row.get("owner")), text(row.get("note"))
    at = _stamp(row, token, now) or (now if content else None)
    if at is None:
        raise BadRow(f"note {token} without a readable createdAt")
    return Note(token, Person(owner, owner or "somebody"), content, at)


def parse_act(row: Any, now: datetime) -> Act:
    """A line of the log. BadRow without its token or a time: such a line explains nothing."""
    token = identifier(row, "offset")
    at = _stamp(row, token, now)
    if at is None:
        raise BadRow(f"log entry {token} without a readable createdAt")
    owner = text(row.get("owner")).strip()
    line = text(row.get("log")).strip().removeprefix(owner)
    return log_entry(token, at, line, Person(owner, owner), _MACHINES)


def _stamp(row: dict[str, Any], token: str, now: datetime) -> datetime | None:
    """The row's time, else that of its token, which begins with the milliseconds."""
    return moment(row.get("createdAt"), now) or milliseconds(token.partition("_")[0], now)


def _after(start: datetime, elapsed: Any, now: datetime) -> datetime | None:
    """A time of `report`, given as a duration since the creation; None if it is implausible."""
    found = number(elapsed)
    try:
        at = None if found is None else start + timedelta(milliseconds=found)
    except OverflowError:
        return None
    return at if at is not None and start <= at <= now + SKEW else None


def page_of(api_url: str, alert_id: str) -> str:
    """The alert's page in the web application; its API address if the API is not at the usual host."""
    parts = urlsplit(api_url)
    place = quote(alert_id, safe="", errors="replace")
    if not parts.netloc.startswith("api."):
        return f"{api_url}/v2/alerts/{place}"
    return f"https://app.{parts.netloc.removeprefix('api.')}/alert/detail/{place}/details"
