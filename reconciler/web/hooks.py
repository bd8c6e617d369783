"""What a webhook says: who sent it, and where to look. Its body is never taken as the state of anything."""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from threading import Lock
from typing import Any

from reconciler.core.model import Side
from reconciler.feeds import Hint

PING = "pagey.ping"
REMEMBERED = 10_000
"""How many delivery ids are remembered; PagerDuty repeats a delivery under its id for two days at most."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)


class Malformed(Exception):
    """This is no webhook of that vendor's."""


class Deliveries:
    """The ids of the newest deliveries: not the ids themselves, so that their length costs nothing."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._lock = Lock()
        self._seen: dict[bytes, None] = {}

    def is_new(self, delivery: str) -> bool:
        """Whether this id was not there before; it is from now on."""
        key = hashlib.blake2b(delivery.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        with self._lock:
            if key in self._seen:
                return False
            self._seen[key] = None
            if len(self._seen) > self._most:
                del self._seen[next(iter(self._seen))]
            return True


def is_signed(body: bytes, header: str, secrets: Sequence[bytes]) -> bool:
    """Whether any of the v1 signatures is made with any of the secrets. All are compared, in constant time."""
    given = [found[1] for part in header.split(",") if (found := _SIGNATURE.fullmatch(part.strip()))]
    made = [hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in secrets]
    return sum(hmac.compare_digest(mine, theirs) for mine in made for theirs in given) > 0


def is_same(given: object, expected: str) -> bool:
    """Whether a shared text was given, compared in constant time."""
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(found, dict):
        raise Malformed
    return found


def pagerduty_event(body: dict[str, Any]) -> dict[str, Any]:
    """The one event of a v3 delivery."""
    event = body.get("event")
    if not isinstance(event, dict) or not isinstance(event.get("event_type"), str):
        raise Malformed
    return event


def pagerduty_hint(event: dict[str, Any]) -> Hint | None:
    """The incident that an event is about; None for whatever is about none. New kinds come without notice.

    Its key is the alert's id, by which the webhook proxy that this replaces was told where to look.
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
    """The alert that a webhook is about, whatever was done to it. Its id may be all that it tells."""
    alert = body.get("alert")
    found = _id(alert.get("alertId")) if isinstance(alert, dict) else ""
    if not found:
        raise Malformed
    return Hint(Side.OPSGENIE, found)
