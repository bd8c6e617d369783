"""How alerts and names are shown."""

import pytest

from tests.support.jsm import JsmBench


def test_an_alert_is_flat() -> None:
    world = JsmBench()
    alert = world.alert(
        description="full", tags=["ops"], details={"host": "db", "n": 1}, source="cron", priority="P2"
    )
    shown = world.get(f"/{alert}")
    assert shown["extraProperties"] == {"host": "db", "n": "1"}
    assert (shown["lastOccuredAt"], shown["tinyId"], shown["alias"]) == ("2026-11-23T09:00:00Z", "1", alert)
    assert (shown["description"], shown["tags"], shown["owner"], shown["seen"]) == ("full", ["ops"], "", False)


@pytest.mark.parametrize(
    ("words", "shown"),
    [("open", ["open", "open", "open", "closed"]), ("acked", ["open", "acked", "snoozed", "closed"])],
)
def test_the_status_of_what_is_open_may_have_a_word_of_its_own(words: str, shown: list[str]) -> None:
    world = JsmBench(jsm_status_words=words)
    alert = world.alert()
    found = [world.get(f"/{alert}")["status"]]
    for verb in ("acknowledge", "snooze", "close"):
        world.act("jsm", alert, verb)
        found.append(world.get(f"/{alert}")["status"])
    assert found == shown


@pytest.mark.parametrize(
    ("form", "robot", "ana"),
    [("name", "Ops Robot", "Ana Ruiz"), ("email", "robot@customer.example", "ana.ruiz@customer.example"),
     ("account_id", "712020:5a0c1b7e-90d4-4a53-8a3f-6c1f0e2d9b41", "712020:325069f8-4429-5db0-9f08-201b3c4aae94")],
)  # fmt: skip
def test_users_are_shown_in_one_form_and_names_in_calls_as_given(form: str, robot: str, ana: str) -> None:
    world = JsmBench(jsm_owner_form=form, jsm_notes_order="asc")
    alert = world.alert()
    world.act("jsm", alert, "notes", text="hers")
    world.post(f"/{alert}/notes", {"note": "its"})
    world.named(f"/{alert}/notes", {"note": "theirs", "user": "Jane Doe (PagerDuty)"})
    first, second, third = [note["owner"] for note in world.get(f"/{alert}/notes")["values"]]
    assert first == ana
    assert (second, third) == (robot, "Jane Doe (PagerDuty)")
