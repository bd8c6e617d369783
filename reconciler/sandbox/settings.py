"""Every knob of the sandbox, in one frozen value that is replaced as a whole."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How the simulated vendors behave. Times are seconds; a rate of 0 is no limit.

    Both: `latency` passes before each API call is handled; `noise` switches system steps and meaningless log
    entries on; `list_lag` is how far lists and searches are behind the detail view.

    Opsgenie: `write_lag` is the time from 202 to the effect; `noise_after` the age at which an escalation step
    moves an open alert's `updatedAt`; `notes_bump_updated_at` whether a note moves it.

    PagerDuty: `log_lag` is how far the account's log is behind; `acknowledgement_timeout` None is off;
    `status_triggered_works` lets a plain status "triggered" un-acknowledge; `bot_on_call` makes what the
    automation user creates be born acknowledged; `noise_every` n-th log entry is followed by a meaningless
    one; `duplicate_rows` repeats rows where resolved incidents are listed with others.
    """

    seed: int = 1
    latency: float = 0.0
    list_lag: float = 0.0
    noise: bool = True

    opsgenie_key: str = "sandbox-opsgenie-key"
    write_lag: float = 0.0
    noise_after: float = 600.2
    notes_bump_updated_at: bool = True
    opsgenie_per_minute: int = 0

    pagerduty_key: str = "sandbox-pagerduty-key"
    log_lag: float = 0.0
    acknowledgement_timeout: float | None = 1800.0
    status_triggered_works: bool = False
    bot_on_call: bool = False
    noise_every: int = 5
    duplicate_rows: bool = True
    pagerduty_per_minute: int = 960
    creations_per_minute: int = 0

    def changed(self, changes: Mapping[str, Any]) -> "SandboxSettings":
        """A copy with some values replaced. ValueError with one line that names the first wrong one."""
        for name, value in changes.items():
            _check(self, name, value)
        return dataclasses.replace(self, **changes)

    def as_json(self) -> dict[str, Any]:
        """All knobs by name."""
        return dataclasses.asdict(self)


_OPTIONAL = frozenset({"acknowledgement_timeout"})


def _check(settings: SandboxSettings, name: str, value: object) -> None:
    """ValueError unless `value` has the kind of what the knob holds now."""
    known = {field.name: field.type for field in dataclasses.fields(settings)}
    if name not in known:
        raise ValueError(f"no such setting: {name}")
    if value is None and name in _OPTIONAL:
        return
    wanted = _KINDS[float if name in _OPTIONAL else type(getattr(settings, name))]
    fits = isinstance(value, wanted) and isinstance(value, bool) == (wanted == (bool,))
    if not fits or (isinstance(value, int | float) and not 0 <= value < math.inf):
        raise ValueError(f"{name} cannot be {value!r}")


_KINDS: dict[type, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}
