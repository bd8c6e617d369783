"""A plan is committed whole with its work row; what nothing depends on waits for the next commit."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from reconciler.core.model import Action, DecisionInput, Kind, Pair, Plan, Settlement, Side, Status
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.observability.events import Events
from reconciler.reconcile.commit import LONGEST_KEPT, MOST_KEPT, Committer
from reconciler.store.database import Database, DatabaseDown, UnitOfWork
from tests.support.builders import action, at, observation, pair, policy

NOW = at(100)
KNOWN = pair(swept_at=at(0), next_look_at=at(90))
LOOKED = replace(KNOWN, swept_at=NOW, next_look_at=NOW + timedelta(minutes=5))
NOTE = action(Kind.PAGERDUTY_NOTE, id=0)
ITEM = WorkItem(KNOWN.alert_id, NOW, ReadRequest(alert=True), Priority.CHANGED, frozenset({Reason.FEED}))
AGAIN = WorkItem(
    KNOWN.alert_id, at(110), ReadRequest(incident=True), Priority.UNSETTLED, frozenset({Reason.UNREAD})
)


@dataclass
class Clock:
    passed: float = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> bool:
        raise NotImplementedError


class Seen(Events):
    def __init__(self) -> None:
        self.plans: list[Plan] = []

    def committed(self, plan: Plan, inputs: DecisionInput) -> None:
        del inputs
        self.plans.append(plan)


@dataclass
class Desk:
    """A committer over a database that counts transactions, with the known pair in it."""

    database: Database
    clock: Clock = field(default_factory=Clock)
    events: Seen = field(default_factory=Seen)
    count: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        with self.database.writing() as unit:
            unit.snapshot.save_pairs([KNOWN])
        inner = self.database.writing

        @contextmanager
        def counted() -> Iterator[UnitOfWork]:
            self.count["writing"] += 1
            with inner() as unit:
                yield unit

        self.database.writing = counted  # type: ignore[method-assign]
        self.committer = Committer(self.database, self.clock, self.events)

    def queued(self, item: WorkItem = ITEM) -> WorkItem:
        with self.database.writing() as unit:
            (stored,) = unit.work.add([item])
        self.count.clear()
        return stored

    def commit(
        self, plan: Plan, item: WorkItem, again: WorkItem | None = None, known: Pair | None = KNOWN
    ) -> WorkItem | None:
        inputs = DecisionInput(NOW, policy(), (observation(alert_id=item.alert_id, pair=known),))
        return self.committer.commit(plan, inputs, item, again)

    def rows(self) -> list[WorkItem]:
        with self.database.reading() as unit:
            return unit.work.all()

    def pair(self) -> Pair | None:
        with self.database.reading() as unit:
            return unit.snapshot.pair(KNOWN.alert_id)

    def actions(self) -> list[Action]:
        with self.database.reading() as unit:
            return unit.outbox.open()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_plan_is_committed_completely_and_its_work_row_deleted(desk: Desk) -> None:
    with desk.database.writing() as unit:
        unit.outbox.add([replace(NOTE, key="earlier")], NOW)
    item = desk.queued()
    moved = replace(LOOKED, title="Disk fuller")
    plan = Plan(
        actions=(NOTE,),
        pairs=(moved,),
        notes=((KNOWN.alert_id, Side.OPSGENIE, "n"),),
        settlements=(Settlement(1, Status.DONE),),
    )
    assert desk.commit(plan, item) is None
    assert desk.count["writing"] == 1
    assert (desk.pair(), [each.key for each in desk.actions()], desk.rows()) == (moved, [NOTE.key], [])
    with desk.database.reading() as unit:
        assert unit.snapshot.known_notes([KNOWN.alert_id]) == {KNOWN.alert_id: {(Side.OPSGENIE, "n")}}
    assert desk.events.plans == [plan]


def test_a_failed_commit_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    item = desk.queued()

    def fails(*_: object) -> None:
        raise DatabaseDown("disk full")

    monkeypatch.setattr("reconciler.store.work.Work.take_away", fails)
    with pytest.raises(DatabaseDown):
        desk.commit(Plan(actions=(NOTE,), pairs=(LOOKED,)), item)
    assert (desk.pair(), desk.actions(), desk.rows()) == (KNOWN, [], [item])
    assert desk.events.plans == []


def test_remaining_work_replaces_the_row_under_a_new_generation(desk: Desk) -> None:
    item = desk.queued()
    kept = desk.commit(Plan(actions=(NOTE,)), item, AGAIN)
    assert kept == replace(AGAIN, generation=item.generation + 1)
    assert desk.rows() == [kept]


def test_a_row_changed_since_it_was_leased_stays(desk: Desk) -> None:
    item = desk.queued()
    asked = desk.queued(AGAIN)
    assert desk.commit(Plan(actions=(NOTE,)), item, AGAIN) is None
    assert desk.rows() == [asked]
    assert desk.commit(Plan(pairs=(LOOKED,)), item) is None
    desk.committer.flush()
    assert desk.rows() == [asked]


def test_an_item_without_a_row_gets_one_only_for_remaining_work(desk: Desk) -> None:
    desk.count.clear()
    assert desk.commit(Plan(), ITEM) is None
    desk.committer.flush()
    assert desk.count["writing"] == 0
    kept = desk.commit(Plan(), ITEM, ITEM)
    assert (kept, desk.rows()) == (replace(ITEM, generation=1), [kept])


@pytest.mark.parametrize("plan", [Plan(), Plan(pairs=(LOOKED,))])
def test_a_deferrable_plan_is_written_with_the_next_commit(desk: Desk, plan: Plan) -> None:
    item = desk.queued()
    assert desk.commit(plan, item) is None
    assert (desk.count["writing"], desk.pair(), desk.rows()) == (0, KNOWN, [item])
    assert desk.events.plans == []
    other = replace(ITEM, alert_id="other")
    assert desk.commit(Plan(actions=(replace(NOTE, alert_id="other"),)), other, known=None) is None
    assert (desk.count["writing"], desk.rows()) == (1, [])
    assert desk.pair() == (plan.pairs[0] if plan.pairs else KNOWN)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(pairs=(replace(LOOKED, title="Disk fuller"),)),
        Plan(notes=((KNOWN.alert_id, Side.OPSGENIE, "n"),)),
        Plan(actions=(NOTE,)),
    ],
)
def test_any_other_plan_is_written_at_once(desk: Desk, plan: Plan) -> None:
    desk.commit(plan, desk.queued())
    assert (desk.count["writing"], desk.rows()) == (1, [])


def test_a_new_pair_is_written_at_once(desk: Desk) -> None:
    desk.commit(Plan(pairs=(LOOKED,)), desk.queued(), known=None)
    assert desk.pair() == LOOKED


@pytest.mark.parametrize(("count", "seconds"), [(MOST_KEPT, 0.0), (2, LONGEST_KEPT)])
def test_deferred_plans_are_written_once_they_are_many_or_old(desk: Desk, count: int, seconds: float) -> None:
    items = [replace(ITEM, alert_id=f"a-{number}", generation=1) for number in range(count)]
    desk.count.clear()
    for item in items[:-1]:
        desk.commit(Plan(), item)
    assert desk.count["writing"] == 0
    desk.clock.passed = seconds
    desk.commit(Plan(), items[-1])
    assert desk.count["writing"] == 1


def test_an_older_deferred_plan_never_replaces_a_newer_one(desk: Desk) -> None:
    newer = replace(LOOKED, swept_at=at(200), next_look_at=None)
    desk.commit(Plan(pairs=(LOOKED,)), ITEM)
    with desk.database.writing() as unit:
        unit.snapshot.save_pairs([newer])
    desk.committer.flush()
    assert desk.pair() == newer


def test_a_later_due_time_alone_rewrites_no_row(desk: Desk) -> None:
    """Thousands of pairs may wait for one circuit breaker: the row is read sooner after a restart, that is all."""
    item = desk.queued()
    delayed = replace(item, due_at=at(500), attempts=3, generation=0)
    assert desk.commit(Plan(), item, delayed) == replace(delayed, generation=item.generation)
    desk.committer.flush()
    assert (desk.count["writing"], desk.rows()) == (0, [item])


def test_remaining_work_with_another_request_is_written_at_once(desk: Desk) -> None:
    item = desk.queued()
    kept = desk.commit(Plan(), item, replace(item, request=ReadRequest(incident=True)))
    assert (desk.count["writing"], desk.rows()) == (1, [kept])
