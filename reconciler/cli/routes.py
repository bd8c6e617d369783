"""What the commands that work on several routes share: the option that names one, and which routes there are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import env_file

if TYPE_CHECKING:
    from reconciler.store.database import Database
    from reconciler.store.routes import StoredRoutes

ROUTE = click.option("--route", metavar="NAME", help="Only this route of ROUTES_FILE.")


def known_routes(database: Database) -> StoredRoutes:
    """The routes of the database and those of ROUTES_FILE, which may not have begun yet."""
    from reconciler.routes_reading import read_routes
    from reconciler.store.routes import stored_routes

    found = read_routes(os.environ, env_file())
    return stored_routes(database, [each.name for each in found.each] if found.file else ())
