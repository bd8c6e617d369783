"""The reporter: each write is said once, each state at its beginning and its end, and stored for `status`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Kind, Side, Status
from reconciler.core.work import Reason, WorkItem
from reconciler.errors import NotExecuted, Refused, Transient
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.runtime import action_log, reporter, state_log
from reconciler.runtime.reporter import PAGES_EVERY, Reporter
from reconciler.store import troubles
from reconciler.store.cursors import Origin
from reconciler.store.database import Database, DatabaseDown, UnitOfWork
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import action, at, pair
from tests.support.clock import StillClock

AWAY = Problem(Side.PAGERDUTY, NotExecuted("PagerDuty: no connection"))
ITEM = WorkItem("a-1", at(60), reasons=frozenset({Reason.FEED}))
REMIND = 600.0


class Metrics:
    """What the reporter counts."""

    def __init__(self) -> None:
        self.items: list[tuple[frozenset[Reason], str]] = []
        self.pages: list[tuple[int, int, str]] = []
        self.troubles: dict[str, int] = {}

    def item(self, reasons: frozenset[Reason], word: str, _seconds: float) -> None:
        self.items.append((reasons, word))

    def paging(self, waiting: int, unpaged: int, reason: str) -> None:
        self.pages.append((waiting, unpaged, reason))

    def troubled(self, counts: dict[str, int]) -> None:
        self.troubles = {subject: count for subject, count in counts.items() if count}


class Desk:
    """A reporter over a database; what it has said, without the level."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = StillClock()
        self.wrong: tuple[Problem, ...] = ()
        self.suspected = 0
        self.metrics = Metrics()
        self.said: list[str] = []
        metrics: Any = self.metrics
        self.reporter = Reporter(database, self.clock, lambda: self.wrong, self._suspect, REMIND, metrics)

    def _suspect(self) -> None:
        self.suspected += 1

    def report(self, *problems: Problem, after: float = 1.0) -> list[str]:
        self.clock.wait(after)
        self.wrong = problems
        self.reporter.report()
        return self.take()

    def reconciled(self, **outcome: Any) -> list[str]:
        self.reporter.reconciled(Outcome(ITEM, **outcome), 0.1)
        return self.take()

    def take(self) -> list[str]:
        said, self.said = self.said, []
        return said

    def kept(self) -> list[str]:
        with self.database.reading() as unit:
            return [each.words for each in troubles.load(unit)]


@pytest.fixture
def desk(database: Database, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(database)

    def say(words: str, **_: object) -> None:
        made.said.append(words)

    for module in (state_log, reporter):
        for level in ("error", "info"):
            monkeypatch.setattr(module.log, level, say)
    monkeypatch.setattr(action_log.log, "info", say)
    monkeypatch.setattr(action_log, "_SAY", {"dead": say, "unknown": say})
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    return made


def test_each_write_is_logged_once_with_the_names_of_both_sides(desk: Desk) -> None:
    done = action(Kind.PAGERDUTY_NOTE, Status.DONE)
    assert desk.reconciled(actions=(done,)) == ['pagerduty.add_note done: #17 "Disk full", incident #4711']
    unknown = action(Kind.PAGERDUTY_NOTE, Status.SENT, error="no answer", id=8)
    assert desk.reconciled(actions=(unknown,)) == ['pagerduty.add_note unknown: #17 "Disk full", incident #4711']
    assert desk.reconciled(actions=(unknown,)) == []
    assert desk.reconciled(actions=(action(Kind.PAGERDUTY_NOTE),)) == []  # planned, and nothing is wrong


def test_a_new_alert_is_named_by_what_was_read(desk: Desk) -> None:
    created = action(Kind.CREATE_INCIDENT, Status.DONE, alert_id="new")
    with desk.database.writing() as unit:
        unit.snapshot.save_pairs([pair(alert_id="new", tiny_id="18", title="", swept_at=at(0))])
    item = replace(ITEM, alert_id="new")
    desk.reporter.reconciled(Outcome(item, (created,), name='Alert #18 "Fire"'), 0.1)
    assert desk.take() == ['pagerduty.create_incident done: #18 "Fire", incident #4711']


def test_a_pairs_problem_is_logged_at_once_and_lasts_until_a_report_no_longer_finds_it(desk: Desk) -> None:
    assert desk.reconciled(standing=(AWAY,)) == [str(AWAY.error)]
    assert desk.reconciled(standing=(AWAY,)) == []
    assert desk.report(AWAY) == []
    assert desk.kept() == [str(AWAY.error)]
    assert desk.metrics.troubles == {"pagerduty": 1}
    assert desk.report() == ["works again after 2 s"]
    assert desk.kept() == []
    assert desk.metrics.troubles == {}


def test_a_lasting_problem_is_logged_again_periodically(desk: Desk) -> None:
    desk.report(AWAY)
    assert desk.report(AWAY, after=REMIND - 1) == []
    (line,) = desk.report(AWAY, after=1)
    assert line.startswith("PagerDuty: still no connection, since 09:01 UTC (10 min)")


def test_a_refused_pagerduty_account_makes_the_account_be_read_again(desk: Desk) -> None:
    desk.reconciled(standing=(Problem(Side.OPSGENIE, Refused("401")),))
    assert desk.suspected == 0
    desk.reconciled(events=(Problem(Side.PAGERDUTY, Refused("401")),))
    assert desk.suspected == 1


def test_every_outcome_is_counted_by_reason_and_result(desk: Desk) -> None:
    desk.reconciled()
    desk.reconciled(again=ITEM)
    assert desk.metrics.items == [(ITEM.reasons, "done"), (ITEM.reasons, "again")]


def test_missing_pages_are_logged_and_looked_up_after_each_event_and_periodically(desk: Desk) -> None:
    assert desk.report() == []
    assert desk.report() == []
    assert len(desk.metrics.pages) == 1  # nothing has happened meanwhile
    with desk.database.writing() as unit:
        unit.snapshot.save_pairs([pair(unpaged="assigned to the automation user alone", swept_at=at(0))])
    why = 'nobody is paged for #17 "Disk full", incident #4711: assigned to the automation user alone'
    assert desk.report(after=PAGES_EVERY) == [why]
    assert desk.metrics.pages[-1] == (0, 1, why)
    with desk.database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
    (line,) = desk.report()
    assert line.endswith("works again after 1 s")


def test_a_waiting_page_is_noticed_once_its_pair_was_reconciled(desk: Desk) -> None:
    desk.report()
    waiting = action(Kind.CREATE_INCIDENT, error="400: refused", failing_since=at(0))
    with desk.database.writing() as unit:
        unit.outbox.add([waiting], at(0))
    desk.reconciled(actions=(waiting,))
    (line,) = desk.report()
    assert line.startswith('1 page waits (#17 "Disk full"), the oldest for 62 s: 400: refused')


def test_a_first_start_is_reported_after_the_alerts_were_read(desk: Desk, database: Database) -> None:
    desk.reporter.began()
    assert desk.reporter.waits_for_first_start()
    with database.writing() as unit:
        unit.cursors.save(origin=Origin(at(60), at(0)))
        unit.snapshot.save_pairs([pair(None, alert_id="b", tracked=False, swept_at=at(0))])
    away = Problem(Side.OPSGENIE, Transient("500"))
    assert [line for line in desk.report(away) if line.startswith("first start")] == []
    first, _ = desk.report()
    assert first.startswith(
        "first start: alerts from before 2026-11-23 09:00 UTC page nobody; 1 alert recorded as"
    )
    assert not desk.reporter.waits_for_first_start()
    assert desk.report() == []


def test_an_unreachable_database_is_reported_without_naming_pairs(desk: Desk) -> None:
    away = DatabaseDown("DATABASE_URL: the database cannot be reached", "away")
    for _ in range(3):
        desk.reporter.failed(away)
    assert desk.take() == [str(away)]
    desk.reporter.say("database", "")
    (line,) = desk.take()
    assert "works again after" in line


def test_a_failing_job_is_logged_and_ends_nothing(desk: Desk) -> None:
    desk.report(AWAY)
    desk.wrong = (Problem(Side.OPSGENIE, Transient("Opsgenie: 500")),)
    desk.reporter.say_problems()
    assert desk.take() == ["Opsgenie: 500"]
    assert desk.report(*desk.wrong, AWAY) == []


def test_lasting_problems_are_stored_only_when_they_change(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    keep = troubles.save

    def save(unit: UnitOfWork, values: Sequence[KeptTrouble]) -> None:
        saved.append(len(values))
        keep(unit, values)

    monkeypatch.setattr(troubles, "save", save)
    for _ in range(3):
        desk.report(AWAY)
    desk.report()
    assert saved == [1, 0]
