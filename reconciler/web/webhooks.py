"""Webhook authentication and parsing: who sent a delivery, and which record it is about.

A body is a hint where to look; it is never taken as the state of anything.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from threading import Lock
from typing import Any

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.vendors import bounded_json

PING = "pagey.ping"
REMEMBERED_DELIVERIES = 10_000
"""Delivery ids that are kept at most; PagerDuty repeats a delivery under its id for up to two days."""
MOST_STRUCTURE = 20_000
"""Structural characters of a body (see `bounded_json`): a genuine one has some hundreds."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)


class Malformed(Exception):
    """A body that is not a webhook of the vendor's."""


class Deliveries:
    """The newest delivery ids, hashed so that long ids cost no more memory than short ones."""

    def __init__(self, most: int = REMEMBERED_DELIVERIES) -> None:
        self._most = most
        self._lock = Lock()
        self._seen: dict[bytes, None] = {}

    def is_new(self, delivery: str) -> bool:
        """Whether the id has not been seen before; it counts as seen from now on."""
        key = hashlib.blake2b(delivery.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        with self._lock:
            if key in self._seen:
                return False
            self._seen[key] = None
            if len(self._seen) > self._most:
                del self._seen[next(iter(self._seen))]
            return True


def is_signed(body: bytes, header: str, secrets: Sequence[bytes]) -> bool:
    """Whether any v1 signature in the header was made with any of the secrets; compares all, in constant time."""
    given = [found[1] for part in header.split(",") if (found := _SIGNATURE.fullmatch(part.strip()))]
    made = [hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in secrets]
    return sum(hmac.compare_digest(mine, theirs) for mine in made for theirs in given) > 0


def is_same(given: object, expected: str) -> bool:
    """Whether the given value is the expected text, compared in constant time."""
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def may_name(body: bytes, integration: str) -> bool:
    """Whether the integration's id occurs in the body as it stands: found out without parsing the body."""
    return integration.encode("utf-8", "surrogatepass") in body


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; Malformed when there is none, or one with more than MOST_STRUCTURE."""
    try:
        found = bounded_json.parsed(body, MOST_STRUCTURE)
    except bounded_json.NotJson:
        raise Malformed from None
    if not isinstance(found, dict):
        raise Malformed
    return found


def pagerduty_event(body: dict[str, Any]) -> dict[str, Any]:
    """The event of a v3 delivery; Malformed when there is none."""
    event = body.get("event")
    if not isinstance(event, dict) or not isinstance(event.get("event_type"), str):
        raise Malformed
    return event


def pagerduty_hint(event: dict[str, Any]) -> Hint | None:
    """The incident that an event is about; None for an event about something else.

    PagerDuty adds kinds of events without notice, so that only the incident's reference is looked for.
    """
    data = event.get("data")
    if not isinstance(data, dict):
        return None
    about = data.get("incident")
    if not isinstance(about, dict) or about.get("id") is None:
        about = data if data.get("type") in ("incident", "incident_reference") else {}
    named, key = _id(about.get("id")), _id(about.get("incident_key"))
    return Hint(Side.PAGERDUTY, named, key) if named or key else None


def _id(found: object) -> str:
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def opsgenie_hint(body: dict[str, Any]) -> Hint:
    """The alert that a webhook is about; Malformed when its id is missing."""
    alert = body.get("alert")
    found = _id(alert.get("alertId")) if isinstance(alert, dict) else ""
    if not found:
        raise Malformed
    return Hint(Side.ALERTS, found)
