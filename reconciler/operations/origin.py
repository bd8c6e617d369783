"""The product that the alerts of a database come from, for commands that know nothing but the database."""

from datetime import UTC, datetime

from reconciler.core.product import Product, product_of
from reconciler.store.database import Database


def product_in(database: Database) -> Product:
    """The product whose alerts the database holds."""
    with database.reading() as unit:
        return product_of(unit.cursors.load(datetime.now(UTC)).source)
