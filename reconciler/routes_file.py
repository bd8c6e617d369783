"""The routes file: its TOML, its tables and the routes' names, and all that is wrong with those.

What the keys of a table mean is in `routes_keys.py`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.settings_sources import read_routes_file
from reconciler.settings_texts import Wrong, as_key, shown

MOST_ROUTES = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PLACE = re.compile(r" \(at (?P<place>line \d+, column \d+|end of document)\)$")
"""The end of a message of `tomllib`."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a routes file as TOML has them, in file order, and one line for each problem."""

    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)
    routes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()


def read_tables(file: Path) -> Tables:
    """The file's tables, as far as they can be read."""
    try:
        document = _parsed(read_routes_file(file))
    except Wrong as wrong:
        return Tables(problems=(f"{file.name}: {wrong}",))
    problems: list[str] = []
    defaults = _table(document, "defaults", problems)
    routes = _table(document, "routes", problems)
    good = {name: table for name, table in routes.items() if isinstance(table, dict)}
    problems += _unknown(document)
    problems += _malformed(routes)
    if not routes and not problems:
        problems.append("has no route; write one, for example [routes.default], or unset ROUTES_FILE")
    if len(routes) > MOST_ROUTES:
        problems.append(f"has {len(routes):,} routes; {MOST_ROUTES:,} are the most for one file")
        good = {}
    return Tables(defaults, good, tuple(f"{file.name}: {problem}" for problem in problems))


def _parsed(content: bytes) -> dict[str, Any]:
    """The TOML document. Wrong with the place of what is no TOML; nothing of the file is quoted."""
    try:
        return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Wrong(f"line {line}: is not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        place = f"{found['place']}: " if found else ""
        raise Wrong(f"{place}is not TOML: {_PLACE.sub('', str(error))}; correct it there") from None
    except (ValueError, RecursionError):
        raise Wrong("is not TOML: a number has too many digits, or too much is nested; correct it") from None


def _table(document: Mapping[str, Any], name: str, problems: list[str]) -> Mapping[str, Any]:
    """The table of this name; empty if there is none."""
    found = document.get(name, {})
    if isinstance(found, dict):
        return found
    words = "[routes.NAME], one for each route" if name == "routes" else f"[{name}]"
    problems.append(f"{name}: is no table; write {words}")
    return {}


def _unknown(document: Mapping[str, Any]) -> Iterator[str]:
    """What stands in none of the tables that a routes file has."""
    for name, value in document.items():
        if name in {"defaults", "routes"}:
            continue
        key = as_key(name)
        if isinstance(value, dict | list):
            yield f"[{key}]: is not known; a routes file has [defaults] and a [routes.NAME] for each route"
        else:
            yield f"{key}: stands before any table; put it below [defaults] or the [routes.NAME] that it is for"


def _malformed(routes: Mapping[str, Any]) -> Iterator[str]:
    """Names that no route may have, and what is no table."""
    for name, table in routes.items():
        if not isinstance(table, dict):
            yield f"[routes] {as_key(name)}: is no table; write [routes.NAME] above the keys of a route"
        elif not _NAME.fullmatch(name):
            yield (
                f"[routes.{shown(name)}]: is no name of a route, which has 1 to 40 lower-case letters, digits and "
                "dashes; rename it"
            )
