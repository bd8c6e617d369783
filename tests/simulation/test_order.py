"""Rule 11: after an outage pages go before notes, and within a pair the order of people's acts is kept."""

from datetime import datetime

import pytest

from reconciler.core import follow_up
from reconciler.core.model import Action, Kind, Side
from reconciler.core.work import Priority, Reason, WorkItem
from reconciler.reconcile import write_breakers
from reconciler.reconcile.deliver import _PairDelivery
from reconciler.reconcile.write_breakers import Lane
from tests.support.simulation.oracle import findings
from tests.support.simulation.schedule import Act, Fault, History
from tests.support.simulation.world import Outcome, Parts, run

OUTAGE = History(
    (
        Act(0, 0, "og", "create"),
        Act(2, 0, "og", "note", 0, 0, "older than the alerts that follow"),
        Act(2, 0, "og", "note", 0, 0, "this one too"),
        Act(2, 0, "og", "create"),
        Act(2, 0, "og", "create"),
        Act(2, 0, "og", "create"),
    ),
    (Fault("pd.create", 1, "refused"), Fault("pd.note", 0, "refused")),
)
"""No write succeeds in the cycle that finds them: creations and older notes wait together for the next cycle."""
HOURS = ("pd_gone_for_hours", "pd_402_for_hours", "pd_proxy_for_hours", "pd_1008_for_hours")
"""Outages of hours; the process sleeps through the last one, so that everything is due at once."""
TWO_NOTES = History(
    (
        Act(0, 0, "og", "create"),
        Act(2, 0, "og", "note", 0, 0, "first"),
        Act(2, 0, "og", "note", 0, 0, "second"),
    ),
    (Fault("pd.note", 0, "500_before"),),
)


def writes(outcome: Outcome) -> list[str]:
    """The kinds of successful writes to PagerDuty, in order."""
    kinds = [line.split()[1] for line in outcome.trace if " refused " not in line]
    return [kind for kind in kinds if kind in ("pd.create", "pd.note")]


def notes(outcome: Outcome) -> list[str]:
    (incident,) = outcome.state["pagerduty"]["incidents"]
    return [note["content"].rpartition("] ")[2] for note in incident["notes"]]


def test_after_an_outage_every_page_goes_before_any_note() -> None:
    outcome = run(OUTAGE)
    assert findings(outcome) == []
    assert writes(outcome) == ["pd.create"] * 4 + ["pd.note"] * 2


@pytest.mark.parametrize("what", HOURS)
def test_after_an_outage_of_hours_every_page_goes_before_any_note(what: str) -> None:
    outcome = run(OUTAGE.but(Fault("cycle", 2, what)))
    assert findings(outcome) == []
    assert writes(outcome)[-5:] == ["pd.create"] * 3 + ["pd.note"] * 2


def test_a_product_that_does_not_prioritise_pages_is_detected() -> None:
    """The test above fails for a product in which pages have neither a priority nor a lane of their own."""

    def alike(alert_id: str, _waiting: object, due_at: datetime) -> WorkItem:
        return WorkItem(alert_id, due_at, priority=Priority.CHANGED, reasons=frozenset({Reason.OUTBOX}))

    def one_lane(kind: Kind) -> Lane:
        return Lane.ALERTS if kind.side is Side.ALERTS else Lane.PAGERDUTY

    parts = Parts(patches=((follow_up, "outbox_item", alike), (write_breakers, "lane_of", one_lane)))
    last = [writes(run(OUTAGE.but(Fault("cycle", 2, what)), parts))[-5:] for what in HOURS]
    assert any(kinds != ["pd.create"] * 3 + ["pd.note"] * 2 for kinds in last)


def test_two_notes_of_a_pair_arrive_in_order_though_the_first_fails_once() -> None:
    outcome = run(TWO_NOTES)
    assert findings(outcome) == []
    assert notes(outcome) == ["first", "second"]


def test_a_product_that_sends_a_pairs_notes_out_of_order_is_detected() -> None:
    def hasty(self: _PairDelivery, waiting: tuple[Action, ...]) -> None:
        for action in waiting:
            if action.kind is not Kind.CREATE_INCIDENT and self._is_due(action):
                self._sender.send(action)

    patches = ((_PairDelivery, "send_the_rest", hasty),)
    assert notes(run(TWO_NOTES, Parts(patches=patches))) == ["second", "first"]
