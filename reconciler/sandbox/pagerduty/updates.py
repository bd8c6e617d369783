"""What an update (`PUT /incidents/{id}`, `PUT /incidents`) changes in an incident."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from reconciler.sandbox.pagerduty import checks
from reconciler.sandbox.pagerduty.errors import problem
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.state import LEVELS, POLICIES, StoredIncident, User
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json

API: Json = {"type": "api"}
"""The channel of log entries about what is done through the API."""


class Effect(NamedTuple):
    """A change to make, and the verb under which the journal has it (empty: the journal does not have it)."""

    apply: Callable[[datetime], None]
    verb: str = ""


def effects(
    rules: Rules, settings: SandboxSettings, who: User, stored: StoredIncident, values: Json
) -> list[Effect]:
    """The changes that an update asks for, in order. Raises PagerDuty's error when any of it is invalid."""
    checks.kind(values, "incident", "incident_reference")
    found = list[Effect]()
    if "title" in values:
        title = checks.title(values)
        found.append(Effect(lambda at: rules.set_title(stored, at, title)))
    if values.get("urgency") in ("high", "low") and values["urgency"] != stored.now.urgency:
        found.append(Effect(lambda at: rules.set_urgency(stored, at, who, values["urgency"], API)))
    found += _reassignment(rules, who, stored, values)
    found += _status_change(rules, settings, who, stored, values.get("status"))
    return found


def _reassignment(rules: Rules, who: User, stored: StoredIncident, values: Json) -> Iterator[Effect]:
    level, policy = values.get("escalation_level"), values.get("escalation_policy")
    assignments = values.get("assignments")
    if level is None and policy is None and not assignments:
        return
    if not stored.now.is_open:
        raise problem(400, 1001)
    if level is not None:
        # The website refuses levels for low urgency; that the API does is uncertain.
        if stored.now.urgency == "low" or level not in range(1, LEVELS + 1):
            raise problem(400, 1006)
        yield Effect(lambda at: rules.escalate(stored, at, who, level, API), "reassign")
    elif policy is not None:
        if not isinstance(policy, dict) or policy.get("id") not in POLICIES:
            raise problem(400, 1014)
        yield Effect(lambda at: rules.use_policy(stored, at, who, policy["id"], API), "reassign")
    else:
        to = checks.assignee(assignments)
        yield Effect(lambda at: rules.assign(stored, at, who, to, API), "reassign")


def _status_change(
    rules: Rules, settings: SandboxSettings, who: User, stored: StoredIncident, status: object
) -> Iterator[Effect]:
    before = stored.now
    match status:
        case None:
            return
        case "acknowledged":
            verb = "acknowledge" if before.is_open else "reopen"
            yield Effect(lambda at: rules.acknowledge(stored, at, who, API), verb)
        case "resolved" if before.is_open:
            yield Effect(lambda at: rules.resolve(stored, at, who, API), "resolve")
        case "resolved":
            raise problem(400, 1001)
        case "triggered" if not before.is_open:
            yield Effect(lambda at: rules.reopen(stored, at, who, API), "reopen")
        case "triggered":
            if before.status == "acknowledged" and settings.status_triggered_works:
                yield Effect(lambda at: rules.trigger(stored, at, "status set to triggered"))
        case _:
            raise problem(400, 1003)
