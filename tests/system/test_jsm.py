"""Jira Service Management as the alert side: everything is mirrored, with and without an integration's key."""

from pathlib import Path

import pytest

from tests.support.harness import World

JSM = {"jsm_only": True}
ACCOUNT, NAMED = "Ops Robot", "Jane Doe"


def in_name(world: World) -> None:
    """Give the key of an integration."""
    world.environment["JSM_INTEGRATION_KEY"] = world.sandbox.settings.jsm_key


def is_acknowledged(world: World, alert: str) -> bool:
    return bool(world.alert(alert)["acknowledged"])


def status(world: World, alert: str) -> str:
    return str(world.incident(alert)["status"])


@pytest.mark.parametrize(
    ("who", "world"),
    [(ACCOUNT, JSM | {"jsm_status_words": "acked", "jsm_owner_form": "account_id"}), (NAMED, JSM)],
    indirect=["world"],
)
def test_everything_is_mirrored_both_ways_also_across_a_restart(world: World, who: str) -> None:
    if who == NAMED:
        in_name(world)
    world.start()
    alert = world.raise_alert(priority="P1")
    world.until(lambda: world.is_paged(alert), "a page")
    world.customer(alert, "notes", text="any news?")
    world.engineer(alert, "notes", text="failing over")
    world.until(lambda: world.is_told(alert, "Z] any news?"), "the customer's note")
    world.until(lambda: world.is_noted(alert, "] failing over"), "the engineer's note")
    assert any(each.startswith("[JSM · Ana Ruiz · 20") for each in world.incident_notes(alert))

    world.engineer(alert, "acknowledge")
    world.until(lambda: is_acknowledged(world, alert), "the engineer's acknowledgement")
    assert world.alert(alert)["owner"] == who
    world.engineer(alert, "unacknowledge")
    world.until(lambda: not is_acknowledged(world, alert), "its end")
    world.until(lambda: world.is_noted(alert, "] unacknowledged the incident"), "who ended it")
    world.customer(alert, "acknowledge")
    world.until(lambda: status(world, alert) == "acknowledged", "the customer's acknowledgement")
    world.customer(alert, "unacknowledge")
    world.until(lambda: status(world, alert) == "triggered", "its end")

    world.kill()
    world.customer(alert, "close")
    missed = world.raise_alert("raised while nobody looked")
    world.start()
    world.until(lambda: world.is_told(alert, "] closed the alert"), "the customer's closing")
    world.until(lambda: world.is_paged(missed), "a page")
    assert world.stop() == 0
    world.assert_good()


@pytest.mark.parametrize("world", [JSM | {"jsm_integration_enabled": False}], indirect=True)
def test_what_an_integration_accepts_and_does_not_carry_out_is_written_without_the_name(world: World) -> None:
    in_name(world)
    world.start()
    alert = world.raise_alert()
    world.until(lambda: world.is_paged(alert), "a page")
    world.engineer(alert, "acknowledge")
    world.engineer(alert, "notes", text="failing over")
    world.until(lambda: is_acknowledged(world, alert), "the acknowledgement")
    world.until(lambda: world.is_noted(alert, "] failing over"), "the note")
    assert world.alert(alert)["owner"] == ACCOUNT
    assert "JSM: a write in the engineer's name was accepted and failed: written as our own user" in world.log()
    first = world.seq()
    world.until(lambda: sum(call["path"].endswith("/v1/alerts") for call in world.calls(first)) > 9, "three polls")
    assert world.incident_notes(alert) == ["failing over"], "our own user's acknowledgement is no customer's"
    assert world.audit() == {"lost": ["alert #1: Jane Doe's acknowledge in the alert's log: 0 of 1"]}, (
        "but the name"
    )


@pytest.mark.parametrize("world", [JSM], indirect=True)
def test_a_token_that_is_replaced_in_its_file_is_used_without_a_restart(world: World, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(world.environment.pop("JSM_API_TOKEN"))
    world.start(JSM_API_TOKEN_FILE=str(file))
    first = world.raise_alert()
    world.until(lambda: world.is_paged(first), "a page")
    world.settings(jsm_token="the-next-token")
    world.until(lambda: "JSM_EMAIL and JSM_API_TOKEN" in world.log(), "the refusal")
    second = world.raise_alert("raised meanwhile")
    world.engineer(first, "acknowledge")
    assert not world.is_paged(second)
    file.write_text("the-next-token")
    world.until(lambda: world.is_paged(second) and is_acknowledged(world, first), "what has waited")
    assert "sandbox-jsm-token" not in world.log()
    world.assert_good()
