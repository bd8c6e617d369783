"""Pauses in the process that leads: taken in from the database, ended in time, and logged while they last."""

from dataclasses import replace

import pytest

from reconciler.core.journal import Event
from reconciler.core.model import Kind, Side
from reconciler.core.pause import Pause
from reconciler.core.product import JSM
from reconciler.operations.pausing import OVER
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime import pauses
from reconciler.runtime.pauses import PauseLog, Pauses
from reconciler.store.database import Database
from tests.support.builders import action
from tests.support.clock import SimClock

NOTE = action(Kind.PAGERDUTY_NOTE)
REMIND = 600.0


class Bench:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SimClock()
        self.breakers = WriteBreakers(self.clock)
        self.pauses = Pauses(database, self.clock, self.breakers)
        self.pause = Pause(Side.PAGERDUTY, self.clock.now(), "maintenance", "ops@host")

    def save(self, pause: Pause) -> None:
        with self.database.writing() as unit:
            unit.pauses.save([pause])


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def test_a_pause_is_taken_in_once_and_so_is_its_end(bench: Bench) -> None:
    assert not bench.pauses.take_in()
    bench.save(bench.pause)
    assert [bench.pauses.take_in(), bench.pauses.take_in()] == [True, False]
    assert bench.pauses.present == (bench.pause,)
    assert bench.breakers.is_paused(NOTE)
    with bench.database.writing() as unit:
        unit.pauses.end([Side.PAGERDUTY])
    assert bench.pauses.take_in()
    assert not bench.breakers.is_paused(NOTE)


def test_a_pause_that_is_over_is_deleted_and_journalled_as_resumed(bench: Bench) -> None:
    bench.save(replace(bench.pause, until=bench.clock.now()))
    assert not bench.pauses.take_in()
    assert not bench.breakers.is_paused(NOTE)
    with bench.database.reading() as unit:
        assert unit.pauses.all() == []
        (entry,) = unit.journal.last(9)
    assert (entry.event, entry.side, entry.who, entry.words) == (Event.RESUMED, Side.PAGERDUTY, "", OVER)


def test_a_pause_is_logged_when_it_begins_and_changes_again_and_again_and_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    for level in ("warning", "info"):
        monkeypatch.setattr(pauses.log, level, lambda words, **_: lines.append(words))
    clock = SimClock()
    said = PauseLog(clock, REMIND)
    pause = Pause(Side.PAGERDUTY, clock.now(), "maintenance", "ops@host")

    def say(found: tuple[Pause, ...], *actions: int, after: float = 1.0) -> list[str]:
        clock.wait(after)
        lines.clear()
        said.say(found, [replace(NOTE, id=number) for number in actions])
        return [line.partition(": ")[2] for line in lines]

    (first,) = say((pause,))
    assert first.endswith(" (1 s): maintenance")
    assert say((pause,), 1, 2) == []
    assert say((pause,), 2, after=REMIND - 2) == []
    (reminder,) = say((pause,), 2)
    assert reminder.endswith(" (10 min): maintenance; 1 note waits")
    (changed,) = say((replace(pause, reason="more of it"),), 3)
    assert changed.endswith(" (10 min): more of it; 1 note waits")
    assert say(()) == ["resumed after 10 min; 3 notes had waited"]
    assert say(()) == []
    say((pause,))
    assert say(()) == ["resumed after 10 min"]


def test_a_pause_of_the_alert_side_is_named_after_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[tuple[str, object]] = []
    for level in ("warning", "info"):
        monkeypatch.setattr(pauses.log, level, lambda words, subject: lines.append((words, subject)))
    clock = SimClock()
    said = PauseLog(clock, REMIND, JSM)
    said.say((Pause(Side.ALERTS, clock.now(), "maintenance", "ops@host"),), ())
    said.say((), ())
    assert [words.partition(" ")[0] for words, _ in lines] == ["JSM:", "JSM:"]
    assert {subject for _, subject in lines} == {"pause jsm"}
