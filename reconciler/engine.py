"""One cycle on one screen: look, decide, write down, carry out, report."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.apply import Applier
from reconciler.core.model import Action, Echo, Pair, Plan, Policy, Side, Status, World
from reconciler.core.plan import decide, in_order
from reconciler.core.text import shortened
from reconciler.errors import Misconfigured, ReconcilerError, Refused, Transient
from reconciler.feeds import Hint
from reconciler.observability.logs import NOBODY, Watch
from reconciler.observe import Observation, Observer
from reconciler.pauses import PAGERDUTY_LANES, Lane
from reconciler.reconcile.identity import Identity, Standing
from reconciler.sight import Problem
from reconciler.store.database import Database
from reconciler.vendors.ports import Clock


@dataclass(frozen=True, slots=True)
class Report:
    """What a cycle came to. `actions` are those that were open during it, as they stand at its end.

    `seen` is what people call the alerts of these actions, as far as it saw them, by id. `resume`: when work that
    had to be left may go on, sooner than the next cycle would come.
    """

    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
    echoes: tuple[Echo, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)
    resume: datetime | None = None

    def joined(self, later: "Report") -> "Report":
        """Both reports as one; of an action that is in both, how it stands later; each error told once."""
        by_key = {action.key: action for action in (*self.actions, *later.actions)}
        by_error = {id(problem.error): problem for problem in (*self.problems, *later.problems)}
        by_words = {(each.side, each.alert_id, str(each.error)): each for each in by_error.values()}
        return Report(
            tuple(by_key.values()),
            tuple(by_words.values()),
            (*self.echoes, *later.echoes),
            {**self.seen, **later.seen},
            min((at for at in (self.resume, later.resume) if at), default=None),
        )


class Engine:
    """The cycle. Without an applier it is a dry run: there is nothing in it that could write."""

    def __init__(
        self,
        observer: Observer,
        applier: Applier | None,
        database: Database,
        clock: Clock,
        policy: Policy,
        identity: Identity,
        watch: Watch = NOBODY,
        expect: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`expect` hears before each writing how many pages a second are to come: to keep room for them."""
        self.watch = watch
        self.expect = expect
        self.observer = observer
        self.applier = applier
        self.database = database
        self.clock = clock
        self.policy = policy
        self.identity = identity
        self._is_away = False

    def cycle(self, share: float, patience: timedelta | None = None) -> Report:
        """One cycle; `share` of the open pairs is swept in it. DatabaseDown when nothing can be written down.

        With `patience` it leaves to the next cycle what it could not begin to write for so long.
        """
        policy = self._confirmed_policy()
        report = Report()
        for observation in self.observer.observe(self.clock.now(), policy, share):
            self.expect(observation.pace)
            report = report.joined(self._carry_out(observation, policy, patience))
        self.identity.refresh()
        return self._with_lasting(report)

    def glance(self, hints: Collection[Hint], patience: timedelta | None = None) -> Report:
        """Look only where a webhook hinted, and carry out what follows; `patience` as in a cycle."""
        policy = self._confirmed_policy()
        observation = self.observer.glance(self.clock.now(), policy, hints)
        return self._with_lasting(self._carry_out(observation, policy, patience))

    def follow_up(self) -> Report:
        """Look only at what is still in doubt, such as what Opsgenie has accepted and not yet carried out."""
        policy = replace(self.policy, automation=self.identity.person)
        observation = self.observer.follow_up(self.clock.now(), policy)
        plan = decide(observation.world)
        self._commit(plan, observation)
        answered = [settlement.action_id for settlement in plan.settlements]
        problems = (*observation.problems, *_came_to_nothing(plan, observation.world))
        return Report(self._as_they_stand(answered), problems, plan.echoes)

    def _confirmed_policy(self) -> Policy:
        """The policy with who we are; what waited for the account to be in order goes on when it is again."""
        if self.identity.confirm() and self.applier is not None:
            self.applier.pauses.confirmed()
        return replace(self.policy, automation=self.identity.person)

    def _with_lasting(self, report: Report) -> Report:
        """The report, and what lasts longer than one look: a wrong set-up, and incidents that page nobody.

        An alert of which the report says more already is not named again.
        """
        standing = self.identity.standing
        told = {problem.alert_id for problem in report.problems if isinstance(problem.error, Misconfigured)}
        with self.database.reading() as books:
            unpaged = [pair for pair in books.snapshot.unpaged() if pair.alert_id not in told]
        problems = (*standing.problems, *report.problems, *map(_nobody_is_paged, unpaged))
        was_away, self._is_away = self._is_away, any(problem.side is Side.PAGERDUTY for problem in problems)
        if standing.unsure and not self._is_away:
            problems = (*problems, standing.unsure)
            if was_away:  # once: where that question alone is not answered, pages would wait for it
                self.identity.ask_soon()
        return replace(Report(), problems=problems).joined(replace(report, problems=()))

    def names(self, report: Report) -> dict[str, str]:
        """What people call the alerts of a report, by id, with the incident where there is one."""
        wanted = {action.alert_id for action in report.actions}
        if not wanted:
            return {}
        with self.database.reading() as books:
            pairs = books.snapshot.pairs(wanted)
        names = {}
        for alert_id in wanted:
            pair = pairs.get(alert_id)
            name = report.seen.get(alert_id, f"Alert #{pair.tiny_id if pair else '?'}")
            number = pair.incident_number if pair else None
            names[alert_id] = f"{name} and incident #{number}" if number else name
        return names

    def _carry_out(self, observation: Observation, policy: Policy, patience: timedelta | None = None) -> Report:
        """Decide, write down, carry out. A dry run ends at the plan."""
        plan = decide(observation.world)
        problems = (*observation.problems, *_came_to_nothing(plan, observation.world))
        if self.applier is None:
            todo = plan.actions if observation.urgent else self._whole_plan(plan)
            return Report(todo, problems, plan.echoes, _seen(todo, observation.world))
        answered = [settlement.action_id for settlement in plan.settlements]
        self._commit(plan, observation)
        until = self.clock.now() + patience if patience else None
        self.applier.pauses.barred = _barred(self.identity.standing, blind=observation.blind)
        outcome = self.applier.page(policy) if observation.urgent else self.applier.apply(policy, until)
        if any(each.side is Side.PAGERDUTY and isinstance(each.error, Refused) for each in outcome.problems):
            self.identity.suspect()
        acted = self._as_they_stand([*answered, *outcome.ids])
        problems = (*problems, *outcome.problems)
        return Report(acted, problems, plan.echoes, _seen(acted, observation.world), outcome.resume)

    def _whole_plan(self, plan: Plan) -> tuple[Action, ...]:
        """The plan, and what earlier cycles have left to be done or asked and this look does not settle."""
        told = {settlement.action_id: settlement for settlement in plan.settlements}
        with self.database.reading() as books:
            left = books.outbox.open()
        left = [replace(a, status=told[a.id].status, error=told[a.id].why) if a.id in told else a for a in left]
        return in_order((*(action for action in left if action.status.is_open), *plan.actions))

    def _commit(self, plan: Plan, observation: Observation) -> None:
        """Baselines, cursors and the actions they cause, in one transaction, before anything is sent."""
        if plan.actions or plan.pairs or plan.notes or plan.settlements or observation.cursors:
            with self.database.writing() as books:
                books.snapshot.save_pairs(plan.pairs)
                books.snapshot.save_notes(plan.notes)
                books.snapshot.save_cursors(observation.cursors)
                for settlement in plan.settlements:
                    books.outbox.settle(settlement, observation.world.now)
                books.outbox.intend(plan.actions, observation.world.now)
                if "sweep" in observation.cursors:
                    books.snapshot.forget(observation.world.now - self.observer.horizons.retention)
            self.watch.committed(plan, observation.world)

    def _as_they_stand(self, ids: list[int]) -> tuple[Action, ...]:
        if not ids:
            return ()
        with self.database.reading() as books:
            return tuple(books.outbox.by_id(ids))


def _barred(standing: Standing, *, blind: bool) -> frozenset[Lane]:
    """The lanes in which nothing is written now. `blind`: Opsgenie shows none of the alerts it showed before."""
    barred = frozenset({Lane.OPSGENIE}) if blind else frozenset()
    if not standing.may_write:
        return barred | PAGERDUTY_LANES
    return barred if standing.may_page else barred | {Lane.PAGES}


def _nobody_is_paged(pair: Pair) -> Problem:
    name = f"alert #{pair.tiny_id}" + (f' "{shortened(pair.title)}"' if pair.title else "")
    words = (
        f"PAGERDUTY_USER: nobody is paged for {name}: {pair.unpaged}; take the automation user off every schedule "
        "and escalation policy"
    )
    return Problem(Side.PAGERDUTY, Misconfigured(words), pair.alert_id)


def _seen(actions: Iterable[Action], world: World) -> dict[str, str]:
    wanted = {action.alert_id for action in actions}
    alerts = [s.alert for s in world.sightings if s.alert and s.alert_id in wanted]
    return {a.id: f"Alert #{a.tiny_id}" + (f' "{shortened(a.message)}"' if a.message else "") for a in alerts}


def _came_to_nothing(plan: Plan, world: World) -> Iterator[Problem]:
    """Writes that a vendor had accepted and did not carry out, and those given up: other failures were told."""
    mine = {action.id: action for sighting in world.sightings for action in sighting.mine}
    for settlement in plan.settlements:
        action = mine[settlement.action_id]
        what = f"{action.kind.value}: {settlement.why}"
        if settlement.status is Status.DEAD:
            yield Problem(action.kind.side, ReconcilerError(f"{what}; given up"), action.alert_id)
        elif settlement.status is Status.PLANNED and action.request_id:
            yield Problem(action.kind.side, Transient(f"{what}; it is tried again"), action.alert_id)
