"""One pair, reconciled: read, decide, commit, deliver. Level-triggered: what is read counts, not what caused it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.core.follow_up import Left, next_item
from reconciler.core.model import Action, Echo, Pair, Plan, Policy, Sighting, World
from reconciler.core.plan import decide
from reconciler.core.text import shortened
from reconciler.core.work import ReadRequest, WorkItem
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.deliver import Deliverer
from reconciler.reconcile.fetch import Fetcher
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.work_queue import Hold
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reconciling one pair came to.

    `actions` are those that were tried or settled, as they stand now; `name` is what people call the alert, as far
    as it was read. `again` is what is left to be done, with when; `blocked` are the open circuit breakers that
    its reads wait for.
    """

    item: WorkItem
    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
    echoes: tuple[Echo, ...] = ()
    name: str = ""
    again: WorkItem | None = None
    blocked: frozenset[Hold] = field(default_factory=frozenset)


class Reconciler:
    """Reconciles one pair at a time; several threads may each have another one.

    `policy` says what is configured and who the automation user is by now.
    """

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        committer: Committer,
        deliverer: Deliverer,
        clock: Clock,
        policy: Callable[[], Policy],
        interval: timedelta,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._committer = committer
        self._deliverer = deliverer
        self._clock = clock
        self._policy = policy
        self._interval = interval

    def reconcile(self, item: WorkItem) -> Outcome:
        """Read what is asked for, decide, commit, deliver; DatabaseDown when nothing can be written down."""
        policy = self._policy()
        fetched = self._fetcher.fetch(item.request, self._known(item), policy)
        plan = Plan() if fetched.blocked else decide(World(self._clock.now(), policy, (fetched.sighting,)))
        ...
