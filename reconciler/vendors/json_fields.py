"""Defensive accessors for a vendor's JSON: any value may be null, missing, of another type, or new."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from reconciler.errors import Missing, Unknown
from reconciler.vendors.ports import SKEW

T = TypeVar("T")
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")
"""Characters that JSON may contain and that cannot be stored or sent: NUL, and half a surrogate pair."""
LONGEST_ID = 255
"""Characters of an id; the vendors' have at most 60. PostgreSQL's indexes keep none of more than 2,700 bytes."""
LARGEST_WHOLE = 2**31 - 1
"""The largest whole number that every database can store."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Older than both vendors: an earlier stamp is an error, such as a zero or a number of seconds."""
OnBadRow = Callable[[str, str], None]
"""Called with (vendor, reason) for every row that could not be read and was left out."""


class BadRow(Exception):
    """A row that cannot be read; the text says what is wrong with it."""


def ignore(_vendor: str, _what: str) -> None:
    """The callback of callers that do not report such rows."""


def clean(value: Any) -> Any:
    """The same document with a replacement character for each character that cannot be stored or sent."""
    if isinstance(value, str):
        return _UNFIT.sub("\ufffd", value)
    if isinstance(value, dict):
        return {clean(name): clean(item) for name, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def text(value: Any) -> str:
    """A string or a number as text; empty for null and for any other type."""
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def mapping(value: Any) -> dict[str, Any]:
    """An object; an empty one for any other type."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """An array; an empty one for any other type."""
    return value if isinstance(value, list) else []


def state(value: Any) -> bool | None:
    """A boolean, possibly written as text; None for anything else: then the state is unknown."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def shown(value: Any) -> str:
    """Any value for display: a text as it is, anything else as compact JSON; empty for empty values."""
    if isinstance(value, str):
        return value
    if value is None or value in ([], {}):
        return ""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return "(cannot be shown)"


def number(value: Any) -> float | None:
    """A finite number, possibly written as a string; else None."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None  # false for NaN too


def natural(value: Any) -> int | None:
    """A whole number that can be stored; None for anything else."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= LARGEST_WHOLE and found.is_integer() else None


def whole(value: Any) -> int:
    """The same; 0 for anything else."""
    return natural(value) or 0


def moment(value: Any, now: datetime | None = None, ahead: timedelta = SKEW) -> datetime | None:
    """A time in UTC: ISO 8601 with any fraction and offset, or epoch milliseconds.

    None for an implausible stamp: before the year 2000 or, if `now` is given, more than `ahead` after it. Used as
    a cursor or in a comparison, one such stamp would hide everything that comes later.
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        else:
            milliseconds = number(value)
            if milliseconds is None:
                return None
            found = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found >= EARLIEST and (now is None or found <= now + ahead) else None


def segment(value: str, what: str, reserved: frozenset[str] = frozenset()) -> str:
    """A foreign id as one segment of a path.

    Missing, without a request, for a text that is no id, or would address something else: an empty or overlong
    one, dots, or a word that the vendor reserves for its own addresses (`reserved`). `what` names the object,
    vendor first.
    """
    if value.strip() in ("", ".", "..") or len(value) > LONGEST_ID or value.strip().lower() in reserved:
        raise Missing(f"{what} '{value[:40]}': this cannot be an id; not asked for")
    return quote(value, safe="", errors="replace")


def record(row: Any) -> dict[str, Any]:
    """The row as an object. BadRow if it is none."""
    if not isinstance(row, dict):
        raise BadRow(f"a row that is no object but {type(row).__name__}")
    return row


def identifier(row: Any, name: str = "id") -> str:
    """The row's identifier. BadRow if it has none, or one that is none by its length."""
    found = text(record(row).get(name))
    if not found:
        raise BadRow(f"a row without '{name}'")
    if len(found) > LONGEST_ID:
        raise BadRow(f"a row with '{name}' of {len(found):,} characters, which is no id: {found[:40]}…")
    return found


def reference(value: Any, name: str = "id") -> str:
    """The identifier of an object that a row refers to; empty if it cannot be read, or is none by its length."""
    found = text(mapping(value).get(name))
    return found if len(found) <= LONGEST_ID else ""


def rows(body: Any, name: str, vendor: str) -> list[Any]:
    """The array called `name`. Unknown if the answer has none, which does not mean that there is nothing."""
    found = mapping(body).get(name)
    if not isinstance(found, list):
        raise Unknown(f"{vendor}: an answer without '{name}': nothing can be concluded from it")
    return found


def readable(found: list[Any], parse: Callable[[Any], T], vendor: str, on_bad_row: OnBadRow) -> list[T]:
    """All readable rows. The others are reported to `on_bad_row` and left out."""
    good = []
    for row in found:
        try:
            good.append(parse(row))
        except BadRow as error:
            on_bad_row(vendor, str(error))
    return good
