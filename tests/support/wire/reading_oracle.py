"""Rules for every value that is read from a malformed row, checked against the row alone."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from reconciler.core.model import Act, Actor, Alert, Incident
from tests.support.clock import SimClock
from tests.support.wire.mutations import Path
from tests.support.wire.readings import Fields

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
NOW = SimClock(1000.0).now()
LONGEST_ID = 255
"""Characters of an id, as every database can keep in an index."""
LARGEST_WHOLE = 2**31 - 1
IDS = frozenset({"incident_id", "merged_into", "escalation_policy_id", "service_id", "policy_id"}) | {
    f"{kind}.id" for kind in ("Alert", "Incident", "Note", "Act")
}
"""Attributes that are kept as ids. A person's is a name in places, and is in no index."""


def check_value(value: Any, ahead: timedelta, where: Any) -> None:
    """Every text can be stored, every id in an index; every time and number is one of this world."""
    for name, one in _leaves(value):
        if isinstance(one, str):
            assert "\x00" not in one, where
            one.encode()
            assert name not in IDS or len(one) <= LONGEST_ID, where
        elif isinstance(one, datetime):
            assert EARLIEST <= one <= NOW + ahead, where
            assert name in {"snoozed_until", "expires_at", "starts", "ends"} or one <= NOW + timedelta(hours=1), (
                where
            )
        elif not isinstance(one, bool | None | Enum):
            assert 0 <= one <= LARGEST_WHOLE, where


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        for one in fields(value):
            yield from _leaves(
                getattr(value, one.name), f"{type(value).__name__}.id" if one.name == "id" else one.name
            )
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _leaves(one, name)
    else:
        yield name, value


def check_untouched(value: Any, sound: Any, depends: Fields, changed: set[Any], where: Any) -> None:
    """Each attribute that depends on none of the changed fields is exactly as in the sound row."""
    for name, on in depends.items():
        if not on & changed:
            assert getattr(value, name) == getattr(sound, name), (name, where)


def as_state(value: Any) -> bool | None:
    """What a boolean field says: only a boolean, or one that is written as a word."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def as_open(closed: frozenset[str]) -> Callable[[Any], bool | None]:
    """What an alert's status says: any word but those for closed is an open one; nothing else is a status."""
    return lambda value: value.strip().lower() not in closed if isinstance(value, str) and value.strip() else None


STATES: dict[tuple[str, str], tuple[str, Callable[[Any], Any]]] = {
    ("opsgenie", "acknowledged"): ("acknowledged", as_state),
    ("jsm", "acknowledged"): ("acknowledged", as_state),
    ("opsgenie", "status"): ("open", as_open(frozenset({"closed"}))),
    ("jsm", "status"): ("open", as_open(frozenset({"closed", "resolved"}))),
}
"""By product and malformed field: the attribute of an alert, and what it must be for each value."""


def check_state(product: str, value: Any, path: Path, given: Any, where: Any) -> None:
    """A state is what its field says, or unknown."""
    if isinstance(value, Alert) and len(path) == 1 and (product, str(path[0])) in STATES:
        attribute, meaning = STATES[product, str(path[0])]
        assert getattr(value, attribute) is meaning(None if given is ... else given), where
    elif isinstance(value, Act):
        check_act(product, value, path, given, where)
    elif isinstance(value, Incident):
        check_incident(value, path, given, where)


def check_receipt(value: Any, sound: Any, path: Path, given: Any, where: Any) -> None:
    """A write has failed only if its receipt says so; without a word of it nothing has become known."""
    if path == ("isSuccess",):
        said = as_state(None if given is ... else given)
        assert value.done is said or (said is None and value.done is sound.done), where


_STATES_OF_ACTS = ("acknowledge", "unacknowledge")


def check_act(product: str, value: Act, path: Path, given: Any, where: Any) -> None:
    """A log entry is a person's, or a machine's without one; without a word of it nobody has acknowledged."""
    assert (value.person is not None) == (value.actor is Actor.PERSON), where
    if path == (("type" if product == "pagerduty" else "log"),) and value.verb in _STATES_OF_ACTS:
        assert isinstance(given, str), where
        assert "ack" in given.lower(), where


def check_incident(value: Incident, path: Path, given: Any, where: Any) -> None:
    """The status is the word that is there; somebody holds an acknowledged one; it is urgent unless it says no."""
    if path == ("status",):
        assert isinstance(given, str), where
        assert value.status == given.strip().lower(), where
    assert (value.urgency == "low") == (path == ("urgency",) and given == "low"), where
    assert value.status != "acknowledged" or value.acknowledgers, where
    assert all(person.name for person in (*value.acknowledgers, *(value.assignees or ()))), where
