"""Mutants: deliberately wrong variants of the product. The simulation must catch each, or it proves nothing."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from reconciler.core import outcomes, plan
from reconciler.core.model import Action, Kind, Plan, Receipt, Settlement, Status
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.work import WorkItem
from reconciler.reconcile import deliver, pair
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.delivery_check import TargetCheck
from reconciler.sources.intake import DurableIntake
from reconciler.store.outbox import Outbox
from tests.support.simulation.chance import random_history
from tests.support.simulation.drivers import Tally, drive, single_faults
from tests.support.simulation.machine import drive_machine
from tests.support.simulation.schedule import STORY, History
from tests.support.simulation.world import Parts

GUARDS = ("outbox", "author", "mark")


# -- send, then record: the outbox records a call only once the call is over --


def _go_ahead(self: Outbox, _action: Action, now: datetime) -> bool:
    del self
    _SENT_AT["now"] = now
    return True


def _accepted(self: Outbox, action: Action, request_id: str) -> None:
    _SEND(self, action, _SENT_AT["now"])
    _ACCEPTED(self, action, request_id)


def _doubtful(self: Outbox, action: Action, why: str) -> None:
    _SEND(self, action, _SENT_AT["now"])
    _DOUBTFUL(self, action, why)


# -- record, then send: the outbox records a call as done before it is made --


def _done_already(self: Outbox, action: Action, now: datetime) -> bool:
    marked = _SEND(self, action, now)
    self.settle(Settlement(action.id, Status.DONE), now)
    return marked


def _no_check(self: TargetCheck, action: Action) -> Any:
    """States are written without a check of the current state."""
    return None, (_CHECK(self, action)[1] if action.kind is Kind.PAGERDUTY_UNACKNOWLEDGE else None)


def _block_nothing(self: deliver._PairDelivery, waiting: tuple[Action, ...]) -> None:
    """A waiting action or one of unknown outcome blocks none: each of a pair's actions is sent when it is due."""
    for action in waiting:
        if action.kind is not Kind.CREATE_INCIDENT and self._is_due(action):
            self._sender.send(action)


def _cursor_first(self: DurableIntake, items: Collection[WorkItem], **moved: Any) -> None:
    """The feeds' cursors are committed before the keys that were found."""
    if moved:
        with self._database.writing() as unit:
            unit.cursors.save(**moved)
    _ACCEPT(self, items)


def _row_first(
    self: Committer, plan: Plan, inputs: DecisionInput, item: WorkItem, again: WorkItem | None
) -> WorkItem | None:
    """The row of the work queue is deleted before the decision is committed."""
    with self._database.writing() as unit:
        unit.work.take_away([item])
    return _WRITE(self, plan, inputs, item, again)


def _impatient(action: Action, receipt: Receipt | None, policy: Policy, now: Any) -> Settlement | None:
    """A write whose effect does not show at once counts as not done."""
    return _NOT_SHOWN(action, receipt, replace(policy, staleness=timedelta(seconds=-1)), now)


def _shared(inputs: DecisionInput) -> Plan:
    """One baseline for both sides: PagerDuty's state counts as Opsgenie's last known state."""
    decided = _DECIDE(inputs)
    pairs = tuple(
        replace(pair, alerts=replace(pair.alerts, acknowledged=pair.pagerduty.status == "acknowledged"))
        if pair.pagerduty
        else pair
        for pair in decided.pairs
    )
    return replace(decided, pairs=pairs)


_NOT_SHOWN, _DECIDE, _CHECK = outcomes._not_shown, plan.decide, TargetCheck.check
_SEND, _ACCEPTED, _DOUBTFUL = Outbox.mark_sent, Outbox.mark_accepted, Outbox.mark_unknown
_ACCEPT, _WRITE = DurableIntake.accept, Committer._write
_SENT_AT: dict[str, datetime] = {}

NEVER = 1e8
"""Seconds between two sweeps where no sweep may make up for what the feeds miss."""

CAUGHT = {
    "send, then record": "TWICE",
    "record, then send": "LOST",
    "no echo guard": "LOOP",
    "no staleness bound": "TWICE",
    "one shared baseline": "TWICE",
    "cursors before the keys": "LOST",
    "the row before the plan": "LOST",
    "nothing blocked": "ORDER",
    "no check before acknowledging": "FORBIDDEN",
}
"""The kind of finding that each mutant must have; it may have others."""
MUTANTS: dict[str, Callable[[], Parts]] = {
    "send, then record": lambda: Parts(
        patches=(
            (Outbox, "mark_sent", _go_ahead),
            (Outbox, "mark_accepted", _accepted),
            (Outbox, "mark_unknown", _doubtful),
        )
    ),
    "record, then send": lambda: Parts(patches=((Outbox, "mark_sent", _done_already),)),
    "no echo guard": lambda: Parts(guards=frozenset()),
    "no staleness bound": lambda: Parts(patches=((outcomes, "_not_shown", _impatient),)),
    "one shared baseline": lambda: Parts(patches=((pair, "decide", _shared),)),
    "cursors before the keys": lambda: Parts(patches=((DurableIntake, "accept", _cursor_first),), sweep=NEVER),
    "the row before the plan": lambda: Parts(patches=((Committer, "_write", _row_first),), sweep=NEVER),
    "nothing blocked": lambda: Parts(patches=((deliver._PairDelivery, "send_the_rest", _block_nothing),)),
    "no check before acknowledging": lambda: Parts(patches=((TargetCheck, "check", _no_check),)),
}


@dataclass(frozen=True, slots=True)
class Catch:
    """Which driver caught a mutant, at which run, and by what."""

    driver: str
    run: int
    history: History
    wrong: list[str]

    def first(self, word: str) -> str:
        """The first finding of that kind."""
        return next(line for line in self.wrong if line.startswith(word))


def catch(driver: str, parts: Parts, word: str, most: int, near: str = "") -> Catch | None:
    """Look for a finding of this kind with one of DRIVERS, in at most this many runs."""
    tally = DRIVERS[driver](parts, word, most, near)
    if tally.found and any(line.startswith(word) for line in tally.found[-1][1]):
        return Catch(driver, tally.histories, *tally.found[-1])
    return None


def _exhaustive(parts: Parts, word: str, most: int, near: str) -> Tally:
    """The story, then all its single faults in random order; those whose name starts with `near` come first."""
    return drive(islice(_near_first(parts, near), most), parts, stop_at=word)


def _near_first(parts: Parts, near: str) -> Iterator[History]:
    yield STORY
    single = single_faults(STORY, parts, full=not near)
    Random(1).shuffle(single)  # noqa: S311 - a simulation
    if near:
        single.sort(key=lambda history: not f"{history.faults[0].kind} {history.faults[0].what}".startswith(near))
    yield from single


def _by_chance(parts: Parts, word: str, most: int, _near: str) -> Tally:
    return drive((random_history(number) for number in range(most)), parts, stop_at=word)


def _by_machine(parts: Parts, word: str, most: int, _near: str) -> Tally:
    return drive_machine(1, most, parts, stop_at=word)


DRIVERS: dict[str, Callable[[Parts, str, int, str], Tally]] = {
    "exhaustive": _exhaustive,
    "chance": _by_chance,
    "Hypothesis": _by_machine,
}
