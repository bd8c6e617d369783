"""`reconciler explain` where a database has several routes: the story that each of them has of an id."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.observability.logs import printable
from reconciler.observability.naming import counted
from reconciler.operations import explain
from reconciler.operations.explain import Explanation
from reconciler.store.routes import StoredRoutes, listed


@dataclass(frozen=True, slots=True)
class Told:
    """What the routes of a database tell of an id: the explanation of each that was asked and has one."""

    given: str
    database: str
    routes: StoredRoutes
    explanations: dict[str, Explanation]

    @property
    def is_answer(self) -> bool:
        """Whether the id is known anywhere."""
        return any(each.is_answer for each in self.explanations.values())


def read_tracked(routes: StoredRoutes, address: str, given: str) -> Told:
    """The stories of an id in all routes, from the database alone."""
    every = {name: read_one(routes, name, address, given) for name in routes.names}
    return Told(given, address, routes, {name: each for name, each in every.items() if each.stories})


def read_one(routes: StoredRoutes, name: str, address: str, given: str) -> Explanation:
    """The stories of an id in one route, from the database alone."""
    return _in(routes, name, explain.read_tracked(routes.of(name), address, given))


def of_one(routes: StoredRoutes, name: str, found: Explanation) -> Told:
    """The explanation of one route alone."""
    return Told(found.given, found.database, routes, {name: _in(routes, name, found)})


def _in(routes: StoredRoutes, name: str, found: Explanation) -> Explanation:
    return replace(found, route=name) if routes.are_several else found


def as_text(told: Told, alert_page: Callable[[str], str]) -> str:
    """The text that `explain` prints; where there are several routes, with a heading for each that is told of."""
    if not told.explanations:
        return _nowhere(told)
    parts = {name: explain.as_text(each, alert_page) for name, each in told.explanations.items()}
    heads = {name: f"Route {name}\n\n" if told.routes.are_several else "" for name in parts}
    return "\n\n".join(f"{heads[name]}{part}" for name, part in parts.items())


def _nowhere(told: Told) -> str:
    """What is said of an id that no route knows. The vendors are asked for one route, which has to be named."""
    names = told.routes.names
    every = f"{counted(len(names), 'route')} in {told.database}: {listed(names)}"
    lines = (
        f"{told.given} is not tracked by any of the {every}",
        f"  Why one of them does not have it: reconciler explain {told.given} --route, with its name",
    )
    return "\n".join(map(printable, lines))


def as_data(told: Told, alert_page: Callable[[str], str]) -> dict[str, Any]:
    """The document that `explain --json` prints; where there are several routes, stories and verdicts bear theirs.

    Where several routes know the id, it has the stories of all, and `polled` is that of the first.
    """
    nothing = Explanation(told.given, datetime.now(UTC), told.database)
    documents = {
        name: explain.as_data(each, alert_page) for name, each in (told.explanations or {"": nothing}).items()
    }
    first = next(iter(documents.values()))
    if not told.routes.are_several:
        return first
    rows = {
        key: [row | {"route": name} for name, document in documents.items() for row in document[key]]
        for key in ("stories", "untracked")
    }
    return first | rows | {"stories_left_out": sum(each["stories_left_out"] for each in documents.values())}
