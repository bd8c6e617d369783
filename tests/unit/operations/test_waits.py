"""Each open action waits for one reason, and the most particular one is told."""

from dataclasses import replace

import pytest

from reconciler.core.model import Action, Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.work import WorkItem
from reconciler.operations.waits import Wait, waits
from tests.support.builders import action, at

NOW = at(100)
NOTE, PAGE = action(Kind.PAGERDUTY_NOTE), action(Kind.CREATE_INCIDENT, incident_id=None)
PAUSE = Pause(Side.PAGERDUTY, at(0), "maintenance", "ana@bastion", until=at(500))
AWAY = {"pagerduty": "PagerDuty: 503"}
ITEM = WorkItem("a-1", at(130))


def why(
    mine: Action, pauses: tuple[Pause, ...] = (), troubles: dict[str, str] | None = None, *before: Action
) -> Wait:
    return waits((*before, mine), pauses, troubles or {}, ITEM, NOW)[-1]


def test_a_closed_action_waits_for_nothing() -> None:
    over = [action(Kind.PAGERDUTY_NOTE, status) for status in (Status.DONE, Status.DROPPED, Status.DEAD)]
    assert waits(over, (), {}, None, NOW) == ()


@pytest.mark.parametrize(
    ("attempts", "words"), [(1, "back-off after 1 try: 403"), (3, "back-off after 3 tries: 403")]
)
def test_a_back_off_is_told_with_its_end_and_error(attempts: int, words: str) -> None:
    refused = replace(NOTE, not_before=at(160), attempts=attempts, error="403")
    assert why(refused, (), AWAY) == Wait(refused, words, at(160))


def test_a_back_off_that_is_over_is_due() -> None:
    assert why(replace(NOTE, not_before=at(90), error="403")).why == "due: 403"
    assert why(NOTE) == Wait(NOTE, "due")


def test_a_pause_goes_before_all_else_and_holds_pages_only_if_it_says_so() -> None:
    held = why(replace(NOTE, not_before=at(160)), (PAUSE,), AWAY)
    assert (held.why, held.until) == ("writes to PagerDuty are paused by ana@bastion: maintenance", at(500))
    assert why(PAGE, (PAUSE,)).why == "due"
    assert "paused" in why(PAGE, (replace(PAUSE, pages=True),)).why
    assert why(action(Kind.ALERT_NOTE), (PAUSE,)).why == "due"


def test_a_write_waits_for_its_incident_its_predecessor_or_its_vendor() -> None:
    assert why(replace(NOTE, incident_id=None)).why == "for the incident, which is not created yet"
    assert why(NOTE, (), AWAY, replace(NOTE, key="first")).why == "for the write to PagerDuty before it"
    assert why(NOTE, (), AWAY).why == "for PagerDuty (circuit breaker): PagerDuty: 503"
    assert why(action(Kind.ALERT_NOTE), (), AWAY, NOTE).why == "due"


def test_a_write_that_was_sent_waits_for_its_receipt_or_for_a_look_at_its_target() -> None:
    sent = replace(NOTE, status=Status.SENT)
    assert why(sent, (PAUSE,)) == Wait(sent, "in flight: its target is read", at(130))
    assert why(replace(sent, error="504")).why == "its outcome is unknown, and its target is read again: 504"
    accepted = why(replace(sent, request_id="R1"))
    assert accepted.why.startswith("Opsgenie has accepted it (request R1)")
    assert waits((sent,), (), {}, None, NOW)[0].until is None
