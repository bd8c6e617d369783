"""The first start pages no old alert and adopts existing incidents; the loss of the database repeats nothing."""

from datetime import UTC, datetime, timedelta

from reconciler.sandbox.wire import json_response
from tests.support.harness import World


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def test_an_alert_older_than_the_lookback_never_pages(world: World) -> None:
    old = world.raise_alert("old", created_at=ago(hours=2))
    acknowledged = world.raise_alert("old and acknowledged", created_at=ago(days=400))
    world.customer(acknowledged, "acknowledge")
    closed = world.raise_alert("over", created_at=ago(minutes=10))
    world.customer(closed, "close")
    recent = world.raise_alert("recent", created_at=ago(minutes=50))
    world.start(SWEEP_INTERVAL_SECONDS="0.5")
    world.until(lambda: bool(world.incidents(recent)), "the page")

    world.customer(old, "notes", text="still so")
    world.customer(old, "acknowledge")
    world.customer(acknowledged, "unacknowledge")
    world.customer(acknowledged, "close")
    world.customer(recent, "notes", text="this one")
    fresh = world.raise_alert("fresh")
    world.until(lambda: bool(world.incidents(fresh)), "the fresh page")
    world.until(lambda: len(world.incident_notes(recent)) == 1, "the note")
    world.assert_quiet(20)
    assert [world.incidents(alert) for alert in (old, acknowledged, closed)] == [[], [], []]
    assert len(world.state()["pagerduty"]["incidents"]) == 2
    assert sorted(world.ledger()) == [
        ("pagerduty.add_note", "done"),
        ("pagerduty.create_incident", "done"),
        ("pagerduty.create_incident", "done"),
    ]


def test_initial_lookback_seconds_sets_how_old_an_alert_may_be_to_page(world: World) -> None:
    old = world.raise_alert("old", created_at=ago(hours=20))
    older = world.raise_alert("older", created_at=ago(hours=30))
    world.once(INITIAL_LOOKBACK_SECONDS="86400")
    assert len(world.incidents(old)) == 1
    assert world.incidents(older) == []


def test_an_existing_incident_with_an_alerts_key_is_adopted(world: World) -> None:
    """As in a migration from the webhook proxy, which used the same key."""
    alert, old = world.raise_alert(priority="P1"), world.raise_alert("old", created_at=ago(days=3))
    resolved = world.raise_alert("resolved in PagerDuty already")
    for key in (alert, old, resolved):
        world.control("pagerduty/incidents", title="by the proxy", key=key, user="Reconciler Bot")
    world.engineer(resolved, "resolve")
    world.start()
    world.until_ready()
    world.assert_quiet(5)
    for key in (alert, old, resolved):
        assert [incident["title"] for incident in world.incidents(key)] == ["by the proxy"]

    for key in (alert, old):
        _assert_mirrored(world, key)
    world.assert_quiet(10)
    assert all(kind != "pagerduty.create_incident" for kind, _ in world.ledger())
    assert len(world.state()["pagerduty"]["incidents"]) == 3


def _assert_mirrored(world: World, key: str) -> None:
    world.customer(key, "notes", text="from outside")
    world.engineer(key, "notes", text="from inside")
    world.engineer(key, "acknowledge")
    world.until(lambda: len(world.incident_notes(key)) == 2, "Ana's note")
    world.until(lambda: len(world.alert_notes(key)) == 2, "Jane's note")
    world.until(lambda: world.alert(key)["acknowledged"], "Jane's acknowledgement")


def test_a_lost_database_repeats_nothing(world: World) -> None:
    """Pairs and notes that existed before the loss are recognised by their keys and marks."""
    chat, held, taken, ended = (
        world.raise_alert(name, priority="P1") for name in ("chat", "held", "taken", "ended")
    )
    every = (chat, held, taken, ended)
    world.start()
    world.until(lambda: all(world.incidents(alert) for alert in every), "the pages")
    for number in ("one", "two"):
        world.customer(chat, "notes", text=number)
        world.engineer(chat, "notes", text=number)
    world.customer(held, "acknowledge")
    world.engineer(taken, "acknowledge")
    world.engineer(ended, "resolve")
    world.until(lambda: len(world.alert_notes(chat)) == 4, "Jane's notes")
    world.until(lambda: len(world.incident_notes(chat)) == 4, "Ana's notes")
    world.until(lambda: world.incident(held)["status"] == "acknowledged", "Ana's acknowledgement")
    world.until(lambda: world.alert(taken)["acknowledged"], "Jane's acknowledgement")
    world.until(lambda: len(world.alert_notes(ended)) == 1, "Jane's resolution")
    world.until(world.is_settled, "all settled")
    assert world.stop() == 0
    for file in world.files():
        (world.folder / file).unlink()

    written = len(world.writes())
    world.start(SWEEP_INTERVAL_SECONDS="0.5")
    world.until_ready()
    world.assert_quiet(20)
    assert len(world.writes()) == written
    world.assert_good()

    world.customer(chat, "notes", text="three")
    world.customer(held, "unacknowledge")
    world.engineer(taken, "unacknowledge")
    world.until(lambda: len(world.incident_notes(chat)) == 5, "the next note")
    world.until(lambda: world.incident(held)["status"] == "triggered", "Ana's un-acknowledgement")
    world.until(lambda: not world.alert(taken)["acknowledged"], "Jane's un-acknowledgement")
    world.until(world.is_settled, "all settled")
    world.assert_quiet(10)
    world.assert_good()


FOREIGN = ("count", ".", "..", "a/b?x=1#y", "requests", "saved-searches", "PagerDuty 7")
KEY = "8f9a7c1e-4b17-4c39-8c39-602a02fe417c-1613353749160"


def test_incident_keys_of_other_tools_do_not_stop_the_first_start(world: World) -> None:
    """Only keys in the form of an alert id are looked up; one that is not found or refused is not ours."""
    for key in (*FOREIGN, KEY):
        world.control("pagerduty/incidents", title="another tool's", key=key, user="Jane Doe")
    bad = KEY.replace("8f9a", "0000")
    world.control("pagerduty/incidents", title="odd", key=bad, user="Jane Doe")
    world.answers(lambda _, request: bad in request.path, json_response(500, {"message": "x", "took": 0.1}))
    alert = world.raise_alert()
    world.start()
    world.until(lambda: bool(world.incidents(alert)), "the page")
    asked = {call["path"].split("/")[3] for call in world.calls() if call["path"].startswith("/v2/alerts/")}
    assert asked <= {alert, KEY, bad}


def test_a_page_does_not_wait_for_many_closed_alerts_whose_incidents_are_open(world: World) -> None:
    closed = [world.raise_alert(f"closed {number}") for number in range(70)]
    for alert in closed:
        world.control("pagerduty/incidents", title="by the proxy", key=alert, user="Reconciler Bot")
        world.customer(alert, "close")
    fresh = world.raise_alert("fresh")
    world.start()
    world.until(lambda: bool(world.incidents(fresh)), "the page")
    paged = next(int(call["seq"]) for call in world.calls() if call["write"])
    read = {call["path"] for call in world.calls() if int(call["seq"]) < paged}
    assert sum(any(alert in path for path in read) for alert in closed) < len(closed) // 2
    world.engineer(closed[-1], "notes", text="after all")
    world.until(lambda: any("after all" in note for note in world.alert_notes(closed[-1])), "an adopted one")


def test_a_wider_query_pages_what_is_recent_and_not_what_is_old(world: World) -> None:
    seen = world.raise_alert("seen", tags=["prod"])
    world.start(OPSGENIE_QUERY="tag: prod")
    world.until(lambda: bool(world.incidents(seen)), "the page")
    assert world.stop() == 0
    stale = world.raise_alert("stale", created_at=ago(hours=3))
    recent = world.raise_alert("recent", created_at=ago(minutes=20))
    world.start(OPSGENIE_QUERY="", SWEEP_INTERVAL_SECONDS="0.5")
    world.until(lambda: bool(world.incidents(recent)), "the recent page")
    world.customer(stale, "notes", text="still so")
    world.assert_quiet(10)
    assert world.incidents(stale) == []
    assert len(world.incidents(seen)) == 1


def test_an_old_alert_that_enters_the_query_pages(world: World) -> None:
    """The lookback applies only to alerts that the query selected at the first start."""
    old = world.raise_alert("old", created_at=ago(hours=2), priority="P4")
    world.start(OPSGENIE_QUERY="priority: P1")
    world.until_ready()
    sandbox = world.sandbox
    with sandbox.lock:
        sandbox.opsgenie.alerts.change(sandbox.opsgenie.find(old), sandbox.clock.now(), priority="P1")
    world.until(lambda: bool(world.incidents(old)), "the page")
