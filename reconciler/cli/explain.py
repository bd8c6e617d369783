"""`reconciler explain`: one pair's story, or why there is none."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import FAILED, env_file, print_json
from reconciler.cli.routes import ROUTE, known_routes

if TYPE_CHECKING:
    from reconciler.operations.explain import Explanation
    from reconciler.settings import LookupSettings
    from reconciler.store.database import Database


@click.command()
@click.argument("given", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@ROUTE
def explain(given: str, as_json: bool, route: str | None) -> None:
    """Tell one pair's whole story: what happened, what was written and why, what waits, what is dead.

    ID is an alert's id or tiny id (17 or #17), or an incident's id or number. The database suffices for an alert
    that is tracked. Why one is not is asked of the vendors whose key is set. Without --route, each route that
    knows the ID tells its story.
    """
    if not given.strip().strip("#"):
        raise click.UsageError("name an alert or an incident: its id, its tiny id or its number")
    from reconciler import settings as configuration
    from reconciler.observability import logs
    from reconciler.operations import explain_routes
    from reconciler.store.overview import shown
    from reconciler.store.read_only import open_read_only

    settings = configuration.load_lookup(os.environ, env_file())
    logs.configure(settings.log_format, settings.log_level, settings.secret_values())
    from reconciler.runtime import lookups

    url = settings.database_url.get_secret_value()
    routes = known_routes(open_read_only(url))
    if route is None and len(routes.names) > 1:
        found = explain_routes.read_tracked(routes, shown(url), given.strip())
    else:
        (name,) = routes.chosen(route or routes.names[0])
        settings = _settings(name) or settings
        found = explain_routes.of_one(routes, name, _asked(routes.of(name), given.strip(), settings))
    page = partial(lookups.alert_page, settings)
    if as_json:
        print_json(explain_routes.as_data(found, page))
    else:
        click.echo(explain_routes.as_text(found, page))
    if not found.is_answer:
        sys.exit(FAILED)


def _settings(route: str) -> LookupSettings | None:
    """The settings of a route of ROUTES_FILE; None if it has none that can be used: then the variables are."""
    from reconciler.errors import Misconfigured
    from reconciler.observability import logs
    from reconciler.routes import load_routes, lookup_of
    from reconciler.routes_reading import read_routes

    if read_routes(os.environ, env_file()).file is None:
        return None
    try:
        routes = load_routes(os.environ, env_file())
    except Misconfigured:
        return None
    process = routes.each[0].settings
    logs.configure(process.log_format, process.log_level, routes.secret_values())
    return next((lookup_of(each) for each in routes.each if each.name == route), None)


def _asked(database: Database, given: str, settings: LookupSettings) -> Explanation:
    """One route's explanation of an id: its story, or what the vendors say of an alert that is not tracked."""
    from datetime import timedelta

    from reconciler.operations import explain as explaining
    from reconciler.runtime import lookups
    from reconciler.store.overview import shown

    retention = timedelta(seconds=settings.retention_seconds)
    known = explaining.Known(settings.poll_interval_seconds, lookups.query_of(settings), retention)
    address = shown(settings.database_url.get_secret_value())
    return explaining.read(database, address, given, known, partial(lookups.searches, settings))
