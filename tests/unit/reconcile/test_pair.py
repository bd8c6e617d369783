"""One pair in four steps: read, decide, commit, deliver. An action is committed before its call is made."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.journal import Event
from reconciler.core.model import Action, Kind, Observation, Order, Settlement, Status
from reconciler.core.policy import Policy
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem, everything
from reconciler.errors import Transient
from reconciler.observability.events import NULL_EVENTS
from reconciler.reconcile.commit import Committer
from reconciler.reconcile.deliver import Delivered
from reconciler.reconcile.delivery_due import NextTry
from reconciler.reconcile.fetch import Fetched
from reconciler.reconcile.pair import DryRun, Outcome, Planner, Reconciler, failed_after_acceptance
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.work_queue import Hold
from reconciler.store.database import Database, DatabaseDown
from reconciler.store.read_only import open_read_only
from tests.support.builders import ALERT_ID, BOT, JANE, OG, PD, action, alert, at, incident, note, pair, policy
from tests.support.clock import SimClock

LOOKED = frozenset({Kind.PAGERDUTY_NOTE})
HELD = frozenset({Hold.READ_ALERTS})
NEW = replace(everything(), is_new=True, by_key=True, row=alert())
KNOWN = pair(swept_at=at(0), next_look_at=at(300))


class Scene:
    """A reconciler on a real database. The test sets what is read; deliveries record what was committed."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SimClock()
        self.seen: Callable[[Observation], Fetched] = Fetched
        self.given: list[tuple[ReadRequest, Observation]] = []
        self.delivers: Callable[[tuple[Action, ...]], Delivered] = Delivered
        self.committed: list[tuple[Action, ...]] = []
        self.pages_only: list[bool] = []
        myself: Any = self
        self.planner = Planner(database, myself, self.clock, policy)
        committer = Committer(database, self.clock, NULL_EVENTS)
        interval = timedelta(seconds=10)
        self.reconciler = Reconciler(self.planner, committer, myself, database, self.clock, interval)

    def fetch(self, request: ReadRequest, known: Observation, _policy: Policy) -> Fetched:
        self.given.append((request, known))
        return self.seen(known)

    def deliver(self, alert_id: str, _policy: Policy, *, pages_only: bool) -> Delivered:
        """Records the outbox of the pair and the rows of the queue at this moment."""
        self.committed.append(self.outbox(alert_id))
        self.pages_only.append(pages_only)
        return self.delivers(self.outbox(alert_id))

    def outbox(self, alert_id: str = ALERT_ID) -> tuple[Action, ...]:
        with self.database.reading() as unit:
            return unit.outbox.of([alert_id]).get(alert_id, ())

    def rows(self) -> list[WorkItem]:
        with self.database.reading() as unit:
            return unit.work.all()

    def remember(self, *actions: Action, known: bool = True) -> None:
        with self.database.writing() as unit:
            unit.snapshot.save_pairs([KNOWN] if known else [])
            unit.outbox.add(actions, at(50))

    def item(self, request: ReadRequest, priority: Priority = Priority.CHANGED) -> WorkItem:
        """Adds the pair to the queue's table."""
        item = WorkItem(ALERT_ID, at(60), request, priority, frozenset({Reason.FEED}))
        with self.database.writing() as unit:
            (stored,) = unit.work.add([item])
        return stored

    def reconcile(self, request: ReadRequest, priority: Priority = Priority.CHANGED) -> Outcome:
        return self.reconciler.reconcile(self.item(request, priority))


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def shows(**found: Any) -> Callable[[Observation], Fetched]:
    """What was read of the pair."""
    return lambda known: Fetched(replace(known, **found))


def test_the_intent_is_committed_before_any_call(scene: Scene) -> None:
    scene.seen = shows(alert=alert(), alert_notes=())
    outcome = scene.reconcile(NEW, Priority.PAGE)
    ((creation,),) = scene.committed
    assert (creation.kind, creation.status) == (Kind.CREATE_INCIDENT, Status.PLANNED)
    assert scene.pages_only == [True]
    assert outcome.name == 'Alert #17 "Disk full"'
    with scene.database.reading() as unit:
        found = unit.snapshot.pair(ALERT_ID)
    assert found is not None
    assert found.tracked


def test_baselines_notes_and_actions_are_committed_atomically(scene: Scene) -> None:
    scene.remember()
    item = scene.item(everything())
    scene.seen = shows(alert=alert(), incident=incident(), incident_notes=(note("PN1", JANE, "on it"),))
    scene.database.engine.dispose()
    with scene.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON actions BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    with pytest.raises(DatabaseDown):
        scene.reconciler.reconcile(item)
    assert scene.committed == []
    assert scene.rows() == [item]
    with scene.database.reading() as unit:
        assert unit.snapshot.known_notes([ALERT_ID]) == {}
        assert unit.snapshot.pair(ALERT_ID) == KNOWN


def test_decisions_depend_on_what_is_read_and_not_on_the_reason_for_reading(scene: Scene) -> None:
    scene.remember()
    scene.seen = shows(alert=alert(), incident=incident(), alert_notes=(), incident_notes=())
    outcome = scene.reconcile(everything())
    assert scene.outbox() == ()
    assert (outcome.word, outcome.actions, outcome.again) == ("done", (), None)


def test_the_reader_gets_the_stored_pair(scene: Scene) -> None:
    planned = action(Kind.PAGERDUTY_NOTE, id=1)
    scene.remember(planned)
    with scene.database.writing() as unit:
        unit.snapshot.save_notes([(ALERT_ID, PD, "PN0")])
    scene.reconcile(ReadRequest(incident=True, swept=True))
    ((request, known),) = scene.given
    assert request == ReadRequest(incident=True, swept=True)
    assert (known.pair, known.mine, known.swept) == (KNOWN, (planned,), True)
    assert known.known_notes == {(PD, "PN0")}


def test_the_work_row_is_deleted_once_nothing_is_left_to_do(scene: Scene) -> None:
    scene.remember()
    scene.seen = shows(
        incident=incident("acknowledged", acknowledgers=(JANE,), changed_by=JANE, changed_at=at(55))
    )
    outcome = scene.reconcile(ReadRequest(incident=True))
    assert outcome.again is None
    assert scene.rows() == []
    assert [each.kind for each in scene.outbox()] == [Kind.ALERT_ACKNOWLEDGE]


def test_a_pair_that_could_not_be_read_stays_in_the_table_and_is_due_again(scene: Scene) -> None:
    scene.remember()
    problem = Problem(OG, Transient("500"), ALERT_ID)
    scene.seen = lambda known: Fetched(
        replace(known, incident=incident()), unread=frozenset({OG}), read_at=at(64), problems=(problem,)
    )
    outcome = scene.reconcile(everything())
    assert outcome.word == "again"
    assert outcome.standing == (problem,)
    assert outcome.again is not None
    assert (outcome.again.due_at, outcome.again.request) == (at(64), everything([OG]))
    (row,) = scene.rows()
    assert (row.request, row.due_at) == (everything([OG]), at(64))
    assert outcome.again.generation == row.generation


def test_a_new_alert_that_could_not_be_read_keeps_its_row_and_its_priority(scene: Scene) -> None:
    scene.seen = lambda known: Fetched(known, unread=frozenset({OG, PD}), read_at=at(61))
    outcome = scene.reconcile(NEW, Priority.PAGE)
    assert outcome.again is not None
    assert (outcome.again.priority, outcome.again.request.row) == (Priority.PAGE, alert())
    (row,) = scene.rows()
    assert (row.priority, row.request.row) == (Priority.PAGE, alert())


def test_an_open_circuit_breaker_prevents_decisions_and_keeps_the_work_row(scene: Scene) -> None:
    scene.remember()
    item = scene.item(everything())
    scene.seen = lambda known: Fetched(known, blocked=HELD)
    outcome = scene.reconciler.reconcile(item)
    assert (outcome.word, outcome.blocked, outcome.again) == ("blocked", HELD, None)
    assert scene.rows() == [item]
    assert scene.outbox() == ()


def test_the_outbox_is_delivered_although_nothing_can_be_read(scene: Scene) -> None:
    scene.remember(action(Kind.PAGERDUTY_NOTE))
    scene.seen = lambda known: Fetched(known, blocked=HELD)
    scene.delivers = lambda waiting: Delivered(waiting, next_try=NextTry(at(70)))
    outcome = scene.reconcile(everything())
    assert len(scene.committed[0]) == 1
    assert outcome.again is not None
    assert (outcome.again.due_at, outcome.again.reasons) == (at(70), frozenset({Reason.OUTBOX}))


def test_a_waiting_action_makes_the_pair_due_when_it_may_be_tried(scene: Scene) -> None:
    scene.remember(action(Kind.PAGERDUTY_NOTE))
    problem = Problem(PD, Transient("note waits: 503"), ALERT_ID)
    scene.delivers = lambda waiting: Delivered(waiting, frozenset(), (problem,), NextTry(at(68)))
    outcome = scene.reconcile(ReadRequest())
    assert outcome.again is not None
    assert (outcome.again.due_at, outcome.again.priority) == (at(68), Priority.UNSETTLED)
    assert outcome.standing == (problem,)
    assert [each.status for each in outcome.actions] == [Status.PLANNED]


@pytest.mark.parametrize(("sent", "hold"), [(False, Hold.WRITE_PAGERDUTY), (True, None)])
def test_a_pair_is_parked_while_its_lane_is_closed_unless_it_is_to_be_read(
    scene: Scene, hold: Hold | None, *, sent: bool
) -> None:
    doubtful = [action(Kind.ALERT_NOTE, Status.SENT, key="sent")] if sent else []
    scene.remember(action(Kind.PAGERDUTY_NOTE), *doubtful)
    scene.delivers = lambda waiting: Delivered(waiting, next_try=NextTry(at(68), Hold.WRITE_PAGERDUTY))
    assert scene.reconcile(ReadRequest()).hold is hold


def test_remaining_work_of_a_page_gets_the_priority_of_a_change(scene: Scene) -> None:
    scene.remember(action(Kind.PAGERDUTY_NOTE))
    scene.delivers = lambda waiting: Delivered(waiting, next_try=NextTry(at(60)))
    outcome = scene.reconcile(ReadRequest(), Priority.PAGE)
    assert outcome.again is not None
    assert outcome.again.priority is Priority.CHANGED


def test_an_action_given_up_is_an_event_and_not_a_lasting_problem(scene: Scene) -> None:
    scene.remember(action(Kind.PAGERDUTY_NOTE))
    dead = action(Kind.PAGERDUTY_NOTE, Status.DEAD, error="400: refused")
    problem = Problem(PD, Transient("pagerduty.add_note: 400: refused"), ALERT_ID)
    scene.delivers = lambda _: Delivered((dead,), frozenset({7}), (problem,))
    outcome = scene.reconcile(ReadRequest())
    assert (outcome.standing, outcome.events) == ((), (problem,))
    assert outcome.problems == (problem,)


def test_an_empty_outbox_is_not_read_again_unless_an_action_was_added(scene: Scene) -> None:
    scene.remember(action(Kind.PAGERDUTY_NOTE, Status.DONE))
    scene.reconcile(ReadRequest())
    assert scene.committed == []


def test_a_write_whose_effect_is_observed_is_settled_and_reported(scene: Scene) -> None:
    sent = action(Kind.PAGERDUTY_NOTE, Status.SENT, id=1, text="[Opsgenie · Ana Ruiz · note 17_1] any news?")
    scene.remember(replace(sent, mark="[Opsgenie · Ana Ruiz · note 17_1]"))
    scene.seen = shows(incident=incident(), incident_notes=(note("PN1", BOT, sent.text, 12),), looked=LOOKED)
    outcome = scene.reconcile(ReadRequest(incident_notes=True))
    assert [(each.id, each.status) for each in outcome.actions] == [(1, Status.DONE)]
    assert [each.status for each in scene.outbox()] == [Status.DONE]


def test_an_alert_from_before_the_first_start_is_not_tracked(scene: Scene) -> None:
    scene.seen = shows(alert=alert(), alert_notes=())
    request = replace(everything(), is_baseline=True, row=alert())
    scene.reconcile(request)
    ((_, known),) = scene.given
    assert not known.tracked
    assert scene.outbox() == ()


# -- a dry run --


def dry(scene: Scene, request: ReadRequest) -> Outcome:
    return DryRun(scene.planner).reconcile(WorkItem(ALERT_ID, at(60), request))


def test_a_dry_run_plans_the_same_and_stores_nothing(scene: Scene) -> None:
    scene.seen = shows(alert=alert(), alert_notes=())
    outcome = dry(scene, NEW)
    assert [each.kind for each in outcome.actions] == [Kind.CREATE_INCIDENT]
    assert (scene.committed, scene.outbox(), scene.rows()) == ([], (), [])
    assert outcome.again is None


def test_a_dry_run_works_on_a_read_only_database(scene: Scene) -> None:
    scene.remember(action(Kind.PAGERDUTY_NOTE))
    read_only = open_read_only(str(scene.database.engine.url))
    other = Scene(read_only)
    other.seen = shows(alert=alert(), incident=incident("resolved", changed_by=JANE, changed_at=at(55)))
    outcome = dry(other, everything())
    assert [each.kind for each in outcome.actions] == [Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE]
    read_only.close()


def test_a_dry_run_reports_how_earlier_writes_would_be_settled(scene: Scene) -> None:
    mark = "[Opsgenie · Ana Ruiz · note 17_1]"
    sent = action(Kind.PAGERDUTY_NOTE, Status.SENT, id=1, text=f"{mark} any news?", mark=mark)
    planned = action(Kind.PAGERDUTY_NOTE, id=2, key="planned")
    scene.remember(sent, planned)
    scene.seen = shows(incident=incident(), incident_notes=(note("PN1", BOT, sent.text, 12),), looked=LOOKED)
    assert [each.key for each in dry(scene, ReadRequest(incident_notes=True)).actions] == ["planned"]
    assert [each.status for each in scene.outbox()] == [Status.SENT, Status.PLANNED]


def test_a_request_that_opsgenie_did_not_carry_out_is_an_event(scene: Scene) -> None:
    sent = action(Kind.ALERT_NOTE, Status.SENT, id=1, request_id="r-1", mark="[PagerDuty · Jane Doe · note PN1]")
    scene.remember(sent)
    planner = scene.planner
    assert planner.policy().automation == BOT
    settlement = Settlement(1, Status.PLANNED, "Opsgenie did not carry it out", not_before=at(61))
    plan = scene.planner.plan(WorkItem(ALERT_ID, at(60)))
    failed = replace(plan, plan=replace(plan.plan, settlements=(settlement,)))
    (problem,) = failed_after_acceptance(failed)
    assert str(problem.error) == "opsgenie.add_note: Opsgenie did not carry it out; it is tried again"
    given_up = replace(plan, plan=replace(plan.plan, settlements=(replace(settlement, status=Status.DEAD),)))
    (problem,) = failed_after_acceptance(given_up)
    assert str(problem.error) == "opsgenie.add_note: Opsgenie did not carry it out; given up"


def journal(scene: Scene) -> list[tuple[Event, str]]:
    with scene.database.reading() as unit:
        return [(each.event, each.who) for each in unit.journal.of([ALERT_ID])]


def test_an_order_is_kept_until_what_it_needs_was_read_and_is_then_journalled(scene: Scene) -> None:
    with scene.database.writing() as unit:
        unit.snapshot.save_pairs(
            [replace(KNOWN, tracked=False, incident_id=None, incident_number=None, pagerduty=None)]
        )
    order = Order("ops@host", "PINC1")
    scene.seen = lambda known: Fetched(known, frozenset({PD}), at(70))
    outcome = scene.reconcile(replace(everything(), order=order))
    assert outcome.verdict is None
    assert outcome.again is not None
    assert outcome.again.request.order == order
    assert [row.request.order for row in scene.rows()] == [order]
    assert journal(scene) == []
    scene.seen = shows(alert=alert(), alert_notes=(), incident=incident(), incident_notes=())
    outcome = scene.reconciler.reconcile(outcome.again)
    assert outcome.verdict is not None
    assert outcome.verdict.event is Event.LINKED
    assert scene.rows() == []
    assert journal(scene) == [(Event.LINKED, "ops@host")]


def test_an_order_that_changes_nothing_is_journalled_too_and_one_that_is_blocked_waits(scene: Scene) -> None:
    scene.remember()
    scene.seen = lambda known: Fetched(known, blocked=HELD)
    asked = ReadRequest(order=Order("ops@host", "POTHER"))
    outcome = scene.reconcile(asked)
    assert (outcome.verdict, journal(scene)) == (None, [])
    scene.seen = Fetched
    scene.reconcile(asked)
    assert journal(scene) == [(Event.REFUSED, "ops@host")]


def test_a_late_alert_that_is_skipped_is_journalled_and_told(database: Database) -> None:
    scene = Scene(database)
    scene.planner.policy = lambda: policy(on_late_alert="skip")
    scene.seen = shows(alert=alert(), alert_notes=())
    outcome = scene.reconcile(replace(NEW, seen_at=alert().created_at + timedelta(hours=8)))
    assert (outcome.late, outcome.actions) == ("skip", ())
    assert journal(scene) == [(Event.BASELINE, "")]
