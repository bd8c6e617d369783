"""The incident about an outage: when it is made, how it ends, and what a restart or a failure changes."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from reconciler.core.model import Incident, Note, Person, Side
from reconciler.core.outage import Outage
from reconciler.core.pause import Pause
from reconciler.errors import Duplicate, Forbidden, Missing, Permanent, ReconcilerError, Refused, Unknown
from reconciler.reconcile.write_breakers import Lane, WriteBreakers
from reconciler.runtime.outage_watch import OutageWatch
from reconciler.runtime.rounds import Rounds
from reconciler.store.database import Database, DatabaseDown
from tests.support.builders import incident
from tests.support.clock import SimClock
from tests.support.simulated_daemon import Statements

FEED = "opsgenie feed"
KEY = "reconciler outage default"
REFUSED = Refused("Opsgenie: GET /v2/alerts: 401: Could not authenticate")
AWAY = Unknown("PagerDuty: no answer within 10 s")
BOT = Person("PBOT", "Bot")


class PagerDuty:
    """The incidents with the outage's key. `fails` has an error for each call that fails, by name."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.incidents: dict[str, Incident] = {}
        self.created: list[tuple[str, str, str, str]] = []
        self.texts: list[str] = []
        self.calls: list[str] = []
        self.fails: dict[str, ReconcilerError] = {}
        self.answer_is_lost = self.is_unlisted = False

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise self.fails[name]

    def incidents_by_key(self, key: str) -> list[Incident]:
        self._call("list")
        assert key == KEY
        return [] if self.is_unlisted else list(self.incidents.values())

    def incident(self, incident_id: str) -> Incident:
        self._call("read")
        if incident_id not in self.incidents:
            raise Missing("PagerDuty: incident: 404")
        return self.incidents[incident_id]

    def notes(self, _incident_id: str) -> list[Note]:
        self._call("notes")
        return [Note(str(number), BOT, text, self.clock.now()) for number, text in enumerate(self.texts)]

    def create_incident(self, key: str, title: str, body: str, urgency: str) -> Incident:
        if any(each.status != "resolved" for each in self.incidents.values()):
            raise Duplicate("PagerDuty: matching dedup key already exists")
        self.created.append((key, title, body, urgency))
        self._call("create" if body else "create plain")
        number = len(self.incidents) + 1
        made = incident(key=key, id=f"P{number}", number=number, created_at=self.clock.now())
        self.incidents[made.id] = made
        if self.answer_is_lost:
            raise AWAY
        return made

    def add_note(self, _incident_id: str, text: str) -> None:
        self._call("note")
        self.texts.append(text)

    def resolve(self, incident_id: str) -> None:
        self._call("resolve")
        self.incidents[incident_id] = replace(self.incidents[incident_id], status="resolved")

    def open(self) -> int:
        return sum(each.status != "resolved" for each in self.incidents.values())


class Bench:
    """A process that leads and whose feed works, until a test says otherwise."""

    def __init__(
        self, database: Database, clock: SimClock | None = None, pagerduty: PagerDuty | None = None
    ) -> None:
        self.database = database
        self.clock = clock or SimClock()
        self.pagerduty = pagerduty or PagerDuty(self.clock)
        self.rounds = Rounds(self.clock)
        self.breakers = WriteBreakers(self.clock)
        self.said: list[str] = []
        fake: Any = self.pagerduty
        lag, say = timedelta(seconds=120), self.said.append
        self.watch = OutageWatch(
            fake, fake, database, self.rounds, self.breakers, self.clock, 900.0, lag, say
        )  # fmt: skip

    def fail(self, after: float = 0.0, error: ReconcilerError = REFUSED) -> int:
        """A poll of the feed fails, and the watch looks; returns the number of open incidents."""
        self.clock.advance(after)
        self.rounds.polled(FEED, error)
        self.watch.poll()
        return self.pagerduty.open()

    def work(self, after: float = 0.0) -> int:
        """A poll of the feed succeeds, and the watch looks; returns the number of open incidents."""
        self.clock.advance(after)
        self.rounds.polled(FEED)
        self.watch.poll()
        return self.pagerduty.open()

    def restarted(self) -> "Bench":
        """Another process that leads now, over the same database."""
        return Bench(self.database, self.clock, self.pagerduty)

    def stored(self) -> Outage | None:
        with self.database.reading() as unit:
            return unit.cursors.load(self.clock.now()).outage


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.work()
    return made


@pytest.fixture
def told(bench: Bench) -> Bench:
    """An outage that engineers have been told of."""
    bench.fail(after=10)
    assert bench.fail(after=890) == 1
    return bench


def test_engineers_are_told_once_after_the_time(bench: Bench) -> None:
    began = bench.clock.now()
    assert bench.fail(after=10) == 0
    assert bench.fail(after=889) == 0
    assert bench.fail(after=1) == 1
    calls = list(bench.pagerduty.calls)
    assert [bench.fail(after=1000) for _ in range(3)] == [1, 1, 1]
    assert bench.pagerduty.calls == calls, "nothing more is asked while it lasts"
    ((key, title, body, urgency),) = bench.pagerduty.created
    assert (key, urgency) == (KEY, "high")
    assert title.startswith(f"Opsgenie's alerts cannot be read since {began.astimezone(UTC):%H:%M} UTC: ")
    assert "401" in title
    assert "401" in body
    assert set(bench.said) == {""}


def test_a_feed_that_works_again_in_time_tells_nobody(bench: Bench) -> None:
    bench.fail(after=890)
    assert bench.work(after=5) == 0
    assert bench.fail(after=20) == 0
    assert bench.pagerduty.calls == []


def test_the_incident_gets_a_note_and_is_resolved_when_it_is_over(told: Bench) -> None:
    assert told.work(after=60) == 0
    (text,) = told.pagerduty.texts
    assert "can be read again" in text
    assert "for 16 min" in text
    assert told.stored() is None
    before = list(told.pagerduty.calls)
    told.work(after=60)
    assert told.pagerduty.calls == before


def test_a_second_outage_is_told_of_by_an_incident_of_its_own(told: Bench) -> None:
    told.work(after=60)
    told.fail(after=10)
    assert told.fail(after=900) == 1
    assert len(told.pagerduty.created) == 2


def test_an_engineer_who_resolves_it_is_not_paged_again_for_this_outage(told: Bench) -> None:
    told.pagerduty.resolve("P1")
    assert told.fail(after=2000) == 0
    assert told.restarted().fail(after=2000) == 0
    told.work(after=10)
    assert told.pagerduty.texts == []
    assert told.stored() is None


@pytest.mark.parametrize("gap", [0.0, 30.0])
def test_a_restart_in_the_middle_neither_forgets_nor_repeats(bench: Bench, gap: float) -> None:
    bench.fail(after=10)
    bench.fail(after=590)
    bench.clock.advance(gap)
    other = bench.restarted()
    assert other.fail(after=290 - gap) == 0
    assert other.fail(after=10) == 1
    another = other.restarted()
    assert another.fail(after=1000) == 1
    assert another.work(after=10) == 0
    assert len(bench.pagerduty.created) == 1


def test_a_process_that_was_away_for_long_tells_nobody_at_its_first_failure(bench: Bench) -> None:
    bench.clock.advance(80_000)
    other = bench.restarted()
    assert other.fail(after=5) == 0
    assert other.fail(after=890) == 0
    assert other.fail(after=10) == 1


def test_a_new_lead_without_a_poll_yet_ends_no_outage(told: Bench) -> None:
    """As after a moment without the database."""
    told.rounds.begin()
    told.watch.poll()
    assert told.pagerduty.open() == 1
    assert told.fail(after=10) == 1


def test_a_clock_that_is_set_makes_no_outage_longer(bench: Bench) -> None:
    bench.fail(after=10)
    bench.clock.off += 7200
    assert bench.fail(after=10) == 0
    bench.clock.off -= 14_400
    assert bench.fail(after=860) == 0
    assert bench.fail(after=20) == 1


def test_while_pagerduty_is_away_it_is_tried_again_and_reported(bench: Bench) -> None:
    bench.pagerduty.fails["list"] = AWAY
    bench.fail(after=10)
    assert bench.fail(after=900) == 0
    assert bench.said[-1] == f"the incident about Opsgenie's outage can be neither created nor resolved: {AWAY}"
    bench.pagerduty.fails.clear()
    assert bench.fail(after=10) == 1
    assert bench.said[-1] == ""


@pytest.mark.parametrize("is_unlisted", [False, True])
def test_a_creation_whose_answer_is_lost_is_found_by_its_key(bench: Bench, is_unlisted: bool) -> None:
    """PagerDuty's list may show it late: it refuses a second one with the same key."""
    bench.pagerduty.answer_is_lost, bench.pagerduty.is_unlisted = True, is_unlisted
    bench.fail(after=10)
    bench.fail(after=900)
    assert bench.said[-1].endswith(str(AWAY))
    other = bench.restarted()
    other.pagerduty.answer_is_lost = False
    assert other.fail(after=10) == 1
    assert set(other.said) == {""}, "that it is there already is no trouble"
    other.pagerduty.is_unlisted = False
    assert other.fail(after=10) == 1
    assert len(bench.pagerduty.incidents) == 1
    stored = bench.stored()
    assert stored is not None
    assert stored.incident_id == "P1"


def test_one_whose_answer_was_lost_and_that_was_resolved_by_hand_is_not_made_again(bench: Bench) -> None:
    bench.pagerduty.answer_is_lost = True
    bench.fail(after=10)
    bench.fail(after=900)
    bench.pagerduty.resolve("P1")
    assert bench.fail(after=10) == 0
    assert len(bench.pagerduty.incidents) == 1


def test_one_that_appears_after_the_outage_is_resolved_all_the_same(bench: Bench) -> None:
    bench.pagerduty.answer_is_lost = bench.pagerduty.is_unlisted = True
    bench.fail(after=10)
    bench.fail(after=900)
    assert bench.work(after=10) == 1
    bench.pagerduty.is_unlisted = False
    assert bench.work(after=10) == 0
    assert bench.stored() is None


def test_one_that_never_appears_is_looked_for_only_as_long_as_lists_lag(bench: Bench) -> None:
    bench.pagerduty.fails["create"] = AWAY
    bench.fail(after=10)
    bench.fail(after=900)
    bench.work(after=110)
    assert bench.stored() is not None
    bench.work(after=10)
    assert bench.stored() is None


def test_a_refused_form_is_replaced_by_the_plainest(bench: Bench) -> None:
    bench.pagerduty.fails["create"] = Permanent("PagerDuty: POST /incidents: 400: body too long", 400)
    bench.fail(after=10)
    assert bench.fail(after=900) == 1
    assert bench.pagerduty.created[-1][2:] == ("", "")


def test_an_incident_that_takes_no_note_is_resolved_all_the_same(told: Bench) -> None:
    told.pagerduty.fails["note"] = Forbidden("PagerDuty: 403")
    assert told.work(after=10) == 0
    assert told.stored() is None


def test_a_note_is_not_repeated_while_resolving_fails(told: Bench) -> None:
    told.pagerduty.fails["resolve"] = AWAY
    assert told.work(after=10) == 1
    assert told.restarted().work(after=10) == 1
    told.pagerduty.fails.clear()
    assert told.work(after=10) == 0
    assert len(told.pagerduty.texts) == 1
    assert told.said[-1] == ""


def test_an_incident_that_is_gone_ends_with_the_outage(told: Bench) -> None:
    told.pagerduty.incidents.clear()
    told.work(after=10)
    assert told.stored() is None


def test_nothing_is_written_while_the_account_is_wrong(bench: Bench) -> None:
    bench.breakers.bar(frozenset({Lane.PAGES, Lane.PAGERDUTY}))
    bench.fail(after=10)
    assert bench.fail(after=900) == 0
    bench.breakers.bar(frozenset())
    assert bench.fail(after=10) == 1
    bench.breakers.bar(frozenset({Lane.PAGERDUTY}))
    assert bench.work(after=10) == 1
    bench.breakers.bar(frozenset())
    assert bench.work(after=10) == 0


@pytest.mark.parametrize(
    ("side", "pages", "expected"),
    [(Side.PAGERDUTY, True, (0, 0)), (Side.PAGERDUTY, False, (1, 1)), (Side.ALERTS, True, (1, 0))],
)
def test_a_pause_of_pagerduty_holds_the_end_back_and_the_page_only_with_pages(
    bench: Bench, side: Side, pages: bool, expected: tuple[int, int]
) -> None:
    with bench.database.writing() as unit:
        until = bench.clock.now() + timedelta(seconds=2000)
        unit.pauses.save([Pause(side, bench.clock.now(), "a cut-over", pages=pages, until=until)])
    bench.fail(after=10)
    assert (bench.fail(after=900), bench.work(after=10)) == expected
    assert bench.work(after=2000) == 0


def test_without_a_database_nothing_is_concluded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_outage: Outage | None) -> None:
        raise DatabaseDown("DATABASE_URL: locked")

    monkeypatch.setattr(bench.watch, "_store", down)
    with pytest.raises(DatabaseDown):
        bench.fail(after=10)
    assert all(not words for words in bench.said)


# -- nothing is wrong --


def test_while_nothing_is_wrong_the_database_is_not_asked(bench: Bench) -> None:
    statements = Statements(bench.database)
    for _ in range(3):
        bench.work(after=10)
    assert not statements.count
    bench.fail(after=10)
    assert bench.stored() is not None


def test_an_outage_that_another_leader_has_told_of_in_the_meantime_is_ended(bench: Bench) -> None:
    other = bench.restarted()
    other.fail(after=10)
    assert other.fail(after=900) == 1
    bench.rounds.begin()
    assert bench.work(after=10) == 0
    assert bench.stored() is None
