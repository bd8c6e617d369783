"""`reconciler explain`: one pair's story, or why there is none."""

import os
import sys
from functools import partial

import click

from reconciler.cli.common import FAILED, env_file, print_json


@click.command()
@click.argument("given", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def explain(given: str, as_json: bool) -> None:
    """Tell one pair's whole story: what happened, what was written and why, what waits, what is dead.

    ID is an alert's id or tiny id (17 or #17), or an incident's id or number. The database suffices for an alert
    that is tracked. Why one is not is asked of the vendors whose key is set.
    """
    if not given.strip().strip("#"):
        raise click.UsageError("name an alert or an incident: its id, its tiny id or its number")
    from datetime import timedelta

    from reconciler import settings as configuration
    from reconciler.observability import logs
    from reconciler.operations import explain as explaining
    from reconciler.store.overview import shown
    from reconciler.store.read_only import open_read_only

    settings = configuration.load_lookup(os.environ, env_file())
    logs.configure(settings.log_format, settings.log_level, settings.secret_values())
    from reconciler.runtime import lookups

    url = settings.database_url.get_secret_value()
    retention = timedelta(seconds=settings.retention_seconds)
    known = explaining.Known(settings.poll_interval_seconds, lookups.query_of(settings), retention)
    ask = partial(lookups.searches, settings)
    found = explaining.read(open_read_only(url), shown(url), given.strip(), known, ask)
    page = partial(lookups.alert_page, settings)
    if as_json:
        print_json(explaining.as_data(found, page))
    else:
        click.echo(explaining.as_text(found, page))
    if not found.is_answer:
        sys.exit(FAILED)
