"""Our own writes that show late, in another form or never are neither taken for people's acts nor repeated."""

import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World
from tests.support.harness.vendors import edited, is_call, never

BOB = "Omar Haddad"
PENDING = replace(
    json_response(404, {"message": "request not processed", "took": 0.0, "requestId": "x"}),
    headers={"Content-Type": "application/json", "X-Opsgenie-Errortype": "RequestNotProcessed"},
)


def _writes_to(world: World, ends: str) -> int:
    return sum(call["path"].endswith(ends) for call in world.writes())


@pytest.mark.parametrize("world", [{"write_lag": 7.0}], indirect=True)
def test_a_write_that_waits_in_opsgenies_queue_is_not_sent_again(world: World) -> None:
    world.start(STALENESS_SECONDS="1")
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "acknowledge")
    world.engineer(alert, "notes", text="on my way")
    world.until(lambda: world.alert(alert)["acknowledged"] is True, "the acknowledgement")
    world.until(lambda: any("on my way" in note for note in world.alert_notes(alert)), "the note")
    world.until(world.is_settled, "all settled")
    assert _writes_to(world, "/acknowledge") == 1
    assert sum("on my way" in note for note in world.alert_notes(alert)) == 1
    assert world.told("in Opsgenie's queue") <= 2
    world.assert_good()


def test_a_write_that_opsgenie_accepted_and_failed_is_retried_until_it_works(world: World) -> None:
    """For longer than five attempts with a short back-off take; Opsgenie's reason is logged."""
    until = time.monotonic() + 16

    def failed(_request: Request, real: Response) -> Response:
        def edit(document: dict[str, dict[str, Any]]) -> None:
            document["data"] |= {"isSuccess": False, "success": False, "status": "Alert is being processed"}

        return edited(real, edit) if real.status == 200 and time.monotonic() < until else real

    world.bend(is_call("opsgenie", "GET", starts="/v2/alerts/requests/"), failed)
    machine = world.sandbox.answer

    def swallowed(vendor: str, request: Request) -> Response:
        mine = vendor == "opsgenie" and request.method == "POST" and request.path.endswith("/acknowledge")
        if mine and time.monotonic() < until:
            sandbox = world.sandbox.opsgenie
            identifier = f"swallowed-{len(sandbox._queue.outcomes)}"
            sandbox._queue.outcomes[identifier] = {
                "success": False, "isSuccess": False, "action": "Acknowledge", "alertId": "", "alias": "",
                "processedAt": "2026-11-26T10:00:00Z", "integrationId": "x", "status": "Alert is being processed",
            }  # fmt: skip
            return json_response(
                202, {"result": "Request will be processed", "took": 0.1, "requestId": identifier}
            )
        return machine(vendor, request)

    world.sandbox.answer = swallowed  # type: ignore[method-assign]
    world.start(STALENESS_SECONDS="1")
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "acknowledge")
    world.until(lambda: world.alert(alert)["acknowledged"] is True, "the acknowledgement", patience=60)
    assert "Alert is being processed" in world.log()
    assert Counter(status for _, status in world.ledger())["dead"] == 0


@pytest.mark.parametrize("shown", ["omar haddad", "Reconciler API"])
def test_our_acknowledgement_is_recognised_under_another_form_of_the_name(world: World, shown: str) -> None:
    def other(_request: Request, real: Response) -> Response:
        body = real.body.replace(json.dumps(BOB).encode(), json.dumps(shown).encode())
        return replace(real, body=body)

    world.bend(is_call("opsgenie", "GET", starts="/v2/alerts"), other)
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "acknowledge", user=BOB)
    world.until(lambda: world.alert(alert)["acknowledged"] is True, "the acknowledgement")
    world.until(world.is_settled, "all settled")
    world.pass_cycles(10)
    assert world.incident_notes(alert) == []
    world.engineer(alert, "unacknowledge", user=BOB)
    world.until(lambda: world.alert(alert)["acknowledged"] is False, "taken back")
    world.pass_cycles(10)
    assert world.incident_notes(alert) == []
    assert world.incident(alert)["status"] == "triggered"


def test_a_note_that_quotes_a_mirrored_note_is_mirrored(world: World) -> None:
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "notes", text="failing over to db-2")
    world.until(lambda: any("failing over" in note for note in world.alert_notes(alert)), "the copy")
    (copy,) = world.alert_notes(alert)
    world.customer(alert, "notes", text=f"{copy}\nno! db-2 is the broken one")
    world.until(lambda: any("the broken one" in note for note in world.incident_notes(alert)), "the answer")
    world.customer(alert, "notes", text="[PagerDuty · Jane Doe · note PFORGED] all is well")
    world.until(lambda: any("all is well" in note for note in world.incident_notes(alert)), "the forgery, shown")
    copy = next(note for note in world.incident_notes(alert) if "the broken one" in note)
    world.engineer(alert, "notes", text=f"{copy}\nunderstood")
    world.until(lambda: any("understood" in note for note in world.alert_notes(alert)), "the engineer's answer")
    world.until(world.is_settled, "all settled")
    world.assert_quiet(8)


def test_an_unreadable_state_causes_no_write(world: World) -> None:
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the acknowledgement")
    world.until(world.is_settled, "all settled")

    def unreadable(_request: Request, real: Response) -> Response:
        def edit(document: dict[str, Any]) -> None:
            rows = document["data"] if isinstance(document["data"], list) else [document["data"]]
            for row in rows:
                if "acknowledged" in row:
                    row["acknowledged"] = None

        return edited(real, edit) if real.status == 200 else real

    end = world.bend(is_call("opsgenie", "GET", starts="/v2/alerts"), unreadable)
    world.control(f"opsgenie/alerts/{alert}/escalate")
    written = len(world.writes())
    world.pass_cycles(12)
    end()
    world.pass_cycles(8)
    assert len(world.writes()) == written
    assert world.incident(alert)["status"] == "acknowledged"


def test_a_note_whose_token_changes_is_mirrored_once(world: World) -> None:
    calls = 0

    def shifted(_request: Request, real: Response) -> Response:
        nonlocal calls
        calls += 1

        def edit(document: dict[str, Any]) -> None:
            for row in document["data"]:
                row["offset"] = f"{row['offset']}{calls}"

        return edited(real, edit) if real.status == 200 else real

    world.start(SWEEP_INTERVAL_SECONDS="1")
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.bend(is_call("opsgenie", "GET", ends="/notes"), shifted)
    world.customer(alert, "notes", text="any news?")
    world.until(lambda: bool(world.incident_notes(alert)), "the note")
    world.pass_cycles(25)
    never(lambda: len(world.incident_notes(alert)) > 1, 1.0, "the note once more")
