"""What the status page shows of a report."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.shadow import Comparison
from reconciler.observability.naming import STATES
from reconciler.operations.config import Configuration, Line
from reconciler.operations.decisions import Decision
from reconciler.operations.divergence import Apart
from reconciler.operations.lag import lag_of
from reconciler.operations.pausing import Held
from reconciler.operations.status import Entry as Open
from reconciler.operations.status import StatusReport
from reconciler.store.lags import Mirrored
from reconciler.store.overview import Lead, Paging, WaitingPage
from reconciler.store.standbys import Standby
from reconciler.store.troubles import KeptTrouble
from reconciler.web.status_view import _EMPTY, Served, Snapshot, StatusView, status_view
from reconciler.web.view import Cell, Table
from tests.support.builders import ALERT_ID, action, at, pair

NOW = at(100)
LINES = (
    Line("PAGERDUTY_API_KEY", "set, 20 characters", "environment", secret=True),
    Line("STATUS_PASSWORD", "", "default", secret=True),
    Line("DATABASE_URL", "postgresql://u:***@db/name", ".env, line 3", secret=True),
    Line("OPSGENIE_QUERY", "", "default"),
    Line("LOG_LEVEL", "INFO", "default"),
)
SERVED = Served("pod-1:1:ab", 10.0, Configuration(LINES), "DEBUG")


def view(*decisions: Decision, **given: Any) -> StatusView:
    usual: dict[str, Any] = {"polled": dict.fromkeys(Side, at(97)), "open_pairs": 4}
    report = StatusReport(NOW, "sqlite:///r.db", **(usual | given))
    return status_view(Snapshot(report, decisions, lag_of(Mirrored(), NOW)), SERVED)


def texts(of: Table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row) for row in of.rows]


def only(found: StatusView) -> Table:
    (table,) = found.tables
    return table


def test_a_quiet_day_is_told_in_one_sentence() -> None:
    found = view()
    assert found.headline == "In step: 4 open pairs, both sides polled 3 s ago"
    assert (found.verdict, found.is_good, found.tables) == ("Nothing needs attention", True, ())
    assert found.empty == (
        "Nothing is paused, nothing is in trouble, every incident pages somebody, nothing is dead, no outcome is "
        "unknown, nothing is in flight, nothing waits to be written, no pair is apart."
    )
    assert found.lag == "Nothing was mirrored in the last day."
    assert found.counts[0] == ("open pairs", 4, "")
    assert [name for name, *_ in found.counts[1:]] == [*STATES]


def test_nothing_is_said_of_incidents_that_page_nobody_while_a_page_waits_or_is_dead() -> None:
    waiting = WaitingPage("a-1", at(0), "400")
    for paging in (Paging(waiting=(waiting,)), Paging(dead=(waiting,))):
        assert "every incident pages somebody" not in view(paging=paging).empty
        assert "nothing is paused" in view(paging=paging).empty.lower()


def test_what_is_unknown_or_apart_without_a_rule_needs_nobody_yet() -> None:
    apart = Apart(pair(), Side.PAGERDUTY, at(40), on_purpose=False, why="")
    unknown = Open(action(Kind.PAGERDUTY_NOTE, status=Status.SENT, error="no answer"), pair(), at(90))
    for given in ({"apart": (apart,)}, {"entries": (unknown,)}):
        found = view(**given)
        assert (found.verdict, found.is_good) == ("Nothing to do yet", True)
    assert view(apart=(replace(apart, on_purpose=True),)).verdict == "Nothing needs attention"


@pytest.mark.parametrize(
    ("status", "error", "name", "title"),
    [
        (Status.DEAD, "422", "dead", "Dead"),
        (Status.SENT, "no answer", "unknown", "Unknown"),
        (Status.SENT, "", "in-flight", "In flight"),
        (Status.PLANNED, "", "planned", "Planned"),
    ],
)
def test_an_action_stands_in_the_table_of_its_state(status: Status, error: str, name: str, title: str) -> None:
    made = action(Kind.PAGERDUTY_NOTE, status, error=error, attempts=2)
    found = view(entries=(Open(made, pair(), at(60)),), counts={name: 1})
    table = only(found)
    assert (table.name, table.title) == (name, title)
    assert texts(table) == [
        ('#17 "Disk full"', "incident #4711", "pagerduty.add_note", "40 s", "2", error or "because")
    ]
    assert (table.commands == ("reconciler retry --all",)) is (name == "dead")
    assert found.is_good is (status is not Status.DEAD)
    assert _EMPTY[name] not in found.empty.lower()


def test_what_is_dead_or_unknown_stands_out_among_the_numbers() -> None:
    found = view(counts={"dead": 2, "unknown": 1, "done": 5, "planned": 3})
    assert {name for name, _, tone in found.counts if tone} == {"dead", "unknown"}


def test_twenty_rows_are_shown_and_the_rest_is_counted() -> None:
    made = action(Kind.PAGERDUTY_NOTE, Status.DEAD)
    table = only(view(entries=tuple(Open(made, pair(), at(60)) for _ in range(25))))
    assert (len(table.rows), table.count, table.more) == (20, 25, "… and 5 more")


def test_what_is_paused_in_trouble_unpaged_or_apart_has_a_table() -> None:
    nobody = replace(pair(), unpaged="assigned to nobody")
    found = view(
        pauses=(Held(Pause(Side.PAGERDUTY, at(40), "maintenance", "ops@host")),),
        troubles=(KeptTrouble("opsgenie", at(40), "OPSGENIE_API_KEY: refused"),),
        paging=Paging(unpaged=(nobody,)),
        apart=(Apart(pair(), Side.PAGERDUTY, at(40), on_purpose=True, why="a policy"),),
    )
    tables = {each.name: texts(each) for each in found.tables}
    assert [*tables] == ["paused", "in-trouble", "unpaged", "apart"]
    assert "by ops@host since 09:00 UTC (60 s)" in tables["paused"][0][0]
    assert tables["in-trouble"] == [("OPSGENIE_API_KEY: refused, since 09:00 UTC (60 s)",)]
    assert tables["unpaged"] == [('#17 "Disk full"', "incident #4711", "assigned to nobody")]
    assert tables["apart"][0][2:] == ("60 s", "acknowledged in PagerDuty, not in Opsgenie; on purpose: a policy")


@pytest.mark.parametrize(
    ("lead", "role"),
    [(Lead("pod-1:1:ab", 1), "the leader"), (Lead("pod-2:1:cd", 1), "pod-1:1:ab, which stands by")],
)
def test_the_page_says_which_process_it_is_from(lead: Lead, role: str) -> None:
    found = dict(view(lead=lead, standbys=(Standby("pod-3:1:ef", at(90)),)).process)
    assert found["page from"] == role
    assert found["standing by"] == "pod-3:1:ef"
    assert dict(view().process)["standing by"] == "nobody"


def decision(event: Event, **given: Any) -> tuple[Cell, ...]:
    """The row of a decision."""
    found = view(Decision(Entry(at(90), event, **({"alert_id": ALERT_ID} | given)), pair()))
    assert found.decisions.title == "The last 1 decision"
    (row,) = found.decisions.rows
    return row


def test_a_decision_names_time_pair_act_person_and_reason() -> None:
    words = "Ana Ruiz added a note"
    time, alert, what, who, why = decision(
        Event.PLANNED, side=Side.PAGERDUTY, kind=Kind.PAGERDUTY_NOTE, who="Ana Ruiz", words=words
    )
    assert (time.text, alert) == ("09:01:30", Cell('#17 "Disk full"', "/pairs/a-1"))
    assert (what, who.text, why.text) == (
        Cell("planned pagerduty.add_note"),
        "the reconciler, for Ana Ruiz",
        words,
    )
    seen = decision(Event.SEEN, side=Side.ALERTS, who="Ana Ruiz")
    assert seen[3].text == "Ana Ruiz"
    retried = decision(Event.RETRIED, kind=Kind.PAGERDUTY_NOTE, who="ops@bastion")
    assert retried[3].text == "ops@bastion"


def test_a_decision_without_a_person_pair_or_words_says_so() -> None:
    assert decision(Event.SEEN, side=Side.ALERTS)[2:4] == (Cell("seen in Opsgenie"), Cell("not named"))
    assert decision(Event.BASELINE, alert_id="")[1:4] == (
        Cell("all pairs"),
        Cell("baseline"),
        Cell("the reconciler"),
    )
    assert decision(Event.ACCEPTED, request_id="R1")[4] == Cell("request R1")
    assert decision(Event.DEAD)[2].tone == "bad"


def test_settings_are_shown_without_what_they_hide() -> None:
    assert texts(view().settings) == [
        ("PAGERDUTY_API_KEY", "set", "environment"),
        ("STATUS_PASSWORD", "empty", "default"),
        ("DATABASE_URL", "postgresql://u:***@db/name", ".env, line 3"),
        ("OPSGENIE_QUERY", "empty", "default"),
        ("LOG_LEVEL", "DEBUG", "default"),
    ]


def test_a_comparison_with_another_product_is_shown_beside_the_process() -> None:
    seen = Comparison(at(98), {"differs": 2})
    assert ("JSM shadow", "2 differs, looked at 2 s ago") in view(shadow=seen).process
    assert "JSM shadow" not in dict(view().process)
