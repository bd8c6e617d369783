"""`reconciler retry`: dead actions back into the queue."""

from __future__ import annotations

import click

from reconciler.cli.common import print_json, working_database


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Put every dead action back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def retry(ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Put dead actions back in the queue, by alert or incident; a running daemon tries them within seconds.

    ID is an alert's id or tiny id (17 or #17), or an incident's id or number.
    """
    if bool(ids) == everything:
        raise click.UsageError("name alerts or incidents, or give --all")
    database = working_database()
    from reconciler.operations import retry as putting_back
    from reconciler.operations.origin import product_in
    from reconciler.operations.who import operator

    found = putting_back.put_back(database, None if everything else ids, operator())
    product = product_in(database)
    database.close()
    if as_json:
        print_json(putting_back.as_data(found, product))
    else:
        click.echo(putting_back.as_text(found, product))
