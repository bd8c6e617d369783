"""All steps of the probe, in order of their value: what a wrong assumption would cost."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.product import JSM
from reconciler.probe import acts, delays, lists, notes, outcomes, refusals
from reconciler.probe.findings import Finding
from reconciler.probe.trial import Trial

ANY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `assumptions` are the rows or questions of docs/assumptions.md that it settles.

    `product` is the key of the alert product that it needs; ANY for either. `seconds` is an estimate. A `slow` one
    is left out by --quick, because most of its time is waiting.
    """

    name: str
    does: str
    assumptions: str
    seconds: int
    run: Callable[[Trial], Iterator[Finding]]
    product: str = ANY
    slow: bool = False


STEPS = (
    Step(
        name="pagerduty-log",
        does="acknowledges an incident, and looks for the entry in both logs",
        assumptions="PagerDuty's log",
        seconds=10,
        run=acts.acknowledgement_in_the_log,
    ),
    Step(
        name="pagerduty-end-of-acknowledgement",
        does="snoozes an incident for some seconds, and waits for the end",
        assumptions="PagerDuty's log",
        seconds=60,
        run=acts.end_by_time,
        slow=True,
    ),
    Step(
        name="pagerduty-unacknowledge",
        does="un-acknowledges an incident of low and one of high urgency in each known way",
        assumptions="ways to un-acknowledge; question 16",
        seconds=60,
        run=acts.unacknowledging,
    ),
    Step(
        name="pagerduty-urgency",
        does="creates an incident of low urgency, and raises it",
        assumptions="urgency",
        seconds=5,
        run=acts.urgency,
    ),
    Step(
        name="pagerduty-people",
        does="asks whose key it is; acknowledges and notes, and reads who is named",
        assumptions="automation user; question 17",
        seconds=10,
        run=acts.who_acts,
    ),
    Step(
        name="pagerduty-delay",
        does="acknowledges an incident, and reads it in four ways until each shows that",
        assumptions="STALENESS_SECONDS",
        seconds=60,
        run=delays.incidents_behind,
        slow=True,
    ),
    Step(
        name="alert-delay",
        does="acknowledges an alert, and reads it in four ways until each shows that",
        assumptions="STALENESS_SECONDS; question 12",
        seconds=60,
        run=delays.alerts_behind,
        slow=True,
    ),
    Step(
        name="alert-notes",
        does="adds notes to an alert, odd ones and long ones, and reads them several times",
        assumptions="questions 7, 11, 15",
        seconds=30,
        run=notes.notes_of_alerts,
    ),
    Step(
        name="alert-updated",
        does="notes, acknowledges, un-acknowledges and closes an alert, and reads updatedAt",
        assumptions="updatedAt; question 6",
        seconds=20,
        run=outcomes.moves_updated_at,
    ),
    Step(
        name="alert-requests",
        does="does each act twice, and reads the request's status and the log",
        assumptions="log lines; questions 8, 15",
        seconds=40,
        run=outcomes.requests_and_log,
    ),
    Step(
        name="pagerduty-keys",
        does="creates incidents with the key of an open and of a resolved one",
        assumptions="one open incident a key; question 17",
        seconds=15,
        run=refusals.keys,
    ),
    Step(
        name="pagerduty-notes",
        does="adds notes to an incident, odd ones and long ones; creates one with a long title",
        assumptions="lengths of titles and notes",
        seconds=15,
        run=notes.notes_of_incidents,
    ),
    Step(
        name="pagerduty-refusals",
        does="asks for what does not exist, and does acts that are redundant",
        assumptions="refusals",
        seconds=10,
        run=refusals.refusals_of_pagerduty,
    ),
    Step(
        name="alert-refusals",
        does="asks for what does not exist, and sends what is too long",
        assumptions="refusals; question 8",
        seconds=20,
        run=refusals.refusals_of_alerts,
    ),
    Step(
        name="pagerduty-windows",
        does="reads the log in several windows of time, and users by e-mail",
        assumptions="PagerDuty's lists",
        seconds=15,
        run=lists.windows_of_the_log,
    ),
    Step(
        name="jsm-states",
        does="searches for an alert that is open, acknowledged, closed",
        assumptions="question 5",
        seconds=20,
        run=lists.states_of_jsm,
        product=JSM.key,
    ),
    Step(
        name="jsm-owner",
        does="acknowledges an alert, and reads its owner",
        assumptions="questions 4, 14",
        seconds=10,
        run=lists.owner_of_jsm,
        product=JSM.key,
    ),
    Step(
        name="jsm-integration",
        does="acknowledges an alert through the integration, if its key is given",
        assumptions="question 4",
        seconds=10,
        run=lists.integration_of_jsm,
        product=JSM.key,
    ),
    Step(
        name="jsm-sort",
        does="lists two alerts by updatedAt",
        assumptions="question 6",
        seconds=15,
        run=lists.sort_of_jsm,
        product=JSM.key,
    ),
    Step(
        name="pagerduty-fresh",
        does="reads a new incident at once",
        assumptions="STALENESS_SECONDS",
        seconds=5,
        run=delays.fresh_incident,
    ),
    Step(
        name="alert-fresh",
        does="reads a new alert at once",
        assumptions="STALENESS_SECONDS",
        seconds=10,
        run=delays.fresh_alert,
    ),
    Step(
        name="request-life",
        does="asks again for the status of the first accepted request",
        assumptions="question 8",
        seconds=5,
        run=delays.request_life,
    ),
    Step(
        name="rates",
        does="reads the headers that state rate limits",
        assumptions="question 9",
        seconds=1,
        run=refusals.rates,
    ),
)


def chosen(source: str, only: Iterable[str] = (), *, quick: bool = False) -> tuple[Step, ...]:
    """The steps for this alert product, in their order: all, the named ones, or without the slow ones."""
    names = {*only}
    return tuple(
        step
        for step in STEPS
        if step.product in (ANY, source) and (step.name in names if names else not (quick and step.slow))
    )


def estimate(steps: Iterable[Step]) -> int:
    """Seconds that the steps take together, about."""
    return sum(step.seconds for step in steps)
