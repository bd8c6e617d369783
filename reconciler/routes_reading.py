"""What the environment, the .env file and the routes file say of each route, and all that is wrong.

A route's settings are those of its own table, else of `[defaults]`, else of the environment, else of `.env`, and
all are parsed by the same variables.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reconciler.routes_file import read_tables
from reconciler.routes_keys import PROCESS_WIDE, keys, read_table
from reconciler.settings import Settings, settings_of, variables
from reconciler.settings_reading import Base, Problem, Reading, called, read_base, read_from_base, read_layers
from reconciler.settings_sources import Layer, exposed, look_up
from reconciler.settings_texts import Wrong, file_path

DEFAULT_ROUTE = "default"
"""The name of the one route without ROUTES_FILE."""


@dataclass(frozen=True, slots=True)
class RouteReading:
    """What all sources say of one route; `layers` has those sources, the first one first.

    `other_query`: the query that its own table has for the product which its alerts are not read from.
    """

    name: str
    reading: Reading
    is_shared: bool = False
    layers: tuple[Layer, ...] = field(default=(), repr=False)
    other_query: str = ""

    @property
    def source(self) -> str:
        """The product that its alerts are read from."""
        return str(self.reading.values.get("alert_source", "opsgenie"))


@dataclass(frozen=True, slots=True)
class RoutesReading:
    """What all sources say of all routes, and all that is wrong.

    `process` has the variables of the whole process. `base` are the layers of the environment and of .env.
    """

    each: tuple[RouteReading, ...]
    process: Reading
    file: Path | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    base: tuple[Layer, ...] = field(default=(), repr=False)


def read_routes(
    environ: Mapping[str, str], dotenv: Path | None, sources: Mapping[str, str] = MappingProxyType({})
) -> RoutesReading:
    """All that the environment, the .env file and the routes file say, problems included.

    `sources` replaces what they say of ALERT_SOURCE, by the route's name: for a route that is being moved.
    """
    every = variables()
    base = read_base(every, environ, dotenv, every)
    file = _file(base)
    if file is None:
        base = replace(base, layers=(*_replaced(sources.get(DEFAULT_ROUTE)), *base.layers))
        reading = read_from_base(every, base, every)
        told = () if reading.problems else settings_of(reading).warnings()
        only = RouteReading(DEFAULT_ROUTE, reading, layers=base.layers)
        return RoutesReading((only,), reading, None, reading.problems, told, base.layers)
    process = read_layers(every, (base.layers,), {name: every[name] for name in every if name in PROCESS_WIDE})
    tables = read_tables(file)
    problems = [*base.problems, *process.problems, *tables.problems]
    found: list[RouteReading] = []
    for name, table in tables.routes.items():
        one, wrong = _read_route(file, name, (table, tables.defaults), base, _replaced(sources.get(name)))
        problems += wrong
        found.append(one)
    problems += _told(file, found)
    warnings: list[str] = []
    if not problems:
        settings = {route.name: settings_of(route.reading) for route in found}
        problems += _twice(file, settings)
        warnings += (*base.warnings, *_warnings(file, found, settings))
    return RoutesReading(tuple(found), process, file, _once(problems), _once(warnings), base.layers)


def _once(lines: Collection[str]) -> tuple[str, ...]:
    """Each line once: what is wrong in the environment is wrong for every route."""
    return tuple(dict.fromkeys(lines))


def _file(base: Base) -> Path | None:
    """The routes file. A path that cannot be one is a problem of its variable."""
    try:
        text = look_up("ROUTES_FILE", base.layers, secret=False).text
        return file_path(text) if text else None
    except Wrong:
        return None


def _replaced(source: str | None) -> tuple[Layer, ...]:
    """The layer that replaces ALERT_SOURCE, and stands before all others."""
    return (Layer("environment", {"ALERT_SOURCE": source}),) if source else ()


def _read_route(
    file: Path,
    name: str,
    given: tuple[Mapping[str, Any], Mapping[str, Any]],
    base: Base,
    replaced: tuple[Layer, ...] = (),
) -> tuple[RouteReading, list[str]]:
    """One route, from its own table and that of the defaults, and what is wrong in these tables.

    The key `query` is of the product that the tables name, even where `replaced` names another one.
    """
    every = variables()
    source = _source(given, base)
    places = (f"{file.name}: [routes.{name}]", f"{file.name}: [defaults]")
    own, default = (
        read_table(place, table, source, file.parent) for place, table in zip(places, given, strict=True)
    )
    broken = own.broken | {each for each in default.broken if not own.layer.sets(each)}
    wanted = {each: variable for each, variable in every.items() if each not in broken}
    groups = (replaced, (own.layer,), (default.layer,), base.layers)
    reading = read_layers(every, groups, wanted)
    shared = next((table.is_shared for table in (own, default) if table.is_shared is not None), False)
    layers = tuple(layer for group in groups for layer in group)
    one = RouteReading(name, reading, shared, layers)
    other = "JSM_QUERY" if one.source == "opsgenie" else "OPSGENIE_QUERY"
    return replace(one, other_query=own.layer.texts.get(other, "")), [*own.problems, *default.problems]


def _source(given: Sequence[Mapping[str, Any]], base: Base) -> str:
    """The product that the route's alerts are read from; Opsgenie where that is malformed, which is told later."""
    texts = [table["alert_source"] for table in given if "alert_source" in table]
    texts.append(look_up("ALERT_SOURCE", base.layers, secret=False).text)
    return "jsm" if texts[0] == "jsm" else "opsgenie"


def _told(file: Path, found: Sequence[RouteReading]) -> Iterator[str]:
    """The problems with values. What each of several routes lacks is lacking in the environment, and told once."""
    lacks = [{each.missing for each in route.reading.told} for route in found]
    everywhere = set.intersection(*lacks) if len(lacks) > 1 else set()
    for route in found:
        for each in route.reading.told:
            is_own = each.missing and each.missing not in everywhere
            yield _missing(file, route, each) if is_own else each.line


def _missing(file: Path, route: RouteReading, problem: Problem) -> str:
    """That this route lacks a variable, by its key in the route's table."""
    variable = variables()[problem.missing]
    wanted = f"{problem.missing}_FILE" if variable.secret else problem.missing
    key = next(key for key, each in keys(route.source).items() if each.variable == wanted)
    needs = f"the path of a file that holds {variable.needs}" if variable.secret else variable.needs
    return f"{file.name}: [routes.{route.name}] {key}: is missing; give {needs}"


_ACCOUNTS = {
    "opsgenie": ("opsgenie_api_url", "opsgenie_api_key"),
    "jsm": ("jsm_site_url", "jsm_email", "jsm_api_token"),
}
"""The fields that say which alerts a query selects from, by the product."""


def _account(settings: Settings) -> tuple[Any, ...]:
    """Where the route's alerts are; of two keys of one account it is not known that they are."""
    source = settings.alert_source
    return (source, *(getattr(settings, name) for name in _ACCOUNTS[source]))


def _query(settings: Settings) -> str:
    return settings.jsm_query if settings.alert_source == "jsm" else settings.opsgenie_query


def _twice(file: Path, of: Mapping[str, Settings]) -> Iterator[str]:
    """Routes that are the same pair of a query and a service."""
    first: dict[tuple[Any, ...], str] = {}
    for name, settings in of.items():
        service = (settings.pagerduty_api_url, settings.pagerduty_service_id)
        other = first.setdefault((_account(settings), _query(settings), service), name)
        if other != name:
            yield (
                f"{file.name}: [routes.{name}] has the query and the service of [routes.{other}], so that every "
                "alert would be mirrored twice to one service; remove one of the two, or change it"
            )


def _warnings(file: Path, found: Sequence[RouteReading], of: Mapping[str, Settings]) -> Iterator[str]:
    """What is probably a mistake: in the routes' settings, in the file's rights, and routes that get no alert."""
    yield from exposed(file, ())
    for route in found:
        yield from of[route.name].warnings(partial(called, layers=route.layers))
    takers: dict[tuple[Any, ...], RouteReading] = {}
    for route in found:
        account, query = _account(of[route.name]), _query(of[route.name])
        taker = takers.get((account, "")) or takers.setdefault((account, query), route)
        if taker is not route and not (taker.is_shared and route.is_shared):
            yield (
                f"{file.name}: [routes.{route.name}] gets no alert: each one goes to [routes.{taker.name}], which "
                "stands before it and selects the same alerts or all; write shared = true in both, or put this "
                "one first"
            )
