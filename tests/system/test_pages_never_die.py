"""A page is created once the cause of its refusal is over, whatever it was; a refused object delays no other."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.wire import Request, Response, json_response
from tests.support.harness import World, a_world

FOR_SECONDS = 3.0
SOON = 5.0
"""Seconds within which work on other objects is done; other tests run beside this one."""


def said(status: int, code: int, words: str) -> Response:
    """A refusal in PagerDuty's own JSON."""
    return json_response(status, {"error": {"message": words, "code": code, "errors": []}})


def page(status: int, **headers: str) -> Response:
    """A web page of a proxy or firewall in between."""
    body = b"<html><body>Something else answers here.</body></html>"
    return Response(status, body, {"Content-Type": "text/html", **headers})


ANSWERS = {
    # One for each reaction of the product; tests/unit/vendors/test_error_scopes.py has every status and code.
    "the From user is gone": said(400, 1008, "Requester User Not Found"),
    "the service is gone": said(400, 5002, "Service Not Found"),
    "it takes too long": said(400, 2016, "The request took too long to process"),
    "refused for what it says": said(400, 2001, "Invalid Input Provided"),
    "the plan lacks an ability": said(402, 2014, "Missing Account Ability"),
    "a 404 of PagerDuty": said(404, 2100, "Not Found"),
    "a gateway's 404": page(404),
    "a portal": page(302, Location="https://portal.example.com/login"),
    "a firewall": page(403),
    "the web application": page(200),
}


def is_creation(vendor: str, request: Request) -> bool:
    return vendor == "pagerduty" and request.method == "POST" and request.path == "/incidents"


def refused_for_a_while(answer: Response, folder: Path) -> None:
    with a_world(folder) as world:
        world.start(POLL_INTERVAL_SECONDS="0.3")
        world.until_ready()
        end = world.answers(is_creation, answer)
        alerts = [world.raise_alert(f"alert {number}", priority="P1") for number in range(2)]
        time.sleep(FOR_SECONDS)
        assert not any(world.incidents(alert) for alert in alerts)
        assert "dead" not in {status for _, status in world.ledger()}
        assert [event for event in world.events() if event["level"] == "error"], "it is said"
        assert [event for event in world.events() if event["event"].startswith("works again")] == []
        end()
        world.until(lambda: all(world.incidents(alert) for alert in alerts), "the pages")
        world.until(world.is_settled, "all settled")
        assert {status for _, status in world.ledger()} == {"done"}
        world.assert_good()


BACKGROUND = {name: partial(refused_for_a_while, answer) for name, answer in ANSWERS.items()}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_page_that_is_refused_for_a_while_is_created_once_the_cause_is_over(
    finished: Callable[[str], None], name: str
) -> None:
    finished(name)


# -- one object --


def paged(world: World, count: int) -> list[str]:
    alerts = [world.raise_alert(f"alert {number}") for number in range(count)]
    world.until(lambda: all(world.incidents(alert) for alert in alerts), "the pages")
    world.until(world.is_settled, "all settled")
    return alerts


def noted(world: World, alert: str, words: str) -> bool:
    return any(note.endswith(words) for note in world.incident_notes(alert))


def assert_others_go_on(world: World, neighbours: list[str]) -> None:
    """A new page and the neighbours' notes get through three times while something else is refused."""
    for turn in range(3):
        fresh = world.raise_alert(f"fresh {turn}", priority="P1")
        for alert in neighbours:
            world.customer(alert, "notes", text=f"news {turn}")
        world.until(lambda fresh=fresh: bool(world.incidents(fresh)), "the page", SOON)  # type: ignore[misc]
        heard = partial(noted, words=f"news {turn}")
        world.until(lambda heard=heard: all(heard(world, a) for a in neighbours), "their notes", SOON)  # type: ignore[misc]
        time.sleep(1.0)


@pytest.mark.parametrize("answer", [said(403, 2010, "Access Denied")], ids=["403"])
def test_an_incident_whose_requests_are_refused_delays_no_other_pair(world: World, answer: Response) -> None:
    world.start()
    poisoned, *neighbours = paged(world, 4)
    where = f"/incidents/{world.incident(poisoned)['id']}"
    end = world.answers(lambda vendor, asked: vendor == "pagerduty" and asked.path.startswith(where), answer)
    since = world.seq()
    world.customer(poisoned, "acknowledge")
    world.customer(poisoned, "notes", text="for the refused one")
    assert_others_go_on(world, neighbours)
    tried = [call for call in world.calls(since) if call["path"] == where]
    assert len(tried) < 30, f"{len(tried)} attempts"
    end()
    world.until(lambda: world.incident(poisoned)["status"] == "acknowledged", "the acknowledgement", patience=90)
    world.until(lambda: noted(world, poisoned, "for the refused one"), "the note", patience=90)
    world.until(world.is_settled, "all settled", patience=90)  # its back-off grows to a minute
    assert "dead" not in {status for _, status in world.ledger()}
    world.assert_good()


@pytest.mark.parametrize("answer", [said(403, 2010, "Access Denied"), page(403)], ids=["PagerDuty", "firewall"])
def test_a_note_that_is_always_refused_delays_no_other_pair(world: World, answer: Response) -> None:
    world.start()
    poisoned, *neighbours = paged(world, 4)
    world.answers(
        lambda vendor, asked: vendor == "pagerduty" and asked.method == "POST" and b"DROP TABLE" in asked.body,
        answer,
    )
    since = world.seq()
    world.customer(poisoned, "notes", text="DROP TABLE alerts")
    world.customer(poisoned, "acknowledge")
    assert_others_go_on(world, neighbours)
    # After the staleness bound it does not block its own pair either.
    world.until(lambda: world.incident(poisoned)["status"] == "acknowledged", "its acknowledgement", patience=90)
    tried = [call for call in world.calls(since) if call["write"] and call["status"] == 403]
    assert len(tried) < 12, f"{len(tried)} attempts"


def test_an_engineers_note_right_after_the_page_is_not_missed(world: World) -> None:
    """The note arrives before the cycle that has paged ends."""
    world.start()
    world.until_ready()
    alert = world.raise_alert(priority="P1")
    last = time.monotonic() + 30
    while not world.incidents(alert):
        assert time.monotonic() < last
        time.sleep(0.002)
    world.engineer(alert, "notes", text="on it")
    world.until(lambda: any("on it" in note for note in world.alert_notes(alert)), "her note")


# -- the automation user and the service --


def replaced(world: World, path: str, answer: Response) -> Callable[[], None]:
    """PagerDuty gives this answer to reads of this path."""
    return world.answers(
        lambda vendor, asked: vendor == "pagerduty" and asked.method == "GET" and asked.path.startswith(path),
        answer,
    )


def refusing(world: World, answer: Response) -> Callable[[], None]:
    """PagerDuty gives this answer to every write."""
    return world.answers(lambda vendor, asked: vendor == "pagerduty" and asked.method != "GET", answer)


NO_USERS: dict[str, Any] = {"users": [], "limit": 100, "offset": 0, "more": False, "total": None}


def test_nothing_is_lost_while_the_automation_user_is_missing(world: World) -> None:
    world.start()
    (alert,) = paged(world, 1)
    ends = [
        refusing(world, said(400, 1008, "Requester User Not Found")),
        replaced(world, "/users", json_response(200, NO_USERS)),
    ]
    gone = world.seq()
    fresh = world.raise_alert("a new one", priority="P1")
    world.customer(alert, "notes", text="from outside")
    world.until(lambda: world.told("PAGERDUTY_EMAIL") > 0, "what is wrong")
    world.engineer(alert, "notes", text="from inside")
    world.until(lambda: any("from inside" in n for n in world.alert_notes(alert)), "the other way needs no user")
    world.until(lambda: any(call["path"] == "/users" for call in world.calls(gone)), "who we are is asked again")
    world.pass_cycles(3)
    since = world.seq()
    world.pass_cycles(10)
    assert [call for call in world.calls(since) if call["write"] and call["path"].startswith("/incidents")] == []
    assert world.incidents(fresh) == []
    for end in reversed(ends):
        end()
    world.until(lambda: bool(world.incidents(fresh)), "the page")
    world.until(lambda: noted(world, alert, "from outside"), "the note")
    world.until(world.is_settled, "all settled")
    assert {status for _, status in world.ledger()} == {"done"}
    world.assert_good()


def test_nothing_is_lost_while_the_pagerduty_service_is_missing(world: World) -> None:
    world.start()
    (alert,) = paged(world, 1)
    ends = [
        world.answers(is_creation, said(400, 5002, "Service Not Found")),
        replaced(world, "/services", said(404, 2100, "Not Found")),
    ]
    fresh = world.raise_alert("a new one", priority="P1")
    world.until(lambda: world.told("PAGERDUTY_SERVICE_ID") > 0, "what is wrong")
    world.customer(alert, "notes", text="from outside")
    world.until(lambda: noted(world, alert, "from outside"), "a note, which needs no service")
    for end in reversed(ends):
        end()
    world.until(lambda: bool(world.incidents(fresh)), "the page")
    world.until(world.is_settled, "all settled")
    assert {status for _, status in world.ledger()} == {"done"}
    world.assert_good()


@pytest.mark.parametrize(
    "answer",
    [page(302, Location="https://portal.example.com/"), said(400, 2001, "Invalid Input Provided")],
)
def test_an_odd_answer_to_the_user_lookup_stops_neither_side(world: World, answer: Response) -> None:
    end = replaced(world, "/users", answer)
    world.start()
    world.until_ready()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the page")
    world.engineer(alert, "notes", text="from inside")
    world.until(lambda: any("from inside" in n for n in world.alert_notes(alert)), "her note")
    assert [event for event in world.events() if event.get("subject") == "database"] == []
    end()
    world.until(world.is_settled, "all settled")
    world.assert_good()
