"""What several commands share: the configuration, the exit statuses, the types of options and the JSON output."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
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


def configured() -> Settings:
    """The configuration, with logging set up to keep its secrets."""
    from reconciler import settings as configuration
    from reconciler.observability import logs

    settings = configuration.load(os.environ, env_file())
    logs.configure(settings.log_format, settings.log_level, settings.secret_values())
    return settings


def warnings(settings: Settings) -> tuple[str, ...]:
    """What is probably a mistake: of the settings, and of the files that hold them and the database."""
    from reconciler.settings import exposures
    from reconciler.store.address import file_of
    from reconciler.store.files import exposed

    database = file_of(settings.database_url.get_secret_value())
    return (*settings.warnings(), *exposures(env_file()), *exposed(database))


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
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(document, ensure_ascii=not is_utf8, indent=2))
