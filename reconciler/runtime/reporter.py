"""Reports on the work: each write once; each state at its beginning, while it lasts, and at its end."""

from collections.abc import Callable, Collection, Mapping
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.core.model import Action, Side
from reconciler.errors import ReconcilerError, Refused
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import pair_name
from reconciler.operations import paging
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime import milestones
from reconciler.runtime.action_log import ActionLog
from reconciler.runtime.state_log import StateLog
from reconciler.store import overview, troubles
from reconciler.store.database import Database, DatabaseDown
from reconciler.vendors.ports import Clock

if TYPE_CHECKING:  # imported only with an HTTP listener
    from reconciler.observability.metrics import Metrics

log = get_logger(__name__)

PAGES_EVERY = 15.0
"""Seconds after which waiting pages are queried again although nothing happened."""


class Reporter:
    """Logs and stores the results of the work. `reconciled` is for any thread, `report` for one.

    `problems` returns all current problems; `suspect` is called when a write was refused for the whole account.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        problems: Callable[[], tuple[Problem, ...]],
        suspect: Callable[[], None],
        remind: float,
        metrics: "Metrics | None",
    ) -> None:
        self.states = StateLog(clock, remind, self._names)
        self._database = database
        self._clock = clock
        self._problems = problems
        self._suspect = suspect
        self._metrics = metrics
        self._lock = Lock()
        self._actions = ActionLog()
        self._before: milestones.Milestones | None = None
        self._kept: tuple[object, ...] | None = None
        self._objections: list[tuple[str, str]] = []
        self._named: frozenset[str] = frozenset()
        self._pages_due = float("-inf")
        self._touched = True

    def began(self) -> None:
        """Note that this process begins to lead: later reports are compared with the present state."""
        self._before = milestones.look(self._database, self._clock.now())
        self._kept = None

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """Log a pair's outcome."""
        refused = (each for each in outcome.problems if each.side is Side.PAGERDUTY)
        if any(isinstance(each.error, Refused) for each in refused):
            self._suspect()
        with self._lock:
            self._touched |= bool(outcome.actions or outcome.problems)
            news = self._actions.news(outcome.actions)
            if news:
                seen = {outcome.item.alert_id: outcome.name.removeprefix("Alert ")} if outcome.name else {}
                self._actions.say(news, self._names({action.alert_id for action in news}, seen))
            self.states.met(outcome.problems, outcome.actions)
        if self._metrics:
            self._metrics.item(outcome.item.reasons, outcome.word, seconds)

    def report(self) -> None:
        """Log the states that have begun, last or are over. DatabaseDown if the present state cannot be read."""
        problems = self._problems()
        with self._database.reading() as unit:
            waiting = unit.outbox.open()
        pages = self._pages(problems)
        with self._lock:
            self._say_milestones(problems)
            self.states.cycle(problems, waiting, pages, self._named)
        self._keep_troubles()

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

    def say(self, subject: str, words: str, *, serious: bool = True) -> None:
        """Log a state of the process itself; an empty text ends it."""
        with self._lock:
            self.states.say(subject, words, serious=serious)

    def _say_milestones(self, problems: Collection[Problem]) -> None:
        """Log a finished first start or a changed query, once the alerts could be read."""
        if self._before is None or any(problem.side is Side.OPSGENIE for problem in problems):
            return
        after = milestones.look(self._database, self._clock.now())
        for line in milestones.lines(self._before, after):
            log.info(line)
        self._before = None if milestones.are_over(self._before, after) else self._before

    def _pages(self, problems: Collection[Problem]) -> list[tuple[str, str]]:
        """Why somebody is not paged. Queried after events, and now and then without any."""
        now = self._clock.monotonic()
        if self._touched or problems or self._objections or now >= self._pages_due:
            self._touched, self._pages_due = False, now + PAGES_EVERY
            moment = self._clock.now()
            with self._database.reading() as unit:
                found = overview.paging(unit, moment)
            self._objections = paging.objections(found, moment)
            if self._metrics:
                since = min((page.since for page in found.waiting), default=None)
                self._metrics.paging(len(found.waiting), len(found.unpaged), self.unpaged(), since)
            self._named = paging.named(found, (str(problem.error) for problem in problems))
        return self._objections

    def _names(self, alert_ids: Collection[str], seen: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """Display names of these alerts and their incidents; none if the database fails."""
        try:
            with self._database.reading() as unit:
                pairs = unit.snapshot.pairs(alert_ids)
        except Exception:  # noqa: BLE001 - a name that cannot be read must not keep anything from being said
            return {}
        return {alert_id: pair_name(alert_id, pair, seen.get(alert_id, "")) for alert_id, pair in pairs.items()}

    def _keep_troubles(self) -> None:
        """Store lasting problems for `status`, if they have changed."""
        with self._lock:
            signature, counts = self.states.signature(), self.states.counts()
        if self._metrics:
            self._metrics.troubled(counts)
        if signature == self._kept:
            return
        with self._lock:
            lasting = self.states.lasting()
        with self._database.writing() as unit:
            troubles.save(unit, lasting)
        self._kept = signature


def waits(actions: Collection[Action]) -> bool:
    """Whether any of these is still to be done."""
    return any(action.status.is_open for action in actions)
