"""Open actions: until when each waits, and for what."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Action, Kind, Status
from reconciler.core.pause import Pause
from reconciler.core.product import OPSGENIE, Product
from reconciler.core.work import WorkItem


@dataclass(frozen=True, slots=True)
class Wait:
    """One action that waits. `until` is when it is tried or looked up next; None: that depends on `why`."""

    action: Action
    why: str
    until: datetime | None = None


def waits(
    mine: Collection[Action],
    pauses: Collection[Pause],
    troubles: Mapping[str, str],
    item: WorkItem | None,
    now: datetime,
    product: Product = OPSGENIE,
) -> tuple[Wait, ...]:
    """Why each open action of a pair waits.

    `troubles` are the lasting problems by subject: a vendor's own closes its circuit breaker. `item` is the pair's
    row of the work queue.
    """
    return tuple(_waits(mine, pauses, troubles, item, now, product))


def _waits(
    mine: Collection[Action],
    pauses: Collection[Pause],
    troubles: Mapping[str, str],
    item: WorkItem | None,
    now: datetime,
    product: Product,
) -> Iterator[Wait]:
    ahead: set[str] = set()
    for action in (action for action in mine if action.status.is_open):
        side, name = action.kind.side, product.name_of(action.kind.side)
        pause = next((p for p in pauses if p.side is side and (p.pages or _is_no_page(action))), None)
        if action.status is Status.SENT:
            yield _in_flight(action, item, product)
        elif pause is not None:
            yield Wait(action, f"writes to {name} are paused by {pause.who}: {pause.reason}", pause.until)
        elif action.not_before is not None and action.not_before > now:
            tries = "1 try" if action.attempts == 1 else f"{action.attempts} tries"
            yield Wait(action, f"back-off after {tries}: {action.error}", action.not_before)
        elif _lacks_target(action):
            yield Wait(action, "for the incident, which is not created yet")
        elif side in ahead:
            yield Wait(action, f"for the write to {name} before it")
        elif side.value in troubles:
            yield Wait(action, f"for {name} (circuit breaker): {troubles[side.value]}")
        else:
            yield Wait(action, f"due: {action.error}" if action.error else "due")
        ahead.add(side)


def _is_no_page(action: Action) -> bool:
    return action.kind is not Kind.CREATE_INCIDENT


def _lacks_target(action: Action) -> bool:
    return action.kind.side.value == "pagerduty" and _is_no_page(action) and action.incident_id is None


def _in_flight(action: Action, item: WorkItem | None, product: Product) -> Wait:
    until = item.due_at if item is not None else None
    if action.error:
        return Wait(action, f"its outcome is unknown, and its target is read again: {action.error}", until)
    if action.request_id:
        why = f"{product.name} has accepted it (request {action.request_id}); whether it was carried out is asked"
        return Wait(action, why, until)
    return Wait(action, "in flight: its target is read", until)
