"""One pair's story: what happened in order, both sides as the snapshot knows them, what waits, and what is dead.

It is told from the journal. Actions from before the journal are told from the outbox.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.absence import deleted_reason
from reconciler.core.journal import Entry, Event
from reconciler.core.model import Action, Pair, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.product import OPSGENIE, Product, product_of
from reconciler.core.text import shortened
from reconciler.operations.waits import Wait, waits
from reconciler.store import stories
from reconciler.store.cursors import Origin
from reconciler.store.database import UnitOfWork
from reconciler.store.troubles import load

_ALERT_PAGE = re.compile(r"^Alert: (https://\S+)$", re.MULTILINE)
_PAGE = re.compile(r"https://\S+$|https://\S+(?= )")
BEFORE_JOURNAL = "from the outbox: before the journal"


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the story. `note` is the text of the note that it is about, shortened."""

    entry: Entry
    note: str = ""
    is_journalled: bool = True


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of one pair. `shortly` are the conclusions, the most important first.

    `alert_url` and `incident_url` are their pages, empty where no vendor has named them.
    """

    alert_id: str
    pair: Pair | None
    shortly: tuple[str, ...]
    steps: tuple[Step, ...]
    waits: tuple[Wait, ...]
    dead: tuple[Action, ...]
    alert_url: str = ""
    incident_url: str = ""


def read(unit: UnitOfWork, alert_id: str, now: datetime) -> Story:
    """The story of an alert that the database knows."""
    pair = unit.snapshot.pair(alert_id)
    mine = unit.outbox.of([alert_id]).get(alert_id, ())
    entries = unit.journal.of([alert_id])
    steps = _steps(entries, mine, stories.times(unit, [action.id for action in mine]))
    troubles = {each.subject: each.words for each in load(unit)}
    pauses = [pause for pause in unit.pauses.all() if not pause.is_over(now)]
    positions = unit.cursors.load(now)
    product = product_of(positions.source)
    waiting = waits(mine, pauses, troubles, unit.work.of(alert_id), now, product)
    dead = tuple(action for action in mine if action.status is Status.DEAD)
    shortly = [
        *_paging(pair, mine, entries, positions.origin, product),
        *(paused(pause, product) for pause in pauses),
        *_gaps(pair, steps, entries),
    ]
    return Story(
        alert_id,
        pair,
        tuple(shortly),
        steps,
        waiting,
        dead,
        next((found[1] for action in mine if (found := _ALERT_PAGE.search(action.body))), ""),
        _incident_page(pair, entries),
    )


def paused(pause: Pause, product: Product = OPSGENIE) -> str:
    """A pause in words."""
    until = f" until {stamp(pause.until)}" if pause.until else ""
    who, name = f" by {pause.who}" if pause.who else "", product.name_of(pause.side)
    return f"writes to {name} are paused since {stamp(pause.since)}{until}{who}: {pause.reason}"


def stamp(at: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _steps(
    entries: Iterable[Entry], mine: Iterable[Action], times: dict[int, stories.ActionTimes]
) -> tuple[Step, ...]:
    by_key = {action.key: action for action in mine}
    told = [_step(entry, by_key.get(entry.key)) for entry in entries]
    planned = {step.entry.key for step in told if step.entry.event is Event.PLANNED}
    untold = [action for action in by_key.values() if action.key not in planned]
    told += [step for action in untold for step in _from_outbox(action, times[action.id], entries)]
    return tuple(sorted(told, key=lambda step: step.entry.at))


def _step(entry: Entry, action: Action | None) -> Step:
    is_note = action is not None and action.kind.is_note and entry.event is Event.PLANNED
    return Step(entry, shortened(action.text) if action is not None and is_note else "")


def _from_outbox(action: Action, at: stories.ActionTimes, entries: Iterable[Entry]) -> Iterable[Step]:
    """What the outbox tells of an action that was planned before there was a journal."""

    def step(when: datetime, event: Event, words: str, note: str = "") -> Step:
        incident_id = action.incident_id or ""
        side, who = action.kind.side, action.person
        entry = Entry(when, event, action.alert_id, side, action.kind, action.key, incident_id, who, words)
        return Step(entry, note, is_journalled=False)

    yield step(at.planned, Event.PLANNED, action.reason, shortened(action.text) if action.kind.is_note else "")
    ended = any(entry.key == action.key and entry.event.value == action.status.value for entry in entries)
    if at.settled is not None and not ended:
        yield step(at.settled, Event(action.status.value), action.error)


def _paging(
    pair: Pair | None,
    mine: Iterable[Action],
    entries: Iterable[Entry],
    origin: Origin | None,
    product: Product,
) -> Iterable[str]:
    """Whether somebody is paged, and why not."""
    if pair is None:
        yield "there is no record of the alert itself, only of what was to be written for it"
        return
    if not pair.tracked and pair.incident_id is None:
        found = next((entry.words for entry in entries if entry.event is Event.BASELINE), "")
        yield f"nobody is paged, on purpose: this alert is a baseline: {found or _old_baseline(origin, product)}"
    elif pair.unpaged:
        yield f"nobody is paged: {pair.unpaged}"
    elif pair.incident_id is None:
        creation = next((action for action in mine if action.kind.value == "pagerduty.create_incident"), None)
        why = f": {creation.error}" if creation is not None and creation.error else ""
        yield f"nobody is paged yet: there is no incident{why}"
    if pair.alerts.deleted:
        moves = [entry.words for entry in entries if entry.event is Event.MOVED]
        yield moves[-1] if moves else deleted_reason(product)
    if pair.unexplained_since is not None:
        yield (
            f"the incident's status changed at {stamp(pair.unexplained_since)} or earlier, and PagerDuty's log "
            "does not say yet who did it: nothing follows from it until then"
        )


def _old_baseline(origin: Origin | None, product: Product) -> str:
    if origin is None:
        return "it was recorded before there was a journal"
    return (
        f"the first start at {stamp(origin.at)} paged what was raised since {stamp(origin.since)} "
        f"(INITIAL_LOOKBACK_SECONDS), and nothing older; so does each change of {product.query}"
    )


def _gaps(pair: Pair | None, steps: Iterable[Step], entries: list[Entry]) -> Iterable[str]:
    if pair is not None and (not entries or any(not step.is_journalled for step in steps)):
        yield (
            "the story begins with the upgrade to the version that keeps a journal; what was written before is "
            "told from the outbox, what was seen is not known"
        )


def _incident_page(pair: Pair | None, entries: Iterable[Entry]) -> str:
    incident_id = pair.incident_id if pair else None
    of_it = [entry.words for entry in entries if incident_id and entry.incident_id == incident_id]
    found = (_PAGE.search(words) for words in of_it if words.startswith("incident #") or " https://" in words)
    return next((one[0] for one in found if one), "")


def state_of_alert(pair: Pair) -> str:
    """The alert as the snapshot knows it."""
    base = pair.alerts
    words = ["open" if base.open else "deleted" if base.deleted else "closed"]
    words.append("acknowledged" if base.acknowledged else "not acknowledged")
    words += [base.priority] if base.priority else []
    words += [f"snoozed until {stamp(base.snoozed_until)}"] if base.snoozed_until else []
    words += [f"not found since {stamp(base.missing_since)}"] if base.missing_since and not base.deleted else []
    return ", ".join(words)


def state_of_incident(pair: Pair) -> str:
    """The incident as the snapshot knows it."""
    base = pair.pagerduty
    if base is None:
        return "no incident"
    held = ", ".join(person.name for person in base.acknowledgers)
    return f"{base.status} by {held}" if held else base.status


def as_of(pair: Pair, side: Side) -> datetime | None:
    """The vendor's time of the last change that the snapshot knows."""
    if side is Side.ALERTS:
        return pair.alerts.updated_at
    return pair.pagerduty.as_of if pair.pagerduty else None
