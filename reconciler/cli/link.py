"""`reconciler link` and `reconciler unlink`: arguments in, text or JSON out."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import FAILED, configured_database, print_json, working_database
from reconciler.cli.routes import ROUTE, known_routes

if TYPE_CHECKING:
    from reconciler.operations.linking import Ordered
    from reconciler.store.database import Database

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


@click.command()
@click.argument("alert")
@click.argument("incident")
@_JSON
@ROUTE
def link(alert: str, incident: str, as_json: bool, route: str | None) -> None:
    """Let an alert's pair follow an incident from now on; no history is copied.

    ALERT is an alert's id or tiny id (17 or #17), INCIDENT an incident's id or number. A running daemon carries
    this out and is waited for; without one, the next run does.
    """
    from reconciler.operations import linking
    from reconciler.operations.who import operator

    with closing(working_database()) as opened:
        database = known_routes(opened).one(route, "link")
        ordered = linking.link(database, alert, incident, operator(), configured_database()[1])
        _answer(database, ordered, as_json=as_json)


@click.command()
@click.argument("alert")
@_JSON
@ROUTE
def unlink(alert: str, as_json: bool, route: str | None) -> None:
    """Stop following an alert and its incident, until `link`; a page that is not made yet is dropped.

    ALERT is an alert's id or tiny id (17 or #17).
    """
    from reconciler.operations import linking
    from reconciler.operations.who import operator

    with closing(working_database()) as opened:
        database = known_routes(opened).one(route, "unlink")
        ordered = linking.unlink(database, alert, operator(), configured_database()[1])
        _answer(database, ordered, as_json=as_json)


def _answer(database: Database, ordered: Ordered, *, as_json: bool) -> None:
    """Print what becomes of the order; exit 1 if it is refused."""
    from reconciler.operations import linking

    found = linking.answer(database, ordered, time.sleep)
    if as_json:
        print_json(linking.as_data(found))
    else:
        click.echo(linking.as_text(found))
    if found.is_refused:
        sys.exit(FAILED)
