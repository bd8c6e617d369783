"""A missing alert counts as deleted only after two reads some time apart by a key that sees other alerts."""

from collections.abc import Callable

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World

MISSING = json_response(404, {"message": "Alert not found", "took": 0.001, "requestId": "x"})
EMPTY = json_response(200, {"data": [], "took": 0.001, "requestId": "x"})
SETTINGS = {"SWEEP_INTERVAL_SECONDS": "0.5", "STALENESS_SECONDS": "1"}


def _hides(*alerts: str) -> Callable[[str, Request], bool]:
    """Calls about these alerts themselves."""

    def is_hidden(vendor: str, request: Request) -> bool:
        parts = request.path.split("/")
        return vendor == "opsgenie" and parts[:3] == ["", "v2", "alerts"] and len(parts) > 3 and parts[3] in alerts

    return is_hidden


def _lists(vendor: str, request: Request) -> bool:
    return (vendor, request.method, request.path) == ("opsgenie", "GET", "/v2/alerts")


def _notes(world: World, alert: str) -> str:
    return " ".join(world.incident_notes(alert))


def _shows_only(world: World, *alerts: str) -> Callable[[], None]:
    """From now on the list contains these alerts and new ones only."""
    machine = world.sandbox.answer
    end_ids = [alert["id"] for alert in world.state()["opsgenie"]["alerts"] if alert["id"] not in alerts]

    def bent(vendor: str, request: Request) -> Response:
        answer = machine(vendor, request)
        if not _lists(vendor, request) or answer.status != 200:
            return answer
        body = answer.json()
        body["data"] = [row for row in body["data"] if row["id"] not in end_ids]
        return json_response(200, body)

    world.sandbox.answer = bent  # type: ignore[method-assign]

    def end() -> None:
        world.sandbox.answer = machine  # type: ignore[method-assign]

    return end


def test_a_deletion_is_noted_only_once_two_reads_have_missed_the_alert(world: World) -> None:
    gone, other = world.raise_alert("gone"), world.raise_alert("other")
    world.start(**SETTINGS)
    world.until(lambda: bool(world.incidents(gone) and world.incidents(other)), "the pages")
    _shows_only(world, other)
    world.answers(_hides(gone), MISSING)
    world.until(lambda: "deleted" in _notes(world, gone), "the note")
    world.assert_quiet(10)
    assert _notes(world, other) == ""


def test_notes_that_are_not_found_do_not_count_as_a_deleted_alert(world: World) -> None:
    alert, other = world.raise_alert("one"), world.raise_alert("other")
    world.start(**SETTINGS)
    world.until(lambda: bool(world.incidents(alert) and world.incidents(other)), "the pages")
    end = world.answers(
        lambda vendor, request: vendor == "opsgenie" and request.path == f"/v2/alerts/{alert}/notes", MISSING
    )
    world.customer(alert, "notes", text="made up for")
    world.pass_cycles(10)
    assert _notes(world, alert) == ""
    end()
    world.until(lambda: "made up for" in _notes(world, alert), "the note")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the acknowledgement")


def test_a_key_that_sees_none_of_many_alerts_reports_no_deletion(world: World) -> None:
    alerts = [world.raise_alert(f"alert {number}") for number in range(4)]
    world.start(**SETTINGS)
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the pages")
    end_list, end = world.answers(_lists, EMPTY), world.answers(_hides(*alerts), MISSING)
    world.until(lambda: "sees none of the 4 alerts" in world.log(), "the trouble")
    world.pass_cycles(8)
    assert [_notes(world, alert) for alert in alerts] == [""] * 4
    end()
    end_list()
    world.customer(alerts[0], "acknowledge")
    world.engineer(alerts[1], "acknowledge")
    world.until(lambda: world.incident(alerts[0])["status"] == "acknowledged", "the customer's acknowledgement")
    world.until(lambda: bool(world.alert(alerts[1])["acknowledged"]), "the engineer's acknowledgement")
    world.assert_good()
