"""The whole mapping once over PostgreSQL: one alert's life, through the installed commands."""

import json

from tests.support.scene import Scene


def test_one_life(on_postgres: Scene) -> None:
    scene = on_postgres
    assert json.loads(scene.run("once", "--dry-run", "--json").stdout)["actions"] == []
    assert scene.ask("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == [(0,)]
    assert scene.run("db", "upgrade").returncode == 0
    scene.begin()

    alert = scene.raise_alert(priority="P1")
    scene.until(lambda: bool(scene.incidents(alert)), "the incident")
    scene.customer(alert, "notes", text="after the deploy")
    scene.engineer(alert, "notes", text="failing over")
    scene.until(lambda: bool(scene.alert_notes(alert) and len(scene.incident_notes(alert)) > 1), "both notes")
    scene.customer(alert, "acknowledge")
    scene.until(lambda: scene.incident(alert)["status"] == "acknowledged", "the mirrored acknowledgement")
    scene.customer(alert, "unacknowledge")
    scene.until(lambda: scene.incident(alert)["status"] == "triggered", "that it pages again")
    scene.engineer(alert, "acknowledge")
    scene.until(lambda: bool(scene.alert(alert)["acknowledged"]), "the engineer's acknowledgement")
    assert scene.alert(alert)["owner"] == "Jane Doe"
    scene.engineer(alert, "unacknowledge")
    scene.until(lambda: not scene.alert(alert)["acknowledged"], "that the alert escalates")
    for verb, words in (("resolve", "resolved the incident"), ("reopen", "reopened the incident")):
        scene.engineer(alert, verb)
        scene.until(lambda words=words: words in scene.alert_notes(alert)[-1], words)  # type: ignore[misc]
    scene.customer(alert, "close")
    scene.until(lambda: "closed the alert" in " ".join(scene.incident_notes(alert)), "the closing")
    assert scene.incident(alert)["status"] == "triggered"

    scene.until(scene.has_settled, "the rest")
    assert scene.audit() == {}
    assert [call for call in scene.pass_cycles(10) if call["write"]] == []
    standing = json.loads(scene.run("status", "--json").stdout)
    assert standing["actions"]["planned"] == standing["actions"]["in flight"] == standing["actions"]["dead"] == 0
    assert standing["actions"]["done"] >= 10
    assert scene.stop() == 0
