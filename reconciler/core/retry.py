"""Retry policy for a write that had no effect: at once in a plainer form, later, or never (dead letter).

| what was refused       | a creation          | a note                | a state             |
|------------------------|---------------------|-----------------------|---------------------|
| the request            | plainer, then again | plainer, then dead    | again for an hour   |
| the object (403, 404)  | again               | again for six hours   | again for six hours |
| the account            | when the lane opens | when the lane opens   | when the lane opens |
| by the network path    | again               | again                 | again               |
| nothing; later         | when the lane opens | when the lane opens   | when the lane opens |

A creation is never dead while its alert is open. "Again" is a back-off of that action alone. The account, and a
vendor that is out of reach, open the breaker of a whole lane instead: what waits for it does not count as failed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from reconciler.core.absence import deleted_reason
from reconciler.core.model import Action, AlertBaseline, Kind, Settlement, Side, Status
from reconciler.core.product import OPSGENIE, Product

GIVE_UP = timedelta(hours=6)
"""How long a note or a state is retried while its object is refused."""
STATE_REFUSED = timedelta(hours=1)
"""How long a state is retried while the vendor refuses the request itself: it may become possible later."""
LONGEST_WRITE_BACK_OFF = timedelta(seconds=300)
LONGEST_FOR_OBJECT = timedelta(seconds=60)
LONGEST_FOR_PATH = timedelta(seconds=15)
PATH_COUNTS = timedelta(minutes=10)
"""The longest outage of the network path that counts towards giving up."""


class Scope(Enum):
    """What an error concerns: the request, one object, the account, or the network path."""

    REQUEST = "request"
    FORBIDDEN = "forbidden"  # 403 on one object
    MISSING = "missing"  # 404 on one object
    ACCOUNT = "account"
    PATH = "path"
    LATER = "later"


_OBJECT = (Scope.FORBIDDEN, Scope.MISSING)
_UNCOUNTED = (Scope.ACCOUNT, Scope.LATER)


@dataclass(frozen=True, slots=True)
class Plainer:
    """Send it again at once, in its plainest form."""

    why: str


def after(
    action: Action,
    scope: Scope,
    why: str,
    now: datetime,
    alert: AlertBaseline | None,
    product: Product = OPSGENIE,
) -> Settlement | Plainer:
    """The next step for an action that certainly had no effect. `alert` is the alert's baseline."""
    if scope is Scope.REQUEST and not action.plain and not action.kind.is_state:
        return Plainer(why)
    if _is_dead(action, scope, now, alert):
        why = f"{deleted_reason(product)}: {why}" if _is_deleted(action, scope, alert) else why
        return Settlement(
            action.id, Status.DEAD, why, attempts=action.attempts + 1, failing_since=_since(action, now)
        )
    if scope in _UNCOUNTED:
        since = _since(action, now) if action.kind is Kind.CREATE_INCIDENT else action.failing_since
        return Settlement(action.id, Status.PLANNED, why, failing_since=since)
    since = _since(action, now)
    if scope is Scope.PATH and action.kind is not Kind.CREATE_INCIDENT:
        since = max(since, now - PATH_COUNTS)
    wait, failures = _wait(action, scope), action.attempts + 1
    return Settlement(
        action.id, Status.PLANNED, why, not_before=now + wait, attempts=failures, failing_since=since
    )


def steps_aside(action: Action, now: datetime, staleness: timedelta) -> bool:
    """Whether later actions of the pair need no longer wait for this one, which has been refused for so long.

    Order is kept for the length of the staleness bound; beyond that, one note that a firewall rejects would delay
    an acknowledgement for hours.
    """
    return action.failing_since is not None and now - action.failing_since > staleness


def backoff(failures: int, longest: timedelta = LONGEST_WRITE_BACK_OFF) -> timedelta:
    """Back-off after this many earlier failures: 1 s, 2 s, 4 s …, at most `longest`."""
    return min(timedelta(seconds=1 << min(failures, 10)), longest)


def _is_dead(action: Action, scope: Scope, now: datetime, alert: AlertBaseline | None) -> bool:
    if action.kind is Kind.CREATE_INCIDENT:
        return scope is Scope.REQUEST and alert is not None and not alert.open
    if scope is Scope.REQUEST:
        return action.kind.is_note or now - _since(action, now) >= STATE_REFUSED
    if scope not in _OBJECT:
        return False
    return _is_deleted(action, scope, alert) or now - _since(action, now) >= GIVE_UP


def _is_deleted(action: Action, scope: Scope, alert: AlertBaseline | None) -> bool:
    """Whether the write's target is deleted. If the alert reappears, the write becomes due again."""
    of_alert = scope is Scope.MISSING and action.kind.side is Side.ALERTS
    return of_alert and alert is not None and alert.deleted


def _since(action: Action, now: datetime) -> datetime:
    """The time of the first failure in a row, this one included."""
    return action.failing_since or now


def _wait(action: Action, scope: Scope) -> timedelta:
    if scope is Scope.PATH:
        return backoff(action.attempts, LONGEST_FOR_PATH)
    if scope in _OBJECT and action.kind is not Kind.CREATE_INCIDENT:
        return backoff(action.attempts, LONGEST_FOR_OBJECT)
    return backoff(action.attempts)
