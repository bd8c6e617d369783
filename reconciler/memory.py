"""What is kept in mind between cycles, and lost with the process: back-offs, answers that need not be asked again.

Nothing depends on it: after a restart it is learned anew. Several threads look at different pairs at the same
time; each touches only its own pair's entries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from reconciler.core.model import Action, Receipt, Side, Status
from reconciler.errors import ReconcilerError

K = TypeVar("K")
V = TypeVar("V")

LONGEST = timedelta(seconds=60)
"""The longest that a pair which cannot be read is left alone."""
ASKED_AT_ONCE = 50
"""Requests to Opsgenie whose status is asked for in one cycle."""
ASK_AGAIN = timedelta(seconds=1)
"""How soon the status of a request that waits in Opsgenie's queue is asked for again."""
FRUITLESS = 3
"""After so many readings of an alert's notes that brought nothing, a mere repetition is not read at once."""
REPEATED = timedelta(seconds=10)
"""How often the notes of an alert that only occurs again and again are read."""
FORGOTTEN = timedelta(seconds=60)
"""After so long without a repetition the next one is read at once."""
REMEMBERED = 10_000
"""How many entries of a kind are kept at the most."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A side of one pair that could not be read: how often in a row, until when it is left alone, and why."""

    failures: int
    until: datetime
    error: ReconcilerError


@dataclass(frozen=True, slots=True)
class _Repetition:
    fruitless: int
    at: datetime


@dataclass(slots=True)
class Memory:
    """One process's memory. Holds are by alert and side; the rest by alert, action or incident."""

    holds: dict[tuple[str, Side], Hold] = field(default_factory=dict)
    missing: dict[str, datetime] = field(default_factory=dict)
    blind: ReconcilerError | None = None
    log_failures: int = 0
    _left: list[tuple[str, set[Side]]] = field(default_factory=list)
    _checked: dict[str, datetime] = field(default_factory=dict)
    _met: dict[str, datetime] = field(default_factory=dict)
    _asked: dict[int, datetime] = field(default_factory=dict)
    _pending: dict[int, Receipt] = field(default_factory=dict)
    _repetitions: dict[str, _Repetition] = field(default_factory=dict)
    _strangers: dict[str, None] = field(default_factory=dict)

    # -- pairs that cannot be read --

    def failed(self, alert_id: str, side: Side, error: ReconcilerError, now: datetime) -> None:
        """This side of the pair could not be read, for a reason of its own: 1, 2, 4 … 60 s of rest."""
        held = self.holds.get((alert_id, side))
        if held is not None and held.until > now:
            return  # one look counts once
        failures = held.failures + 1 if held else 1
        rest = min(timedelta(seconds=2 ** min(failures - 1, 10)), LONGEST)
        self.holds[alert_id, side] = Hold(failures, now + rest, error)

    def worked(self, alert_id: str, side: Side) -> None:
        """This side of the pair was read."""
        self.holds.pop((alert_id, side), None)

    def is_held(self, alert_id: str, side: Side, now: datetime) -> bool:
        """Whether it is left alone. A clock that was set back holds nothing for longer than that."""
        held = self.holds.get((alert_id, side))
        return held is not None and now < held.until <= now + LONGEST

    def leave(self, unread: Iterable[tuple[str, set[Side]]]) -> None:
        """What could not be read of these alerts, for the cycle that is under way to write down."""
        self._left += [(alert_id, set(sides)) for alert_id, sides in unread if sides]

    def take_left(self) -> list[tuple[str, set[Side]]]:
        """All of that, once."""
        left, self._left = self._left, []
        return left

    # -- alerts that are missing --

    def is_missing(self, alert_id: str, since: datetime, now: datetime) -> None:
        """Opsgenie answered 404 for the alert."""
        self.missing.setdefault(alert_id, since)
        self._checked[alert_id] = now

    def is_there(self, alert_id: str) -> None:
        """The alert was read, or nothing more is to be found out about it."""
        self.missing.pop(alert_id, None)
        self._checked.pop(alert_id, None)

    def to_check(self, every: timedelta, now: datetime) -> list[str]:
        """Missing alerts whose next look is due: no list shows them."""
        return [alert_id for alert_id, at in self._checked.items() if abs(now - at) >= every]

    def meet(self, alert_ids: Iterable[str], now: datetime) -> None:
        """These alerts are seen for the first time."""
        for alert_id in alert_ids:
            _keep(self._met, alert_id, now)

    def met_since(self, alert_id: str, moment: datetime) -> bool:
        """Whether the alert was first seen at that moment or later, as far as this process knows."""
        met = self._met.get(alert_id)
        return met is not None and met >= moment

    # -- requests in Opsgenie's queue --

    def to_ask(self, open_actions: Iterable[Action], now: datetime) -> frozenset[int]:
        """The actions whose requests may be asked about in this cycle: asked longest ago first, then oldest."""
        sent = {a.id: a for a in open_actions if a.status is Status.SENT and a.request_id}
        for gone in self._asked.keys() - sent.keys():
            self._asked.pop(gone, None)
            self._pending.pop(gone, None)
        due = [a for a in sent.values() if a.id not in self._asked or abs(now - self._asked[a.id]) >= ASK_AGAIN]
        never = datetime.min.replace(tzinfo=now.tzinfo)
        due.sort(key=lambda a: (self._asked.get(a.id, never), a.sent_at or now, a.id))
        return frozenset(action.id for action in due[:ASKED_AT_ONCE])

    def asked(self, action_id: int, receipt: Receipt | None, now: datetime) -> None:
        """What Opsgenie said of the request; None when it does not know it."""
        self._asked[action_id] = now
        if receipt is not None and receipt.carried_out is None:
            self._pending[action_id] = receipt
        else:
            self._pending.pop(action_id, None)

    def last_answer(self, action_id: int) -> Receipt | None:
        """The last word on a request that is not asked about now. One never asked about may be in the queue."""
        if action_id in self._asked:
            return self._pending.get(action_id)
        return Receipt(action_id, None, detail="not asked yet")

    # -- alerts that occur again and again --

    def may_repeat(self, alert_id: str, now: datetime) -> bool:
        """Whether the notes may be read though nothing but the alert's stamp has moved."""
        last = self._repetitions.get(alert_id)
        if last is None or last.fruitless < FRUITLESS:
            return True
        return abs(now - last.at) >= REPEATED

    def repeated(self, alert_id: str, now: datetime, *, fruitful: bool) -> None:
        """The notes were read for that; whether there was a new one."""
        last = self._repetitions.get(alert_id)
        fresh = last is None or fruitful or abs(now - last.at) >= FORGOTTEN
        _keep(self._repetitions, alert_id, _Repetition(0 if fresh or last is None else last.fruitless + 1, now))

    # -- incidents that are not ours --

    def is_new_stranger(self, incident_id: str) -> bool:
        """Whether this incident was not asked for yet; from now on it was."""
        if incident_id in self._strangers:
            return False
        _keep(self._strangers, incident_id, None)
        return True

    def forget_stranger(self, incident_id: str) -> None:
        """It could not be read: it may be asked for again."""
        self._strangers.pop(incident_id, None)


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > REMEMBERED:
        kept.pop(next(iter(kept)), None)
