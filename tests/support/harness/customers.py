"""Several routes in one world: one for each customer, whose alerts bear the customer's tag.

What the routes file says is what the sandbox's audit expects, so that `World.audit` names misrouted alerts.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.harness import World
from tests.support.harness.commands import Json


class Customers:
    """A world whose daemon has a routes file, in `file`; the sandbox needs as many `services`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.file = world.folder / "routes.toml"
        world.environment.pop("PAGERDUTY_SERVICE_ID", None)
        world.environment["ROUTES_FILE"] = str(self.file)

    def route(self, **tables: Mapping[str, Any]) -> None:
        """Write the routes file, a table for each route, and have the audit expect that.

        A route without a query has the alerts that bear its name as a tag.
        """
        tables = {name: {"query": f"tag: {name}", **table} for name, table in tables.items()}
        self.write("\n".join(f"[routes.{name}]\n{_lines(table)}" for name, table in tables.items()))
        shared = [table["service"] for table in tables.values() if table.get("shared")]
        queries = {str(table["service"]): table["query"] for table in tables.values()}
        self.world.control("routes", **queries, shared=shared)

    def write(self, text: str) -> None:
        """Write any text as the routes file, at once."""
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)

    def key(self, name: str, value: str) -> str:
        """A key in a file; its path, relative to the routes file."""
        Path(self.world.folder / name).write_text(value)
        return name

    def ready(self) -> set[str]:
        """The routes whose first start has ended."""
        return {str(route) for (route,) in self.world._asked("SELECT route FROM cursors WHERE name = 'origin'")}

    def until_ready(self, *names: str) -> None:
        """Wait for the first start of these routes."""
        self.world.until(lambda: self.ready() >= {*names}, f"the first start of {', '.join(names)}")

    def alert(self, *tags: str, message: str = "db-primary is down", **more: Any) -> str:
        """Ana raises an alert with these tags; its id."""
        return self.world.raise_alert(f"{message} ({', '.join(tags)})", tags=list(tags), **more)

    def paged_on(self, alert: str) -> list[str]:
        """The services on which the alert has an incident, one for each incident."""
        return sorted(incident["service"]["id"] for incident in self.world.incidents(alert))

    def until_paged(self, alert: str, *services: str) -> None:
        """Wait until the alert has an incident on each of these, and none elsewhere."""
        self.world.until(lambda: self.paged_on(alert) == sorted(services), f"incidents on {services}")

    def until_good(self) -> None:
        """Wait until all is mirrored, once, and where it belongs."""
        self.world.until(lambda: self.world.is_settled() and self.world.audit() == {}, "a clean audit", 20)

    def state_of(self, route: str) -> Json:
        """What /readyz says of one route."""
        found: Json = self.world.get(f"/readyz?route={route}").json()
        return found


def _lines(table: Mapping[str, Any]) -> str:
    """The values of one table in TOML."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
