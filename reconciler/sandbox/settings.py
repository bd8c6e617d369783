"""The settings of the sandbox ("knobs"): how the simulated vendors behave. One row each, with its meaning."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_type_hints

NAME_FORMS = ("", "lower", "nfc", "nfd", "html", "question", "cut", "integration")
"""As given; in lower case; in a Unicode normal form; with HTML entities; `?` for each character that is not ASCII;
cut to 10 characters; the integration's name instead."""
MOST_SERVICES = 100
REFUSED = "403"
SERVICE_STATUSES = ("active", "warning", "critical", "disabled", "maintenance", "gone")
READ_ONLY_ROLES = ("observer", "read_only_user", "read_only_limited_user")
ROLES = ("admin", "limited_user", "owner", "restricted_access", "user", *READ_ONLY_ROLES)

EVERY = "*"
"""In a list of names: all."""

Names = tuple[str, ...]
States = Mapping[str, str]
"""The state of each of some things, by their ids."""

UNACKNOWLEDGE_WAYS = ("status", "level 1", "level 2", "policy", "assignment", "urgency")
"""What an update of an acknowledged incident may change so that it is triggered again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """A row is `name: Annotated[type, meaning, *choices] = default`. By default every trouble is off.

    Lags and other times are seconds; a limit per minute of 0 is none. "Uncertain" marks what the vendor does not
    document. A knob that refuses something has the status and the code of the answer in its meaning.
    """

    # Both vendors
    seed: Annotated[int, "of the random ids; has an effect at the start only"] = 1
    latency: Annotated[float, "passes before each API call is handled"] = 0.0
    list_lag: Annotated[float, "how far lists and searches lag"] = 0.0
    detail_lag: Annotated[float, "how far reads by id lag; what is younger is answered 404"] = 0.0
    fresh_404: Annotated[float, "for so long a new alert or incident is 404 by id (uncertain)"] = 0.0
    step_back: Annotated[float, "so far behind is the copy that answers every second read by id (uncertain)"] = 0.0
    noise: Annotated[bool, "escalation steps (`noise_after`), meaningless log entries (`noise_every`)"] = True

    # Opsgenie
    opsgenie_key: Annotated[str, "the API key"] = "sandbox-opsgenie-key"
    opsgenie_keys: Annotated[int, "how many keys there are; the second is the first and `-2`"] = 1
    write_lag: Annotated[float, "from the 202 to the effect"] = 0.0
    noise_after: Annotated[float, "age at which an escalation step moves an open alert's `updatedAt`"] = 600.2
    notes_bump_updated_at: Annotated[bool, "whether a note moves `updatedAt` (uncertain)"] = True
    opsgenie_per_minute: Annotated[int, "limit of calls of each key: 429"] = 0
    blind: Annotated[bool, "the key sees nothing: lists are empty, reads 404, accepted writes fail"] = False
    team_tags: Annotated[Names, "alerts with none of these tags are treated so, as with a team's key"] = ()
    refused_alerts: Annotated[Names, "ids or tiny ids; reads and writes 403, still listed"] = ()
    queue_halted: Annotated[bool, "accepted writes stay pending; they take effect in order when it is off"] = False
    writes_fail: Annotated[bool, "accepted writes fail, and their request status says so"] = False
    acknowledged_null: Annotated[bool, "alerts have `acknowledged: null`"] = False
    name_form: Annotated[str, "the form in which names given in API calls are shown", *NAME_FORMS] = ""

    unacknowledge_bumps_updated_at: Annotated[
        bool, "whether taking an acknowledgement back moves `updatedAt` (uncertain)"
    ] = True
    unacknowledge_clears_report: Annotated[
        bool, "whether it removes `report.ackTime` and `acknowledgedBy` (uncertain)"
    ] = True
    log_unacknowledge_words: Annotated[
        str, "how a log entry about it begins (uncertain)",
        "Alert unacknowledged", "Alert un acknowledged", "Acknowledgement removed",
    ] = "Alert unacknowledged"  # fmt: skip
    log_owner: Annotated[
        str, "the owner of log entries about acknowledgements: who acted, or System (uncertain)", "user", "system"
    ] = "user"
    note_owner: Annotated[
        str, "the owner of a note of the API: the user that it names, or Alert API (uncertain)", "user", "api"
    ] = "user"
    note_offsets: Annotated[
        str, "whether a note's or a log entry's `offset` differs from call to call (uncertain)", "stable", "fresh"
    ] = "stable"
    note_limit: Annotated[int, "characters of a note of the API, in JSM too; longer: 422 (uncertain)"] = 25_000
    closed_notes_fail: Annotated[bool, "accepted notes on closed alerts fail (uncertain)"] = False
    last_page_has_next: Annotated[bool, "the last page of notes or log entries has a next one (uncertain)"] = False
    pages_overlap: Annotated[bool, "the next page begins with the last row of the one before (uncertain)"] = False
    repeated_acts: Annotated[
        str,
        "acknowledging what is acknowledged, and un-acknowledging what is not: the first succeeds and the second "
        "fails (mixed), both fail, both succeed, or the first changes the owner (uncertain)",
        "mixed", "fail", "succeed", "take_over",
    ] = "mixed"  # fmt: skip
    receipt_life: Annotated[
        float, "after which the outcome of a write is forgotten: 404 as for an unknown one; 0: never (uncertain)"
    ] = 0.0
    receipts_stay_pending: Annotated[
        bool, "the outcome of a write is RequestNotProcessed for ever (uncertain)"
    ] = False

    # Jira Service Management (JSM), the alerts' side from the beginning or after POST /control/migrate
    jsm_only: Annotated[bool, "alerts live in JSM and never were in Opsgenie; has an effect at the start only"] = (
        False
    )
    jsm_email: Annotated[str, "the e-mail of the user whose API token it is"] = "robot@customer.example"
    jsm_token: Annotated[str, "the API token"] = "sandbox-jsm-token"  # noqa: S105 - no secret
    jsm_key: Annotated[str, "the key of the API integration"] = "sandbox-jsm-key"
    jsm_ids: Annotated[str, "whether alerts that are moved keep their ids (uncertain)", "same", "new"] = "same"
    jsm_migrated: Annotated[
        str, "which alerts are moved; others only Opsgenie has (uncertain)", "all", "open_only", "none"
    ] = "all"
    jsm_sync: Annotated[
        str, "after the move, whose acts appear in the other product (uncertain)", "both", "to_jsm", "none"
    ] = "both"
    sync_lag: Annotated[float, "how much later they do"] = 0.0
    opsgenie_mode: Annotated[
        str, "Opsgenie's API after the move; read_only: writes 403, refused: all 403, off: all 401 (uncertain)",
        "live", "read_only", "refused", "off",
    ] = "live"  # fmt: skip
    jsm_per_minute: Annotated[int, "limit of calls: 429"] = 0
    jsm_scopes: Annotated[Names, "of the token; a write needs read and write: 401"] = ("read", "write")
    jsm_plan: Annotated[
        str, "lacks_actions: accepted writes fail and say so; lacks_api: all calls 402 (uncertain)",
        "enough", "lacks_actions", "lacks_api",
    ] = "enough"  # fmt: skip
    jsm_blind_teams: Annotated[Names, "alerts with one of these tags, `*`: all, are hidden from the token"] = ()
    jsm_alerts_404: Annotated[bool, "the list is answered 404: the alerts are not on this site"] = False
    jsm_request_404: Annotated[bool, "the outcome of an accepted write is never known: 404"] = False
    jsm_integration_enabled: Annotated[bool, "else writes with the key are accepted and fail"] = True
    jsm_sort_updated_at: Annotated[
        str, "sort=updatedAt is 422, ignored, or honoured (uncertain)", "refuse", "ignore", "work"
    ] = "refuse"
    jsm_notes_order: Annotated[str, "the order of notes and log entries (uncertain)", "desc", "asc"] = "desc"
    jsm_notes_bump_updated_at: Annotated[bool, "whether a note moves `updatedAt` (uncertain)"] = True
    jsm_status_words: Annotated[
        str,
        "`status` of an acknowledged or snoozed alert: open, or acked and snoozed (uncertain)",
        "open",
        "acked",
    ] = "open"
    jsm_owner_form: Annotated[str, "how users are shown (uncertain)", "name", "email", "account_id"] = "name"
    jsm_note_ids: Annotated[
        str, "notes that were moved keep the right half of their token as id, or not (uncertain)",
        "token_half", "fresh",
    ] = "token_half"  # fmt: skip

    # PagerDuty
    pagerduty_key: Annotated[str, "the API key"] = "sandbox-pagerduty-key"
    pagerduty_keys: Annotated[int, "how many keys there are; the second is the first and `-2`"] = 1
    services: Annotated[int, "how many services there are, from PSVC001 to PSVC100"] = 1
    log_lag: Annotated[float, "how far the account's log lags"] = 0.0
    own_log_lag: Annotated[float, "how far an incident's own log lags"] = 0.0
    acknowledgement_timeout: Annotated[float | None, "after which an incident is triggered again"] = 1800.0
    unacknowledge_ways: Annotated[
        Names, "the changes that make an acknowledged incident triggered (uncertain)", *UNACKNOWLEDGE_WAYS
    ] = ("level 1", "level 2", "policy", "assignment", "urgency")
    other_ways_refused: Annotated[bool, "the others are answered 400/2015; else they do nothing (uncertain)"] = (
        False
    )
    manual_unacknowledge_log: Annotated[
        str, "the agent of the log entry about a person's un-acknowledgement; none: there is no entry (uncertain)",
        "user", "service", "no_agent", "none",
    ] = "user"  # fmt: skip
    api_log_agent: Annotated[
        str, "the agent of log entries about what the automation user did (uncertain)",
        "user", "service", "no_agent",
    ] = "user"  # fmt: skip
    log_order: Annotated[str, "the order of log entries and of notes (uncertain)", "desc", "asc"] = "desc"
    since_exclusive: Annotated[bool, "log entries of the very second `since` are left out (uncertain)"] = False
    note_log_cut: Annotated[int, "to so many characters a log entry cuts a note's text; 0: never (uncertain)"] = 0
    bot_on_call: Annotated[bool, "the automation user is on call"] = False
    born_acknowledged: Annotated[
        bool, "what the user on call creates begins acknowledged and notifies nobody (uncertain)"
    ] = True
    noise_every: Annotated[int, "a meaningless log entry follows every n-th"] = 5
    duplicate_rows: Annotated[bool, "rows repeat where resolved incidents are listed with others"] = True
    pagerduty_per_minute: Annotated[int, "limit of calls of each key: 429/2020"] = 960
    creations_per_minute: Annotated[int, "limit of creations of incidents: 429/2020"] = 0
    user_gone: Annotated[bool, "the automation user does not exist: not listed, its writes 400/1008"] = False
    bot_role: Annotated[str, "of the automation user; READ_ONLY_ROLES: writes 403/1018 (uncertain)", *ROLES] = (
        "user"
    )
    user_token: Annotated[str, "id of the user whose key it is; makes all writes"] = ""
    from_wins: Annotated[bool, "with a user's key, who From names makes them nevertheless (uncertain)"] = False
    user_query: Annotated[
        str, "what /users?query= searches: names and e-mails, or one of them (uncertain)", "both", "name", "email"
    ] = "both"
    urgency_refused: Annotated[bool, "creations with `urgency`: 400/2001 (uncertain)"] = False
    priorities: Annotated[
        str,
        "the account's: there; none: an empty list; lacking: the list 402/2014; refused: listed. To give an "
        "incident one is 400/1020 unless they are there; not_in_plan: listed, and 402/2014 (uncertain)",
        "there", "none", "lacking", "refused", "not_in_plan",
    ] = "there"  # fmt: skip
    title_limit: Annotated[int, "characters of a title; longer: 400/2001 (uncertain)"] = 1024
    body_limit: Annotated[int, "characters of `body.details`; longer: 400/2001; 0: none (uncertain)"] = 0
    pagerduty_note_limit: Annotated[int, "characters of a note; longer: 400/2001; 0: none (uncertain)"] = 0
    key_reuse: Annotated[
        str, "a creation with the key of an open incident: 400/2002, the same once that one is listed, a second "
        "incident, or 201 with that one (uncertain)", "refused", "unlisted", "allowed", "merged",
    ] = "refused"  # fmt: skip
    merge_hides_key: Annotated[bool, "an incident that others were merged into shows no key (uncertain)"] = False
    own_alerts_404: Annotated[bool, "an incident's alerts are 404 (uncertain)"] = False
    reacknowledge_refused: Annotated[bool, "acknowledging what is acknowledged: 400/1002 (uncertain)"] = False
    acknowledge_reopens: Annotated[bool, "acknowledging what is resolved; else 400/1001 (uncertain)"] = True
    notes_bump_incident: Annotated[bool, "whether a note moves an incident's `updated_at` (uncertain)"] = False
    plan_lacks_ability: Annotated[bool, "every write 402/2014 (uncertain)"] = False
    service_status: Annotated[
        str, "gone: reads 404, creations 400/5002; disabled, maintenance: creations 400/2001 (uncertain)",
        *SERVICE_STATUSES,
    ] = "active"  # fmt: skip
    bad_services: Annotated[
        States, "the same of some services, by their ids; 403: reads and creations 403/2010",
        *SERVICE_STATUSES, REFUSED,
    ] = field(default_factory=dict)  # fmt: skip
    maintenance_in: Annotated[float, "a maintenance window of an hour begins in so many seconds; 0: none"] = 0.0
    quiet_service: Annotated[bool, "disabled and in maintenance: creations 201, nobody is notified"] = False
    nobody_on_call: Annotated[bool, "the escalation policy has nobody: creations 400/1015 (uncertain)"] = False
    refused_incidents: Annotated[
        Names, "ids, numbers or keys; reads and writes 403/2010 (uncertain), still listed"
    ] = ()
    acknowledger_null: Annotated[bool, "the agents of acknowledgements and of changes of status are null"] = False
    ack_assigns: Annotated[bool, "who acknowledges becomes the only assignee (uncertain)"] = False
    until_future_refused: Annotated[bool, "log entries `until` a time in the future: 400/2004 (uncertain)"] = False

    def changed(self, changes: Mapping[str, Any]) -> "SandboxSettings":
        """A copy with some values replaced. ValueError, one line, that names the first wrong one."""
        values = {name: _checked(name, value) for name, value in changes.items()}
        return dataclasses.replace(self, **values)

    def as_json(self) -> dict[str, Any]:
        """All knobs by name, in the order of the table."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def accepted(key: str, count: int) -> tuple[str, ...]:
    """The keys of one API: the first, and further ones that only differ at their ends."""
    return (key, *(f"{key}-{number}" for number in range(2, count + 1)))


def _checked(name: str, value: Any) -> Any:
    """The value as the knob has it: a list becomes a tuple. ValueError unless type, range and choices fit."""
    if name not in _TABLE:
        raise ValueError(f"no such setting: {name}")
    kind, (_, *choices) = _TABLE[name].__origin__, _TABLE[name].__metadata__
    wanted = _JSON_TYPES[kind]
    fits = isinstance(value, wanted) and isinstance(value, bool) == (kind is bool)
    if not fits or (isinstance(value, int | float) and not 0 <= value < math.inf):
        raise ValueError(f"{name} cannot be {value!r}")
    if isinstance(value, list | tuple):
        if not all(isinstance(text, str) for text in value):
            raise ValueError(f"{name} must be a list of texts")
        if choices and not set(value) <= set(choices):
            raise ValueError(f"{name} must be some of: {', '.join(choices)}")
        return tuple(value)
    if isinstance(value, Mapping):
        if not set(value.values()) <= set(choices):
            raise ValueError(f"each of {name} must be one of: {', '.join(choices)}")
        return dict(value)
    if name == "services" and not 1 <= value <= MOST_SERVICES:
        raise ValueError(f"services must be from 1 to {MOST_SERVICES}")
    if choices and value not in choices:
        raise ValueError(f"{name} must be one of: {', '.join(filter(None, choices))}")
    return value


_TABLE = get_type_hints(SandboxSettings, include_extras=True)
_JSON_TYPES: dict[Any, Any] = {
    bool: bool, int: int, float: int | float, float | None: int | float | None, str: str, Names: list | tuple,
    States: Mapping,
}  # fmt: skip
