"""Reports on the work: each write once; each state at its beginning, while it lasts, and at its end."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.core import late_alerts, text
from reconciler.core.model import Action, Side
from reconciler.core.pause import Pause
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import ReconcilerError, Refused
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import PairNames, names_of
from reconciler.operations import paging, pausing
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime import milestones
from reconciler.runtime.action_log import ActionLog
from reconciler.runtime.pauses import PauseLog
from reconciler.runtime.second_reconciler import SUBJECT, SecondReconciler
from reconciler.runtime.state_log import StateLog
from reconciler.store import key_routes, overview, troubles
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.leader_state import LeaderState
from reconciler.vendors.ports import Clock

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

log = get_logger(__name__)

PAGES_EVERY = 15.0
"""Seconds after which waiting pages are queried again although nothing happened."""


class Reporter:
    """Logs and stores the results of the work. `reconciled` is for any thread, `report` for one.

    `problems` returns all current problems, `pauses` the operators' pauses; `suspect` is called when a write was
    refused for the whole account. `state` is what only this process knows: it is stored with the troubles.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        problems: Callable[[], tuple[Problem, ...]],
        suspect: Callable[[], None],
        remind: float,
        metrics: "Metrics | None",
        state: Callable[[], LeaderState | None] = lambda: None,
        pauses: Callable[[], Collection[Pause]] = tuple,
        staleness: timedelta = timedelta(seconds=120),
        product: Product = OPSGENIE,
    ) -> None:
        self.states = StateLog(clock, remind, self._names, product)
        self._product = product
        self._database = database
        self._clock = clock
        self._problems = problems
        self._suspect = suspect
        self._metrics = metrics
        self._state = state
        self._pauses = pauses
        self._pause_log = PauseLog(clock, remind, product)
        self._second = SecondReconciler(clock, staleness)
        self._lock = Lock()
        self._actions = ActionLog(product)
        self._before: milestones.Milestones | None = None
        self._kept: tuple[object, ...] | None = None
        self._objections: list[tuple[str, str]] = []
        self._named: frozenset[str] = frozenset()
        self._pages_due = float("-inf")
        self._late: Counter[str] = Counter()
        self._late_before: dict[str, int] = {}
        self._touched = True

    def began(self) -> None:
        """Note that this process begins to lead: later reports are compared with the present state."""
        self._before = milestones.look(self._database, self._clock.now())
        self._kept = None
        self._second.began()

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """Log a pair's outcome."""
        refused = (each for each in outcome.problems if each.side is Side.PAGERDUTY)
        if any(isinstance(each.error, Refused) for each in refused):
            self._suspect()
        with self._lock:
            self._touched |= bool(outcome.actions or outcome.problems)
            self._late[outcome.late] += bool(outcome.late)
            self._second.reconciled(self._without_routes(outcome))
            news = self._actions.news(outcome.actions)
            if news:
                seen = {outcome.item.alert_id: outcome.name.removeprefix("Alert ")} if outcome.name else {}
                self._actions.say(news, self._names({action.alert_id for action in news}, seen))
            self._say_order(outcome)
            self.states.met(outcome.problems, outcome.actions)
        if self._metrics:
            self._metrics.item(outcome.item.reasons, outcome.word, seconds)

    def report(self) -> None:
        """Log the states that have begun, last or are over. DatabaseDown if the present state cannot be read."""
        problems = self._problems()
        with self._database.reading() as unit:
            waiting = unit.outbox.open()
        paused = self._pauses()
        self._pause_log.say(paused, waiting)
        if self._metrics:
            now = self._clock.now()
            self._metrics.paused(paused, [pausing.sentence(pause, now, self._product) for pause in paused])
        pages = self._pages(problems)
        with self._lock:
            self._say_milestones(problems)
            self._say_late_alerts()
            self.states.say(SUBJECT, self._second.words(), key=SUBJECT)
            self.states.cycle(problems, waiting, pages, self._named)
        self._keep_troubles()

    def _without_routes(self, outcome: Outcome) -> Outcome:
        """The outcome without notes that another route of this database has written: routes may share an alert."""
        if not outcome.foreign:
            return outcome
        with self._database.reading() as unit:
            ours = set(map(text.head, key_routes.marks(unit, outcome.item.alert_id)))
        return replace(
            outcome, foreign=tuple(note for note in outcome.foreign if text.head(note.text) not in ours)
        )

    def unpaged(self) -> str:
        """Why somebody is not paged, according to the last report; empty if everybody is."""
        return "; ".join(words for _, words in self._objections)

    def waits_for_first_start(self) -> bool:
        """Whether a first start is still to be reported."""
        return self._before is not None

    def say_problems(self) -> None:
        """Log current problems, without ending any state."""
        with self._lock:
            self.states.met(self._problems(), ())

    def failed(self, error: ReconcilerError) -> None:
        """Log that the database fails."""
        kind = error.kind if isinstance(error, DatabaseDown) else None
        with self._lock:
            self.states.say("database", str(error), key=kind)
            self.states.remind()

    def say(self, subject: str, words: str, *, serious: bool = True, key: str | None = None) -> None:
        """Log a state of the process itself; an empty text ends it. With the same key it is the same state."""
        with self._lock:
            self.states.say(subject, words, serious=serious, key=key)

    def remind(self) -> None:
        """Log reminders of states that last while nothing is reported: this process stands by."""
        with self._lock:
            self.states.remind()

    def _say_milestones(self, problems: Collection[Problem]) -> None:
        """Log a finished first start or a changed query, once the alerts could be read."""
        if self._before is None or any(problem.side is Side.ALERTS for problem in problems):
            return
        after = milestones.look(self._database, self._clock.now())
        for line in milestones.lines(self._before, after):
            log.info(line)
        self._before = None if milestones.are_over(self._before, after) else self._before

    def _say_order(self, outcome: Outcome) -> None:
        """Log what has become of an operator's order."""
        if outcome.verdict is not None:
            alert_id = outcome.item.alert_id
            named = self._names([alert_id]).get(alert_id) or names_of(alert_id)
            words = f"{named.words}: {outcome.verdict.words}"
            log.info(words, result=outcome.verdict.event.value, **named.fields())

    def _say_late_alerts(self) -> None:
        """Log the number of late alerts, once no more of them come."""
        if self._late == self._late_before:
            for line in late_alerts.lines(self._late):
                log.info(line)
            self._late.clear()
        self._late_before = dict(self._late)

    def _pages(self, problems: Collection[Problem]) -> list[tuple[str, str]]:
        """Why somebody is not paged. Queried after events, and now and then without any."""
        now = self._clock.monotonic()
        if self._touched or problems or self._objections or now >= self._pages_due:
            self._touched, self._pages_due = False, now + PAGES_EVERY
            moment = self._clock.now()
            with self._database.reading() as unit:
                found = overview.paging(unit, moment)
            self._objections = paging.objections(found, moment, are_made=pausing.is_paging(self._pauses()))
            if self._metrics:
                since = min((page.since for page in found.waiting), default=None)
                self._metrics.paging(len(found.waiting), len(found.unpaged), self.unpaged(), since)
            self._named = paging.named(found, (str(problem.error) for problem in problems))
        return self._objections

    def _names(
        self, alert_ids: Collection[str], seen: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, PairNames]:
        """The names of these alerts and their incidents; none if the database fails."""
        try:
            with self._database.reading() as unit:
                pairs = unit.snapshot.pairs(alert_ids)
        except Exception:  # noqa: BLE001 - a name that cannot be read must not keep anything from being said
            return {}
        return {alert_id: names_of(alert_id, pair, seen.get(alert_id, "")) for alert_id, pair in pairs.items()}

    def _keep_troubles(self) -> None:
        """Store lasting problems for `status`, if they have changed."""
        with self._lock:
            signature, counts = self.states.signature(), self.states.counts()
        if self._metrics:
            self._metrics.troubled(counts)
        state = self._state()
        known = (signature, state and (state.epoch, state.refused))
        if known == self._kept:
            return
        with self._lock:
            lasting = self.states.lasting()
        with self._database.writing() as unit:
            troubles.save(unit, lasting)
            if state is not None:
                unit.cursors.save(leader=state)
        self._kept = known


def waits(actions: Collection[Action]) -> bool:
    """Whether any of these is still to be done."""
    return any(action.status.is_open for action in actions)
