"""`reconciler status`."""

from __future__ import annotations

import os
import sys

import click

from reconciler.cli.common import ATTENTION, FAILED, configured_database, print_json


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 3 when something is dead, late, paused or in trouble.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def status(exit_code: bool, as_json: bool) -> None:
    """Show whether both sides are in step, how far behind, what is wrong, and what is waiting or dead.

    Exits with 1 if no reconciler has run on the database yet.
    """
    url, interval = configured_database()
    from reconciler.cli import status_text
    from reconciler.operations import status as state
    from reconciler.operations.status_data import as_data
    from reconciler.store.address import exists
    from reconciler.store.database import current_revision
    from reconciler.store.overview import shown
    from reconciler.store.read_only import open_read_only

    database = open_read_only(url)
    missing = ""
    if not exists(url):
        missing = "there is no such database"
    elif current_revision(database) is None:
        missing = "it is empty"
    report = state.read(database, shown(url), missing)
    needs_attention = state.needs_attention(report, interval)
    if as_json:
        print_json(as_data(report, interval))
    elif status_text.is_plain(os.environ, is_terminal=sys.stdout.isatty()):
        click.echo(status_text.plain(status_text.page(report, interval)))
    else:
        status_text.draw(status_text.page(report, interval), os.environ, is_good=not needs_attention)
    if missing:
        sys.exit(FAILED)
    if exit_code and needs_attention:
        sys.exit(ATTENTION)
