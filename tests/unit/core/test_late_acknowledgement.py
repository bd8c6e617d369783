"""Our acknowledgement that took effect after a person had taken it back is undone, which pages again."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Action, Kind, Pair, Status
from reconciler.core.plan import decide
from tests.support.builders import BOT, JANE, action, alert, at, incident, inputs, observation, pair, policy

REASON = "the automation user's acknowledgement came after it had been taken back, and nobody is paged"
OURS = incident("acknowledged", acknowledgers=(BOT,), changed_by=BOT, changed_at=at(50))
ACKNOWLEDGED = action(Kind.PAGERDUTY_ACKNOWLEDGE, Status.DONE, id=1)
TAKEN_BACK = action(Kind.ALERT_UNACKNOWLEDGE, Status.DONE, id=2)
MOOT = action(Kind.PAGERDUTY_UNACKNOWLEDGE, Status.DROPPED, id=2)


def pages_again(known: Pair | None = None, **changed: Any) -> list[Action]:
    """The actions that unacknowledge the incident."""
    seen = observation(pair=known or pair(), incident=OURS, mine=(ACKNOWLEDGED, TAKEN_BACK))
    plan = decide(inputs(replace(seen, **changed)))
    return [planned for planned in plan.actions if planned.kind is Kind.PAGERDUTY_UNACKNOWLEDGE]


@pytest.mark.parametrize("last", [TAKEN_BACK, replace(TAKEN_BACK, status=Status.DROPPED), MOOT])
def test_a_late_acknowledgement_is_undone_so_that_somebody_is_paged(last: Action) -> None:
    (planned,) = pages_again(mine=(ACKNOWLEDGED, last))
    assert planned.reason == REASON


def test_a_late_acknowledgement_seen_before_all_was_settled_is_undone() -> None:
    assert len(pages_again(pair("acknowledged", (BOT,)))) == 1


def test_a_late_acknowledgement_is_undone_once() -> None:
    (planned,) = pages_again()
    for status in Status:
        assert pages_again(mine=(ACKNOWLEDGED, TAKEN_BACK, replace(planned, id=3, status=status))) == []


@pytest.mark.parametrize(
    ("known", "changed"),
    [
        (None, {"mine": ()}),
        (None, {"mine": (TAKEN_BACK,)}),
        (None, {"mine": (ACKNOWLEDGED,)}),
        (None, {"mine": (TAKEN_BACK, replace(ACKNOWLEDGED, id=3))}),
        (None, {"mine": (ACKNOWLEDGED, replace(MOOT, status=Status.DONE))}),
        (None, {"mine": (replace(ACKNOWLEDGED, status=Status.SENT), TAKEN_BACK)}),
        (None, {"mine": (ACKNOWLEDGED, replace(TAKEN_BACK, status=Status.SENT))}),
        (None, {"incident": None}),
        (None, {"incident": incident("triggered")}),
        (None, {"incident": replace(OURS, acknowledgers=())}),
        (None, {"incident": replace(OURS, acknowledgers=(BOT, JANE))}),
        (pair(acknowledged=True), {}),
        (pair(is_open=False), {}),
        (None, {"alert": alert(acknowledged=True, acknowledged_by="Ana Ruiz", updated_at=at(40))}),
    ],
    ids=[
        "another program acknowledged as the automation user",
        "another program acknowledged after a person unacknowledged",
        "no person unacknowledged",
        "our acknowledgement came last",
        "it was undone before",
        "its outcome is unknown",
        "the outcome of our unacknowledgement is unknown",
        "the incident was not read",
        "somebody is paged",
        "the acknowledgers are unknown",
        "an engineer holds it too",
        "the alert is acknowledged",
        "the alert is closed",
        "the alert has just been acknowledged",
    ],
)
def test_an_acknowledgement_that_is_not_late_stays(known: Pair | None, changed: dict[str, Any]) -> None:
    assert pages_again(known, **changed) == []


def test_a_late_acknowledgement_is_undone_whatever_the_setting_for_unacknowledgements() -> None:
    seen = observation(pair=pair(), incident=OURS, mine=(ACKNOWLEDGED, TAKEN_BACK))
    plan = decide(inputs(seen, rules=policy(on_alert_unacknowledge="note")))
    assert [planned.kind for planned in plan.actions] == [Kind.PAGERDUTY_UNACKNOWLEDGE]
