"""What `once` prints of a run: as text for people, as one JSON document, and one line for each error."""

from dataclasses import replace

import pytest

from reconciler.cli.rendering import ADVICE, as_data, as_text, errors, is_misconfigured, nothing_written
from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.product import JSM, OPSGENIE
from reconciler.errors import Misconfigured, NotExecuted, RateLimited, ReconcilerError, Refused, Transient
from reconciler.reconcile.problems import Problem
from reconciler.runtime.report import Report
from tests.support.builders import action, at

RAISED = "the alert was raised in Opsgenie"
PAGE = action(Kind.CREATE_INCIDENT, incident_id=None, reason=RAISED, text="Disk full", urgency="high")
NOTE = action(Kind.PAGERDUTY_NOTE, reason="Ana Ruiz added a note", text="any news?")
NAMES = {"a-1": 'Alert #17 "Disk full"'}
LIMITED = RateLimited("PagerDuty's rate limit: 960 a minute; not sent")


def problem(words: str, alert_id: str = "", kind: type[ReconcilerError] = ReconcilerError) -> Problem:
    return Problem(Side.PAGERDUTY, kind(words), alert_id)


# -- text --


def test_a_plan_lists_its_actions_under_the_name_of_their_alert() -> None:
    assert as_text(Report((PAGE, NOTE), names=NAMES), dry_run=True).splitlines() == [
        'Alert #17 "Disk full"',
        "  planned  pagerduty.create_incident   high urgency: the alert was raised in Opsgenie",
        "                                      Disk full",
        "  planned  pagerduty.add_note          Ana Ruiz added a note",
        "                                      any news?",
        "",
        "Plan: 1 pagerduty.add_note, 1 pagerduty.create_incident for 1 pair.",
        "1 person will be paged (1 high urgency), 1 note.",
        nothing_written(OPSGENIE),
    ]


def test_alerts_come_in_the_order_of_their_first_act_and_without_a_name_by_their_id() -> None:
    later = replace(PAGE, alert_id="a-0", at=at(50))
    headings = [line for line in as_text(Report((later, NOTE)), dry_run=True).splitlines() if line[:5] == "Alert"]
    assert headings == ["Alert a-1", "Alert a-0"]


def test_a_run_is_summed_up_by_the_states_of_its_actions() -> None:
    states = (Status.DEAD, Status.PLANNED, Status.DONE, Status.DONE)
    text = as_text(Report(tuple(replace(NOTE, status=status) for status in states)), dry_run=False)
    assert text.splitlines()[-1] == "Done: 2 done, 1 planned, 1 dead."


def test_nothing_to_do_is_said() -> None:
    assert as_text(Report(), dry_run=False) == "Nothing to do."
    assert as_text(Report(), dry_run=True) == f"Plan: nothing to do.\n{nothing_written(OPSGENIE)}"


def test_what_became_of_an_order_is_told_first() -> None:
    report = Report(names=NAMES, orders=(("a-1", "no longer followed"), ("a-2", "linked")))
    assert as_text(report, dry_run=False).splitlines()[:2] == [
        'Alert #17 "Disk full": no longer followed',
        "Alert a-2: linked",
    ]


def test_late_alerts_are_counted_by_what_became_of_them() -> None:
    report = Report(late={"skip": 3, "": 7})
    assert as_text(report, dry_run=False).splitlines()[0] == "3 late alerts: recorded as baselines"
    assert as_data(report, dry_run=False)["late_alerts"] == {"note": 0, "skip": 3}


def test_what_a_pause_holds_back_is_marked_and_its_earlier_failure_is_no_error() -> None:
    paused = Pause(Side.PAGERDUTY, at(0), "maintenance", "ops@host")
    report = Report((PAGE, replace(NOTE, error="503")), pauses=(paused,))
    lines = as_text(report, dry_run=True).splitlines()
    assert "  planned  pagerduty.create_incident   high urgency: the alert was raised in Opsgenie" in lines
    assert "  planned  pagerduty.add_note          Ana Ruiz added a note; 503; waits: paused" in lines
    assert lines[-4].startswith("PagerDuty: paused by ops@host since ")
    assert lines[-4].endswith(": maintenance; 1 note waits")
    assert lines[-2] == "1 person will be paged (1 high urgency).", "what waits is not counted"
    assert as_text(report, dry_run=False).splitlines()[-2] == lines[-4]
    assert errors(report, dry_run=False) == []
    document = as_data(report, dry_run=False)
    assert [each["paused"] for each in document["actions"]] == [False, True]
    assert [(each["side"], each["reason"], each["waiting"]) for each in document["pauses"]] == [
        ("pagerduty", "maintenance", 1)
    ]


def test_an_action_that_failed_gives_its_error_beside_its_reason() -> None:
    failed = replace(NOTE, status=Status.SENT, error="no answer")
    assert "unknown  pagerduty.add_note          Ana Ruiz added a note; no answer" in as_text(
        Report((failed,)), dry_run=False
    )


def test_no_text_of_anybodys_can_forge_a_line_or_a_colour() -> None:
    evil = "\x1b[31mred\rDone: 9 done.\u202e"
    report = Report(
        (replace(NOTE, text=evil, reason=evil),),
        names={"a-1": evil},
        problems=(problem(evil),),
    )
    text = as_text(report, dry_run=False)
    assert all(line.isprintable() for line in (*text.split("\n"), *errors(report, dry_run=False)))
    assert len(text.split("\n")) == 5


# -- JSON --


@pytest.mark.parametrize(
    ("status", "error", "dry_run", "word", "state"),
    [
        (Status.PLANNED, "", True, "planned", "planned"),
        (Status.PLANNED, "", False, "pending", "planned"),
        (Status.SENT, "", True, "pending", "in flight"),
        (Status.SENT, "no answer", False, "pending", "unknown"),
        (Status.DONE, "", False, "done", "done"),
        (Status.DROPPED, "", False, "done", "dropped"),
        (Status.DEAD, "refused", False, "dead", "dead"),
    ],
)
def test_a_state_has_the_contracts_word_and_the_exact_one(
    status: Status, error: str, *, dry_run: bool, word: str, state: str
) -> None:
    report = Report((replace(NOTE, status=status, error=error),))
    (found,) = as_data(report, dry_run=dry_run)["actions"]
    assert (found["status"], found["state"]) == (word, state)


def test_the_document_has_the_contracts_keys_and_no_incident_for_a_creation() -> None:
    found = as_data(Report((PAGE,), (problem("away"),)), dry_run=True)
    assert found == {
        "dry_run": True,
        "actions": [
            {
                "kind": "pagerduty.create_incident",
                "alert_id": "a-1",
                "incident_id": None,
                "status": "planned",
                "state": "planned",
                "reason": "the alert was raised in Opsgenie",
                "text": "Disk full",
                "paused": False,
                "urgency": "high",
            }
        ],
        "pauses": [],
        "late_alerts": {"note": 0, "skip": 0},
        "errors": ["away"],
    }


# -- errors --


def test_a_problem_of_one_alert_names_it() -> None:
    report = Report(problems=(problem("PagerDuty: no connection"), problem("not visible", "a-1")))
    assert errors(report, dry_run=False) == ["PagerDuty: no connection", "not visible (alert a-1)"]


def test_a_failed_action_that_waits_is_an_error_unless_its_side_has_one_or_it_is_a_plan() -> None:
    waiting = replace(NOTE, error="PagerDuty: 503")
    line = "pagerduty.add_note waits: PagerDuty: 503 (alert a-1)"
    assert errors(Report((waiting,)), dry_run=False) == [line]
    assert errors(Report((waiting,)), dry_run=True) == []
    assert errors(Report((waiting,), (problem("away"),)), dry_run=False) == ["away"]
    elsewhere = Problem(Side.ALERTS, NotExecuted("Opsgenie: no connection"))
    assert errors(Report((waiting,), (elsewhere,)), dry_run=False) == ["Opsgenie: no connection", line]


def test_alerts_that_were_not_looked_at_are_counted_with_the_rate_limit_that_stopped_the_run() -> None:
    report = Report(pairs=2500, unread=1200, rate_limited=LIMITED)
    assert errors(report, dry_run=False) == [
        f"1,200 of 2,500 alerts not looked at yet: PagerDuty's rate limit: 960 a minute; {ADVICE}"
    ]


def test_alerts_that_a_vendor_keeps_from_being_looked_at_are_counted_too() -> None:
    assert errors(Report(pairs=3, unread=1), dry_run=True) == [
        f"1 of 3 alerts not looked at yet: a vendor that they need cannot be asked now; {ADVICE}"
    ]


def test_alerts_that_were_read_in_part_only_are_counted_by_themselves_and_left_out_of_the_summary() -> None:
    report = Report((PAGE,), pairs=60, partly=50, rate_limited=LIMITED)
    assert errors(report, dry_run=True) == [
        f"50 of 60 alerts read in part only, and more may follow: PagerDuty's rate limit: 960 a minute; {ADVICE}"
    ]
    assert "Not counted: notes and states of 50 alerts read in part only." in as_text(report, dry_run=True)


def test_a_429_of_the_vendors_cuts_a_source_short_as_our_own_limit_does() -> None:
    refused = NotExecuted("Opsgenie: GET /v2/alerts: 429", 20.0)
    (line,) = errors(Report(problems=(Problem(Side.ALERTS, refused),)), dry_run=True)
    assert line.startswith("Opsgenie: GET /v2/alerts: 429; not every source was read to its end")


def test_a_source_cut_short_by_a_rate_limit_says_that_alerts_may_be_left() -> None:
    (line,) = errors(Report(problems=(Problem(Side.PAGERDUTY, LIMITED),)), dry_run=False)
    assert line == (
        "PagerDuty's rate limit: 960 a minute; not every source was read to its end, and more alerts may be left; "
        + ADVICE
    )


def test_only_what_the_operator_must_change_is_a_misconfiguration() -> None:
    for kind, expected in ((Misconfigured, True), (Refused, True), (Transient, False)):
        assert is_misconfigured(Report(problems=(problem("away"), problem("words", kind=kind)))) is expected


@pytest.mark.parametrize(
    ("left", "dry_run", "words"),
    [
        (12, False, "stopped by SIGTERM: 12 alerts left in the queue, and what was not listed yet; run it again"),
        (1, True, "stopped by SIGTERM: the plan lacks 1 alert, and what was not listed yet; run it again"),
    ],
)
def test_a_run_that_a_signal_ended_says_what_is_left(left: int, words: str, *, dry_run: bool) -> None:
    (line,) = errors(Report(stopped="SIGTERM", left=left), dry_run=dry_run)
    assert line.startswith(words)
    assert errors(Report(left=left), dry_run=dry_run) == [], "what is due later is no error"


def test_a_run_of_jsm_is_told_in_its_words() -> None:
    acknowledge = action(Kind.ALERT_ACKNOWLEDGE, error="503", reason="Jane Doe acknowledged")
    report = Report((acknowledge,), product=JSM, pauses=(Pause(Side.ALERTS, at(0), "move"),))
    text = as_text(report, dry_run=True)
    assert "  planned  jsm.acknowledge " in text
    assert "JSM: paused by" in text
    assert "Plan: 1 jsm.acknowledge for 1 pair." in text
    assert text.endswith("nothing was written, neither to JSM nor to PagerDuty nor to the database.")
    document = as_data(report, dry_run=True)
    assert (document["actions"][0]["kind"], document["pauses"][0]["side"]) == ("jsm.acknowledge", "jsm")
    assert errors(replace(report, pauses=()), dry_run=False) == ["jsm.acknowledge waits: 503 (alert a-1)"]
