"""What is assumed about the vendors without being documented, and the settings of the sandbox that turn it round.

A row is one other value that a fact may have. The scenarios run once for each row: in the simulation
(`tests/simulation/test_assumptions.py`) and, by `make assumptions`, through the installed command. What is assumed, where,
and what follows if it is false is in `docs/assumptions.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OPSGENIE, JSM = "opsgenie", "jsm"
EITHER = (OPSGENIE, JSM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A fact turned round.

    `settings` are those of the sandbox, `source` is the product that raises the alerts. `differs` says what is allowed to
    be otherwise than usual, as beginnings of findings of the simulation's oracle, each with its reason: usually nothing.
    """

    settings: Mapping[str, Any]
    source: str = OPSGENIE
    differs: Mapping[str, str] = field(default_factory=dict)


def _unacknowledges(*ways: str) -> Assumption:
    return Assumption(settings={"unacknowledge_ways": ways, "other_ways_refused": True})


ASSUMPTIONS: dict[str, Assumption] = {
    # Either vendor
    "new things are 404 by id for a while": Assumption(settings={"fresh_404": 4.0}),
    "every second read by id is old": Assumption(settings={"step_back": 12.0}),
    # Opsgenie
    "notes do not move updatedAt": Assumption(settings={"notes_bump_updated_at": False}),
    "un-acknowledging does not move updatedAt": Assumption(settings={"unacknowledge_bumps_updated_at": False}),
    "un-acknowledging leaves the report": Assumption(settings={"unacknowledge_clears_report": False}),
    "the log says un acknowledged": Assumption(settings={"log_unacknowledge_words": "Alert un acknowledged"}),
    "the log says acknowledgement removed": Assumption(settings={"log_unacknowledge_words": "Acknowledgement removed"}),
    "the log says that System acknowledged": Assumption(settings={"log_owner": "system"}),
    "notes of the API bear no name": Assumption(settings={"note_owner": "api"}),
    "offsets differ from call to call": Assumption(settings={"note_offsets": "fresh"}),
    "notes are short": Assumption(settings={"note_limit": 200}),
    "closed alerts take no notes": Assumption(settings={"closed_notes_fail": True}),
    "the last page has a next one": Assumption(settings={"last_page_has_next": True}),
    "pages overlap": Assumption(settings={"pages_overlap": True, "last_page_has_next": True}),
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
    "nothing un-acknowledges": Assumption(settings={"unacknowledge_ways": ()}),
    "all that un-acknowledges is refused": _unacknowledges(),
    "un-acknowledgements are the service's": Assumption(settings={"manual_unacknowledge_log": "service"}),
    "un-acknowledgements are nobody's": Assumption(settings={"manual_unacknowledge_log": "no_agent"}),
    "un-acknowledgements are not logged": Assumption(settings={"manual_unacknowledge_log": "none"}),
    "our acts are the service's": Assumption(settings={"api_log_agent": "service"}),
    "our acts are nobody's": Assumption(settings={"api_log_agent": "no_agent"}),
    "the log is in ascending order": Assumption(settings={"log_order": "asc"}),
    "since is exclusive": Assumption(settings={"since_exclusive": True}),
    "until in the future is refused": Assumption(settings={"until_future_refused": True}),
    "the log is 2 s late": Assumption(settings={"log_lag": 2.0, "own_log_lag": 2.0}),
    "the log is 20 s late": Assumption(settings={"log_lag": 20.0, "own_log_lag": 20.0}),
    "the log cuts notes": Assumption(settings={"note_log_cut": 3}),
    "the automation user is on call": Assumption(settings={"bot_on_call": True}),
    "on call, and created triggered": Assumption(settings={"bot_on_call": True, "born_acknowledged": False}),
    "who acknowledges is assigned": Assumption(settings={"ack_assigns": True}),
    "the key is a user's": Assumption(settings={"user_token": "PZOE001"}),
    "the key is a user's, and From wins": Assumption(settings={"user_token": "PZOE001", "from_wins": True}),
    "users are searched by name": Assumption(settings={"user_query": "name"}),
    "users are searched by e-mail": Assumption(settings={"user_query": "email"}),
    "urgency is refused": Assumption(settings={"urgency_refused": True}),
    "titles are short": Assumption(settings={"title_limit": 40}),
    "bodies are short": Assumption(settings={"body_limit": 100}),
    "notes of incidents are short": Assumption(settings={"pagerduty_note_limit": 200}),
    "a second key is refused once listed": Assumption(settings={"key_reuse": "unlisted", "list_lag": 5.0}),
    "a second key makes a second incident": Assumption(settings={"key_reuse": "allowed"}),
    "a second key answers the first incident": Assumption(settings={"key_reuse": "merged"}),
    "a merge hides the key": Assumption(settings={"merge_hides_key": True}),
    "an incident's alerts are 404": Assumption(settings={"own_alerts_404": True}),
    "acknowledging again is refused": Assumption(settings={"reacknowledge_refused": True}),
    "acknowledging does not reopen": Assumption(settings={"acknowledge_reopens": False}),
    "notes move an incident's stamp": Assumption(settings={"notes_bump_incident": True}),
    # JSM
    "JSM: notes are in ascending order": Assumption(settings={"jsm_notes_order": "asc"}, source=JSM),
    "JSM: sort=updatedAt is ignored": Assumption(settings={"jsm_sort_updated_at": "ignore"}, source=JSM),
    "JSM: sort=updatedAt works": Assumption(settings={"jsm_sort_updated_at": "work"}, source=JSM),
    "JSM: status says acked": Assumption(settings={"jsm_status_words": "acked"}, source=JSM),
    "JSM: users are e-mail addresses": Assumption(settings={"jsm_owner_form": "email"}, source=JSM),
    "JSM: users are account ids": Assumption(settings={"jsm_owner_form": "account_id"}, source=JSM),
    "JSM: notes do not move updatedAt": Assumption(settings={"jsm_notes_bump_updated_at": False}, source=JSM),
    "JSM: outcomes are never told": Assumption(settings={"jsm_request_404": True}, source=JSM),
}  # fmt: skip
