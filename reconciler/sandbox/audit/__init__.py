"""What the product lost, did twice, sent in circles or must never do: computed from the sandbox's state.

The truth is the journal of people's acts; it is compared with the final notes, logs, incidents and pages. Copies
are recognised by their marks, `[Opsgenie · Ana Ruiz · …] text`, and PagerDuty's copies also by their author, the
automation user. Knowledge of the run makes the rules stricter; see `Knowledge`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.sandbox.audit import notes, states
from reconciler.sandbox.audit.case import Case
from reconciler.sandbox.audit.cases import cases
from reconciler.sandbox.audit.findings import Kind, Wrong
from reconciler.sandbox.audit.knowledge import Knowledge
from reconciler.sandbox.audit.products import united
from reconciler.sandbox.audit.routing import misrouted
from reconciler.sandbox.wire import Json

__all__ = ["Audit", "Finding", "Kind", "Knowledge", "audit", "cases", "findings"]

Rule = Callable[[Case], Wrong]
OF_ALERTS: tuple[Rule, ...] = (states.incidents, states.closings, notes.loops)
OF_PAIRS: tuple[Rule, ...] = (
    notes.customers_notes, notes.engineers_notes, notes.details, notes.told, notes.priorities,
    notes.second_incidents, notes.order, states.own_acts, states.names, states.engineers_states,
    states.final_states, states.urgency,
)  # fmt: skip
OF_INCIDENTS: tuple[Rule, ...] = (states.reopenings, states.pages)
"""All rules, by what they need: an alert, an alert and an incident, or an incident with or without an alert."""
LISTS = {
    "lost": (Kind.LOST, Kind.STATE),
    "twice": (Kind.TWICE, Kind.ORDER),
    "looped": (Kind.LOOP,),
    "forbidden": (Kind.FORBIDDEN, Kind.PAGED, Kind.WRONG_NAME),
    "misrouted": (Kind.MISROUTED,),
}
"""The kinds in each list of an Audit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an alert or an incident."""

    kind: Kind
    about: str
    what: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings, one readable line each; `is_routed`: it was said which alerts are to go to which services."""

    lost: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    looped: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    misrouted: tuple[str, ...] = ()
    is_routed: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not any(self.as_json().values())

    def as_json(self) -> dict[str, list[str]]:
        """Lists of lines by name."""
        names = [name for name in LISTS if self.is_routed or name != "misrouted"]
        return {name: list(getattr(self, name)) for name in names}


def audit(state: Json, knowledge: Knowledge | None = None) -> Audit:
    """All findings in a `/control/state`."""
    found = list(findings(state, knowledge or Knowledge()))
    lines = {name: [f"{each.about}: {each.what}" for each in found if each.kind in LISTS[name]] for name in LISTS}
    return Audit(**{name: tuple(of_kind) for name, of_kind in lines.items()}, is_routed="routes" in state)


def findings(state: Json, knowledge: Knowledge) -> Iterator[Finding]:
    """The same one by one."""
    for number, what in misrouted(united(state, knowledge.followed_last)):
        yield Finding(Kind.MISROUTED, f"alert #{number}", what)
    for case in cases(state, knowledge):
        alerts = OF_ALERTS if case.alert["id"] else ()
        pairs = OF_PAIRS if alerts and case.incidents else ()
        for rule in (*alerts, *pairs):
            yield from (Finding(kind, f"alert #{case.alert['tinyId']}", what) for kind, what in rule(case))
        about = "incident " + ", ".join(f"#{incident['incident_number']}" for incident in case.incidents)
        for rule in OF_INCIDENTS if case.incidents else ():
            yield from (Finding(kind, about, what) for kind, what in rule(case))
