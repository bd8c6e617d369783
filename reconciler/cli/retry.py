"""`reconciler retry`: dead actions back into the queue."""

from __future__ import annotations

from contextlib import closing

import click

from reconciler.cli.common import print_json, working_database
from reconciler.cli.routes import ROUTE, known_routes


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Put every dead action back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@ROUTE
def retry(ids: tuple[str, ...], everything: bool, as_json: bool, route: str | None) -> None:
    """Put dead actions back in the queue, by alert or incident; a running daemon tries them within seconds.

    ID is an alert's id or tiny id (17 or #17), or an incident's id or number. Without --route it is looked for in
    all routes.
    """
    if bool(ids) == everything:
        raise click.UsageError("name alerts or incidents, or give --all")
    from reconciler.operations import retry_routes
    from reconciler.operations.who import operator

    given = None if everything else ids
    with closing(working_database()) as database:
        routes = known_routes(database)
        found = retry_routes.put_back(routes, routes.chosen(route), given, operator())
        are_several = routes.are_several
    if as_json:
        print_json(retry_routes.as_data(found, are_several=are_several))
    else:
        click.echo(retry_routes.as_text(found, are_several=are_several))
