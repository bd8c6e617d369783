"""Random histories of any acts and faults, and the reduction of one with findings to its essential part."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from tests.support.simulation.drivers import BOUNDS
from tests.support.simulation.schedule import (
    CYCLES,
    KINDS,
    OCCASIONS,
    SCOPED_FAULTS,
    SETTINGS,
    Act,
    Fault,
    History,
)

T = TypeVar("T")
DETAILS = ("", "the disk is full")
TEXTS = ("any news?", "on it", "checking", "see [PagerDuty · Jane Doe · note PXYZ123] there", "line\nand line")
CUSTOMER: tuple[str, ...] = (
    "note", "note", "acknowledge", "acknowledge", "unacknowledge", "close", "snooze", "escalate",
)  # fmt: skip
if SCOPED_FAULTS:
    CUSTOMER = (*CUSTOMER, "priority")
PRIORITIES = ("P1", "P2", "P4")
ENGINEER = (
    "note", "note", "acknowledge", "acknowledge", "unacknowledge", "resolve", "reopen", "edit_note", "delete_note",
    "reassign", "snooze", "merge",
)  # fmt: skip
MOST = {
    "cycle": CYCLES,
    "og.ack": 2,
    "og.unack": 2,
    "pd.status": 4,
    "db.accepted": 4,
    "pd.who": 2,
    "pd.by_key": 3,
    "og.logs": 3,
    "pd.acts": 2,
    "og.request": 2,
    "db.doubt": 2,
}
"""How many steps of a kind there are about; of the others up to 12."""


def random_history(seed: int) -> History:
    """The history of this seed."""
    chance = Random(seed)  # noqa: S311 - a simulation
    alerts = chance.randint(1, 3)
    acts = [
        Act(chance.choice((0, 0, 0, 1, 2)), chance.randint(0, 9), "og", "create", text=DETAILS[number % 2])
        for number in range(alerts)
    ]
    acts += [_act(chance, alerts) for _ in range(chance.randint(1, 14))]
    setting = chance.choice(("plain", *SETTINGS))
    chosen = [fault for _ in range(_count(chance)) for fault in _with_occasion(chance, _fault(chance))]
    faults = {(fault.kind, fault.nth): fault for fault in chosen}
    glances = chance.sample(range(CYCLES), chance.choice((0, 0, 3, CYCLES)))
    return History(tuple(sorted(acts)), tuple(sorted(faults.values())), setting, seed, tuple(sorted(glances)))


def _act(chance: Random, alerts: int) -> Act:
    side = chance.choice(("og", "pd"))
    verb = chance.choice(CUSTOMER if side == "og" else ENGINEER)
    texts = {"snooze": ("7", "20", "45"), "priority": PRIORITIES}.get(verb, TEXTS if "note" in verb else ("",))
    text = chance.choice(texts) if len(texts) > 1 else texts[0]
    place = chance.randint(0, CYCLES - 1), chance.choice((0, 0, chance.randint(1, 14)))
    return Act(*place, side, verb, chance.randrange(alerts), chance.randrange(2), text)


def _with_occasion(chance: Random, fault: Fault) -> tuple[Fault, ...]:
    """The fault, and the fault that a step of its kind presupposes."""
    if fault.kind not in OCCASIONS:
        return (fault,)
    kind, what = chance.choice(OCCASIONS[fault.kind])
    return replace(fault, nth=0), Fault(kind, chance.choice((0, 0, 1)), what)


def _count(chance: Random) -> int:
    return chance.choice((0, 1, 1, 2, 2, 3, 4))


def _fault(chance: Random) -> Fault:
    while True:
        kind = chance.choice(tuple(KINDS))
        nth = int(chance.triangular(0, MOST.get(kind, 12), 0))
        what = chance.choice(KINDS[kind])
        if (kind, nth, what) not in BOUNDS:
            return Fault(kind, nth, what)


def smallest(history: History, is_bad: Callable[[History], bool]) -> History:
    """Reduce a history with findings by removing faults, acts and glances one by one."""
    for name in ("faults", "acts", "glances"):
        history = _fewest(history, name, is_bad)
    if history.setting != "plain" and is_bad(plain := replace(history, setting="plain")):
        history = plain
    return history


def _fewest(history: History, name: str, is_bad: Callable[[History], bool]) -> History:
    again = True
    while again:
        again = False
        for shorter in _shorter(getattr(history, name)):
            changed: dict[str, Any] = {name: shorter}
            tried = replace(history, **changed)
            if is_bad(tried):
                history, again = tried, True
                break
    return history


def _shorter(whole: Sequence[T]) -> list[tuple[T, ...]]:
    halves = [tuple(whole[: len(whole) // 2]), tuple(whole[len(whole) // 2 :])] if len(whole) > 3 else []
    return [*halves, *((*whole[:n], *whole[n + 1 :]) for n in range(len(whole)))]
