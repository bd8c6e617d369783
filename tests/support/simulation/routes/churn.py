"""Routes that come and go, one a day, each with a key of its own: what is left of them."""

from pydantic import SecretStr

from reconciler.runtime import daemon, forgotten_routes, process, route_jobs
from tests.support.simulation.routes.world import Line, Parts, RoutesWorld

DAY = 600.0
"""Simulated seconds of a day here: what counts is how many routes come and go in one retention."""
STAYS = Line("stays", "tag: stays", "PSVC001")


def churned(days: int, retention: int) -> RoutesWorld:
    """So many days, on each of which a route is added and the one before it removed. `retention` in days."""
    slow = Parts(
        (
            (daemon, "TAKE_IN_EVERY", DAY / 8),
            (process, "CHECK_EVERY", DAY),
            (forgotten_routes, "EVERY", DAY / 2),
            (route_jobs, "LONGEST_REPORT", DAY / 2),
        )
    )
    world = RoutesWorld(1, (STAYS,), 2, slow)
    world.sandbox.settings = world.sandbox.settings.changed({"pagerduty_keys": days + 2})
    world.settings_of_process = {
        "retention_seconds": retention * DAY,
        "poll_interval_seconds": DAY / 2,
        "sweep_interval_seconds": DAY,
    }
    with world.simulated():
        world.join()
        for day in range(days):
            changes = (("pagerduty_api_key", SecretStr(f"{world.sandbox.settings.pagerduty_key}-{day + 2}")),)
            world.rewrite((STAYS, Line(f"day{day}", f"tag: d{day}", "PSVC002", changes=changes)))
            world.raise_alert(f"d{day}")
            world.run(DAY)
    return world
