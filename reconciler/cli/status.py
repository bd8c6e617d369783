"""`reconciler status`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import ATTENTION, FAILED, configured_database, print_json
from reconciler.cli.routes import ROUTE, known_routes

if TYPE_CHECKING:
    from reconciler.cli.status_text import Page
    from reconciler.operations.status_routes import Overview, RouteReport


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 3 when something is dead, late, paused or in trouble.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@ROUTE
def status(exit_code: bool, as_json: bool, route: str | None) -> None:
    """Show whether both sides are in step, how far behind, what is wrong, and what is waiting or dead.

    Exits with 1 if no reconciler has run on the database yet.
    """
    url, interval = configured_database()
    from reconciler.cli.status_routes import page_of
    from reconciler.operations import status_routes
    from reconciler.store.address import exists
    from reconciler.store.database import current_revision
    from reconciler.store.overview import shown
    from reconciler.store.read_only import open_read_only
    from reconciler.store.routes import stored_routes

    database = open_read_only(url)
    missing = ""
    if not exists(url):
        missing = "there is no such database"
    elif current_revision(database) is None:
        missing = "it is empty"
    routes = stored_routes(database) if missing else known_routes(database)
    if route is None and routes.are_several:
        found: Overview | RouteReport = status_routes.read(routes, shown(url))
    else:
        (name,) = routes.chosen(None if missing else route or routes.names[0])
        found = status_routes.read_one(routes, name, shown(url), missing)
    needs_attention = found.needs_attention(interval)
    if as_json:
        print_json(status_routes.as_data(found, interval))
    else:
        _show(page_of(found, interval), is_good=not needs_attention)
    if missing:
        sys.exit(FAILED)
    if exit_code and needs_attention:
        sys.exit(ATTENTION)


def _show(page: Page, *, is_good: bool) -> None:
    """Print the page: drawn on a terminal, as lines elsewhere."""
    from reconciler.cli import status_text

    if status_text.is_plain(os.environ, is_terminal=sys.stdout.isatty()):
        click.echo(status_text.plain(page))
    else:
        status_text.draw(page, os.environ, is_good=is_good)
