"""PagerDuty's priorities that PAGERDUTY_PRIORITIES names: their ids, and why incidents are created without one.

A page never waits for a priority. A name without an id, be it that PagerDuty has no such priority or that the list
cannot be read, means an incident without a priority, and words for the operator.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Lock

from reconciler.core.model import Action
from reconciler.errors import Duplicate, Permanent, ReconcilerError, Refused
from reconciler.reconcile.vendor_calls import CallResult
from reconciler.vendors.call_context import CallPriority, calling
from reconciler.vendors.ports import Clock, PagerDutyReader

READ_WITHIN = 2.0
"""Seconds that reading the list may take: the first pages after a start wait for it."""
RETRY = 30.0
"""Seconds after which a list that could not be read is read again."""
_BAD_REQUEST = 400
_SO = "PAGERDUTY_PRIORITIES: {why}, so that incidents get no priority; {fix}"
_SEE = "see that PagerDuty's plan has priorities, and that the key may read them"


class Priorities:
    """The ids of the named priorities. For any thread.

    The list is read when the first id is asked for, and again while a name has no id or was refused: at most once
    an `interval`, in seconds, and where it could not be read sooner.
    """

    def __init__(
        self, pagerduty: PagerDutyReader, names: Iterable[str], clock: Clock, interval: float = 300.0
    ) -> None:
        self._pagerduty = pagerduty
        self._names = tuple(dict.fromkeys(names))
        self._clock = clock
        self._interval = interval
        self._next = clock.monotonic()
        self._is_read = not self._names
        self._turn = Lock()
        self._lock = Lock()
        self._ids: dict[str, str] = {}
        self._objection = ""
        self._refusals: dict[str, str] = {}

    @property
    def words(self) -> str:
        """Why incidents have no priority that should have one, and the fix; empty if all is well."""
        with self._lock:
            refused = next(iter(self._refusals.items()), None)
            if self._objection or refused is None:
                return self._objection
        name, why = refused
        return _SO.format(why=f'PagerDuty refused the priority "{name}" ({why})', fix=_SEE)

    def refresh(self) -> None:
        """Read the list if that is due. A list that cannot be read leaves the known ids; nothing is raised."""
        with self._turn:
            now = self._clock.monotonic()
            if now < self._next or all(map(self._known_id, self._names)):
                return
            listed, why = self._listed()
            self._next = now + (min(self._interval, RETRY) if why else self._interval)
            with self._lock:
                self._is_read = True
                self._objection = objection(self._names, listed, why)
                self._ids |= {name: id_ for name in self._names if (id_ := found(name, listed or {}))}

    def id_of(self, name: str) -> str:
        """The id of a priority; empty if none is known, or for an empty name."""
        if name and not self._is_read:
            self.refresh()
        return self._known_id(name)

    def objection(self, action: Action) -> str | None:
        """Why the write is pointless: it changes the priority alone, to one without an id. Else None."""
        is_pointless = action.is_priority_alone and not self.id_of(action.priority)
        return f"PagerDuty's priority {action.priority} is not known" if is_pointless else None

    def known(self, action: Action) -> Action:
        """The action without its priority, if that has no id."""
        return action if self.id_of(action.priority) else replace(action, priority="")

    def attempt(self, action: Action, call: Callable[[str], CallResult]) -> CallResult:
        """The result of `call`, which is given the id of the action's priority, or an empty one.

        What PagerDuty refuses with a priority is tried without: a refusal had no effect. That this succeeds shows
        that the priority was the reason. Raises what the last call raises.
        """
        priority_id = "" if action.plain else self.id_of(action.priority)
        if not priority_id:
            return call("")
        try:
            result = call(priority_id)
        except Duplicate:
            raise
        except (Permanent, Refused) as error:
            if action.is_priority_alone:
                self._refused(action.priority, error)
                raise Permanent(str(error), _BAD_REQUEST) from None  # it concerns no other write
            result = call("")
            self._refused(action.priority, error)
            return result
        with self._lock:
            self._refusals.pop(action.priority, None)
        return result

    def _known_id(self, name: str) -> str:
        with self._lock:
            return self._ids.get(name, "")

    def _listed(self) -> tuple[Mapping[str, str] | None, str]:
        """The priorities, or None and the error."""
        try:
            with calling(CallPriority.PAGE, READ_WITHIN):
                return self._pagerduty.priorities(), ""
        except ReconcilerError as error:
            return None, str(error)

    def _refused(self, name: str, error: ReconcilerError) -> None:
        """Note that PagerDuty refuses this priority: it is not sent again until the list has been read."""
        with self._lock:
            self._ids.pop(name, None)
            self._refusals[name] = str(error)


def found(name: str, listed: Mapping[str, str]) -> str:
    """The id of the priority with this name, in any case if none has it exactly; empty if there is none."""
    same = (id_ for each, id_ in listed.items() if each.casefold() == name.casefold())
    return listed.get(name) or next(same, "")


def objection(names: Iterable[str], listed: Mapping[str, str] | None, why: str = "") -> str:
    """What keeps incidents from having these priorities, and the fix; empty if nothing does.

    `listed` are the ids by name, None if they cannot be read; `why` is the error then, empty if PagerDuty shows
    this key none.
    """
    if listed is None:
        reason = f"PagerDuty's priorities cannot be read ({why})" if why else "PagerDuty shows none to our key"
        return _SO.format(why=reason, fix=_SEE)
    if not listed:
        fix = "enable them under Account Settings, Incident Priorities, or remove PAGERDUTY_PRIORITIES"
        return _SO.format(why="PagerDuty's account has no priorities", fix=fix)
    unknown = [name for name in dict.fromkeys(names) if not found(name, listed)]
    if not unknown:
        return ""
    there = ", ".join(f'"{name}"' for name in listed)
    missing = " or ".join(f'"{name}"' for name in unknown)
    return (
        f"PAGERDUTY_PRIORITIES: PagerDuty has no priority {missing}, so that incidents get none in its place; "
        f"give one of {there}"
    )
