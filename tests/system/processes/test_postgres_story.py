"""The whole mapping over PostgreSQL: one alert from its creation to its end, through the installed commands."""

import json

from tests.support.harness import World


def test_the_whole_mapping_holds_over_postgresql(on_postgres: World) -> None:
    world = on_postgres
    assert json.loads(world.run("once", "--dry-run", "--json").stdout)["actions"] == []
    assert world.ask("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == [(0,)]
    assert world.run("db", "upgrade").returncode == 0
    world.begin()

    alert = world.raise_alert(priority="P1")
    world.until(lambda: bool(world.incidents(alert)), "the incident")
    world.customer(alert, "notes", text="after the deploy")
    world.engineer(alert, "notes", text="failing over")
    world.until(lambda: bool(world.alert_notes(alert) and len(world.incident_notes(alert)) > 1), "both notes")
    world.customer(alert, "acknowledge")
    world.until(lambda: world.incident(alert)["status"] == "acknowledged", "the mirrored acknowledgement")
    world.customer(alert, "unacknowledge")
    world.until(lambda: world.incident(alert)["status"] == "triggered", "that it pages again")
    world.engineer(alert, "acknowledge")
    world.until(lambda: bool(world.alert(alert)["acknowledged"]), "the engineer's acknowledgement")
    assert world.alert(alert)["owner"] == "Jane Doe"
    world.engineer(alert, "unacknowledge")
    world.until(lambda: not world.alert(alert)["acknowledged"], "that the alert escalates")
    for verb, words in (("resolve", "resolved the incident"), ("reopen", "reopened the incident")):
        world.engineer(alert, verb)
        world.until(lambda words=words: words in world.alert_notes(alert)[-1], words)  # type: ignore[misc]
    world.customer(alert, "close")
    world.until(lambda: "closed the alert" in " ".join(world.incident_notes(alert)), "the closing")
    assert world.incident(alert)["status"] == "triggered"

    world.until(world.is_settled, "the rest")
    assert world.audit() == {}
    assert [call for call in world.pass_cycles(10) if call["write"]] == []
    standing = json.loads(world.run("status", "--json").stdout)
    assert standing["actions"]["planned"] == standing["actions"]["in flight"] == standing["actions"]["dead"] == 0
    assert standing["actions"]["done"] >= 10
    assert world.stop() == 0
