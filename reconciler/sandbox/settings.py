"""Every knob of the sandbox, in one frozen value that is replaced as a whole."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How the simulated vendors behave. Times are seconds; a rate of 0 is no limit; every trouble is off.

    Both: `latency` passes before each API call is handled; `noise` switches system steps and meaningless log
    entries on; `list_lag` is how far lists and searches are behind; `detail_lag` how far reads by id are (what is
    younger is answered 404).

    Opsgenie: `write_lag` is the time from 202 to the effect; `noise_after` the age at which an escalation step
    moves an open alert's `updatedAt`; `notes_bump_updated_at` whether a note moves it. Troubles:

    - `blind`: the key sees nothing: lists are empty, every alert is answered 404, writes are accepted and fail.
    - `team_tags`: so it is with alerts that have none of these tags, as with the key of a team.
    - `refused_alerts`: 403 for reads and writes of these (ids or tiny ids); they are still listed.
    - `queue_halted`: accepted writes wait, their request status is "not processed yet" all the while; they take
      effect in their order once it is off.
    - `writes_fail`: accepted writes fail instead of taking effect, and their request status says so.
    - `acknowledged_null`: alerts show `acknowledged: null`.
    - `name_form`: how Opsgenie shows the names that API calls give: one of NAME_FORMS.

    PagerDuty: `log_lag` is how far the account's log is behind; `acknowledgement_timeout` None is off;
    `status_triggered_works` lets a plain status "triggered" un-acknowledge; `bot_on_call` puts the automation user
    on call, so that what it creates is born acknowledged; `noise_every` n-th log entry is followed by a
    meaningless one; `duplicate_rows` repeats rows where resolved incidents are listed with others. Troubles
    (uncertain: PagerDuty's documentation does not say which status and words they have):

    - `user_gone`: the automation user does not exist: not listed, and its writes are answered 400/1008.
    - `bot_role`: the automation user's role; one of READ_ONLY_ROLES has its writes refused, 403/1018 (uncertain).
    - `user_token`: the id of the user whose token the key is; empty for an account's key. Writes are this user's
      whatever From says, and `GET /users/me` answers it.
    - `plan_lacks_ability`: every write is answered 402/2014.
    - `service_status`: one of SERVICE_STATUSES; `gone`: reading it is answered 404, creating 400/5002; on a
      `disabled` one or one in `maintenance` creating is answered 400/2001 (uncertain), or with `quiet_service`
      201, and nobody is paged.
    - `nobody_on_call`: nobody is on the escalation policy: creating is answered 400/1015 (uncertain).
    - `own_log_lag`: how far an incident's own log is behind.
    - `refused_incidents`: 403/2010 for reads and writes of these (ids, numbers or keys); they are still listed.
    - `acknowledger_null`: acknowledgements and status changes bear no readable name.
    - `ack_assigns`: who acknowledges becomes the only assignee (uncertain).
    - `until_future_refused`: an `until` that lies in the future is answered 400/2004.
    """

    seed: int = 1
    latency: float = 0.0
    list_lag: float = 0.0
    detail_lag: float = 0.0
    noise: bool = True

    opsgenie_key: str = "sandbox-opsgenie-key"
    write_lag: float = 0.0
    noise_after: float = 600.2
    notes_bump_updated_at: bool = True
    opsgenie_per_minute: int = 0
    blind: bool = False
    team_tags: tuple[str, ...] = ()
    refused_alerts: tuple[str, ...] = ()
    queue_halted: bool = False
    writes_fail: bool = False
    acknowledged_null: bool = False
    name_form: str = ""

    pagerduty_key: str = "sandbox-pagerduty-key"
    log_lag: float = 0.0
    own_log_lag: float = 0.0
    acknowledgement_timeout: float | None = 1800.0
    status_triggered_works: bool = False
    bot_on_call: bool = False
    noise_every: int = 5
    duplicate_rows: bool = True
    pagerduty_per_minute: int = 960
    creations_per_minute: int = 0
    user_gone: bool = False
    bot_role: str = "user"
    user_token: str = ""
    plan_lacks_ability: bool = False
    service_status: str = "active"
    quiet_service: bool = False
    nobody_on_call: bool = False
    refused_incidents: tuple[str, ...] = ()
    acknowledger_null: bool = False
    ack_assigns: bool = False
    until_future_refused: bool = False

    def changed(self, changes: Mapping[str, Any]) -> "SandboxSettings":
        """A copy with some values replaced. ValueError with one line that names the first wrong one."""
        for name, value in changes.items():
            _check(name, value)
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
        }
        return dataclasses.replace(self, **values)

    def as_json(self) -> dict[str, Any]:
        """All knobs by name."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


NAME_FORMS = ("", "lower", "nfc", "nfd", "html", "question", "cut", "integration")
"""As given; in lower case; in a Unicode form; with HTML's entities; `?` for what is not ASCII; cut to 10
characters; the integration's name instead."""
SERVICE_STATUSES = ("active", "warning", "critical", "disabled", "maintenance", "gone")
READ_ONLY_ROLES = ("observer", "read_only_user", "read_only_limited_user")
ROLES = ("admin", "limited_user", "owner", "restricted_access", "user", *READ_ONLY_ROLES)

_OPTIONAL = frozenset({"acknowledgement_timeout"})
_CHOICES = {"name_form": NAME_FORMS, "service_status": SERVICE_STATUSES, "bot_role": ROLES}


def _check(name: str, value: object) -> None:
    """ValueError unless `value` has the kind that the knob has at first."""
    if name not in _DEFAULTS:
        raise ValueError(f"no such setting: {name}")
    if value is None and name in _OPTIONAL:
        return
    wanted = _KINDS[float if name in _OPTIONAL else type(_DEFAULTS[name])]
    fits = isinstance(value, wanted) and isinstance(value, bool) == (wanted == (bool,))
    if not fits or (isinstance(value, int | float) and not 0 <= value < math.inf):
        raise ValueError(f"{name} cannot be {value!r}")
    if isinstance(value, list | tuple) and not all(isinstance(text, str) for text in value):
        raise ValueError(f"{name} must be a list of texts")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"{name} must be one of: {', '.join(filter(None, _CHOICES[name]))}")


_DEFAULTS = dataclasses.asdict(SandboxSettings())
_KINDS: dict[type, tuple[type, ...]] = {
    bool: (bool,), int: (int,), float: (int, float), str: (str,), tuple: (list, tuple),
}  # fmt: skip
