"""The sandbox's uncertain facts as the probe finds them out: a setting, and the finding that it changes."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reconciler.probe.findings import Finding, Verdict
from reconciler.probe.steps import STEPS
from tests.support.probing import bench, finding

DIFFERS, SAME, UNSETTLED = Verdict.DIFFERS, Verdict.AS_ASSUMED, Verdict.NOT_SETTLED


@dataclass(frozen=True)
class Row:
    """With these settings `step` answers the question that has the words `question` by `verdict`, and says `seen`.

    `seen` is in the finding or in what follows from it, and not in the same finding without the settings.
    """

    step: str
    knobs: dict[str, Any]
    question: str
    seen: str
    verdict: Verdict = DIFFERS
    source: str = "opsgenie"
    also: tuple[str, ...] = field(default=())
    """Steps to be made before it."""

    def __str__(self) -> str:
        return f"{self.step} {' '.join(f'{name}={value}' for name, value in self.knobs.items())} {self.source}"


WAYS = ("level 1", "level 2", "policy", "assignment", "urgency")
JSM, NAMED = "jsm", "jsm named"
LOW, HIGH = "known call un-acknowledges an incident of low", "known call un-acknowledges an incident of high"
BEHIND, OLDER = "are at most STALENESS_SECONDS", "never show an older state"
OWNER, LOG = "a note's owner", "the log names who acknowledged"
STATUS = "the status of an accepted request"
ROWS = (
    # -- PagerDuty: acknowledgements --
    Row("pagerduty-log", {"own_log_lag": 50.0}, "in the incident's log", "no entry within 20 s"),
    Row("pagerduty-log", {"log_lag": 50.0}, "in the account's log", "not there within 20 s"),
    Row("pagerduty-log", {"api_log_agent": "service"}, "in the incident's log", "by service_reference"),
    Row("pagerduty-log", {"api_log_agent": "no_agent"}, "in the incident's log", "by nobody"),
    Row("pagerduty-end-of-acknowledgement", {"own_log_lag": 60.0}, "The end of an", "the log: no entry"),
    Row("pagerduty-unacknowledge", {"unacknowledge_ways": ()}, LOW, "policy: 200, stays acknowledged"),
    Row("pagerduty-unacknowledge", {"unacknowledge_ways": ()}, HIGH, "level 1: 200, stays acknowledged"),
    Row("pagerduty-unacknowledge", {"unacknowledge_ways": ("level 2",)}, LOW, "policy: 200, stays acknowledged"),
    Row(
        "pagerduty-unacknowledge",
        {"unacknowledge_ways": ("status", *WAYS)},
        "What un-acknowledges an incident of high urgency",
        "without an entry: status",
    ),
    Row("pagerduty-unacknowledge", {"other_ways_refused": True}, HIGH, "Invalid operation (code 2015)", SAME),
    Row("pagerduty-unacknowledge", {"bot_on_call": True}, LOW, "assigned to the automation user alone", SAME),
    Row("pagerduty-urgency", {"urgency_refused": True}, "takes an urgency", "urgency not shown"),
    Row("pagerduty-people", {"user_token": "PJANE01"}, "The key is", "another user's token"),
    Row("pagerduty-people", {"user_token": "PBOT001"}, "The key is", "the automation user's own token", SAME),
    Row("pagerduty-people", {"user_token": "PJANE01"}, "The acknowledger is", "user_reference"),
    Row("pagerduty-people", {"user_token": "PJANE01"}, "A note's author", "user_reference"),
    Row("pagerduty-people", {"user_token": "PJANE01", "from_wins": True}, "The key is", "another user's token"),
    Row("pagerduty-people", {"bot_on_call": True}, "What the automation user creates", "created acknowledged"),
    Row("pagerduty-people", {"ack_assigns": True}, "changes no assignment", "assigned to the automation user"),
    Row("pagerduty-people", {"acknowledger_null": True}, "The acknowledger is", "nobody"),
    # -- time --
    Row("pagerduty-delay", {"list_lag": 60.0}, BEHIND, "list never"),
    Row("pagerduty-delay", {"log_lag": 60.0}, BEHIND, "account's log never"),
    Row("pagerduty-delay", {"list_lag": 20.0}, BEHIND, "STALENESS_SECONDS=60 would be enough", SAME),
    Row("pagerduty-delay", {"step_back": 4.0}, OLDER, "by id went back"),
    Row("pagerduty-fresh", {"fresh_404": 5.0}, "a new incident is found", "found after 5.0 s", SAME),
    Row("pagerduty-fresh", {"fresh_404": 60.0}, "a new incident is found", "not found within 45 s"),
    Row("alert-delay", {"list_lag": 60.0}, BEHIND, "search by state never"),
    Row("alert-delay", {"detail_lag": 8.0}, BEHIND, "by id 8.0 s", SAME),
    Row("alert-delay", {"step_back": 4.0}, OLDER, "by id went back"),
    Row("alert-fresh", {"fresh_404": 5.0}, "a new alert is found", "found after 5.0 s", SAME),
    Row("request-life", {"receipt_life": 0.2}, "knows an accepted request", "404", also=("alert-updated",)),
    # -- notes --
    Row("alert-notes", {"note_offsets": "fresh"}, "is the same at each read", "different ids"),
    Row("alert-notes", {"pages_overlap": True}, "is the same at each read", "different ids"),
    Row("alert-notes", {"last_page_has_next": True}, "notes are listed", "the last page has a next one", SAME),
    Row("alert-notes", {"note_owner": "api"}, OWNER, "nobody in particular (Alert API)"),
    Row("alert-notes", {"name_form": "lower"}, OWNER, "another name"),
    Row("alert-notes", {"note_limit": 5000}, "a note on an alert may have", "5000 are accepted"),
    Row("alert-notes", {"jsm_notes_order": "asc"}, "notes are listed", "oldest first", SAME, JSM),
    Row("alert-notes", {"jsm_owner_form": "email"}, OWNER, "the e-mail address", SAME, JSM),
    Row("alert-notes", {"jsm_owner_form": "account_id"}, OWNER, "the account id", SAME, JSM),
    Row("alert-notes", {"note_limit": 2000}, "a note on an alert may have", "2000 are accepted", source=JSM),
    Row("pagerduty-notes", {"pagerduty_note_limit": 2000}, "a note on an incident may", "2000 are accepted"),
    Row("pagerduty-notes", {"title_limit": 255}, "a title of", "Title is too long"),
    Row("pagerduty-notes", {"body_limit": 1000}, "a body of", "Body details is too long"),
    Row("pagerduty-notes", {"note_log_cut": 100}, "a note is in the incident's log", "with 100 of 300", SAME),
    Row("pagerduty-notes", {"notes_bump_incident": True}, "a note is in the", "updated_at moved", SAME),
    Row("pagerduty-notes", {"log_order": "asc"}, "each note has an id", "oldest first", SAME),
    Row("pagerduty-notes", {"own_log_lag": 60.0}, "a note is in the incident's log", "not within 20 s"),
    # -- acts on alerts --
    Row("alert-updated", {"notes_bump_updated_at": False}, "move updatedAt", "note: not moved"),
    Row("alert-updated", {"unacknowledge_bumps_updated_at": False}, "move updatedAt", "unacknowledge: not moved"),
    Row("alert-updated", {"jsm_notes_bump_updated_at": False}, "move updatedAt", "note: not moved", source=JSM),
    Row("alert-requests", {"write_lag": 3.0}, STATUS, "RequestNotProcessed", SAME),
    Row("alert-requests", {"receipts_stay_pending": True}, STATUS, "not known after 20 s"),
    Row("alert-requests", {"jsm_request_404": True}, STATUS, "not known after 20 s", source=JSM),
    Row("alert-requests", {"writes_fail": True}, "does each act twice", "Something went wrong", UNSETTLED),
    Row("alert-requests", {"repeated_acts": "fail"}, "a second acknowledge", "failed", SAME),
    Row("alert-requests", {"repeated_acts": "succeed"}, "a second unacknowledge", "success", SAME),
    Row("alert-requests", {"repeated_acts": "take_over"}, "a second acknowledge", "changed: owner"),
    Row(
        "alert-requests",
        {"unacknowledge_clears_report": False},
        "unacknowledge is carried out",
        "report.ackTime stays",
        SAME,
    ),
    Row("alert-requests", {"closed_notes_fail": True}, "a closed alert takes notes", "not there"),
    Row("alert-requests", {"log_owner": "system"}, LOG, "lines not understood"),
    Row("alert-requests", {"log_unacknowledge_words": "Alert un acknowledged"}, LOG, "Alert un ack", SAME),
    Row("alert-requests", {"log_unacknowledge_words": "Acknowledgement removed"}, LOG, "removed", SAME),
    Row("alert-requests", {"jsm_owner_form": "email"}, LOG, "by the e-mail address", SAME, JSM),
    # -- refusals and keys --
    Row("pagerduty-keys", {"key_reuse": "allowed"}, "is refused at once", "201 created"),
    Row("pagerduty-keys", {"key_reuse": "merged"}, "is refused while", "201 created"),
    Row("pagerduty-keys", {"key_reuse": "unlisted", "list_lag": 5.0}, "is refused at once", "201 created"),
    Row("pagerduty-keys", {"merge_hides_key": True}, "merged into it", "it shows no key", SAME),
    Row("pagerduty-keys", {"own_alerts_404": True}, "lists the alerts", "404", SAME),
    Row("pagerduty-keys", {"list_lag": 60.0}, "finds an incident by its key after", "finds 0", UNSETTLED),
    Row("pagerduty-refusals", {"reacknowledge_refused": True}, "a second acknowledgement", "code 1002", SAME),
    Row("pagerduty-refusals", {"acknowledge_reopens": False}, "of a resolved incident", "then resolved", SAME),
    Row("pagerduty-refusals", {"bot_role": "observer"}, "asks for what does not exist", "code 1018", UNSETTLED),
    Row("alert-refusals", {"receipts_stay_pending": True}, "an act on an unknown alert", "then nothing"),
    Row("pagerduty-log", {"plan_lacks_ability": True}, "acknowledges an incident", "code 2014", UNSETTLED),
    Row("rates", {"pagerduty_per_minute": 0}, "PagerDuty states its rate limit", "no such header"),
    # -- lists --
    Row("pagerduty-windows", {"until_future_refused": True}, "until a time ahead", "code 2004", SAME),
    Row("pagerduty-windows", {"since_exclusive": True}, "entries of the second", "0 of ours"),
    Row("pagerduty-windows", {"log_order": "asc"}, "list the newest entries first", "otherwise"),
    Row("pagerduty-windows", {"user_query": "name"}, "by the e-mail address", "0 users"),
    Row("jsm-states", {"jsm_status_words": "acked"}, "the words of", "acknowledged: acked", SAME, JSM),
    Row("jsm-owner", {"jsm_owner_form": "email"}, "becomes the owner", "the e-mail address", SAME, JSM),
    Row("jsm-owner", {"jsm_owner_form": "account_id"}, "becomes the owner", "the account id", SAME, JSM),
    Row("jsm-sort", {"jsm_sort_updated_at": "ignore"}, "sort=updatedAt", "ignored", SAME, JSM),
    Row("jsm-sort", {"jsm_sort_updated_at": "work"}, "sort=updatedAt", "honoured", SAME, JSM),
    Row("jsm-states", {"jsm_plan": "lacks_actions"}, "searches for", "does not support", UNSETTLED, JSM),
    Row("jsm-integration", {"jsm_integration_enabled": False}, "carries out", "is disabled", source=NAMED),
    Row("jsm-integration", {"name_form": "integration"}, "shows the name", "another name", source=NAMED),
)
NOT_PROBED = {
    "manual_unacknowledge_log": "what is done by hand on the website",
    "priorities": "a plan without priorities, which a trial account has not",
    "jsm_ids": "a move, which `migrate --check` compares",
    "jsm_migrated": "the same",
    "jsm_sync": "the same",
    "jsm_note_ids": "the same",
    "opsgenie_mode": "the same",
    "service_status": "how a service in another state refuses: the probe needs one that works",
    "nobody_on_call": "how a policy without anybody refuses: the same",
    "refused_incidents": "how an incident of another team is refused: its own are not",
    "born_acknowledged": "differs from its default for a user on call only, which is found by itself",
}
"""Uncertain settings that no step is to find out, and why."""


def rows_of(*functions: object) -> list[Row]:
    """The rows of the steps that these functions carry out."""
    names = {step.name for step in STEPS if step.run in functions}
    return [row for row in ROWS if row.step in names]


def found_with(row: Row) -> Finding:
    """The row's finding. AssertionError if something that the probe has created is still open."""
    made = bench(row.source, **row.knobs)
    result = made.run(row.step, *row.also)
    assert (result.left, made.open()) == ((), [])
    return finding(result, row.question)


@cache
def usual(source: str, step: str, also: tuple[str, ...]) -> tuple[Finding, ...]:
    """What the step finds with the settings' defaults."""
    return bench(source).run(step, *also).findings


def is_told_apart(row: Row) -> None:
    """Assert that the settings change this finding, and that it is as assumed without them."""
    found = found_with(row)
    said = f"{found.seen} {found.follows}"
    assert (found.verdict, row.seen in said) == (row.verdict, True), found
    for each in usual(row.source, row.step, row.also):
        assert each.verdict is SAME, each
        assert each.question != found.question or row.seen not in f"{each.seen} {each.follows}", each
