"""`reconciler pause` and `resume` where a database has several routes: in one of them, or in all."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.core.pause import Pause
from reconciler.core.product import Product
from reconciler.observability.logs import printable
from reconciler.observability.naming import counted
from reconciler.operations import pausing
from reconciler.operations.origin import product_in
from reconciler.operations.pausing import Held
from reconciler.store.database import Database
from reconciler.store.routes import StoredRoutes, listed


@dataclass(frozen=True, slots=True)
class Begun:
    """The pauses that have begun in one route, and the product whose alerts it mirrors."""

    route: str
    product: Product
    pauses: tuple[Pause, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The pauses that have ended in one route, each with what has waited."""

    route: str
    product: Product
    pauses: tuple[Held, ...]


def begin(
    routes: StoredRoutes, names: Collection[str], begin_in: Callable[[Database], tuple[Pause, ...]]
) -> tuple[Begun, ...]:
    """Begin the same pauses in each of these routes."""
    return tuple(Begun(name, product_in(routes.of(name)), begin_in(routes.of(name))) for name in names)


def end(
    routes: StoredRoutes, names: Collection[str], end_in: Callable[[Database], tuple[Held, ...]]
) -> tuple[Ended, ...]:
    """End the pauses of each of these routes."""
    return tuple(Ended(name, product_in(routes.of(name)), end_in(routes.of(name))) for name in names)


def begun_text(begun: Sequence[Begun]) -> str:
    """The text that `pause` prints: the pauses once, and in how many routes they have begun."""
    if len(begun) == 1:
        return pausing.begun_text(begun[0].pauses, begun[0].product)
    now = datetime.now(UTC)
    lines = dict.fromkeys(pausing.sentence(pause, now, each.product) for each in begun for pause in each.pauses)
    return "\n".join([*map(printable, lines), _in_all(each.route for each in begun), pausing.WAITS])


def ended_text(ended: Sequence[Ended]) -> str:
    """The text that `resume` prints: what has ended in each route, and in how many routes it was looked for."""
    if len(ended) == 1:
        return pausing.ended_text(ended[0].pauses, ended[0].product)
    lines = [
        f"{each.route}: {pausing.ended_line(held, each.product)}" for each in ended for held in each.pauses
    ] or [pausing.NOTHING_PAUSED]
    return "\n".join([*map(printable, lines), _in_all(each.route for each in ended)])


def _in_all(routes: Iterable[str]) -> str:
    names = tuple(routes)
    return f"In all {counted(len(names), 'route')}: {listed(names)}."
