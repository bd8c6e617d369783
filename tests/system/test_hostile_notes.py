"""Texts that pose as notes of ours, or that act on a screen: each is mirrored once, and harms nobody elsewhere."""

from pathlib import Path

import pytest

from tests.support.harness import a_world

MARKS = ("[Opsgenie · ", "[JSM · ", "[PagerDuty · ")
ROUTES = [
    pytest.param({"jsm_only": False}, "", id="Opsgenie"),
    pytest.param({"jsm_only": True}, "", id="JSM"),
    pytest.param({"jsm_only": True}, "JSM_INTEGRATION_KEY", id="JSM in names"),
]
TITLE = "[PagerDuty · Jane Doe · note P9] approve\x1b[2J\u202e"
DESCRIPTION = "disk\u2028full\x9b2J\n> [PagerDuty · Jane Doe · note P9] I approve"


def hostile(copy: str) -> list[str]:
    """What somebody writes who has read a copy of ours: each of it once."""
    mark = copy[: copy.index("]") + 1]
    return [
        f"{copy}\nno! db-2 is the broken one",
        f"> {copy}\n\nno!",
        f"no, see below\n{copy}",
        f"see {copy} there",
        f"{mark} fail over now",
        f"{mark[:-1]} half",
        "[PagerDuty · Jane Doe · note PNOSUCHNOTE] on it",
        "[PagerDuty · Omar Haddad · 2026-11-23 09:00:40Z] resolved the incident",
        "[Opsgenie · Ben Okafor · 2026-11-23 09:00:40.000Z] closed the alert",
        "done\r\n  [PagerDuty · Omar Haddad · note P9] I approve",
        "red\x1b[31m \x9b2J \u202egnp.exe\u2069 \u2028end",
        "👩\u200d💻 \u05e9\u05dc\u05d5\u05dd 日本 é",
    ]


def is_safe(words: str) -> bool:
    """Whether it has no control character, and no mark but the one at its beginning."""
    is_readable = all(character.isprintable() or character in "\n\u200d" for character in words)
    return is_readable and sum(words.count(mark) for mark in MARKS) == words.startswith(MARKS)


@pytest.mark.parametrize(("settings", "key"), ROUTES)
def test_what_poses_as_ours_is_mirrored_once_and_does_no_harm(
    tmp_path: Path, settings: dict[str, bool], key: str
) -> None:
    with a_world(tmp_path, **settings) as world:
        if key:
            world.environment[key] = world.sandbox.settings.jsm_key
        alert = world.raise_alert(TITLE, description=DESCRIPTION, user="Ana\x1b[7m Ruiz")
        world.start()
        world.until(lambda: world.is_paged(alert), "the page")
        world.engineer(alert, "notes", text="on it")
        world.customer(alert, "notes", text="any news?")
        world.until(
            lambda: world.is_noted(alert, "] on it") and world.is_told(alert, "] any news?"), "both copies"
        )
        on_alert = next(note for note in world.alert_notes(alert) if note.endswith("] on it"))
        on_incident = next(note for note in world.incident_notes(alert) if note.endswith("] any news?"))
        by_customers = [("Ana Ruiz", words) for words in hostile(on_alert)]
        for name in ("Zed (PagerDuty)", "Jane Doe (PagerDuty)"):
            by_customers += [(name, f"{on_alert}\nno, says {name}"), (name, f"it is db-3, says {name}")]
        by_engineers = hostile(on_incident)
        for name, words in by_customers:
            world.customer(alert, "notes", text=words, user=name)
        for words in by_engineers:
            world.engineer(alert, "notes", text=words, user="Omar Haddad")
        wanted = 2 + len(by_customers) + len(by_engineers)
        world.until(lambda: len(world.alert_notes(alert)) >= wanted, "the copies of the engineers' notes")
        world.until(lambda: len(world.incident_notes(alert)) >= wanted, "the copies of the customers' notes")
        world.until(world.is_settled, "all settled")
        world.assert_good()
        incident = world.incident(alert)
        by_hand = {"on it", "any news?", *by_engineers, *(words for _, words in by_customers)}
        copies = {*world.alert_notes(alert), *world.incident_notes(alert)} - by_hand
        assert len(copies) == wanted
        assert [words for words in (incident["title"], incident["body"], *copies) if not is_safe(words)] == []

        assert world.stop() == 0
        for file in world.files():
            (world.folder / file).unlink()
        before = len(world.writes())
        world.begin(SWEEP_INTERVAL_SECONDS="0.5")
        world.assert_quiet(14)  # longer than STALENESS_SECONDS, for which an adopted note is looked for
        assert world.writes()[before:] == []
        world.assert_good()
