"""In which order what the ledger holds is carried out: pages first, then pair by pair in the order people acted.

One pair's troubles stay its own; for a vendor's, what would only meet them again is left for a while. Within a
pair and a side, order is kept: what waits, or is in doubt, holds back what comes after it. The exception is an
action that has been refused for longer than the staleness bound: a note then holds back nothing, a state only
later states; it is tried once more before what comes after it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from reconciler.core.model import Action, Kind, Policy, Side, Status
from reconciler.core.plan import in_order
from reconciler.core.retry import steps_aside
from reconciler.crew import Crew
from reconciler.errors import ReconcilerError
from reconciler.gate import Gate
from reconciler.observability.logs import NOBODY, Watch
from reconciler.pauses import Pauses, Trouble
from reconciler.reconcile.key_check import KeyCheck
from reconciler.reconcile.vendor_calls import Remotes
from reconciler.send import Hold, Sender, held_by, waiting_holds
from reconciler.sight import Problem
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn of writing came to: the actions it was about, and what did not work.

    `resume`: when something that had to wait may go on, where that is known.
    """

    ids: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()
    resume: datetime | None = None


class Applier:
    """Everything that is written to a vendor passes here."""

    def __init__(
        self,
        remotes: Remotes,
        database: Database,
        clock: Clock,
        stopping: Callable[[], bool],
        crew: Crew,
        watch: Watch = NOBODY,
        gate: Gate | None = None,
    ) -> None:
        self.watch = watch
        self.gate = gate or Gate()
        self.crew = crew
        self.remotes = remotes
        self.database = database
        self.clock = clock
        self.stopping = stopping
        self.pauses = Pauses()
        self.keys = KeyCheck(remotes, clock)
        self.met: dict[int, ReconcilerError] = {}
        """What each action that waits has met last."""

    def page(self, policy: Policy) -> Outcome:
        """Send the creations that are due, and nothing else: in a storm, notes would use up the rate they need."""
        turn = Turn(self, policy)
        with self.database.reading() as books:
            waiting = books.outbox.open(Kind.CREATE_INCIDENT)
        turn.send_creations(waiting)
        turn.tell_waiting(waiting)
        return turn.outcome()

    def apply(self, policy: Policy, until: datetime | None = None) -> Outcome:
        """Send whatever is due: creations first, then pair by pair in the order people acted.

        What has not been begun `until` then waits for the next cycle, which looks for new alerts first.
        """
        turn = Turn(self, policy, until)
        waiting = self._waiting()
        if turn.send_creations(waiting):
            waiting = self._waiting()  # by now their pairs have an incident
        turn.send_the_rest(waiting)
        turn.tell_waiting(waiting)
        still = {action.id for action in waiting}
        self.met = {action_id: error for action_id, error in self.met.items() if action_id in still}
        return turn.outcome(waiting)

    def _waiting(self) -> list[Action]:
        with self.database.reading() as books:
            return books.outbox.open()


class Turn:
    """What is due, once through: a storm has several turns in a cycle."""

    def __init__(self, applier: Applier, policy: Policy, until: datetime | None = None) -> None:
        self.clock = applier.clock
        self.stopping = applier.stopping
        self.crew = applier.crew
        self.until = until
        self.policy = policy
        self.met = applier.met
        self.trouble = Trouble(applier.pauses, applier.clock, applier.met)
        self.sender = Sender(
            applier.remotes,
            applier.database,
            applier.clock,
            applier.gate,
            applier.watch,
            policy,
            self.trouble,
            applier.keys,
        )

    def outcome(self, waiting: list[Action] | None = None) -> Outcome:
        """What it came to, also for what was `waiting` and has not been tried."""
        ids = dict.fromkeys([*self.sender.tried, *(action.id for action in waiting or ())])
        return Outcome(tuple(ids), tuple(self.trouble.problems), self.trouble.resume)

    def send_creations(self, waiting: list[Action]) -> bool:
        """Pages before chatter. Whether any was sent or settled."""
        creations = [action for action in waiting if action.kind is Kind.CREATE_INCIDENT]
        self.sender.list_existing([action for action in creations if self._is_due(action)])
        self.crew.each(lambda action: self._is_due(action) and self.sender.send(action), creations)
        return bool(self.sender.tried)

    def send_the_rest(self, waiting: list[Action]) -> None:
        """Per pair in the order people acted; the pair that waits longest goes first, behind those never refused.

        A few pairs that are refused again and again would otherwise close the lane before any other has its turn.
        """
        rest = [action for action in waiting if action.kind is not Kind.CREATE_INCIDENT]
        by_pair = groupby(sorted(rest, key=lambda action: action.alert_id), key=lambda action: action.alert_id)
        pairs = [in_order(mine) for _, mine in by_pair]
        self.crew.each(
            self._send_pair, sorted(pairs, key=lambda mine: (mine[0].failing_since is not None, mine[0].at))
        )

    def tell_waiting(self, waiting: list[Action]) -> None:
        """Report what waits because it was refused: a page always, anything else as long as it is refused itself.

        A trouble is over when it is over, not in every cycle in which nothing was tried.
        """
        for action in waiting:
            refused = action.failing_since is not None or action.kind is Kind.CREATE_INCIDENT
            if (
                action.status is not Status.PLANNED
                or action.id in self.sender.tried
                or not (refused and action.error)
            ):
                continue
            met = self.met.get(action.id)
            if met is None or str(met) != action.error:
                met = ReconcilerError(f"{action.kind.value} waits: {action.error}")
            self.trouble.report(action, met)
        self.trouble.lasting()

    def _send_pair(self, mine: tuple[Action, ...]) -> None:
        """One pair's actions. What cannot go, or is in doubt, holds back what comes after it on its side."""
        held: set[tuple[Side, bool]] = set()
        for place, action in enumerate(mine):
            side, is_state = action.kind.side, action.kind.is_state
            if (side, is_state) in held:
                continue
            hold = held_by(action, self.policy, self.clock)
            if action.status is Status.PLANNED:
                due = self._is_due(self._before(action, mine[place + 1 :]))
                hold = self.sender.send(action) if due else waiting_holds(action, self.policy, self.clock)
            held |= {(side, True)} if hold is not Hold.NOTHING else set()
            held |= {(side, False)} if hold is Hold.ALL else set()

    def _before(self, action: Action, later: tuple[Action, ...]) -> Action:
        """The action without its back-off, where it was refused for long and one after it could go: in order."""
        if not steps_aside(action, self.clock.now(), self.policy.staleness):
            return action
        return replace(action, not_before=None) if self._lets_pass(action, later) else action

    def _lets_pass(self, action: Action, later: tuple[Action, ...]) -> bool:
        """Whether one of the later ones could go now, although this one waits."""
        now, side = self.clock.now(), action.kind.side
        held = {True} if action.kind.is_state else set()
        for each in (each for each in later if each.kind.side is side):
            if each.status is not Status.PLANNED:
                hold = held_by(each, self.policy, self.clock)
                held |= {True} if hold is not Hold.NOTHING else set()
                held |= {False} if hold is Hold.ALL else set()
            elif each.kind.is_state not in held and (each.not_before is None or each.not_before <= now):
                return True
        return False

    def _is_due(self, action: Action) -> bool:
        now = self.clock.now()
        if action.status is not Status.PLANNED or self.stopping() or not _has_target(action):
            return False
        if action.not_before and now < action.not_before:
            return False
        if self.trouble.is_barred(action) or self.trouble.holds(action, now):
            return False
        if self.until and now >= self.until:
            self.trouble.left(now)
            return False
        return True


def _has_target(action: Action) -> bool:
    """An incident has to be there, but for a page; the alert always is."""
    return action.kind is Kind.CREATE_INCIDENT or action.kind.side is Side.OPSGENIE or bool(action.incident_id)
