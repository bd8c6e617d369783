"""The headline: the worst that is true, with since when and why."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.operations.divergence import Apart
from reconciler.operations.headline import cause, headline
from reconciler.operations.pausing import Held
from reconciler.operations.status import Entry, StatusReport
from reconciler.store.overview import Lead, Paging, WaitingPage
from reconciler.store.standbys import Standby
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import action, at, pair

HOUR = 3600
NOTE = Entry(action(Kind.PAGERDUTY_NOTE), None, at(HOUR - 40))
DEAD = Entry(action(Kind.PAGERDUTY_NOTE, Status.DEAD), None, at(0))
REFUSAL = "PagerDuty: POST /incidents (request R1): 503: An internal error occurred (code 2000)"
BARE = replace(pair(), unpaged="incident #4711 is assigned to the automation user alone")
AWAY = KeptTrouble("opsgenie", at(HOUR - 600), "Opsgenie: no connection could be made")


def report(seconds_ago: float | None = 3, **more: Any) -> StatusReport:
    last = None if seconds_ago is None else at(HOUR - seconds_ago)
    polled = {"polled": dict.fromkeys(Side, last)} | more
    return StatusReport(at(HOUR), "sqlite:///r.db", open_pairs=12, **polled)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (report(), "In step: 12 open pairs, both sides polled 3 s ago"),
        (report(None, missing="it is empty"), "No reconciler has run on this database yet: it is empty"),
        (report(None), "Nobody has polled yet: is `reconciler run` at work?"),
        (report(3 * HOUR), "Nobody has polled for 3 h: is `reconciler run` at work?"),
        (
            report(3 * HOUR, lead=Lead("vm:1:a", 4), standbys=(Standby("vm:2:b", at(HOUR)),)),
            (
                "Standing by: vm:2:b; vm:1:a holds the lock and has not polled for 3 h: end it, and another one "
                "takes over"
            ),
        ),
        (
            report(3 * HOUR, troubles=(AWAY,)),
            (
                "Nobody has polled for 3 h: is `reconciler run` at work? The last that it stored: Opsgenie: no "
                "connection could be made"
            ),
        ),
        (
            report(
                pauses=(Held(Pause(Side.PAGERDUTY, at(HOUR - 720), "maintenance", "ana", until=at(HOUR + 60))),)
            ),
            ("Paused: PagerDuty by ana since 09:48 UTC (12 min), until 10:01 UTC: maintenance"),
        ),
        (
            report(pauses=(Held(Pause(Side.ALERTS, at(HOUR), "why", pages=True), (Kind.ALERT_NOTE,)),)),
            ("Paused: Opsgenie by somebody since 10:00 UTC (less than 1 s), pages too: why; 1 note waits"),
        ),
        (
            report(
                paging=Paging(
                    (
                        WaitingPage("a", at(480), REFUSAL),
                        WaitingPage("b", at(HOUR - 31), ""),
                        WaitingPage("c", at(HOUR), ""),
                    )
                )
            ),
            "2 pages wait: PagerDuty answers 503 since 09:08 UTC (52 min)",
        ),
        (
            report(paging=Paging((WaitingPage("a", at(480), ""),))),
            "1 page waits: since 09:08 UTC (52 min)",
        ),
        (
            report(paging=Paging((), (WaitingPage("a", at(480), REFUSAL),), (BARE, BARE))),
            (
                'Nobody is paged for #17 "Disk full", incident #4711 and 1 more: incident #4711 is assigned to '
                "the automation user alone; 1 page is dead: PagerDuty answers 503 since 09:08 UTC (52 min)"
            ),
        ),
        (
            report(troubles=(AWAY,)),
            "In trouble: Opsgenie: no connection could be made since 09:50 UTC (10 min)",
        ),
        (
            report(polled={Side.ALERTS: at(HOUR - 600), Side.PAGERDUTY: at(HOUR)}),
            "Late: Opsgenie was polled 10 min ago",
        ),
        (
            report(polled={Side.ALERTS: at(HOUR), Side.PAGERDUTY: None}),
            "Late: PagerDuty has never been polled",
        ),
        (
            report(entries=(DEAD,)),
            "1 note dead, until `reconciler retry`; else 12 open pairs, both sides polled 3 s ago",
        ),
        (
            report(entries=(NOTE,), oldest=at(HOUR - 40)),
            "At work: 1 note not done yet, the oldest for 40 s; 12 open pairs, both sides polled 3 s ago",
        ),
        (
            report(apart=(Apart(pair(), Side.ALERTS, at(0), on_purpose=False, why="?"),)),
            "1 pair apart, not on purpose; 12 open pairs, both sides polled 3 s ago",
        ),
        (
            report(apart=(Apart(pair(), Side.ALERTS, at(0), on_purpose=True, why="a rule"),)),
            "In step: 12 open pairs, both sides polled 3 s ago",
        ),
    ],
)
def test_the_headline_says_the_worst_with_since_when_and_why(given: StatusReport, said: str) -> None:
    assert headline(given, 10.0) == said


def test_a_refused_call_is_told_by_its_status_and_any_other_error_whole() -> None:
    assert cause(REFUSAL) == "PagerDuty answers 503"
    assert cause("Opsgenie: GET /v2/alerts: 429") == "Opsgenie answers 429"
    assert cause("PAGERDUTY_API_KEY: is refused") == "PAGERDUTY_API_KEY: is refused"
