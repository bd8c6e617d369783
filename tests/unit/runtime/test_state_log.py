"""Lasting states are logged at their beginning, periodically, and at their end, independently of each other."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from reconciler.core.model import Action, Kind, Side, Status
from reconciler.core.product import JSM, OPSGENIE, Product
from reconciler.errors import (
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    RateLimited,
    Refused,
    Unknown,
)
from reconciler.observability.naming import PairNames, span, state_of
from reconciler.reconcile.absence import Fewer
from reconciler.reconcile.problems import Problem
from reconciler.runtime import state_log
from reconciler.runtime.state_log import OVER_AFTER, StateLog
from tests.support.clock import SimClock

NOW = datetime(2026, 11, 23, 17, 27, tzinfo=UTC)
AWAY = Problem(Side.PAGERDUTY, Unknown("PagerDuty: GET /log_entries: 503"))


class StateLogBench:
    """A state log, its clock, and its log lines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, product: Product = OPSGENIE) -> None:
        self.time = SimClock(0.0, NOW)
        self.said: list[tuple[str, str]] = []
        self.subjects: list[str] = []
        self.asked = 0
        for level in ("error", "info"):
            monkeypatch.setattr(state_log.log, level, partial(self._add, level))
        self.log = StateLog(self.time, 600.0, self._names, product)

    def _add(self, level: str, words: str, *, subject: str = "", **_: object) -> None:
        self.said.append((level, words))
        self.subjects.append(subject)

    def _names(self, alert_ids: Collection[str]) -> dict[str, PairNames]:
        self.asked += 1
        return {alert_id: PairNames(f"#{alert_id[1:]}", alert_id) for alert_id in alert_ids}

    def cycle(
        self, *problems: Problem, actions: Collection[Action] = (), pages: Any = (), after: float = 1.0
    ) -> None:
        self.time.passed += after
        self.log.cycle(problems, actions, pages)

    def take_lines(self) -> list[tuple[str, str]]:
        said, self.said = self.said, []
        return said


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> StateLogBench:
    return StateLogBench(monkeypatch)


def action(number: int, kind: Kind = Kind.PAGERDUTY_NOTE, **more: Any) -> Action:
    return replace(Action(key=str(number), kind=kind, alert_id=f"a{number}", reason="", at=NOW, id=number), **more)


def test_an_outage_is_logged_at_its_beginning_periodically_and_at_its_end(bench: StateLogBench) -> None:
    waiting = [action(n, Kind.CREATE_INCIDENT) for n in range(7)] + [action(n) for n in range(7, 10)]
    bench.cycle(AWAY)
    assert bench.take_lines() == [("error", "PagerDuty: GET /log_entries: 503")]
    for _ in range(3):
        bench.cycle(AWAY, actions=waiting, after=150)
    assert bench.take_lines() == []
    bench.cycle(AWAY, actions=waiting, after=150)
    backlog = "7 pages and 3 notes wait, the oldest for 10 min"
    still = f"PagerDuty: still GET /log_entries: 503, since 17:27 UTC (10 min): {backlog}"
    assert bench.take_lines() == [("error", still)]
    bench.cycle(actions=[replace(each, status=Status.DONE) for each in waiting], after=42 * 60)
    assert bench.take_lines() == [("info", "works again after 52 min; 7 pages and 3 notes had waited")]
    bench.cycle(after=10_000)
    assert bench.take_lines() == []


def test_different_errors_are_one_outage_and_each_is_logged_once(bench: StateLogBench) -> None:
    refused = Problem(Side.PAGERDUTY, NotExecuted("PagerDuty: no connection"))
    for _ in range(5):
        bench.cycle(AWAY)
        bench.cycle(refused)
    assert [words for _, words in bench.take_lines()] == [str(AWAY.error), str(refused.error)]
    bench.cycle()
    assert bench.take_lines() == [("info", "works again after 10 s")]


def test_a_misconfiguration_is_identified_by_its_text_and_not_by_its_call(bench: StateLogBench) -> None:
    for number, call in enumerate(("GET /users", "GET /log_entries", "POST /incidents/{id}/notes")):
        bench.cycle(Problem(Side.PAGERDUTY, Refused(f"{call}: 401; check PAGERDUTY_API_KEY (request {number})")))
    first, second = Misconfigured("PAGERDUTY_SERVICE_ID: disabled"), Misconfigured("PAGERDUTY_USER: on call")
    bench.cycle(Problem(Side.PAGERDUTY, first), Problem(Side.PAGERDUTY, second))
    said = ["GET /users: 401; check PAGERDUTY_API_KEY (request 0)", str(first), str(second)]
    assert bench.take_lines() == [("error", words) for words in said]


def test_figures_that_change_while_a_misconfiguration_lasts_are_not_told_each_time(bench: StateLogBench) -> None:
    for number in (5, 6, 7):
        bench.cycle(Problem(Side.ALERTS, Fewer(f"{number} alerts are not found", frozenset({"a17"}), "fewer 3")))
    assert bench.take_lines() == [("error", "5 alerts are not found")]
    bench.cycle(Problem(Side.ALERTS, Fewer("8 alerts are not found", frozenset({"a17"}), "fewer 4")))
    assert bench.take_lines() == [("error", "8 alerts are not found")]


@pytest.mark.parametrize("error", [Missing("404"), Forbidden("403"), Permanent("400", 400)])
def test_a_problem_of_one_alert_hides_no_other_problem(bench: StateLogBench, error: Exception) -> None:
    mine = [Problem(Side.PAGERDUTY, error, alert) for alert in ("a17", "a18")]  # type: ignore[arg-type]
    bench.cycle(*mine)
    bench.cycle(*mine, AWAY)
    assert bench.take_lines() == [
        ("error", f"#17: {error}"),
        ("error", f"#18: {error}"),
        ("error", str(AWAY.error)),
    ]
    bench.cycle(*mine)
    assert bench.take_lines() == [("info", "works again after 1 s")]
    bench.cycle(*mine, after=700)
    still = f"still refused: #17 and #18; the oldest since 17:27 UTC (702 min): {error}"
    assert bench.take_lines() == [("error", still.replace("702 min", "11 min"))]


def test_a_problem_of_one_alerts_read_ends_only_after_some_time_without_it(bench: StateLogBench) -> None:
    """Its reads become rare: a cycle that did not read it does not show that the problem is over."""
    narrow = Problem(Side.ALERTS, Unknown("Opsgenie: GET /v2/alerts/{id}: 500"), "a17")
    bench.cycle(narrow)
    bench.take_lines()
    for _ in range(5):
        bench.cycle(after=OVER_AFTER / 2)
        bench.cycle(narrow)
    assert bench.take_lines() == []
    bench.cycle(after=OVER_AFTER)
    assert bench.take_lines() == [("info", f"works again after {span(5 * (OVER_AFTER / 2 + 1) + OVER_AFTER)}")]


def test_a_problem_of_a_whole_cycle_ends_with_the_next_cycle_although_one_alert_met_it_too(
    bench: StateLogBench,
) -> None:
    bench.cycle(AWAY)
    bench.log.met([replace(AWAY, alert_id="a17")], ())
    bench.take_lines()
    bench.cycle()
    assert [words for _, words in bench.take_lines()] == ["works again after 1 s"]


def test_a_vendor_is_not_reported_as_working_while_its_problem_still_holds_up_work(bench: StateLogBench) -> None:
    note = action(17, error="PagerDuty: 503")
    bench.cycle(Problem(Side.PAGERDUTY, Unknown("PagerDuty: 503"), "a17"), actions=[note])
    bench.cycle(actions=[note])
    bench.cycle(actions=[note])
    assert bench.take_lines() == [("error", "PagerDuty: 503")]
    bench.cycle(actions=[replace(note, status=Status.DONE, error="")])
    assert bench.take_lines() == [("info", "works again after 3 s; 1 note had waited")]


def test_pagerduty_is_not_reported_as_working_while_a_page_is_missing(bench: StateLogBench) -> None:
    page = action(17, Kind.CREATE_INCIDENT, error="another error")
    bench.cycle(AWAY, actions=[page])
    bench.cycle(actions=[page])
    bench.cycle(pages=[("unpaged a18", "nobody is paged for #18")])
    assert bench.take_lines() == [("error", str(AWAY.error)), ("error", "nobody is paged for #18")]
    assert [each.subject for each in bench.log.lasting()] == ["pages"]
    bench.cycle(pages=[("unpaged a18", "nobody is paged for #18")], after=700)
    assert bench.take_lines() == [("error", "Pages: still nobody is paged for #18, since 17:27 UTC (11 min)")]
    bench.cycle(pages=[("unpaged a18", "nobody is paged for #18"), ("unpaged a19", "nobody is paged for #19")])
    assert bench.take_lines() == [("error", "nobody is paged for #19")]
    bench.cycle()
    assert [words.partition(" after")[0] for _, words in bench.take_lines()] == ["works again", "works again"]


def test_pages_named_by_a_vendors_problem_are_not_logged_again(bench: StateLogBench) -> None:
    mine = Problem(Side.PAGERDUTY, Misconfigured("PAGERDUTY_USER: nobody is paged for #18"), "a18")
    pages = [("unpaged a18", "nobody is paged for #18")]
    bench.time.passed += 1
    bench.log.cycle([mine], [], pages, named={"unpaged a18"})
    assert bench.take_lines() == [("error", str(mine.error))]
    bench.time.passed += 700
    bench.log.cycle([mine], [], pages, named={"unpaged a18"})
    assert [words.partition(",")[0] for _, words in bench.take_lines()] == [f"PagerDuty: still {mine.error}"]
    bench.cycle()
    assert [words for _, words in bench.take_lines()] == ["works again after 11 min"], "logged once only"


def test_a_dead_action_is_logged_and_never_reported_as_working_again(bench: StateLogBench) -> None:
    note = action(17, error="PagerDuty: 400")
    bench.cycle(Problem(Side.PAGERDUTY, Permanent("PagerDuty: 400", 400), "a17"), actions=[note])
    bench.take_lines()
    dead = replace(note, status=Status.DEAD)
    bench.cycle(Problem(Side.PAGERDUTY, Permanent("PagerDuty: 400", 400), "a17"), actions=[dead])
    bench.cycle()
    assert bench.take_lines() == []
    assert bench.log.lasting() == ()


def test_the_problems_stored_for_status_name_the_refused_alert(bench: StateLogBench) -> None:
    bench.cycle(AWAY, Problem(Side.PAGERDUTY, Forbidden("PagerDuty: 403; only this one"), "a17"))
    kept = [each.words for each in bench.log.lasting()]
    assert sorted(kept) == ["#17: PagerDuty: 403; only this one", str(AWAY.error)]


def test_a_partial_observation_logs_its_problems_and_ends_none(bench: StateLogBench) -> None:
    bench.log.met([AWAY], [])
    bench.log.met([], [])
    assert bench.take_lines() == [("error", str(AWAY.error))]


def test_a_state_that_is_no_problem_is_logged_as_information_and_ends_silently(bench: StateLogBench) -> None:
    for _ in range(2):
        bench.log.say("lock", "standing by", serious=False)
    assert bench.take_lines() == [("info", "standing by")]
    assert bench.log.lasts("lock")
    assert bench.log.lasting() == ()
    bench.log.say("lock", "")
    assert bench.take_lines() == []


def test_a_state_that_is_no_problem_is_reminded_of_as_information(bench: StateLogBench) -> None:
    bench.log.say("lock", "standing by; vm:1:a leads", serious=False)
    bench.take_lines()
    bench.time.passed += 600
    bench.log.remind()
    ((level, words),) = bench.take_lines()
    assert level == "info"
    assert words.startswith("Lock: still standing by; vm:1:a leads, since ")


def test_a_rate_limit_that_lasts_is_reminded_of_as_information_with_all_that_waits(bench: StateLogBench) -> None:
    limited = Problem(Side.PAGERDUTY, RateLimited("PagerDuty: the rate limit leaves no room"), "a17")
    note = action(17)
    bench.cycle(limited, actions=(note,))
    bench.take_lines()
    bench.time.passed += 600
    bench.cycle(limited, actions=(note,))
    ((level, words),) = bench.take_lines()
    assert level == "info"
    assert "1 note waits" in words
    assert "#17" not in words, "it is no trouble of one alert"


def test_any_subject_is_reminded_of_while_it_lasts(bench: StateLogBench) -> None:
    bench.log.say("heartbeat", "HEARTBEAT_URL: 404")
    bench.take_lines()
    bench.time.passed += 600
    bench.cycle()
    ((level, words),) = bench.take_lines()
    assert (level, words.partition(", since")[0]) == ("error", "Heartbeat: still HEARTBEAT_URL: 404")


def test_the_signature_depends_on_the_lasting_states_and_not_on_their_figures(bench: StateLogBench) -> None:
    first = bench.log.signature()
    bench.cycle(pages=[("waiting", "1 page waits, the oldest for 31 s")])
    second = bench.log.signature()
    bench.cycle(pages=[("waiting", "2 pages wait, the oldest for 32 s")])
    assert first != second == bench.log.signature()
    assert bench.log.counts() == dict.fromkeys(state_log.SUBJECTS, 0) | {"pages": 1}


def test_memory_stays_bounded(bench: StateLogBench) -> None:
    bench.cycle(*(Problem(Side.PAGERDUTY, Missing("404"), f"a{number}") for number in range(3000)))
    assert bench.log.counts()["objects"] == state_log.MOST_OBJECTS
    bench.take_lines()
    bench.cycle(
        *(Problem(Side.PAGERDUTY, Missing("404"), f"a{number}") for number in range(3000)), AWAY, after=700
    )
    assert len(bench.take_lines()) == 2, "the vendor's own reminder, and one for all the others"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "less than 1 s"),
        (41, "41 s"),
        (52 * 60, "52 min"),
        (3 * 3600 + 5 * 60, "3 h 5 min"),
        (3 * 3600, "3 h"),
        (52 * 3600, "2 d 4 h"),
        (48 * 3600, "2 d"),
    ],
)
def test_a_duration_is_shown_as_exactly_as_needed(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("status", "error", "word"),
    [
        (Status.PLANNED, "", "planned"),
        (Status.PLANNED, "e", "planned"),
        (Status.SENT, "", "in flight"),
        (Status.SENT, "e", "unknown"),
        (Status.DONE, "", "done"),
        (Status.DROPPED, "e", "dropped"),
        (Status.DEAD, "e", "dead"),
    ],
)
def test_each_state_of_an_action_has_one_word(status: Status, error: str, word: str) -> None:
    assert state_of(action(1, status=status, error=error)) == word


def test_a_state_of_the_alert_side_is_named_after_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = StateLogBench(monkeypatch, JSM)
    away = Problem(Side.ALERTS, Unknown("JSM: GET /v1/alerts: 503"))
    bench.cycle(away)
    bench.cycle(away, after=600)
    assert [words for _, words in bench.take_lines()] == [
        "JSM: GET /v1/alerts: 503",
        "JSM: still GET /v1/alerts: 503, since 17:27 UTC (10 min)",
    ]
    assert bench.subjects == ["jsm", "jsm"]
    assert [each.subject for each in bench.log.lasting()] == ["opsgenie"], "the database keeps the program's word"
