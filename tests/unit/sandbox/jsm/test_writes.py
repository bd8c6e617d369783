"""The account API's writes: in the name of the token's user, whatever they say."""

import pytest

from tests.support.jsm import JsmBench


def test_states_are_changed_in_the_robots_name() -> None:
    world = JsmBench()
    alert = world.alert()
    accepted = world.post(f"/{alert}/acknowledge", {"user": "Jane Doe", "note": "mine"})
    assert (accepted.status, accepted.json()["result"]) == (202, "Request will be processed")
    assert world.outcome(accepted)["status"] == "Acknowledged alert"
    shown = world.get(f"/{alert}")
    assert (shown["acknowledged"], shown["owner"], shown["ackTime"]) == (True, "Ops Robot", "2026-11-23T09:00:00Z")
    assert world.notes(alert) == []
    world.post(f"/{alert}/unacknowledge")
    assert "ackTime" not in world.get(f"/{alert}")
    world.post(f"/{alert}/close")
    assert world.get(f"/{alert}")["closeTime"] == "2026-11-23T09:00:00Z"
    logs = [(row["log"], row["owner"]) for row in world.get(f"/{alert}/logs")["values"]]
    assert logs == [
        ("Alert closed", "Ops Robot"),
        ("Alert unacknowledged", "Ops Robot"),
        ("Alert acknowledged via JSM", "Ops Robot"),
        ("Alert created via web", "Ana Ruiz"),
    ]


def test_an_alert_is_created_in_the_robots_name() -> None:
    world = JsmBench()
    accepted = world.post("", {"message": "disk full", "alias": "disk", "priority": "P5", "tags": ["ops"]})
    assert (accepted.status, accepted.json()["result"]) == (200, "Request will be processed")
    outcome = world.outcome(accepted)
    shown = world.get(f"/{outcome['alertId']}")
    assert (outcome["status"], shown["alias"], shown["priority"]) == ("Created alert", "disk", "P5")
    assert [row["owner"] for row in world.get(f"/{shown['id']}/logs")["values"]] == ["Ops Robot"]


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": "x" * 131}, {"message": "x", "priority": "P9"}])
def test_an_alert_must_have_a_message_and_a_priority_that_there_is(body: object) -> None:
    assert JsmBench().post("", body).status == 422


def test_a_note_is_there_at_once_with_its_id() -> None:
    world = JsmBench(write_lag=5.0, queue_halted=True)
    alert = world.alert()
    reply = world.post(f"/{alert}/notes", {"note": "hello"})
    assert reply.status == 200
    assert world.get(f"/{alert}/notes")["values"] == [reply.json()]
    assert (reply.json()["owner"], len(reply.json()["id"])) == ("Ops Robot", 19)
    world.act("jsm", alert, "close")
    assert world.post(f"/{alert}/notes", {"note": "late"}).status == 200


@pytest.mark.parametrize("body", [{}, {"note": " "}, {"note": 1}, [], {"note": "x" * 25_001}])
def test_a_note_must_be_a_text(body: object) -> None:
    world = JsmBench()
    assert world.post(f"/{world.alert()}/notes", body).status == 422
    assert world.post(f"/{world.alert()}/notes", b"{").status == 400


def test_what_is_impossible_is_accepted_and_fails() -> None:
    world = JsmBench()
    alert = world.alert()
    assert not world.outcome(world.post(f"/{alert}/unacknowledge"))["isSuccess"]
    assert world.outcome(world.post("/nothing/close"))["status"] == "Alert does not exist"
    assert world.post("/nothing/notes", {"note": "x"}).status == 404
    world.set(jsm_plan="lacks_actions")
    refused = world.outcome(world.post(f"/{alert}/acknowledge"))
    assert refused["status"] == "Your account plan does not support alert acknowledge action.."
    world.set(jsm_plan="enough", writes_fail=True)
    assert world.outcome(world.post(f"/{alert}/acknowledge"))["status"] == "Something went wrong"


def test_the_queue_may_be_halted() -> None:
    world = JsmBench(queue_halted=True)
    alert = world.alert()
    world.post(f"/{alert}/acknowledge")
    assert not world.get(f"/{alert}")["acknowledged"]
    world.set(queue_halted=False)
    assert world.get(f"/{alert}")["acknowledged"]


def test_a_refused_alert_is_listed_and_neither_read_nor_written() -> None:
    world = JsmBench(refused_alerts=["1"])
    alert = world.alert()
    assert world.get()["count"] == 1
    assert world.status(f"/{alert}") == world.post(f"/{alert}/acknowledge").status == 403
    assert world.named(f"/{alert}/acknowledge").status == 403


def test_whether_a_note_is_an_update_is_a_setting() -> None:
    world = JsmBench(jsm_notes_bump_updated_at=False)
    alert = world.alert()
    world.clock.advance(1)
    world.post(f"/{alert}/notes", {"note": "x"})
    assert world.get(f"/{alert}")["updatedAt"] == "2026-11-23T09:00:00Z"
    world.set(jsm_notes_bump_updated_at=True)
    world.post(f"/{alert}/notes", {"note": "x"})
    assert world.get(f"/{alert}")["updatedAt"] == "2026-11-23T09:00:01Z"
