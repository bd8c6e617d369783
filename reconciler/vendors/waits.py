"""What a vendor's headers say about its rate limit: how long to wait, and that the limit is near."""

from collections.abc import Mapping
from datetime import datetime

from reconciler.vendors.json_fields import moment, number

LONGEST_PAUSE = 60.0
"""The longest delay in seconds that a vendor's statement may cause, because pages depend on it."""
NO_WAIT = 1e6
"""Seconds: a longer stated time is no wait but something else, such as a time since 1970."""
FIRST_PAUSE = 1.0
"""Seconds after a 429 that does not say how long to wait; twice as long after each further one in a row."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the vendor asks us to wait, at most a minute; None if it does not say.

    A period alone is no such request: it only describes how the vendor counts.
    """
    stated = stated_wait(headers, now)
    period = number(headers.get("X-RateLimit-Period-In-Sec"))
    return FIRST_PAUSE if stated is None and period and period > 0 else stated


def stated_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait according to the vendor's headers. Atlassian states the time at which its limit ends."""
    stated = (seconds(headers.get(name)) for name in ("ratelimit-reset", "Retry-After"))
    found = next((wait for wait in stated if wait is not None), None)
    return _until(headers.get("X-RateLimit-Reset"), now) if found is None else found


def seconds(text: str | None) -> float | None:
    """A wait in seconds, within bounds; None for a text that cannot be one."""
    found = number(text)
    return min(found, LONGEST_PAUSE) if found is not None and 0 < found < NO_WAIT else None


def is_near(headers: Mapping[str, str]) -> bool:
    """Whether the vendor says that little of its limit is left."""
    return headers.get("X-RateLimit-NearLimit", "").strip().lower() == "true"


def reason(headers: Mapping[str, str]) -> str:
    """Which of its limits the vendor names; empty if it names none."""
    return headers.get("RateLimit-Reason", "").strip()


def _until(text: str | None, now: datetime) -> float | None:
    """Seconds until an ISO 8601 time; a number is none."""
    at = None if text is None or number(text) is not None else moment(text)
    return None if at is None else seconds(str((at - now).total_seconds()))
