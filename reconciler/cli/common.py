"""What several commands share: the configuration, the exit statuses, the types of options and the JSON output."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.routes import Route, Routes
    from reconciler.settings import Settings
    from reconciler.store.database import Database

FAILED, USAGE, PLANNED, ATTENTION = 1, 2, 3, 3
"""Exit statuses of the public contract."""


class Seconds(click.FloatRange):
    """Click's own range lets pass what is no number at all: that is on neither side of a bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A number within the range."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


def env_file() -> Path:
    """The file that --env-file names, else .env in the current directory."""
    context = click.get_current_context(silent=True)
    named = context.find_object(Path) if context else None
    return named or Path(".env")


def configured_routes() -> Routes:
    """The configuration of all routes, with logging set up to keep the secrets of each."""
    from reconciler.observability import logs
    from reconciler.routes import load_routes

    routes = load_routes(os.environ, env_file())
    process = routes.each[0].settings
    logs.configure(process.log_format, process.log_level, routes.secret_values())
    return routes


def chosen(routes: Routes, name: str | None = None) -> Route:
    """The route of this name; without one, the only route. UsageError if there is no such route, or a choice."""
    return routes.named(chosen_name(routes.names(), name))


def chosen_name(known: Collection[str], name: str | None = None) -> str:
    """This name; without one, the only name. UsageError if it is not among the known ones, or for a choice."""
    found = [each for each in known if name in (None, each)]
    if len(found) == 1:
        return found[0]
    if name is None:
        raise click.UsageError(f"there are several routes: choose one with --route: {', '.join(known)}")
    raise no_such(name, known)


def no_such(route: str, known: Iterable[str]) -> click.UsageError:
    """The error that there is no route of this name."""
    return click.UsageError(f"there is no route {route}; the routes are: {', '.join(known)}")


def configured(route: str | None = None) -> Settings:
    """The configuration of one route, which need not be named if it is the only one, with logging set up."""
    return chosen(configured_routes(), route).settings


def warnings(settings: Settings) -> tuple[str, ...]:
    """What is probably a mistake: of the settings, and of the files that hold them and the database."""
    return (*settings.warnings(), *_warnings_of_files(settings))


def route_warnings(routes: Routes) -> tuple[str, ...]:
    """The same of all routes."""
    return (*routes.warnings, *_warnings_of_files(routes.each[0].settings))


def _warnings_of_files(settings: Settings) -> tuple[str, ...]:
    from reconciler.settings import exposures
    from reconciler.store.address import file_of
    from reconciler.store.files import exposed

    database = file_of(settings.database_url.get_secret_value())
    return (*exposures(env_file()), *exposed(database))


def configured_database() -> tuple[str, float]:
    """For commands that need the database alone, and no key: its URL, and how often the daemon polls."""
    from reconciler import settings as configuration
    from reconciler.observability import logs

    settings = configuration.load_database(os.environ, env_file())
    logs.configure(settings.log_format, settings.log_level, settings.secret_values())
    return settings.database_url.get_secret_value(), settings.poll_interval_seconds


def working_database() -> Database:
    """The daemon's database, for a command that writes to it beside the daemon; Misconfigured if it has none."""
    url, _ = configured_database()
    from reconciler.errors import Misconfigured
    from reconciler.store.address import exists
    from reconciler.store.database import open_database
    from reconciler.store.migrate import check
    from reconciler.store.overview import shown
    from reconciler.store.schema import REVISION

    database = open_database(url) if exists(url) else None
    revision = check(database) if database else None
    if database is None or revision is None:
        raise Misconfigured(f"DATABASE_URL: no reconciler has run on {shown(url)} yet: name the daemon's database")
    if revision != REVISION:
        raise Misconfigured(
            f"DATABASE_URL: its schema is at revision {revision}, this program needs {REVISION}: "
            "run `reconciler db upgrade` first"
        )
    return database


def print_json(document: dict[str, Any]) -> None:
    """Print one document on stdout; in ASCII where its encoding lacks characters, so that none is lost."""
    from reconciler.observability.logs import as_json

    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(as_json(document, 2, in_ascii=not is_utf8))


def complain(words: str) -> None:
    """Print one line on stderr that begins with the program's name, with unprintable characters escaped."""
    from reconciler.observability.logs import printable

    click.echo(f"reconciler: {printable(words)}", err=True)
