"""Pairs of which one side is acknowledged and the other is not, and whether a rule or a policy leaves them so.

The reason follows from the database alone: every act that is mirrored leaves an action, so that a state without an
action is one that is not passed on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.core.model import Action, Kind, Pair, Side, Status
from reconciler.core.product import OPSGENIE, Product
from reconciler.observability.naming import state_of
from reconciler.operations.gauges import open_pairs
from reconciler.store.database import UnitOfWork

_STATES = frozenset(kind for kind in Kind if kind.is_state and kind is not Kind.PAGERDUTY_SET_URGENCY)
_OTHER = {Side.ALERTS: Side.PAGERDUTY, Side.PAGERDUTY: Side.ALERTS}
UNKNOWN = "no rule leaves it so: the sweep compares it again within SWEEP_INTERVAL_SECONDS"


@dataclass(frozen=True, slots=True)
class Apart:
    """A pair that is acknowledged on one side only; `why` names the rule or policy, or what is left to do."""

    pair: Pair
    acknowledged: Side
    since: datetime
    on_purpose: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Case:
    """A pair that is apart, and its actions, oldest first. `user` is the automation user's id, if known."""

    pair: Pair
    actions: tuple[Action, ...]
    user: str
    product: Product = OPSGENIE

    def last(self, *acts: str) -> Action | None:
        """The newest action that was caused by one of these acts: where it happened, and its verb."""
        return next((each for each in reversed(self.actions) if _act(each) in acts), None)

    def is_ours(self) -> bool:
        """Whether nobody but the automation user holds the incident."""
        held = self.pair.pagerduty.acknowledgers if self.pair.pagerduty else ()
        return bool(self.user) and all(self.user in (person.id, person.name) for person in held)


def _act(action: Action) -> str:
    """The act that has caused the action, which happened on the other side."""
    verb, *_ = action.key.removeprefix(f"{action.kind.value} {action.alert_id} ").split(" ")
    return f"{_OTHER[action.kind.side].value} {verb}"


def _customer_took_back(case: _Case) -> bool:
    action = case.last("opsgenie acknowledge", "opsgenie unacknowledge", "pagerduty acknowledge")
    return action is not None and _act(action) == "opsgenie unacknowledge"


def _reopened(case: _Case) -> bool:
    action = case.last("opsgenie acknowledge", "pagerduty acknowledge", "pagerduty reopen")
    return action is not None and _act(action) == "pagerduty reopen"


def _last_state(case: _Case) -> Kind | None:
    return next((each.kind for each in reversed(case.actions) if each.kind in _STATES), None)


def _never_acted(case: _Case) -> bool:
    return case.last(*(f"{side} {verb}" for side in Side for verb in ("acknowledge", "unacknowledge"))) is None


_INCIDENT, _ALERT = Side.PAGERDUTY, Side.ALERTS
_RULES: tuple[tuple[Side, Callable[[_Case], bool], str], ...] = (
    (_INCIDENT, lambda case: _customer_took_back(case) and not case.is_ours(),
     "an engineer's acknowledgement stays when a customer takes it back in {product}"),
    (_INCIDENT, _customer_took_back, "{policies}_UNACKNOWLEDGE is note"),
    (_ALERT, _reopened, "a reopened incident leaves the alert as it is"),
    (_ALERT, lambda case: _last_state(case) is Kind.PAGERDUTY_ACKNOWLEDGE,
     "a mirrored acknowledgement that times out in PagerDuty is not passed back"),
    (_ALERT, lambda case: _last_state(case) is Kind.ALERT_ACKNOWLEDGE, "ON_PAGERDUTY_ACK_TIMEOUT is ignore"),
    (_INCIDENT, _never_acted, "it was so when the pair was first seen"),
    (_ALERT, _never_acted, "it was so when the pair was first seen"),
)  # fmt: skip
"""By the side that is acknowledged: when a rule or policy leaves a pair so, and which. The first that holds.

{product} is the one that raises the alerts, {policies} how the settings for its alerts begin."""


def apart(unit: UnitOfWork, user: str, product: Product = OPSGENIE) -> tuple[Apart, ...]:
    """Every pair that is apart, the longest first. `user`: the automation user's id or name."""
    pairs = [(pair, side) for pair in open_pairs(unit) if (side := acknowledged_alone(pair)) is not None]
    actions = unit.outbox.of([pair.alert_id for pair, _ in pairs])
    found = [judged(_Case(pair, actions.get(pair.alert_id, ()), user, product), side) for pair, side in pairs]
    return tuple(sorted(found, key=lambda each: each.since))


def acknowledged_alone(pair: Pair) -> Side | None:
    """The side that alone is acknowledged, of a pair that is open on both."""
    incident = pair.pagerduty
    if incident is None or incident.status == "resolved" or not pair.alerts.open:
        return None
    if pair.alerts.acknowledged == (incident.status == "acknowledged"):
        return None
    return Side.ALERTS if pair.alerts.acknowledged else Side.PAGERDUTY


def judged(case: _Case, side: Side) -> Apart:
    """The pair with the reason why it is apart."""
    left = [each for each in case.actions if each.kind in _STATES and (each.status.is_open or _is_dead(each))]
    if left:
        last = left[-1]
        why = f"{case.product.kind(last.kind)} is {state_of(last)}" + (f": {last.error}" if last.error else "")
        return Apart(case.pair, side, last.at, on_purpose=False, why=why)
    rule = next((words for which, holds, words in _RULES if which is side and holds(case)), "")
    why = rule.format(product=case.product.name, policies=case.product.policies)
    return Apart(case.pair, side, _since(case, side), on_purpose=bool(why), why=why or UNKNOWN)


def _is_dead(action: Action) -> bool:
    return action.status is Status.DEAD


def _since(case: _Case, side: Side) -> datetime:
    """When the other side ceased to be acknowledged, or this one began to be, as far as that is known."""
    action = case.last("opsgenie unacknowledge") if side is Side.PAGERDUTY else None
    if action is not None:
        return action.at
    stamp = case.pair.pagerduty.as_of if case.pair.pagerduty else None
    return stamp or case.pair.alerts.updated_at


def as_data(now: datetime, each: Apart, product: Product = OPSGENIE) -> dict[str, Any]:
    """One pair as data."""
    return {
        "alert_id": each.pair.alert_id,
        "alert": each.pair.tiny_id,
        "title": each.pair.title,
        "incident_id": each.pair.incident_id,
        "incident": each.pair.incident_number,
        "acknowledged": product.key_of(each.acknowledged),
        "since": each.since.isoformat(),
        "age_seconds": round((now - each.since).total_seconds(), 3),
        "on_purpose": each.on_purpose,
        "why": each.why,
    }


def words(each: Apart, product: Product = OPSGENIE) -> str:
    """What is so, and why."""
    purpose = "on purpose" if each.on_purpose else "not on purpose"
    here, there = product.name_of(each.acknowledged), product.name_of(_OTHER[each.acknowledged])
    return f"acknowledged in {here}, not in {there}; {purpose}: {each.why}"
