"""What an update (`PUT /incidents/{id}`, `PUT /incidents`) changes in an incident."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.sandbox.pagerduty import checks
from reconciler.sandbox.pagerduty.account import Act
from reconciler.sandbox.pagerduty.errors import problem
from reconciler.sandbox.pagerduty.rules import Rules
from reconciler.sandbox.pagerduty.state import LEVELS, POLICIES, StoredIncident
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Json


class Effect(NamedTuple):
    """A change to make, and the verb under which the journal has it (empty: the journal does not have it)."""

    apply: Callable[[Act], None]
    verb: str = ""


def effects(rules: Rules, settings: SandboxSettings, stored: StoredIncident, values: Json) -> list[Effect]:
    """The changes that an update asks for, in order. Raises PagerDuty's error when any of it is invalid."""
    checks.kind(values, "incident", "incident_reference")
    found = list[Effect]()
    if "title" in values:
        title = checks.title(values)
        found.append(Effect(lambda act: rules.set_title(stored, act, title)))
    if values.get("urgency") in ("high", "low") and values["urgency"] != stored.now.urgency:
        found.append(Effect(lambda act: rules.set_urgency(stored, act, values["urgency"])))
    found += _reassignment(rules, stored, values)
    found += _status_change(rules, settings, stored, values.get("status"))
    return found


def _reassignment(rules: Rules, stored: StoredIncident, values: Json) -> Iterator[Effect]:
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
        yield Effect(lambda act: rules.escalate(stored, act, level), "reassign")
    elif policy is not None:
        if not isinstance(policy, dict) or policy.get("id") not in POLICIES:
            raise problem(400, 1014)
        yield Effect(lambda act: rules.use_policy(stored, act, policy["id"]), "reassign")
    else:
        to = checks.assignee(assignments)
        yield Effect(lambda act: rules.assign(stored, act, to), "reassign")


def _status_change(
    rules: Rules, settings: SandboxSettings, stored: StoredIncident, status: object
) -> Iterator[Effect]:
    before = stored.now
    match status:
        case None:
            return
        case "acknowledged":
            verb = "acknowledge" if before.is_open else "reopen"
            yield Effect(lambda act: rules.acknowledge(stored, act), verb)
        case "resolved" if before.is_open:
            yield Effect(lambda act: rules.resolve(stored, act), "resolve")
        case "resolved":
            raise problem(400, 1001)
        case "triggered" if not before.is_open:
            yield Effect(lambda act: rules.reopen(stored, act), "reopen")
        case "triggered":
            if before.status == "acknowledged" and settings.status_triggered_works:
                yield Effect(lambda act: rules.trigger(stored, act.at, "status set to triggered"))
        case _:
            raise problem(400, 1003)
