"""The configuration in force: each variable, its value and where it comes from, and what is wrong."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.observability.logs import printable
from reconciler.settings import Settings, variables
from reconciler.settings_reading import Reading, Variable
from reconciler.store.address import exists
from reconciler.store.database import open_database
from reconciler.store.overview import shown
from reconciler.store.source import other_source, source_of

DEFAULT, MISSING = "default", "missing"
_WIDEST = 40
"""Characters of a value beside which its origin still stands in the same column."""


@dataclass(frozen=True, slots=True)
class Line:
    """One variable. `value` is as in .env, without secrets; `origin` is its place, or `default` or `missing`."""

    name: str
    value: str
    origin: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every variable in the contract's order, the problems and the warnings."""

    lines: tuple[Line, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def survey(found: Reading) -> Configuration:
    """The configuration as it was read, whether or not it can be used."""
    warnings = () if found.problems else Settings(**found.values).warnings()
    return Configuration(
        tuple(_line(name, found) for name in variables()), found.problems, (*found.warnings, *warnings)
    )


def against_database(found: Reading) -> tuple[str, ...]:
    """The problem if the database belongs to another product. One that cannot be read is left to doctor."""
    if found.problems:
        return ()
    settings = Settings(**found.values)
    url = settings.database_url.get_secret_value()
    with suppress(ReconcilerError):
        source = source_of(open_database(url)) if exists(url) else None
        if source not in (None, settings.alert_source):
            return (other_source(source or "", settings.alert_source),)
    return ()


def as_data(configuration: Configuration) -> dict[str, Any]:
    """The document that `config --json` prints."""
    return {
        "settings": [
            {"name": line.name, "value": line.value, "origin": line.origin, "secret": line.secret}
            for line in configuration.lines
        ],
        "problems": list(configuration.problems),
        "warnings": list(configuration.warnings),
    }


def as_text(configuration: Configuration) -> str:
    """The text that `config` prints."""
    names = max(len(line.name) for line in configuration.lines)
    values = min(_WIDEST, max(len(line.value) for line in configuration.lines))
    lines = [f"{line.name:<{names}}  {line.value:<{values}}  {line.origin}" for line in configuration.lines]
    for title, told in (("Warnings", configuration.warnings), ("Problems", configuration.problems)):
        lines += ["", f"{title}:", *(f"  {each}" for each in told)] if told else []
    return "\n".join(printable(line).rstrip() for line in lines)


def _line(name: str, found: Reading) -> Line:
    secret = variables()[name].secret
    origin = found.origins.get(name)
    if origin is not None:
        return Line(name, _given(name, found, secret=secret), origin, secret)
    if _is_required(variables()[name], found.values):
        return Line(name, "", MISSING, secret)
    return Line(name, _default(name), DEFAULT, secret)


def _is_required(each: Variable, values: Mapping[str, Any]) -> bool:
    """Whether the variable must be set, with the products that alerts are read from by these values."""
    read_from = (values.get("alert_source", "opsgenie"), values.get("alert_shadow"))
    return bool(each.needs) and (not each.source or each.source in read_from)


def _given(name: str, found: Reading, *, secret: bool) -> str:
    """The value that was given; of a secret only its length, of the database its address without the password."""
    text = found.texts[name]
    if name == "DATABASE_URL" and "database_url" in found.values:
        return shown(found.values["database_url"].get_secret_value())
    if secret:
        return f"set, {len(text)} characters"
    for hidden in found.hidden:  # a key that was given in the wrong variable
        text = text.replace(hidden, "***")
    return text


def _default(name: str) -> str:
    """The default as it would be written in .env."""
    default = Settings.model_fields[name.lower()].default
    if name == "DATABASE_URL":
        return shown(default.get_secret_value())
    if isinstance(default, float):
        return f"{default:g}" if default < 1e6 else f"{default:.0f}"  # noqa: PLR2004 - no exponents
    return ",".join(default) if isinstance(default, tuple) else str(default or "")
