"""A move of one route to another product: what the routes file says of it, and what to change there."""

from dataclasses import dataclass

from reconciler.core.product import PRODUCTS
from reconciler.errors import Misconfigured
from reconciler.routes_reading import RouteReading, RoutesReading


@dataclass(frozen=True, slots=True)
class Asked:
    """The move that an operator asks for. `file` names the routes file; empty without one."""

    route: RouteReading
    to: str
    file: str = ""

    @property
    def name(self) -> str:
        """The route's name."""
        return self.route.name

    @property
    def called(self) -> str:
        """The same, if it stands in a routes file."""
        return self.name if self.file else ""

    @property
    def left(self) -> str:
        """The product that is left."""
        return next(key for key in PRODUCTS if key != self.to)

    def check_query(self) -> None:
        """Misconfigured if a route that selects some alerts has no query in the new product: it would get all.

        The environment's is no route's own. An empty one in the file says that all are meant.
        """
        if not self.file or self._query(self.to) is not None or not self._query(self.left):
            return
        key, product = PRODUCTS[self.to].query.lower(), PRODUCTS[self.to].name
        raise Misconfigured(
            f"{self.file}: [routes.{self.name}] {key}: is missing; translate the query for {product}, or write "
            f'{key} = "" for every alert'
        )

    def next_step(self) -> str:
        """What to do after the move."""
        if not self.file:
            return f"set ALERT_SOURCE={self.to}, see `reconciler once --dry-run`, then start `reconciler run`"
        if self.route.source == self.to:
            return (
                f"see `reconciler once --dry-run`, then start `reconciler run`; one that runs goes on with "
                f"{self.name} by itself"
            )
        other = PRODUCTS[self.left].query
        short = any(layer.keys.get(other) == "query" for layer in self.route.layers)
        renamed = f", and call its query {other.lower()}" if short else ""
        return (
            f'write alert_source = "{self.to}" into [routes.{self.name}] of {self.file}{renamed}, see '
            "`reconciler once --dry-run`, then start `reconciler run`; one that runs reads the file by itself"
        )

    def _query(self, source: str) -> str | None:
        """The route's query for this product; None if no table of the file has one."""
        name = PRODUCTS[source].query
        layers = [layer for layer in self.route.layers if layer.keys and layer.sets(name)]
        return layers[0].texts[name] if layers else None


def asked(found: RoutesReading, name: str, to: str) -> Asked:
    """The move of the route of this name, which is there."""
    route = next(each for each in found.each if each.name == name)
    return Asked(route, to, found.file.name if found.file else "")
