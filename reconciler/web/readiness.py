"""The answer of /readyz: of a process with one route, and of one with several."""

import re
from collections import Counter
from collections.abc import Mapping

from flask import Response

from reconciler.observability.health import Health
from reconciler.settings import variables
from reconciler.web.answers import json_answer

_IN_GENERAL = {
    "database": "the database cannot be used",
    "refused": "what is configured does not work",
    "pages": "somebody is not paged",
}
"""Classes of reasons whose text names people, hosts or a vendor's words; the other texts are ours alone."""
_SETTING = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


def of_one(health: Health, *, knows_all: bool) -> Response:
    """Whether the route is ready. As everybody may ask, only who `knows_all` is told a reason's own words."""
    name, reason = health.gravest()
    values: dict[str, object] = {"ready": not reason, "role": health.role()}
    if reason:
        values["reason"] = _told(name, reason, knows_all=knows_all)
    if health.paused:
        values["paused"] = _paused(health, knows_all=knows_all)
    return json_answer(503 if reason else 200, values | {"dead_actions": health.dead})


def of_several(routes: Mapping[str, Health], *, knows_all: bool) -> Response:
    """Whether the process is ready, and each route that is not with its reason.

    It is ready unless all routes that it does not stand by for are not: one bad route must neither hold up a
    rollout nor take the process out of service.
    """
    roles = {name: health.role() for name, health in routes.items()}
    reasons = {name: health.gravest() for name, health in routes.items()}
    bad = {name: _told(*reason, knows_all=knows_all) for name, reason in reasons.items() if reason[1]}
    working = [name for name, role in roles.items() if role != "standby"] or list(roles)
    is_ready = not working or any(name not in bad for name in working)
    counts = Counter(roles.values())
    role = "leader" if counts["leader"] else "none" if counts["none"] else "standby"
    values: dict[str, object] = {"ready": is_ready, "role": role, "routes": dict(sorted(counts.items()))}
    if not is_ready:
        values["reason"] = f"no route of this process is ready: {'; '.join(dict.fromkeys(bad.values()))}"
    if bad:
        values["not_ready"] = bad
    paused = [
        f"{name}: {each}" for name, health in routes.items() for each in _paused(health, knows_all=knows_all)
    ]
    if paused:
        values["paused"] = paused
    dead = sum(health.dead for health in routes.values())
    return json_answer(200 if is_ready else 503, values | {"dead_actions": dead})


def of_unknown() -> Response:
    """The answer for a route that this process does not have: it repeats nothing of the request."""
    values = {"ready": False, "role": "none", "reason": "this process has no such route", "dead_actions": 0}
    return json_answer(503, values)


def _told(name: str, reason: str, *, knows_all: bool) -> str:
    return reason if knows_all else _in_general(name, reason)


def _paused(health: Health, *, knows_all: bool) -> list[str]:
    return [each if knows_all else each.partition(" by ")[0] for each in health.paused]


def _in_general(name: str, reason: str) -> str:
    """The reason's class, and the settings that it names."""
    if name not in _IN_GENERAL:
        return reason
    settings = [each for each in dict.fromkeys(_SETTING.findall(reason)) if each in variables()]
    return f"{': '.join(filter(None, (', '.join(settings), _IN_GENERAL[name])))}; `reconciler status` says more"
