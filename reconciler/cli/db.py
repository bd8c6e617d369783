"""`reconciler db`: schema migrations."""

from __future__ import annotations

import sys

import click

from reconciler.cli.common import FAILED, configured_database
from reconciler.cli.manners import Group


@click.group(cls=Group)
def db() -> None:
    """Schema migrations."""


@db.command()
def upgrade() -> None:
    """Bring the schema to this version's revision."""
    url, _ = configured_database()
    from reconciler.store.database import open_database
    from reconciler.store.migrate import upgrade as migrate

    database = open_database(url)
    click.echo(f"The schema is at revision {migrate(database)}.")
    database.close()


@db.command()
@click.option("--check", is_flag=True, help="Exit 1 if the schema is not this version's.")
def current(check: bool) -> None:
    """Show the schema's revision, and this version's."""
    url, _ = configured_database()
    from reconciler.store.address import exists
    from reconciler.store.database import current_revision, open_database
    from reconciler.store.schema import REVISION

    found = current_revision(open_database(url)) if exists(url) else None
    click.echo(f"{found or 'none'} (this version: {REVISION})")
    if check and found != REVISION:
        sys.exit(FAILED)
