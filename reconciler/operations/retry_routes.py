"""`reconciler retry` where a database has several routes: an id is looked for in all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.core.product import Product
from reconciler.errors import Misconfigured
from reconciler.observability.logs import printable
from reconciler.observability.naming import counted
from reconciler.operations import retry, status
from reconciler.operations.origin import product_in
from reconciler.operations.status import Entry
from reconciler.store.overview import find
from reconciler.store.routes import StoredRoutes, listed


@dataclass(frozen=True, slots=True)
class PutBack:
    """The dead actions of one route that were put back, and the product whose alerts it mirrors."""

    route: str
    entries: tuple[Entry, ...]
    product: Product


def put_back(
    routes: StoredRoutes, names: Collection[str], given: Collection[str] | None, who: str
) -> tuple[PutBack, ...]:
    """Put back the dead actions of these alerts and incidents, or all for None, in these routes.

    Misconfigured if an alert or incident is unknown, or known to several routes; then nothing is put back.
    """
    wanted = dict.fromkeys(names) if given is None else _whose(routes, names, given)
    return tuple(
        PutBack(name, retry.put_back(routes.of(name), ids, who), product_in(routes.of(name)))
        for name, ids in wanted.items()
    )


def _whose(routes: StoredRoutes, names: Collection[str], given: Collection[str]) -> Mapping[str, Collection[str]]:
    """The ids that each route knows. Misconfigured unless each of them is known to exactly one."""
    known = {each: [name for name in names if _knows(routes, name, each)] for each in given}
    unknown = [each for each, owners in known.items() if not owners]
    if unknown:
        raise Misconfigured(retry.unknown_words(unknown))
    for each, owners in known.items():
        if len(owners) > 1:
            raise Misconfigured(f"retry: {each}: is known to the routes {listed(owners)}: name one with --route")
    return {name: [each for each in given if name in known[each]] for name in names if [name] in known.values()}


def _knows(routes: StoredRoutes, name: str, given: str) -> bool:
    with routes.of(name).reading() as unit:
        return bool(find(unit, given))


def as_data(found: Sequence[PutBack], *, are_several: bool) -> dict[str, Any]:
    """The document that `retry --json` prints; where there are several routes, each action bears its own."""
    return {
        "retried": [
            row | ({"route": each.route} if are_several else {})
            for each in found
            for row in retry.as_data(each.entries, each.product)["retried"]
        ]
    }


def as_text(found: Sequence[PutBack], *, are_several: bool) -> str:
    """The text that `retry` prints; where there are several routes, with a heading for each that had something."""
    dead = [each for each in found if each.entries]
    if not are_several or not dead:
        return retry.as_text([entry for each in dead for entry in each.entries], found[0].product)
    now, lines = datetime.now(UTC), []
    for each in dead:
        lines.append(f"Route {each.route}")
        lines += [f"  {status.entry_text(now, entry, each.product)}" for entry in each.entries]
    number = counted(sum(len(each.entries) for each in dead), "action")
    where = f"{len(dead)} of {counted(len(found), 'route')}"
    lines.append(f"Put back: {number} in {where}; a running daemon tries again within seconds.")
    return "\n".join(printable(line) for line in lines)
