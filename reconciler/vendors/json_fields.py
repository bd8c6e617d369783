"""Reading a vendor's JSON without trusting it: anything may be null, missing, of another type, or new."""

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
"""What JSON may hold and no text that is to be stored or sent: NUL, and half a character."""
LARGEST = 2**31 - 1
"""The largest whole number that every database keeps."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Older than both vendors: an earlier stamp is a mistake, whether it is a zero or a number of seconds."""
OnBadRow = Callable[[str, str], None]
"""Called with (vendor, reason) for every row that could not be read and was left out."""


class BadRow(Exception):
    """This row cannot be read; its text says what is wrong with it."""


def ignore(_vendor: str, _what: str) -> None:
    """For callers that do not report such rows."""


def clean(value: Any) -> Any:
    """The same document with a replacement character for what is unfit to be stored or sent."""
    if isinstance(value, str):
        return _UNFIT.sub("\ufffd", value)
    if isinstance(value, dict):
        return {clean(name): clean(item) for name, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def text(value: Any) -> str:
    """A string or a number as text; nothing for null and for what is no scalar."""
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def mapping(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """An array, or an empty one."""
    return value if isinstance(value, list) else []


def state(value: Any) -> bool | None:
    """A boolean, also one written as text; None for anything else, from which nothing follows."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def shown(value: Any) -> str:
    """Any value as people read it: a text as it is, everything else as compact JSON; nothing for what is empty."""
    if isinstance(value, str):
        return value
    if value is None or value in ([], {}):
        return ""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return "(cannot be shown)"


def number(value: Any) -> float | None:
    """A finite number, also one written as a string."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None  # false for NaN too


def whole(value: Any) -> int:
    """A whole number that can be stored; 0 for anything else."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= LARGEST else 0


def moment(value: Any, now: datetime | None = None, ahead: timedelta = SKEW) -> datetime | None:
    """A time in UTC: ISO 8601 with any fraction and offset, or epoch milliseconds.

    None for what cannot be a stamp: before the year 2000 or, where `now` is given, more than `ahead` after it. One
    such stamp, kept as a cursor or compared with, would hide everything that comes later.
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

    Missing, without a request, for a text that would address something else: nothing, dots, or a word that the
    vendor keeps for an address of its own (`reserved`). `what` names the thing, vendor first.
    """
    if value.strip() in ("", ".", "..") or value.strip().lower() in reserved:
        raise Missing(f"{what} '{value}': this cannot be an id; not asked for")
    return quote(value, safe="", errors="replace")


def identifier(row: Any, name: str = "id") -> str:
    """What distinguishes this row from others. BadRow when it has none."""
    if not isinstance(row, dict):
        raise BadRow(f"a row that is no object but {type(row).__name__}")
    found = text(row.get(name))
    if not found:
        raise BadRow(f"a row without '{name}'")
    return found


def rows(body: Any, name: str, vendor: str) -> list[Any]:
    """The array called `name`. An answer without it, or with null, does not say that there is nothing."""
    found = mapping(body).get(name)
    if not isinstance(found, list):
        raise Unknown(f"{vendor}: an answer without '{name}': nothing can be concluded from it")
    return found


def readable(found: list[Any], parse: Callable[[Any], T], vendor: str, on_bad_row: OnBadRow) -> list[T]:
    """All rows that can be read. The others are reported, and cost nobody else anything."""
    good = []
    for row in found:
        try:
            good.append(parse(row))
        except BadRow as error:
            on_bad_row(vendor, str(error))
    return good
