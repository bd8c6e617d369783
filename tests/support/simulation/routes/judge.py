"""What must hold of many routes once all troubles are over: the audit, each service's incidents apart."""

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from reconciler.core.model import Status
from reconciler.sandbox.audit import Knowledge
from reconciler.sandbox.audit import findings as audited
from reconciler.sandbox.opsgenie import query as language
from reconciler.sandbox.opsgenie.state import Alert
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

    Of an alert with incidents on several services, what one incident's engineers do is no cause, to the audit, of
    what reaches the other one: of these, only the incidents themselves are judged.
    """
    state = world.sandbox.state()
    state["routes"] = _wanted(world, state)
    found = audited(state, _knowledge(world))
    shared = {f"alert #{alert['tinyId']}" for alert in state["opsgenie"]["alerts"]
              if len(state["routes"][alert["id"]]) > 1}  # fmt: skip
    lines = [f"{each.kind} {each.what} ({each.about})" for each in found
             if each.about not in shared or each.what.startswith("incident")]  # fmt: skip
    return [*world.problems, *_left(world), *_without_start(world), *lines]


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


def _without_start(world: "RoutesWorld") -> list[str]:
    """Routes of the file that have no first start, and so no cursors, of their own."""
    cursors = metadata.tables["cursors"]
    with world.engine.connect() as connection:
        begun = set(connection.execute(select(cursors.c.route).where(cursors.c.name == "origin")).scalars())
    return [f"NO START of {line.name}" for line in world.lines if line.name not in begun]


def _wanted(world: "RoutesWorld", state: Json) -> dict[str, list[str]]:
    """On which services each alert is to have an incident: as the file said when that was decided.

    While the file changes, an alert may be decided by either; what a later file says may be followed, too.
    """
    actual: dict[str, set[str]] = defaultdict(set)
    for incident in state["pagerduty"]["incidents"]:
        actual[incident["incident_key"]].add(incident["service"]["id"])
    raised = {stored.first.id: stored.first for stored in world.sandbox.opsgenie.alerts.entries()}
    files = _files(world)
    wanted = {}
    for each in world.alerts:
        options = [(until, file.services_of(raised[each.id])) for until, file in files]
        since = [(until, services) for until, services in options if until >= each.at - READ_LATE]
        first = [services for number, (_, services) in enumerate(since)
                 if number == 0 or since[number - 1][0] <= each.at + DECIDED]  # fmt: skip
        allowed = {service for _, services in since for service in services}
        is_right = any(set(services) <= actual[each.id] for services in first)
        wanted[each.id] = sorted(actual[each.id] & allowed) if is_right else first[0]
    return wanted


def _files(world: "RoutesWorld") -> list[tuple[float, "_File"]]:
    """The files, each with the time until which it was in force."""
    ends = [at for at, _ in world.files[1:]]
    return list(zip([*ends, float("inf")], [_File(lines) for _, lines in world.files], strict=True))


class _File:
    """One version of the routes file, as an independent reader of the rule has it."""

    def __init__(self, lines: "tuple[Line, ...]") -> None:
        self._lines = [(line, language.parse(line.query)) for line in lines]

    def services_of(self, alert: Alert) -> list[str]:
        """The services of the first match, and of all that share with it."""
        matching = [line for line, matches in self._lines if matches(alert)]
        if matching and matching[0].is_shared:
            matching = [line for line in matching if line.is_shared]
        else:
            matching = matching[:1]
        return list(dict.fromkeys(line.service for line in matching))
