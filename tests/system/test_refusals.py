"""Refused writes: a key without write access stops writes until it is fixed (rule 10), and a refused form is sent
again in a plainer one (rule 13)."""

from reconciler.sandbox.wire import Request, json_response
from tests.support.harness import World

FOR_EVER = 1_000_000
PAIRS = 8
CYCLES = 15
REFUSED = json_response(400, {"error": {"message": "Invalid Input Provided", "code": 2001}})
UNPROCESSABLE = json_response(422, {"message": "Request body is not processable", "took": 0.0, "requestId": "x"})


def test_a_key_without_write_access_stops_writes_and_nothing_else(world: World) -> None:
    alerts = [world.raise_alert(f"alert {number}") for number in range(PAIRS)]
    world.start()
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the pages")
    world.until(world.is_settled, "all settled")
    forbidden = {"do": "403", "vendor": "pagerduty", "times": FOR_EVER}
    world.faults(forbidden | {"method": "POST"}, forbidden | {"method": "PUT"})
    since = world.seq()
    for alert in alerts:
        world.customer(alert, "notes", text="any news?")
    fresh = world.raise_alert("a new one")
    world.until(lambda: world.told("PAGERDUTY_API_KEY") > 0, "what is wrong")
    calls = world.pass_cycles(CYCLES)

    tried = [call for call in world.calls(since) if call["write"] and call["path"].startswith("/incidents")]
    assert {call["status"] for call in tried} == {403}
    # With a back-off and pauses of 1, 2, 4 … seconds; without them there would be 9 in every cycle.
    assert 1 <= len(tried) <= 3 * (PAIRS + 1), f"{len(tried)} attempts in {CYCLES} cycles"
    later = [call for call in world.pass_cycles(CYCLES) if call["write"]]
    assert len(later) <= PAIRS + 1, f"{len(later)} more attempts in {CYCLES} cycles"
    assert {call["path"] for call in calls} >= {"/v2/alerts", "/log_entries"}  # both sides are still read
    world.engineer(alerts[0], "notes", text="from inside")
    world.until(lambda: world.alert_notes(alerts[0])[-1].endswith("from inside"), "the other way works")
    assert world.told("PAGERDUTY_API_KEY") <= 2  # one for the page, one for all writes
    assert [event for event in world.events() if event["event"].startswith("works again")] == []

    world.no_faults()
    world.kill()  # a key is replaced with a restart; test_bad_input.py covers a key that works again without one
    world.start()
    world.until(lambda: all(_heard(world, alert) for alert in alerts), "every note")
    world.until(lambda: bool(world.incidents(fresh)), "the new page")
    world.until(world.is_settled, "all settled")
    world.assert_good()


def _heard(world: World, alert: str) -> bool:
    return any(note.endswith("] any news?") for note in world.incident_notes(alert))


def _is_ornate(request: Request) -> bool:
    """Whether it has more than a plain title or a plain line: a body or a line break."""
    if request.method != "POST":
        return False
    body = request.json()
    note = body.get("note") or ""
    words = note.get("content", "") if isinstance(note, dict) else note
    return "body" in body.get("incident", {}) or "\n" in words


def test_a_write_that_is_refused_for_its_form_is_sent_again_in_a_plainer_one(world: World) -> None:
    for vendor, answer in (("pagerduty", REFUSED), ("opsgenie", UNPROCESSABLE)):
        world.answers(lambda to, asked, vendor=vendor: to == vendor and _is_ornate(asked), answer)  # type: ignore[misc]
    alert = world.raise_alert("disk full on web-3", description="the whole story,\nin two lines", priority="P1")
    world.start()
    world.until(lambda: bool(world.incidents(alert)), "the page, without its details")
    assert world.incident(alert)["title"].endswith("disk full on web-3")
    world.until(lambda: bool(world.incident_notes(alert)), "the details, as a note")
    (details,) = world.incident_notes(alert)
    assert details.startswith("[Opsgenie · details that PagerDuty refused · ")
    assert "] Priority: P1 " in details
    assert details.endswith("the whole story, in two lines")
    world.customer(alert, "notes", text="one\ntwo")
    world.engineer(alert, "notes", text="three\nfour")
    world.until(lambda: any(note.endswith("] one two") for note in world.incident_notes(alert)), "Ana's note")
    world.until(lambda: any(note.endswith("] three four") for note in world.alert_notes(alert)), "Jane's note")
    world.until(world.is_settled, "all settled")
    assert {status for _, status in world.ledger()} == {"done"}
    refused = [call for call in world.calls() if call["write"] and call["status"] in (400, 422)]
    assert len(refused) == 4
    world.assert_quiet(5)
