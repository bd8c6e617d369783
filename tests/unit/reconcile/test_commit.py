"""A plan is committed together with its work row; a deferrable plan waits for the next commit."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Action, Kind, Pair, Plan, Settlement, Side, Status
from reconciler.core.policy import DecisionInput
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem
from reconciler.observability.events import Events
from reconciler.reconcile.commit import LONGEST_KEPT, MOST_KEPT, Committer
from reconciler.store.database import Database, DatabaseDown, UnitOfWork
from tests.support.builders import action, at, observation, pair, policy
from tests.support.clock import SimClock

NOW = at(100)
KNOWN = pair(swept_at=at(0), next_look_at=at(90))
LOOKED = replace(KNOWN, swept_at=NOW, next_look_at=NOW + timedelta(minutes=5))
NOTE = action(Kind.PAGERDUTY_NOTE, id=0)
ITEM = WorkItem(KNOWN.alert_id, NOW, ReadRequest(alert=True), Priority.CHANGED, frozenset({Reason.FEED}))
AGAIN = WorkItem(
    KNOWN.alert_id, at(110), ReadRequest(incident=True), Priority.UNSETTLED, frozenset({Reason.UNREAD})
)


class RecordedEvents(Events):
    def __init__(self) -> None:
        self.plans: list[Plan] = []

    def committed(self, plan: Plan, inputs: DecisionInput) -> None:
        del inputs
        self.plans.append(plan)


@dataclass
class CommitterBench:
    """A committer over a database that counts transactions, with the known pair in it."""

    database: Database
    clock: SimClock = field(default_factory=lambda: SimClock(0.0, NOW))
    events: RecordedEvents = field(default_factory=RecordedEvents)
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

    def journal(self) -> list[Entry]:
        with self.database.reading() as unit:
            return unit.journal.of([KNOWN.alert_id])

    def actions(self) -> list[Action]:
        with self.database.reading() as unit:
            return unit.outbox.open()


@pytest.fixture
def bench(database: Database) -> CommitterBench:
    return CommitterBench(database)


def test_a_plan_is_committed_completely_and_its_work_row_deleted(bench: CommitterBench) -> None:
    with bench.database.writing() as unit:
        unit.outbox.add([replace(NOTE, key="earlier")], NOW)
    item = bench.queued()
    moved = replace(LOOKED, title="Disk fuller")
    plan = Plan(
        actions=(NOTE,),
        pairs=(moved,),
        notes=((KNOWN.alert_id, Side.ALERTS, "n"),),
        settlements=(Settlement(1, Status.DONE),),
    )
    assert bench.commit(plan, item) is None
    assert bench.count["writing"] == 1
    assert (bench.pair(), [each.key for each in bench.actions()], bench.rows()) == (moved, [NOTE.key], [])
    with bench.database.reading() as unit:
        assert unit.snapshot.known_notes([KNOWN.alert_id]) == {KNOWN.alert_id: {(Side.ALERTS, "n")}}
    assert bench.events.plans == [plan]


def test_a_failed_commit_changes_nothing(bench: CommitterBench, monkeypatch: pytest.MonkeyPatch) -> None:
    item = bench.queued()

    def fails(*_: object) -> None:
        raise DatabaseDown("disk full")

    monkeypatch.setattr("reconciler.store.work.Work.take_away", fails)
    with pytest.raises(DatabaseDown):
        bench.commit(Plan(actions=(NOTE,), pairs=(LOOKED,)), item)
    assert (bench.pair(), bench.actions(), bench.rows()) == (KNOWN, [], [item])
    assert bench.events.plans == []


def test_remaining_work_replaces_the_row_under_a_new_generation(bench: CommitterBench) -> None:
    item = bench.queued()
    kept = bench.commit(Plan(actions=(NOTE,)), item, AGAIN)
    assert kept == replace(AGAIN, generation=item.generation + 1)
    assert bench.rows() == [kept]


def test_a_row_changed_since_it_was_leased_stays(bench: CommitterBench) -> None:
    item = bench.queued()
    bench.queued(AGAIN)
    asked = bench.rows()[0]
    assert bench.commit(Plan(actions=(NOTE,)), item, AGAIN) is None
    assert bench.rows() == [asked]
    assert bench.commit(Plan(pairs=(LOOKED,)), item) is None
    bench.committer.flush()
    assert bench.rows() == [asked]


def test_an_item_without_a_row_gets_one_only_for_remaining_work(bench: CommitterBench) -> None:
    bench.count.clear()
    assert bench.commit(Plan(), ITEM) is None
    bench.committer.flush()
    assert bench.count["writing"] == 0
    kept = bench.commit(Plan(), ITEM, ITEM)
    assert (kept, bench.rows()) == (replace(ITEM, generation=1), [kept])


@pytest.mark.parametrize("plan", [Plan(), Plan(pairs=(LOOKED,))])
def test_a_deferrable_plan_is_written_with_the_next_commit(bench: CommitterBench, plan: Plan) -> None:
    item = bench.queued()
    assert bench.commit(plan, item) is None
    assert (bench.count["writing"], bench.pair(), bench.rows()) == (0, KNOWN, [item])
    assert bench.events.plans == []
    other = replace(ITEM, alert_id="other")
    assert bench.commit(Plan(actions=(replace(NOTE, alert_id="other"),)), other, known=None) is None
    assert (bench.count["writing"], bench.rows()) == (1, [])
    assert bench.pair() == (plan.pairs[0] if plan.pairs else KNOWN)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(pairs=(replace(LOOKED, title="Disk fuller"),)),
        Plan(notes=((KNOWN.alert_id, Side.ALERTS, "n"),)),
        Plan(actions=(NOTE,)),
    ],
)
def test_any_other_plan_is_written_at_once(bench: CommitterBench, plan: Plan) -> None:
    bench.commit(plan, bench.queued())
    assert (bench.count["writing"], bench.rows()) == (1, [])


def test_a_new_pair_is_written_at_once(bench: CommitterBench) -> None:
    bench.commit(Plan(pairs=(LOOKED,)), bench.queued(), known=None)
    assert bench.pair() == LOOKED


@pytest.mark.parametrize(("count", "seconds"), [(MOST_KEPT, 0.0), (2, LONGEST_KEPT)])
def test_deferred_plans_are_written_once_they_are_many_or_old(
    bench: CommitterBench, count: int, seconds: float
) -> None:
    items = [replace(ITEM, alert_id=f"a-{number}", generation=1) for number in range(count)]
    bench.count.clear()
    for item in items[:-1]:
        bench.commit(Plan(), item)
    assert bench.count["writing"] == 0
    bench.clock.passed = seconds
    bench.commit(Plan(), items[-1])
    assert bench.count["writing"] == 1


def test_an_older_deferred_plan_never_replaces_a_newer_one(bench: CommitterBench) -> None:
    newer = replace(LOOKED, swept_at=at(200), next_look_at=None)
    bench.commit(Plan(pairs=(LOOKED,)), ITEM)
    with bench.database.writing() as unit:
        unit.snapshot.save_pairs([newer])
    bench.committer.flush()
    assert bench.pair() == newer


def test_a_later_due_time_alone_rewrites_no_row(bench: CommitterBench) -> None:
    """Thousands of pairs may wait for one circuit breaker; after a restart the pair is just read sooner."""
    item = bench.queued()
    delayed = replace(item, due_at=at(500), attempts=3, generation=0)
    assert bench.commit(Plan(), item, delayed) == replace(delayed, generation=item.generation)
    bench.committer.flush()
    assert (bench.count["writing"], bench.rows()) == (0, [item])


def test_remaining_work_with_another_request_is_written_at_once(bench: CommitterBench) -> None:
    item = bench.queued()
    kept = bench.commit(Plan(), item, replace(item, request=ReadRequest(incident=True)))
    assert (bench.count["writing"], bench.rows()) == (1, [kept])


def test_the_journal_is_written_in_the_transaction_of_the_plan_and_not_for_looks_alone(
    bench: CommitterBench,
) -> None:
    bench.commit(Plan(pairs=(LOOKED,)), bench.queued())
    bench.committer.flush()
    assert bench.journal() == []
    bench.commit(Plan(actions=(NOTE,)), bench.queued())
    (entry,) = bench.journal()
    assert (entry.event, entry.key, entry.source, entry.at) == (Event.PLANNED, NOTE.key, "feed", NOW)
    assert bench.count["writing"] == 1


def test_a_failed_commit_leaves_no_entry(bench: CommitterBench, monkeypatch: pytest.MonkeyPatch) -> None:
    item = bench.queued()

    def fails(*_: object) -> None:
        raise DatabaseDown("disk full")

    monkeypatch.setattr("reconciler.store.work.Work.take_away", fails)
    with pytest.raises(DatabaseDown):
        bench.commit(Plan(actions=(NOTE,)), item)
    assert bench.journal() == []
