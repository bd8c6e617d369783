"""Rule 11: pages before chatter after an outage, and within a pair the order in which people acted."""

from datetime import datetime
from typing import Any

from oracles import findings
from reconciler.apply import Applier, Turn
from schedule import Act, Fault, History
from world import Outcome, Parts, run

from reconciler import apply
from reconciler.core.model import Policy

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
"""Nothing can be written in the cycle that finds them: creations and older notes wait together for the next."""
TWO_NOTES = History(
    (
        Act(0, 0, "og", "create"),
        Act(2, 0, "og", "note", 0, 0, "first"),
        Act(2, 0, "og", "note", 0, 0, "second"),
    ),
    (Fault("pd.note", 0, "500_before"),),
)


def writes(outcome: Outcome) -> list[str]:
    """The kinds of what was written to PagerDuty, in order, without the write that was refused."""
    kinds = [line.split()[1] for line in outcome.trace if " refused " not in line]
    return [kind for kind in kinds if kind in ("pd.create", "pd.note")]


def notes(outcome: Outcome) -> list[str]:
    (incident,) = outcome.state["pagerduty"]["incidents"]
    return [note["content"].rpartition("] ")[2] for note in incident["notes"]]


def test_after_an_outage_every_page_goes_before_any_note() -> None:
    outcome = run(OUTAGE)
    assert findings(outcome) == []
    assert writes(outcome) == ["pd.create"] * 4 + ["pd.note"] * 2


def test_notes_that_went_first_would_be_seen() -> None:
    """The test above tells a product that sends pair by pair first."""

    class NotesFirst(Applier):
        def apply(self, policy: Policy, until: datetime | None = None) -> apply.Outcome:
            turn = Turn(self, policy, until)
            waiting = self._waiting()
            turn.send_the_rest(waiting)
            turn.send_creations(waiting)
            return turn.outcome()

    assert writes(run(OUTAGE, Parts(applier=NotesFirst))) != ["pd.create"] * 4 + ["pd.note"] * 2


def test_two_notes_of_a_pair_arrive_in_order_though_the_first_fails_once() -> None:
    outcome = run(TWO_NOTES)
    assert findings(outcome) == []
    assert notes(outcome) == ["first", "second"]


def test_a_pair_that_held_nothing_back_would_be_seen() -> None:
    def hasty(self: Turn, mine: tuple[Any, ...]) -> None:
        for action in mine:
            if self._is_due(action):
                self.sender.send(action)

    assert notes(run(TWO_NOTES, Parts(patches=((Turn, "_send_pair", hasty),)))) == ["second", "first"]
