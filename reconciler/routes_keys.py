"""The keys of a route's table: which there are, which variable each sets, and what a value of TOML becomes.

A key is a variable's name in lower case, or its alias, with `_file` for a secret, or one of the short names below.
Each value becomes the text that the variable would have in the environment, and is parsed as that.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_origin

from reconciler.settings import Settings, variables
from reconciler.settings_names import meant
from reconciler.settings_sources import Layer
from reconciler.settings_texts import Wrong, as_key, shown

PROCESS_WIDE = frozenset(
    {
        "ALERT_SHADOW", "ALLOW_PLAIN_HTTP", "DATABASE_URL", "HEARTBEAT_INTERVAL_SECONDS", "HEARTBEAT_URL",
        "HTTP_LISTEN", "JSM_WEBHOOK_INTEGRATION_ID", "JSM_WEBHOOK_SECRET", "LOG_FORMAT", "LOG_LEVEL",
        "OPSGENIE_HEARTBEAT", "OPSGENIE_INTEGRATION_ID", "OPSGENIE_WEBHOOK_SECRET", "PAGERDUTY_WEBHOOK_SECRET",
        "POLL_INTERVAL_SECONDS", "REMIND_SECONDS", "RETENTION_SECONDS", "ROUTES_FILE", "STATUS_LISTEN",
        "STATUS_PASSWORD",
    }
)  # fmt: skip
"""Variables that hold for all routes of a process, and are set in its environment only."""
SHARED = "shared"
"""The key that no variable stands behind: whether an alert may go to other routes that say so, too."""
_PRIORITIES = ("P1", "P2", "P3", "P4", "P5")


@dataclass(frozen=True, slots=True)
class Key:
    """What a key sets, X_FILE for a secret, and how its value becomes that variable's text."""

    variable: str
    text: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table's settings as a layer, whether it is shared (None: it does not say), and what is wrong.

    `broken` are the variables whose problem is told already.
    """

    layer: Layer
    is_shared: bool | None = None
    broken: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise Wrong(f"is {_kind(value)}; write a text in quotes")


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f'is {_kind(value)}; give a number of seconds, or a text such as "15m"')
    try:
        return str(value)
    except ValueError:  # it has thousands of digits
        raise Wrong("is too large a number; give seconds") from None


def _list(value: Any) -> str:
    """A comma-separated list; an empty one is `none`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Wrong(f"is {_kind(value)}; give a list of texts, or one text with commas")
    return ",".join(value) or "none"


def _urgency(value: Any) -> str:
    """The priorities of high urgency, from a table of all: those that it does not name are high."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Wrong(f'is {_kind(value)}; give a table such as {{ P1 = "high", P4 = "low" }}')
    for priority, urgency in value.items():
        if priority not in _PRIORITIES:
            raise Wrong(f"{shown(priority)} is no priority; give P1 to P5")
        if urgency not in {"high", "low"}:
            raise Wrong(f'{shown(urgency)} is no urgency; give "high" or "low"')
    return _list([priority for priority in _PRIORITIES if value.get(priority) != "low"])


def _names(value: Any) -> str:
    """PagerDuty's priorities, from a table of their names by the alert's."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Wrong(f'is {_kind(value)}; give a table such as {{ P1 = "SEV-1", P2 = "SEV-2" }}')
    for name in value.values():
        if "," in name:
            raise Wrong(
                f"{shown(name)} has a comma, which no name may have here; rename the priority in PagerDuty"
            )
    return ",".join(f"{priority}={name}" for priority, name in value.items())


_SHORT = {
    "query": Key("{source}_QUERY", _words),
    "service": Key("PAGERDUTY_SERVICE_ID", _words),
    "urgency": Key("HIGH_URGENCY_PRIORITIES", _urgency),
    "priority": Key("PAGERDUTY_PRIORITIES", _names),
    "title": Key("INCIDENT_TITLE", _words),
    "details": Key("INCIDENT_DETAILS", _list),
}
"""Keys that are no variable's name. `{source}` is the product that the route's alerts are read from."""


@cache
def keys(source: str) -> Mapping[str, Key]:
    """Every key of a route that reads its alerts from this product, but `shared`, in the contract's order."""
    found = {name: Key(each.variable.format(source=source.upper()), each.text) for name, each in _SHORT.items()}
    for name, variable in variables().items():
        if name in PROCESS_WIDE:
            continue
        key = Key(f"{name}_FILE", _words) if variable.secret else Key(name, _form(name))
        found |= {written.lower(): key for written in (key.variable, variable.alias) if written}
    return found


def _form(name: str) -> Callable[[Any], str]:
    """What a value of TOML becomes for this variable."""
    kind = Settings.model_fields[name.lower()].annotation
    if kind is float:
        return _number
    return _list if get_origin(kind) is tuple else _words


def read_table(place: str, table: Mapping[str, Any], source: str, folder: Path) -> Table:
    """The table's settings. `place` names it in messages, and paths are relative to `folder`."""
    known = keys(source)
    texts: dict[str, str] = {}
    written: dict[str, str] = {}
    broken: set[str] = set()
    problems: list[str] = []
    is_shared: bool | None = None
    for key, value in table.items():
        try:
            if key == SHARED:
                is_shared = _yes_or_no(value)
                continue
            if key not in known:
                broken.add(key.upper())
                raise Wrong(_unknown(key, known))  # noqa: TRY301 - told below, as what the forms raise
            variable = known[key].variable
            broken.add(variable.removesuffix("_FILE"))
            if variable in written:
                raise Wrong(f"and {written[variable]} are names of one setting; remove one of them")  # noqa: TRY301
            text = known[key].text(value).strip()
        except Wrong as wrong:
            problems.append(f"{place} {as_key(key)}: {wrong}")
            continue
        broken.discard(variable.removesuffix("_FILE"))
        written[variable] = key
        texts[variable] = str(folder / text) if text and variable.endswith("_FILE") else text
    return Table(Layer(place, texts, keys=written), is_shared, frozenset(broken), tuple(problems))


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"is {_kind(value)}; give true or false, without quotes")
    return value


def _unknown(key: str, known: Mapping[str, Key]) -> str:
    """Why there is no such key, and what to do instead."""
    every = variables()
    variable = key.upper().removesuffix("_FILE")
    if PROCESS_WIDE & {variable, key.upper()}:
        return f"holds for the whole process, not for a route; set {key.upper()} in the environment or in .env"
    if variable in every and every[variable].secret:
        return (
            "is a secret, and a routes file is no place for one: it is shown, copied and stored openly, for "
            f"example as a ConfigMap; write the value into a file and give its path as {key.lower()}_file"
        )
    names = [SHARED, *known]
    near = meant(key, [name.upper() for name in names]).lower()
    near = near or next(iter(difflib.get_close_matches(key.lower(), names, n=1)), "")
    return f"there is no such key; {f'perhaps {near} is meant' if near else 'docs/routes.md lists all'}"


_KINDS: Mapping[type, str] = {
    bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table",
}  # fmt: skip


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a date or time")
