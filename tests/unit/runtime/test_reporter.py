"""The reporter: each write is logged once, each state at its beginning and its end and stored for `status`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.core.journal import Event
from reconciler.core.model import Kind, Note, Side, Status
from reconciler.core.orders import Verdict
from reconciler.core.pause import Pause
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import NotExecuted, Refused, Transient
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime import action_log, pauses, reporter, state_log
from reconciler.runtime.reporter import PAGES_EVERY, Reporter
from reconciler.store import troubles
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, DatabaseDown, UnitOfWork
from reconciler.store.leader_state import LeaderState
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import BOT, action, at, pair
from tests.support.clock import SimClock

AWAY = Problem(Side.PAGERDUTY, NotExecuted("PagerDuty: no connection"))
ITEM = WorkItem("a-1", at(60), reasons=frozenset({Reason.FEED}))
REMIND = 600.0


class Metrics:
    """Records what the reporter counts."""

    def __init__(self) -> None:
        self.items: list[tuple[frozenset[Reason], str]] = []
        self.pages: list[tuple[int, int, str]] = []
        self.troubles: dict[str, int] = {}
        self.pauses: list[tuple[Side, str]] = []

    def item(self, reasons: frozenset[Reason], word: str, _seconds: float) -> None:
        self.items.append((reasons, word))

    def paging(self, waiting: int, unpaged: int, reason: str, _since: datetime | None) -> None:
        self.pages.append((waiting, unpaged, reason))

    def paused(self, pauses: Sequence[Pause], sentences: Sequence[str]) -> None:
        self.pauses = [(pause.side, sentence) for pause, sentence in zip(pauses, sentences, strict=True)]

    def troubled(self, counts: dict[str, int]) -> None:
        self.troubles = {subject: count for subject, count in counts.items() if count}


class ReporterBench:
    """A reporter on a database, and its log lines without their levels."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SimClock()
        self.wrong: tuple[Problem, ...] = ()
        self.suspected = 0
        self.metrics = Metrics()
        self.lines: list[str] = []
        metrics: Any = self.metrics
        self.state: LeaderState | None = None
        self.pauses: tuple[Pause, ...] = ()
        self.reporter = Reporter(
            database,
            self.clock,
            lambda: self.wrong,
            self._suspect,
            REMIND,
            metrics,
            lambda: self.state,
            lambda: self.pauses,
        )

    def _suspect(self) -> None:
        self.suspected += 1

    def report(self, *problems: Problem, after: float = 1.0) -> list[str]:
        self.clock.wait(after)
        self.wrong = problems
        self.reporter.report()
        return self.take_lines()

    def reconciled(self, **outcome: Any) -> list[str]:
        self.reporter.reconciled(Outcome(ITEM, **outcome), 0.1)
        return self.take_lines()

    def take_lines(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines

    def stored_texts(self) -> list[str]:
        with self.database.reading() as unit:
            return [each.words for each in troubles.load(unit)]


@pytest.fixture
def bench(database: Database, monkeypatch: pytest.MonkeyPatch) -> ReporterBench:
    made = ReporterBench(database)

    def record_line(words: str, **_: object) -> None:
        made.lines.append(words)

    for module in (state_log, reporter, pauses, action_log):
        for level in ("error", "warning", "info"):
            monkeypatch.setattr(module.log, level, record_line)
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    return made


def test_each_write_is_logged_once_with_the_names_of_both_sides(bench: ReporterBench) -> None:
    done = action(Kind.PAGERDUTY_NOTE, Status.DONE)
    assert bench.reconciled(actions=(done,)) == ['pagerduty.add_note done: #17 "Disk full", incident #4711']
    unknown = action(Kind.PAGERDUTY_NOTE, Status.SENT, error="no answer", id=8)
    assert bench.reconciled(actions=(unknown,)) == ['pagerduty.add_note unknown: #17 "Disk full", incident #4711']
    assert bench.reconciled(actions=(unknown,)) == []
    assert bench.reconciled(actions=(action(Kind.PAGERDUTY_NOTE),)) == []  # planned without a problem


def test_a_new_alert_is_named_by_what_was_read(bench: ReporterBench) -> None:
    created = action(Kind.CREATE_INCIDENT, Status.DONE, alert_id="new")
    with bench.database.writing() as unit:
        unit.snapshot.save_pairs([pair(alert_id="new", tiny_id="18", title="", swept_at=at(0))])
    item = replace(ITEM, alert_id="new")
    bench.reporter.reconciled(Outcome(item, (created,), name='Alert #18 "Fire"'), 0.1)
    assert bench.take_lines() == ['pagerduty.create_incident done: #18 "Fire", incident #4711']


def test_a_pairs_problem_is_logged_at_once_and_lasts_until_a_report_no_longer_finds_it(
    bench: ReporterBench,
) -> None:
    assert bench.reconciled(standing=(AWAY,)) == [str(AWAY.error)]
    assert bench.reconciled(standing=(AWAY,)) == []
    assert bench.report(AWAY) == []
    assert bench.stored_texts() == [str(AWAY.error)]
    assert bench.metrics.troubles == {"pagerduty": 1}
    assert bench.report() == ["works again after 2 s"]
    assert bench.stored_texts() == []
    assert bench.metrics.troubles == {}


def test_a_lasting_problem_is_logged_again_periodically(bench: ReporterBench) -> None:
    bench.report(AWAY)
    assert bench.report(AWAY, after=REMIND - 1) == []
    (line,) = bench.report(AWAY, after=1)
    assert line.startswith("PagerDuty: still no connection, since 09:01 UTC (10 min)")


def test_a_refused_pagerduty_account_makes_the_account_be_read_again(bench: ReporterBench) -> None:
    bench.reconciled(standing=(Problem(Side.ALERTS, Refused("401")),))
    assert bench.suspected == 0
    bench.reconciled(events=(Problem(Side.PAGERDUTY, Refused("401")),))
    assert bench.suspected == 1


def test_every_outcome_is_counted_by_reason_and_result(bench: ReporterBench) -> None:
    bench.reconciled()
    bench.reconciled(again=ITEM)
    assert bench.metrics.items == [(ITEM.reasons, "done"), (ITEM.reasons, "again")]


def test_missing_pages_are_logged_and_looked_up_after_each_event_and_periodically(bench: ReporterBench) -> None:
    assert bench.report() == []
    assert bench.report() == []
    assert len(bench.metrics.pages) == 1  # no event in between
    with bench.database.writing() as unit:
        unit.snapshot.save_pairs([pair(unpaged="assigned to the automation user alone", swept_at=at(0))])
    why = 'nobody is paged for #17 "Disk full", incident #4711: assigned to the automation user alone'
    assert bench.report(after=PAGES_EVERY) == [why]
    assert bench.metrics.pages[-1] == (0, 1, why)
    with bench.database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    (line,) = bench.report()
    assert line.endswith("works again after 1 s")


def test_a_waiting_page_is_noticed_once_its_pair_was_reconciled(bench: ReporterBench) -> None:
    bench.report()
    waiting = action(Kind.CREATE_INCIDENT, error="400: refused", failing_since=at(0))
    with bench.database.writing() as unit:
        unit.outbox.add([waiting], at(0))
    bench.reconciled(actions=(waiting,))
    (line,) = bench.report()
    assert line.startswith('1 page waits (#17 "Disk full"), the oldest for 62 s: 400: refused')


def test_a_first_start_is_reported_after_the_alerts_were_read(bench: ReporterBench, database: Database) -> None:
    bench.reporter.began()
    assert bench.reporter.waits_for_first_start()
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(at(60), at(0)))
        unit.snapshot.save_pairs([pair(None, alert_id="b", tracked=False, swept_at=at(0))])
    away = Problem(Side.ALERTS, Transient("500"))
    assert [line for line in bench.report(away) if line.startswith("first start")] == []
    first, _ = bench.report()
    assert first.startswith(
        "first start: alerts from before 2026-11-23 09:00 UTC page nobody; 1 alert recorded as"
    )
    assert not bench.reporter.waits_for_first_start()
    assert bench.report() == []


def test_an_unreachable_database_is_reported_without_naming_pairs(bench: ReporterBench) -> None:
    away = DatabaseDown("DATABASE_URL: the database cannot be reached", "away")
    for _ in range(3):
        bench.reporter.failed(away)
    assert bench.take_lines() == [str(away)]
    bench.reporter.say("database", "")
    (line,) = bench.take_lines()
    assert "works again after" in line


def test_a_failing_job_is_logged_and_ends_nothing(bench: ReporterBench) -> None:
    bench.report(AWAY)
    bench.wrong = (Problem(Side.ALERTS, Transient("Opsgenie: 500")),)
    bench.reporter.say_problems()
    assert bench.take_lines() == ["Opsgenie: 500"]
    assert bench.report(*bench.wrong, AWAY) == []


def test_lasting_problems_are_stored_only_when_they_change(
    bench: ReporterBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    keep = troubles.save

    def save(unit: UnitOfWork, values: Sequence[KeptTrouble]) -> None:
        saved.append(len(values))
        keep(unit, values)

    monkeypatch.setattr(troubles, "save", save)
    for _ in range(3):
        bench.report(AWAY)
    bench.report()
    assert saved == [1, 0]


def test_what_only_this_process_knows_is_stored_when_a_side_begins_to_refuse_writes(database: Database) -> None:
    bench = ReporterBench(database)

    def stored() -> LeaderState | None:
        with database.reading() as unit:
            return unit.cursors.load(at(100)).leader

    bench.report()
    assert stored() is None
    first = bench.state = LeaderState(at(1), 4, at(0))
    bench.report()
    assert stored() == first
    bench.state = replace(first, at=at(2), left={Side.PAGERDUTY: 5})
    bench.report()
    assert stored() == first, "figures alone are no reason to write"
    refused = bench.state = replace(bench.state, refused=frozenset({Side.PAGERDUTY}))
    bench.report()
    assert stored() == refused


def test_a_pause_is_logged_and_counted_and_pages_that_it_holds_back_are_no_trouble(bench: ReporterBench) -> None:
    with bench.database.writing() as unit:
        unit.outbox.add([action(Kind.CREATE_INCIDENT)], at(0))
    pause = Pause(Side.PAGERDUTY, bench.clock.now(), "maintenance", "ops@host", pages=True)
    bench.pauses = (pause,)
    (line,) = bench.report(after=2 * PAGES_EVERY)
    assert line.endswith("(30 s), pages too: maintenance; 1 page waits")
    assert [side for side, _ in bench.metrics.pauses] == [Side.PAGERDUTY]
    bench.pauses = ()
    resumed, trouble = bench.report(after=2 * PAGES_EVERY)
    assert resumed == "PagerDuty: resumed after 60 s; 1 page had waited"
    assert trouble.startswith("1 page waits")


def test_the_number_of_late_alerts_is_logged_once_no_more_of_them_come(bench: ReporterBench) -> None:
    for _ in range(2):
        bench.reconciled(late="skip")
    bench.reconciled()
    assert bench.report() == []
    bench.reconciled(late="skip")
    assert bench.report() == []
    assert bench.report() == ["3 late alerts: recorded as baselines"]
    assert bench.report() == []


def test_what_becomes_of_an_order_is_logged_with_the_pairs_name(bench: ReporterBench) -> None:
    assert bench.reconciled(verdict=Verdict(Event.UNLINKED, "no longer followed")) == [
        '#17 "Disk full", incident #4711: no longer followed'
    ]


@pytest.mark.parametrize(
    ("mark", "is_told"), [("[PagerDuty · Jane Doe · note N1]", False), ("[PagerDuty · x]", True)]
)
def test_a_note_that_another_route_of_the_database_has_written_is_no_second_reconciler_s(
    bench: ReporterBench, mark: str, is_told: bool
) -> None:
    other = bench.database.for_route("other")
    other.lead()
    with other.writing() as unit:
        unit.outbox.add([replace(action(Kind.ALERT_NOTE), alert_id=ITEM.alert_id, mark=mark)], at(0))
    bench.reporter.began()
    note = Note("n", BOT, "[PagerDuty · Jane Doe · note N1] on it", bench.clock.now() + timedelta(hours=1))
    bench.reconciled(foreign=(note,))
    assert any("Second reconciler" in line for line in bench.report()) == is_told
