"""The move from Opsgenie to JSM: what comes along, and what each product shows of acts in the other one."""

from typing import Any

import pytest

from tests.support.jsm import JsmBench


def moved(**settings: Any) -> tuple[JsmBench, str, str]:
    """A sandbox after the move, and an alert's ids in Opsgenie and in JSM."""
    world = JsmBench(jsm_only=False)
    there = world.alert("opsgenie", alias="disk", tags=["ops"], description="full")
    world.act("opsgenie", there, "notes", text="before")
    world.act("opsgenie", there, "acknowledge")
    world.clock.advance(60)
    world.move(**settings)
    (row,) = world.get()["values"]
    return world, there, row["id"]


def states(world: JsmBench, there: str, here: str) -> tuple[bool, bool]:
    """Whether the alert is acknowledged in Opsgenie, and in JSM."""
    return world.opsgenie(there)["acknowledged"], world.get(f"/{here}")["acknowledged"]


def test_an_alert_comes_along_with_its_state_notes_and_log() -> None:
    world, there, here = moved()
    assert there == here
    old, new = world.opsgenie(there), world.get(f"/{here}")
    for field in ("id", "tinyId", "alias", "message", "acknowledged", "owner", "createdAt", "tags", "description"):
        assert old[field] == new[field], field
    (note,) = world.call("GET", f"/opsgenie/v2/alerts/{there}/notes").json()["data"]
    assert world.get(f"/{here}/notes")["values"][0]["id"] == note["offset"].partition("_")[2]
    assert len(world.get(f"/{here}/logs")["values"]) == 3


def test_an_alert_may_get_a_new_id_and_its_notes_too() -> None:
    world, there, here = moved(jsm_ids="new", jsm_note_ids="fresh")
    assert there != here
    assert world.status(f"/{there}") == 404
    old, new = world.opsgenie(there), world.get(f"/{here}")
    assert (new["alias"], new["createdAt"]) == (old["alias"], old["createdAt"])
    assert new["tinyId"] != old["tinyId"]
    (note,) = world.call("GET", f"/opsgenie/v2/alerts/{there}/notes").json()["data"]
    assert world.get(f"/{here}/notes")["values"][0]["id"] != note["offset"].partition("_")[2]
    assert world.get("/alias?alias=disk")["id"] == here


@pytest.mark.parametrize(("which", "shown"), [("all", 2), ("open_only", 1), ("none", 0)])
def test_some_alerts_may_be_left_behind(which: str, shown: int) -> None:
    world = JsmBench(jsm_only=False)
    world.act("opsgenie", world.alert("opsgenie", alias="disk"), "close")
    world.alert("opsgenie", alias="disk")
    world.control("DELETE", f"/opsgenie/alerts/{world.alert('opsgenie')}")
    world.move(jsm_migrated=which)
    assert world.get()["count"] == shown
    world.alert("opsgenie")
    assert world.get()["count"] == shown + 1


def test_acts_in_either_product_appear_in_the_other_one() -> None:
    world, there, here = moved(jsm_ids="new")
    world.act("opsgenie", there, "unacknowledge")
    assert states(world, there, here) == (False, False)
    world.act("jsm", here, "acknowledge", user="Ben Okafor")
    assert states(world, there, here) == (True, True)
    world.act("jsm", here, "notes", text="in JSM")
    world.clock.advance(1)
    world.act("opsgenie", there, "notes", text="in Opsgenie")
    assert world.opsgenie(there)["notes"] == ["before", "in JSM", "in Opsgenie"]
    assert sorted(world.notes(here)) == sorted(world.opsgenie(there)["notes"])
    world.act("jsm", here, "priority", priority="P1")
    world.act("jsm", here, "snooze", seconds=5)
    world.clock.advance(5)
    assert states(world, there, here) == (False, False)
    world.post(f"/{here}/close")
    assert (world.opsgenie(there)["status"], world.opsgenie(there)["priority"]) == ("closed", "P1")
    world.control("DELETE", f"/opsgenie/alerts/{there}")
    assert world.status(f"/{here}") == 404


def test_new_alerts_appear_in_both_products() -> None:
    world, _, _ = moved(jsm_ids="new")
    world.alert("opsgenie", message="of Opsgenie")
    world.alert("jsm", message="of JSM")
    world.alert("jsm", alias="disk")
    rows = world.call("GET", "/opsgenie/v2/alerts").json()["data"]
    assert {row["message"] for row in rows} == {"disk full", "of Opsgenie", "of JSM"}
    assert {row["message"] for row in world.get()["values"]} == {"disk full", "of Opsgenie", "of JSM"}
    assert {row["id"] for row in rows}.isdisjoint(row["id"] for row in world.get()["values"])
    assert len({row["tinyId"] for row in [*rows, *world.get()["values"]]}) == 6


def test_acts_may_appear_in_jsm_alone_or_not_at_all() -> None:
    world, there, here = moved(jsm_sync="to_jsm")
    world.act("opsgenie", there, "unacknowledge")
    assert states(world, there, here) == (False, False)
    world.act("jsm", here, "acknowledge")
    assert states(world, there, here) == (False, True)
    world, there, here = moved(jsm_sync="none")
    world.act("opsgenie", there, "unacknowledge")
    assert states(world, there, here) == (False, True)


def test_acts_may_appear_late_and_the_latest_one_holds_in_both() -> None:
    world, there, here = moved(sync_lag=5)
    world.act("opsgenie", there, "unacknowledge")
    assert states(world, there, here) == (False, True)
    world.clock.advance(1)
    world.act("jsm", here, "unacknowledge")
    world.clock.advance(1)
    world.act("jsm", here, "acknowledge")
    world.alert("jsm", alias="lately")
    assert world.call("GET", "/opsgenie/v2/alerts?query=alias:lately").json()["data"] == []
    world.clock.advance(3)
    assert states(world, there, here) == (False, True)
    world.clock.advance(2)
    assert states(world, there, here) == (True, True)
    assert len(world.call("GET", "/opsgenie/v2/alerts?query=alias:lately").json()["data"]) == 1


def test_alerts_of_one_alias_that_meet_are_one() -> None:
    world, _, _ = moved(sync_lag=5, jsm_ids="new")
    there, here = world.alert("opsgenie", alias="same"), world.alert("jsm", alias="same")
    world.clock.advance(5)
    assert (world.get()["count"], world.get("/alias?alias=same")["id"]) == (2, here)
    world.act("opsgenie", there, "acknowledge")
    world.clock.advance(5)
    assert states(world, there, here) == (True, True)


def test_what_is_impossible_in_the_other_product_does_not_appear_there() -> None:
    world, there, here = moved(sync_lag=5)
    world.act("opsgenie", there, "close")
    world.act("jsm", here, "snooze", seconds=1)
    world.clock.advance(10)
    assert world.get(f"/{here}")["status"] == world.opsgenie(there)["status"] == "closed"


def test_customers_are_users_of_jsm_whichever_product_they_act_in() -> None:
    world, _, here = moved(jsm_owner_form="email")
    assert world.get(f"/{here}")["owner"] == "ana.ruiz@customer.example"


def test_a_write_that_opsgenie_held_up_appears_in_jsm_with_its_effect() -> None:
    world, there, here = moved(queue_halted=True)
    world.call("POST", f"/opsgenie/v2/alerts/{there}/unacknowledge", {})
    assert world.get(f"/{here}")["acknowledged"]
    world.set(queue_halted=False)
    assert not world.get(f"/{here}")["acknowledged"]


def test_a_snooze_that_was_moved_ends_in_both() -> None:
    world = JsmBench(jsm_only=False)
    alert = world.alert("opsgenie")
    world.act("opsgenie", alert, "snooze", seconds=60)
    world.move(jsm_sync="none")
    assert world.get(f"/{alert}")["snoozed"]
    world.clock.advance(60)
    assert not world.get(f"/{alert}")["snoozed"]
    assert not world.opsgenie(alert)["snoozed"]


@pytest.mark.parametrize(
    ("mode", "read", "write"),
    [("live", 200, 202), ("read_only", 200, 403), ("refused", 403, 403), ("off", 401, 401)],
)
def test_opsgenies_api_may_refuse_after_the_move(mode: str, read: int, write: int) -> None:
    world = JsmBench(jsm_only=False, opsgenie_mode=mode)
    alert = world.alert("opsgenie")

    def found() -> tuple[int, int]:
        path = f"/opsgenie/v2/alerts/{alert}"
        return world.call("GET", path).status, world.call("POST", f"{path}/acknowledge", {}).status

    assert found() == (200, 202)
    world.move()
    assert found() == (read, write)


def test_the_alerts_move_once() -> None:
    world, _, _ = moved()
    assert world.call("POST", "/control/migrate", {}).status == 409
    assert JsmBench().call("POST", "/control/migrate", {}).status == 409
    world.control("POST", "/reset")
    assert world.move()["jsm_ids"] == "same"


def test_the_state_has_both_products_and_says_what_was_repeated() -> None:
    world, there, here = moved(jsm_ids="new")
    world.act("jsm", here, "notes", text="in JSM")
    state = world.control("GET", "/state")
    (old,), (new,) = state["opsgenie"]["alerts"], state["jsm"]["alerts"]
    assert (new["opsgenie_id"], new["id"], old["id"]) == (there, here, there)
    copied = [("copy_of" in note, note["note"]) for note in new["notes"]]
    assert copied == [(True, "before"), (False, "in JSM")]
    assert [("copy_of" in note, note["note"]) for note in old["notes"]] == [(False, "before"), (True, "in JSM")]
    assert old["notes"][1]["copy_of"] == new["notes"][1]["offset"]
    assert [(act["side"], act["alert_id"]) for act in state["journal"][-1:]] == [("jsm", here)]
