"""The routes: pairs of a query and a service, each with its settings; and what differs between two sets of them.

Without ROUTES_FILE the variables are the one route `default`. Where settings come from otherwise is in
`routes_reading.py`.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from reconciler.routes_keys import PROCESS_WIDE, SHARED
from reconciler.routes_reading import read_routes
from reconciler.settings import LookupSettings, SecretFile, Settings, SettingsError, files_of, settings_of
from reconciler.settings_sources import Layer


@dataclass(frozen=True, slots=True)
class Route:
    """One route and the settings in force for it.

    `is_shared`: an alert of this route may go to others that are shared, too. `files` are its secrets that are
    given as files and can be read again; those of the whole process are not among them. `other_query` is its own
    query in the product that it does not follow: it is moved there, or was moved from there.
    """

    name: str
    settings: Settings
    is_shared: bool = False
    files: tuple[SecretFile, ...] = ()
    other_query: str = ""


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes in file order. `file` is None without ROUTES_FILE; `warnings` are one line each.

    `files` are the secrets of the whole process that are given as files and can be read again.
    """

    each: tuple[Route, ...]
    file: Path | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[SecretFile, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The routes' names in file order."""
        return tuple(route.name for route in self.each)

    def secret_values(self) -> tuple[str, ...]:
        """Texts to redact from all output: what is secret in any route's settings."""
        return tuple(dict.fromkeys(text for route in self.each for text in route.settings.secret_values()))

    def named(self, name: str) -> Route:
        """The route of this name, which there is."""
        return next(route for route in self.each if route.name == name)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two sets of routes. `changed` has the keys that differ, by the route's name.

    `is_reordered`: routes that are in both stand in another order, which decides who gets an alert of several.
    `process` are variables of the whole process that differ.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_reordered: bool = False
    process: tuple[str, ...] = ()

    @property
    def is_of_routes(self) -> bool:
        """Whether the routes themselves differ."""
        return bool(self.added or self.removed or self.changed or self.is_reordered)


def load_routes(
    environ: Mapping[str, str] = os.environ,
    dotenv: Path | None = Path(".env"),
    sources: Mapping[str, str] = MappingProxyType({}),
) -> Routes:
    """The routes. SettingsError with all problems when there are any. `sources`: see `read_routes`."""
    found = read_routes(environ, dotenv, sources)
    if found.problems:
        raise SettingsError(found.problems)
    each = tuple(
        Route(
            one.name,
            settings_of(one.reading),
            one.is_shared,
            _files(one.layers, of_process=False),
            one.other_query,
        )
        for one in found.each
    )
    return Routes(each, found.file, found.warnings, _files(found.base, of_process=True))


def _files(layers: Sequence[Layer], *, of_process: bool) -> tuple[SecretFile, ...]:
    return tuple(file for file in files_of(layers) if (file.variable in PROCESS_WIDE) == of_process)


def difference(before: Routes, after: Routes) -> Difference:
    """What has changed between two sets of routes.

    The content of a secret's file is not compared: a new one is taken without a change of the route.
    """
    old, new = ({route.name: route for route in routes.each} for routes in (before, after))
    both = [name for name in new if name in old]
    changed = {name: _changed(old[name], new[name]) for name in both}
    return Difference(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        {name: keys for name, keys in changed.items() if keys},
        both != [name for name in old if name in new],
        _process(before, after),
    )


def _changed(old: Route, new: Route) -> tuple[str, ...]:
    """The keys of a route that differ."""
    given = [name for name in Settings.model_fields if name.upper() not in PROCESS_WIDE]
    found = _differing((old.settings, new.settings), (old.files, new.files), given)
    return (*found, SHARED) if old.is_shared != new.is_shared else found


def _process(before: Routes, after: Routes) -> tuple[str, ...]:
    """The variables of the whole process that differ: they are the same for all routes of one set."""
    given = [name for name in Settings.model_fields if name.upper() in PROCESS_WIDE]
    settings = (before.each[0].settings, after.each[0].settings)
    return tuple(name.upper() for name in _differing(settings, (before.files, after.files), given))


def _differing(
    settings: tuple[Settings, Settings],
    files: tuple[Collection[SecretFile], Collection[SecretFile]],
    names: Collection[str],
) -> tuple[str, ...]:
    """The fields among `names` that differ: of a secret in a file its path, of anything else its value."""
    old, new = ({file.variable.lower(): file.path for file in each} for each in files)
    return tuple(
        name
        for name in names
        if old.get(name) != new.get(name)
        or (name not in new and getattr(settings[0], name) != getattr(settings[1], name))
    )


def lookup_of(route: Route) -> LookupSettings:
    """The route's settings for `explain`: a key that is not set is None there."""
    settings = route.settings
    values = {name: getattr(settings, name) for name in LookupSettings.model_fields}
    for name in ("opsgenie_api_key", "jsm_api_token"):
        values[name] = values[name] if values[name].get_secret_value() else None
    return LookupSettings(**values)
