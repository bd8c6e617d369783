"""What the commands that work on several routes share: the option, and how routes are named in their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.observability.naming import counted

if TYPE_CHECKING:
    from collections.abc import Collection

ROUTE = click.option("--route", metavar="NAME", help="Only this route; see ROUTES_FILE.")


def in_all(names: Collection[str]) -> str:
    """That a command has worked on all of several routes."""
    from reconciler.store.routes import listed

    return f"In all {counted(len(names), 'route')}: {listed(names)}."
