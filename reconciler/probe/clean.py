"""Removing what the probe has created: incidents are resolved, alerts closed, and each is read afterwards."""

from collections.abc import Callable
from functools import partial

from reconciler.errors import ReconcilerError
from reconciler.probe.objects import Created, Kind, Objects
from reconciler.probe.trial import Trial

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between two tries to remove what is left: writes take effect later than they are accepted."""
LONGEST = 90.0
"""Seconds after which an interrupted run is left to end by itself."""


def leftovers(trial: Trial, objects: Objects) -> int:
    """Remove what earlier runs have left open; how many that is. ReconcilerError if a list cannot be read."""
    found = trial.incidents.adopt_leftovers() + trial.alerts.adopt_leftovers()
    if found:
        clean(trial, objects)
    return found


def clean(trial: Trial, objects: Objects, pauses: tuple[float, ...] = PAUSES) -> tuple[Created, ...]:
    """Remove everything; returns what could not be removed. No error ends it, and no signal shortens its waits."""
    with trial.halt.ignored():
        _once(trial, objects)
        for seconds in pauses:
            if not objects.left():
                break
            trial.incidents.api.http.clock.wait(seconds)
            _once(trial, objects)
    return objects.left()


def _once(trial: Trial, objects: Objects) -> None:
    if any(one.kind is Kind.INCIDENT and not one.id for one in objects.left()):
        _tried(trial.incidents.find)
    for one in objects.left():
        remove = trial.incidents.remove if one.kind is Kind.INCIDENT else trial.alerts.remove
        if _tried(partial(remove, one)):
            objects.over(one)


def _tried(work: Callable[[], object]) -> bool:
    """Whether it was done; an error is a reason to try again later."""
    try:
        return bool(work())
    except ReconcilerError:
        return False
