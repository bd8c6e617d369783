"""The report of a run: each action in its last state, each problem once, and how many alerts were not read."""

from dataclasses import replace
from typing import Any

from reconciler.core.model import Kind, Side, Status
from reconciler.core.work import WorkItem
from reconciler.errors import Forbidden, RateLimited, ReconcilerError, Transient
from reconciler.reconcile.pair import Outcome
from reconciler.reconcile.problems import Problem
from reconciler.reconcile.work_queue import Hold
from reconciler.runtime.report import Collector, Report
from tests.support.builders import action, at

NOTE = action(Kind.PAGERDUTY_NOTE)
AWAY = Problem(Side.PAGERDUTY, Transient("PagerDuty: no connection"))


def problem(error: ReconcilerError, alert_id: str = "a-1") -> Problem:
    return Problem(Side.PAGERDUTY, error, alert_id)


def report(*outcomes: tuple[str, dict[str, Any]], problems: tuple[Problem, ...] = ()) -> Report:
    """After these outcomes, each an alert and what was found."""
    collector = Collector()
    for alert_id, found in outcomes:
        collector.reconciled(Outcome(WorkItem(alert_id, at(0)), **found), 0.1)
    return collector.report(problems)


def test_an_action_is_reported_in_its_last_state() -> None:
    done = replace(NOTE, status=Status.DONE)
    assert report(("a-1", {"actions": (NOTE,)}), ("a-1", {"actions": (done,)})).actions == (done,)


def test_a_standing_problem_is_that_of_the_last_look_and_an_event_stays() -> None:
    standing, event = problem(Forbidden("403")), problem(Transient("a write was given up"))
    found = report(("a-1", {"standing": (standing,), "events": (event,)}), ("a-1", {}))
    assert found.problems == (event,)


def test_a_problem_in_the_same_words_is_reported_once_and_that_of_no_pair_first() -> None:
    here, again = problem(Forbidden("403")), problem(Forbidden("403"))
    found = report(("a-1", {"standing": (here,), "events": (again,)}), problems=(AWAY, AWAY))
    assert found.problems == (AWAY, again)


def test_an_alert_counts_as_unread_while_a_limit_or_a_breaker_kept_it_from_being_read() -> None:
    limit = RateLimited("no room for another 57 s")
    found = report(
        ("a-1", {"standing": (problem(limit),)}),
        ("a-2", {"blocked": frozenset({Hold.READ_PAGERDUTY})}),
        ("a-3", {"blocked": frozenset({Hold.READ_PAGERDUTY})}),
        ("a-3", {}),
    )
    assert (found.pairs, found.unread, found.rate_limited, found.problems) == (3, 2, limit, ())


def test_an_alert_from_whose_row_something_follows_was_read_in_part() -> None:
    limited = {"standing": (problem(RateLimited("no room for another 57 s")),), "actions": (NOTE,)}
    found = report(("a-1", limited), ("a-2", {"standing": limited["standing"]}))
    assert (found.pairs, found.unread, found.partly) == (2, 1, 1)


def test_why_an_action_waits_is_not_repeated_where_an_event_of_its_alert_says_it() -> None:
    waits = problem(ReconcilerError("pagerduty.add_note waits: 503 of PagerDuty"))
    said = problem(Transient("a note failed: 503 of PagerDuty"))
    elsewhere = replace(said, alert_id="a-2")
    assert report(("a-1", {"standing": (waits,), "events": (said,)})).problems == (said,)
    assert report(("a-1", {"standing": (waits,), "events": (elsewhere,)})).problems == (waits, elsewhere)


def test_names_are_kept_from_the_look_that_read_them() -> None:
    assert report(("a-1", {"name": "Alert #17"}), ("a-1", {})).names == {"a-1": "Alert #17"}
