"""Operators' pauses: read from the database, respected by the write breakers, and logged while they last."""

from collections.abc import Collection
from datetime import timedelta
from threading import Lock

from reconciler.core.model import Action, Side
from reconciler.core.pause import Pause, held
from reconciler.core.product import OPSGENIE, Product
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import kinds_of, span
from reconciler.operations import pausing
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock

log = get_logger(__name__)


class Pauses:
    """The pauses of one route, for the process that leads. For any thread."""

    def __init__(self, database: Database, clock: Clock, breakers: WriteBreakers) -> None:
        self._database = database
        self._clock = clock
        self._breakers = breakers
        self._lock = Lock()
        self._present: tuple[Pause, ...] = ()

    @property
    def present(self) -> tuple[Pause, ...]:
        """The pauses as they were last read."""
        return self._present

    def take_in(self) -> bool:
        """Read the pauses, end those that are over, and hold back what they hold; returns whether any has changed.

        DatabaseDown leaves everything as it is.
        """
        with self._lock:
            now = self._clock.now()
            with self._database.reading() as unit:
                found = unit.pauses.all()
            over = [pause for pause in found if pause.is_over(now)]
            if over:
                with self._database.writing() as unit:
                    ended = [pause for pause in unit.pauses.all() if pause in over]  # not one that replaced it
                    pausing.finish(unit, ended, now, words=pausing.OVER)
            before, self._present = self._present, tuple(pause for pause in found if pause not in over)
            self._breakers.pause(self._present)
            return self._present != before


class PauseLog:
    """Says each pause when it begins, again every `remind` seconds, and when it ends. For one thread."""

    def __init__(self, clock: Clock, remind: float, product: Product = OPSGENIE) -> None:
        self._product = product
        self._clock = clock
        self._remind = remind
        self._said: dict[Side, tuple[Pause, float]] = {}
        self._waited: dict[Side, dict[int, Action]] = {}

    def say(self, pauses: Collection[Pause], actions: Collection[Action]) -> None:
        """Log what has changed, and reminders. `actions` are all open ones."""
        now = self._clock.monotonic()
        for each in pausing.counted(pauses, actions):
            side = each.pause.side
            said = self._said.get(side)
            if said is None or said[0] != each.pause or now - said[1] >= self._remind:
                self._said[side] = each.pause, now
                line = pausing.line(each, self._clock.now(), self._product)
                log.warning(line, subject=self._subject(side))
            waiting = (action for action in actions if held(action, (each.pause,)))
            self._waited.setdefault(side, {}).update((action.id, action) for action in waiting)
        for side in self._said.keys() - {pause.side for pause in pauses}:
            self._end(side)

    def _end(self, side: Side) -> None:
        pause, _ = self._said.pop(side)
        waited = kinds_of(action.kind for action in self._waited.pop(side, {}).values())
        lasted = span(max(self._clock.now() - pause.since, timedelta()))
        name = self._product.name_of(side)
        words = f"{name}: resumed after {lasted}" + (f"; {waited} had waited" if waited else "")
        log.info(words, subject=self._subject(side))

    def _subject(self, side: Side) -> str:
        return f"pause {self._product.key_of(side)}"
