"""What is assumed about the vendors without being documented, and the settings of the sandbox that turn it round.

A row is one other value that a fact may have. The scenarios run once for each row: in the simulation
(`tests/simulation/test_assumptions.py`) and, by `make assumptions`, through the installed command. What is
assumed, where, and what follows if it is false is in `docs/assumptions.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OPSGENIE, JSM = "opsgenie", "jsm"
STATES, WEBHOOKS, STORY, LONG_NOTES, DOUBT = "states", "webhooks", "story", "long notes", "doubt"
"""Histories of the simulation: every change of state alone; the same with webhooks; the canned story; the same
with long notes; the same with creations whose answers are lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A fact turned round.

    `settings` are those of the sandbox, `source` is the product that raises the alerts, and `history` is the one
    that shows a difference best. `differs`: patterns of findings of the simulation's oracle that are no fault of
    the product, each with its reason; usually there are none. `scenarios`: those of tests of `make assumptions`.
    """

    settings: Mapping[str, Any]
    source: str = OPSGENIE
    history: str = STATES
    differs: Mapping[str, str] = field(default_factory=dict)
    scenarios: Mapping[str, str] = field(default_factory=dict)


_NOBODY_NAMED = {
    "LOST *'s unacknowledge told in PagerDuty: *": "no answer names who it was: the note says somebody",
    "LOST *'s acknowledge told in PagerDuty: *": "the same",
}
_SERVICE_NAMED = {
    "WRONG NAME *: alert unacknowledged *": "no answer names who it was",
    "LOST *'s unacknowledge in the alert's log: *": "the same: it is there under another name",
}
_NOT_PAGED = {"test_a_customers_unacknowledgement_pages_again": "nothing pages: a note has the words"}
_STAYS_ACKNOWLEDGED = {
    "LEFT 1 planned": "it is tried for an hour, reported, and a note on the incident has the customer's words",
    "NOT QUIET *": "the same",
    "STORM *": "the same: every known way is tried each time",
    "STATE alert not acknowledged, incident acknowledged, *": "the same",
    "LOST page: *": "the same, for an incident that PagerDuty has acknowledged at its creation",
}
_PAGED_LATE = {
    "PAGED * pages (retriggered) *": "PagerDuty notified the automation user alone: the next one on call is paged",
    "STORM *": "the ways to page somebody are tried one after the other",
}
_PAGES_ALONE = {
    "LEFT * planned": "waits for a key of the automation user, which is reported",
    "LOST * told in PagerDuty: *": "the same",
    "LOST *'s note * in PagerDuty: *": "the same",
    "LOST second incident * named in PagerDuty: *": "the same",
    "LOST the alert's details in PagerDuty: *": "the same",
    "STATE *": "the same",
    "LOST page: *": "the same, for an incident that PagerDuty has acknowledged at its creation",
}
_CLOSED = {
    "LEFT * planned": "sent again for hours, and then reported as dead",
    "LOST *'s note * in Opsgenie: *": "nothing can be written to a closed alert",
    "LOST * told in Opsgenie: *": "the same",
}
_IN_PARTS = {"STORM *": "each part of a note is a write"}
_SECOND = {
    "TWICE incidents: *": "documented: the second incident is named on both sides, and a person merges it",
    "LOST second incident * named *": "it is the first one that is named, as the second one is followed",
    "LOST *'s note * in Opsgenie: *": "what people do on the incident that is not followed stays there",
    "LOST * told in Opsgenie: *": "the same",
}
_UNNAMED = {"test_a_customers_unacknowledgement_pages_again": "the note says somebody"}
_ONE_RUN = {"*": "one run of `once` may be answered by the older copy; the next run, or poll, mirrors it"}


def _unacknowledges(*ways: str, **more: Any) -> Assumption:
    return Assumption(settings={"unacknowledge_ways": ways, "other_ways_refused": True}, **more)


ASSUMPTIONS: dict[str, Assumption] = {
    # Either vendor
    "new things are 404 by id for a while": Assumption(settings={"fresh_404": 4.0}, history=DOUBT),
    "every second read by id is old": Assumption(
        settings={"step_back": 12.0}, history=WEBHOOKS, differs=_NOBODY_NAMED, scenarios=_ONE_RUN
    ),
    # Opsgenie
    "notes do not move updatedAt": Assumption(settings={"notes_bump_updated_at": False}, history=STORY),
    "un-acknowledging does not move updatedAt": Assumption(settings={"unacknowledge_bumps_updated_at": False}),
    "un-acknowledging leaves the report": Assumption(settings={"unacknowledge_clears_report": False}),
    "the log says un acknowledged": Assumption(settings={"log_unacknowledge_words": "Alert un acknowledged"}),
    "the log says acknowledgement removed": Assumption(
        settings={"log_unacknowledge_words": "Acknowledgement removed"}
    ),
    "the log says that System acknowledged": Assumption(
        settings={"log_owner": "system"}, differs=_NOBODY_NAMED, scenarios=_UNNAMED
    ),
    "notes of the API bear no name": Assumption(settings={"note_owner": "api"}, history=STORY),
    "offsets differ from call to call": Assumption(settings={"note_offsets": "fresh"}, history=STORY),
    "notes are short": Assumption(settings={"note_limit": 200}, history=LONG_NOTES, differs=_IN_PARTS),
    "closed alerts take no notes": Assumption(
        settings={"closed_notes_fail": True}, history=STORY, differs=_CLOSED
    ),
    "the last page has a next one": Assumption(settings={"last_page_has_next": True}, history=STORY),
    "pages overlap": Assumption(settings={"pages_overlap": True, "last_page_has_next": True}, history=STORY),
    "acts that change nothing fail": Assumption(settings={"repeated_acts": "fail"}),
    "acts that change nothing succeed": Assumption(settings={"repeated_acts": "succeed"}),
    "acknowledging again changes the owner": Assumption(settings={"repeated_acts": "take_over"}),
    "outcomes are soon forgotten": Assumption(settings={"receipt_life": 0.1}),
    "outcomes are never told": Assumption(settings={"receipts_stay_pending": True}),
    # PagerDuty
    "status un-acknowledges": _unacknowledges("status"),
    "level 1 un-acknowledges": _unacknowledges("level 1", "assignment"),
    "level 2 un-acknowledges": _unacknowledges("level 2", "assignment"),
    "the policy un-acknowledges": _unacknowledges("policy"),
    "assignments alone un-acknowledge": _unacknowledges("assignment"),
    "nothing un-acknowledges": Assumption(
        settings={"unacknowledge_ways": ()}, differs=_STAYS_ACKNOWLEDGED, scenarios=_NOT_PAGED
    ),
    "all that un-acknowledges is refused": _unacknowledges(differs=_STAYS_ACKNOWLEDGED, scenarios=_NOT_PAGED),
    "un-acknowledgements are the service's": Assumption(
        settings={"manual_unacknowledge_log": "service"}, differs=_SERVICE_NAMED
    ),
    "un-acknowledgements are nobody's": Assumption(
        settings={"manual_unacknowledge_log": "no_agent"}, differs=_SERVICE_NAMED
    ),
    "un-acknowledgements are not logged": Assumption(
        settings={"manual_unacknowledge_log": "none"}, differs=_SERVICE_NAMED
    ),
    "our acts are the service's": Assumption(settings={"api_log_agent": "service"}),
    "our acts are nobody's": Assumption(settings={"api_log_agent": "no_agent"}),
    "the log is in ascending order": Assumption(settings={"log_order": "asc"}),
    "since is exclusive": Assumption(settings={"since_exclusive": True}),
    "until in the future is refused": Assumption(settings={"until_future_refused": True}),
    "the log is 2 s late": Assumption(settings={"log_lag": 2.0, "own_log_lag": 2.0}, history=WEBHOOKS),
    "the log is 20 s late": Assumption(settings={"log_lag": 20.0, "own_log_lag": 20.0}, history=WEBHOOKS),
    "the log cuts notes": Assumption(settings={"note_log_cut": 3}, history=STORY),
    "the automation user is on call": Assumption(
        settings={"bot_on_call": True}, history=STORY, differs=_PAGED_LATE
    ),
    "on call, and created triggered": Assumption(
        settings={"bot_on_call": True, "born_acknowledged": False}, differs=_PAGED_LATE
    ),
    "who acknowledges is assigned": Assumption(settings={"ack_assigns": True}, differs=_PAGED_LATE),
    "the key is a user's": Assumption(settings={"user_token": "PZOE001"}, differs=_PAGES_ALONE),
    "the key is a user's, and From wins": Assumption(
        settings={"user_token": "PZOE001", "from_wins": True}, differs=_PAGES_ALONE
    ),
    "users are searched by name": Assumption(settings={"user_query": "name"}, history=STORY),
    "users are searched by e-mail": Assumption(settings={"user_query": "email"}, history=STORY),
    "urgency is refused": Assumption(settings={"urgency_refused": True}, history=STORY),
    "titles are short": Assumption(settings={"title_limit": 100}, history=LONG_NOTES),
    "bodies are short": Assumption(settings={"body_limit": 100}, history=STORY),
    "notes of incidents are short": Assumption(settings={"pagerduty_note_limit": 200}, history=LONG_NOTES),
    "a second key is refused once listed": Assumption(
        settings={"key_reuse": "unlisted", "list_lag": 5.0}, history=DOUBT, differs=_SECOND
    ),
    "a second key makes a second incident": Assumption(settings={"key_reuse": "allowed"}, history=DOUBT),
    "a second key answers the first incident": Assumption(settings={"key_reuse": "merged"}, history=DOUBT),
    "a merge hides the key": Assumption(settings={"merge_hides_key": True}, history=STORY),
    "an incident's alerts are 404": Assumption(settings={"own_alerts_404": True}, history=STORY),
    "acknowledging again is refused": Assumption(settings={"reacknowledge_refused": True}, history=STORY),
    "acknowledging does not reopen": Assumption(settings={"acknowledge_reopens": False}, history=STORY),
    "notes move an incident's stamp": Assumption(settings={"notes_bump_incident": True}, history=STORY),
    # JSM
    "JSM: notes are in ascending order": Assumption(
        settings={"jsm_notes_order": "asc"}, source=JSM, history=STORY
    ),
    "JSM: sort=updatedAt is ignored": Assumption(settings={"jsm_sort_updated_at": "ignore"}, source=JSM),
    "JSM: sort=updatedAt works": Assumption(settings={"jsm_sort_updated_at": "work"}, source=JSM),
    "JSM: status says acked": Assumption(settings={"jsm_status_words": "acked"}, source=JSM),
    "JSM: users are e-mail addresses": Assumption(settings={"jsm_owner_form": "email"}, source=JSM),
    "JSM: users are account ids": Assumption(settings={"jsm_owner_form": "account_id"}, source=JSM),
    "JSM: notes do not move updatedAt": Assumption(
        settings={"jsm_notes_bump_updated_at": False}, source=JSM, history=STORY
    ),
    "JSM: outcomes are never told": Assumption(settings={"jsm_request_404": True}, source=JSM),
}

ELSEWHERE = {
    "service_status": "tests/system/web/test_probes.py",
    "nobody_on_call": "tests/unit/operations/test_doctor.py",
    "bot_role": "tests/integration/sandbox/pagerduty/test_account.py",
    "plan_lacks_ability": "tests/support/simulation/schedule.py",
    "refused_incidents": "tests/support/simulation/schedule.py",
    "priorities": "tests/system/test_priorities.py",
    "jsm_ids": "tests/support/simulation/moves.py",
    "jsm_note_ids": "tests/support/simulation/moves.py",
    "jsm_migrated": "tests/support/simulation/moves.py",
    "jsm_sync": "tests/support/simulation/moves.py",
    "opsgenie_mode": "tests/unit/sandbox/jsm/test_sync.py",
    "jsm_plan": "tests/unit/sandbox/jsm/test_writes.py",
}
"""Uncertain settings that are troubles by themselves or parts of a move, and the file that tries them."""
