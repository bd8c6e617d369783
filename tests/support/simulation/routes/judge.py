"""What must hold of a life of many routes once all troubles are over: the audit, each service's incidents apart."""

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from reconciler.core.model import Status
from reconciler.sandbox.audit import Knowledge
from reconciler.sandbox.audit import findings as audited
from reconciler.sandbox.expected import Expected
from reconciler.sandbox.wire import Json
from reconciler.store.schema import metadata
from tests.support.simulation.oracle import IN_FLIGHT
from tests.support.simulation.schedule import LATE, STALENESS

if TYPE_CHECKING:
    from tests.support.simulation.routes.world import Line, RoutesWorld

READ_LATE = 5.0
"""Seconds within which every pod has read a new file, if it is not stopped."""
DECIDED = 60.0
"""Seconds within which it is decided whose an alert is, whatever happens meanwhile."""


def findings(world: "RoutesWorld") -> list[str]:
    """All findings, one line each; none when nothing is wrong.

    Of an alert with incidents on several services, the audit takes what one incident's engineers do for no cause of
    what reaches the other through the alert: of these, only the incidents themselves are judged.
    """
    state = world.sandbox.state()
    state["routes"] = _wanted(world, state)
    found = audited(state, _knowledge(world))
    shared = {f"alert #{alert['tinyId']}" for alert in state["opsgenie"]["alerts"]
              if len(state["routes"][alert["id"]]) > 1}  # fmt: skip
    lines = [f"{each.kind} {each.what} ({each.about})" for each in found
             if each.about not in shared or each.what.startswith("incident")]  # fmt: skip
    return [*world.problems, *_left(world), *lines]


def _knowledge(world: "RoutesWorld") -> Knowledge:
    stops = sum(world.counts[what] for what in ("stopped", "frozen"))
    late = timedelta(seconds=LATE if world.counts["faults"] or stops else 0)
    return Knowledge(
        lag=timedelta(seconds=2),
        doubt=timedelta(seconds=STALENESS + 60),
        creation_is_late=bool(stops),
        late_states=stops,
        unseen=IN_FLIGHT + late,
        queue_reorders=True,
        may_resolve=False,
    )


def _left(world: "RoutesWorld") -> list[str]:
    """Actions that are still open, or dead."""
    actions = metadata.tables["actions"]
    with world.engine.connect() as connection:
        rows = connection.execute(
            select(actions.c.route, actions.c.status, func.count()).group_by(actions.c.route, actions.c.status)
        )
        kept = {line.name for line in world.lines}
        counted = [tuple(row) for row in rows]
    bad = {Status.PLANNED, Status.SENT, Status.DEAD}
    return [
        f"LEFT {count} {status} of {route}" for route, status, count in counted if route in kept and status in bad
    ]


def _wanted(world: "RoutesWorld", state: Json) -> dict[str, list[str]]:
    """On which services each alert is to have an incident: as the file said when that was decided.

    While the file changes, an alert may be decided by either; what a later file says may be followed, too.
    """
    actual: dict[str, set[str]] = defaultdict(set)
    for incident in state["pagerduty"]["incidents"]:
        actual[incident["incident_key"]].add(incident["service"]["id"])
    raised = {stored.first.id: stored.first for stored in world.sandbox.opsgenie.alerts.entries()}
    wanted = {}
    for each in world.alerts:
        options = [
            (until, _expected(lines).services_of([raised[each.id]])[each.id]) for until, lines in _files(world)
        ]
        since = [(until, services) for until, services in options if until >= each.at - READ_LATE]
        first = [services for number, (_, services) in enumerate(since)
                 if number == 0 or since[number - 1][0] <= each.at + DECIDED]  # fmt: skip
        allowed = {service for _, services in since for service in services}
        is_right = any(set(services) <= actual[each.id] for services in first)
        wanted[each.id] = sorted(actual[each.id] & allowed) if is_right else first[0]
    return wanted


def _files(world: "RoutesWorld") -> list[tuple[float, "tuple[Line, ...]"]]:
    """The files, each with the time until which it was in force."""
    ends = [at for at, _ in world.files[1:]]
    return list(zip([*ends, float("inf")], [lines for _, lines in world.files], strict=True))


def _expected(lines: "tuple[Line, ...]") -> Expected:
    return Expected(
        {line.service: line.query for line in lines}, frozenset(line.service for line in lines if line.is_shared)
    )
