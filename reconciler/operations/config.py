"""The configuration in force: each variable, its value and where it comes from, and what is wrong."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.observability.logs import printable
from reconciler.routes_keys import PROCESS_WIDE
from reconciler.routes_reading import DEFAULT_ROUTE, RoutesReading
from reconciler.settings import Settings, settings_of, variables
from reconciler.settings_reading import Reading, Variable
from reconciler.store.address import exists
from reconciler.store.database import Database, open_database
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
class OfRoute:
    """What is set for one route, or must be, but for what holds for the whole process."""

    name: str
    is_shared: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every variable in the contract's order, the problems and the warnings.

    With a routes file, `lines` are the variables of the whole process, and `routes` has the others.
    """

    lines: tuple[Line, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    routes: tuple[OfRoute, ...] = ()


def survey(found: Reading) -> Configuration:
    """The configuration as it was read, whether or not it can be used."""
    warnings = () if found.problems else settings_of(found).warnings()
    return Configuration(_lines(found, variables()), found.problems, warnings)


def survey_routes(found: RoutesReading, only: str | None = None) -> Configuration:
    """The same with all routes, or `only` the one of this name; without a routes file, as `survey`."""
    if found.file is None:
        return survey(found.process)
    every = variables()
    process = {name: each for name, each in every.items() if name in PROCESS_WIDE}
    own = {name: each for name, each in every.items() if name not in PROCESS_WIDE}
    routes = tuple(
        OfRoute(route.name, route.is_shared, _lines(route.reading, own, defaults=False))
        for route in found.each
        if only in (None, route.name)
    )
    return Configuration(_lines(found.process, process), found.problems, found.warnings, routes)


def against_database(found: Reading, route: str = DEFAULT_ROUTE) -> tuple[str, ...]:
    """The problem if the database has another product for this route. One that is unreadable is left to doctor."""
    if found.problems:
        return ()
    settings = settings_of(found)
    url = settings.database_url.get_secret_value()
    with suppress(ReconcilerError):
        source = source_of(Database(open_database(url).engine, route)) if exists(url) else None
        if source not in (None, settings.alert_source):
            return (other_source(source or "", settings.alert_source, route if settings.routes_file else ""),)
    return ()


def as_data(configuration: Configuration) -> dict[str, Any]:
    """The document that `config --json` prints; it has `routes` with a routes file only."""
    routes = [
        {"name": route.name, "shared": route.is_shared, "settings": _as_data(route.lines)}
        for route in configuration.routes
    ]
    return {
        "settings": _as_data(configuration.lines),
        **({"routes": routes} if routes else {}),
        "problems": list(configuration.problems),
        "warnings": list(configuration.warnings),
    }


def _as_data(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {"name": line.name, "value": line.value, "origin": line.origin, "secret": line.secret} for line in lines
    ]


def as_text(configuration: Configuration) -> str:
    """The text that `config` prints."""
    every = [*configuration.lines, *(line for route in configuration.routes for line in route.lines)]
    names = max(len(line.name) for line in every)
    values = min(_WIDEST, max(len(line.value) for line in every))

    def table(of: Iterable[Line]) -> list[str]:
        return [f"{line.name:<{names}}  {line.value:<{values}}  {line.origin}" for line in of]

    lines = table(configuration.lines)
    for route in configuration.routes:
        shared = ", shared" if route.is_shared else ""
        lines += ["", f"Route {route.name}{shared}:", *table(route.lines)]
    for title, told in (("Warnings", configuration.warnings), ("Problems", configuration.problems)):
        lines += ["", f"{title}:", *(f"  {each}" for each in told)] if told else []
    return "\n".join(printable(line).rstrip() for line in lines)


def _lines(found: Reading, of: Mapping[str, Variable], *, defaults: bool = True) -> tuple[Line, ...]:
    """These variables; without `defaults` only those that are set, or must be."""
    lines = (_line(name, each, found) for name, each in of.items())
    return tuple(line for line in lines if defaults or line.origin != DEFAULT)


def _line(name: str, each: Variable, found: Reading) -> Line:
    origin = found.origins.get(name)
    if name in found.texts and origin is not None:
        return Line(name, _given(name, found, secret=each.secret), origin, each.secret)
    if _is_required(each, found.values):
        return Line(name, "", MISSING, each.secret)
    return Line(name, _default(name), origin or DEFAULT, each.secret)


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
