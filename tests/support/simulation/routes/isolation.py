"""One bad route among good ones on one pod: how long the good ones' pages take, in simulated seconds."""

from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from reconciler.sandbox.wire import parse_time
from tests.support.simulation.routes.world import Line, RoutesWorld
from tests.support.simulation.schedule import POLL

GOOD = 4
BAD = Line("bad", "tag: bad", f"PSVC{GOOD + 1:03}")
HANGS = "https://hangs.invalid"


def _bad(**changes: Any) -> Line:
    return replace(BAD, changes=tuple(changes.items()))


KINDS: dict[str, Line] = {
    "a refused key of its own in PagerDuty": _bad(pagerduty_api_key=SecretStr("refused")),
    "a refused key of its own in Opsgenie": _bad(opsgenie_api_key=SecretStr("refused")),
    "a deleted service": replace(BAD, service="PSVC099"),
    "a refused query": replace(BAD, query="nonsense ~ (("),
    "a refused query that can be united": replace(BAD, query="nonsense: :"),
    "PagerDuty hangs": _bad(pagerduty_api_url=f"{HANGS}/pagerduty"),
    "Opsgenie hangs": _bad(opsgenie_api_url=f"{HANGS}/opsgenie"),
}
"""The bad route, by what is wrong with it."""


def delays(bad: Line | None, alerts: int = 12) -> list[float]:
    """Seconds from each alert of the good routes to its incident; infinite without one."""
    lines = tuple(Line(f"good{n}", f"tag: t{n}", f"PSVC{n + 1:03}") for n in range(GOOD))
    world = RoutesWorld(1, (bad, *lines) if bad else lines, GOOD + 1)
    with world.simulated():
        world.join()
        world.run(4 * POLL)
        raised = []
        for n in range(alerts):
            world.raise_alert("bad")
            raised.append(world.raise_alert(f"t{n % GOOD}"))
            world.run(7.0)
        world.run(3 * POLL)
        created = {
            one["incident_key"]: parse_time(one["created_at"])
            for one in world.sandbox.state()["pagerduty"]["incidents"]
        }
        start = world.vendors_time.now().timestamp() - world.hub.passed
        assert world.problems == []
        return [
            created[each.id].timestamp() - start - each.at if each.id in created else float("inf")
            for each in raised
        ]
