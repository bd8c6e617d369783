"""ALERT_SHADOW=jsm: what a move would find is shown beside Opsgenie's work, and nothing else depends on it."""

import json

from reconciler.sandbox.server import jsm_environment
from tests.support.harness import World


def _compared(world: World) -> dict[str, int]:
    found = json.loads(world.run("status", "--json").stdout)
    return {verdict: n for verdict, n in found.get("shadow", {}).get("alerts", {}).items() if n}


def test_a_move_is_compared_before_and_after_it_and_a_failure_stays_the_shadows_own(world: World) -> None:
    shadow = jsm_environment(world.running.url, world.sandbox.settings) | {
        "ALERT_SOURCE": "opsgenie",
        "ALERT_SHADOW": "jsm",
        "SWEEP_INTERVAL_SECONDS": "1",
    }
    alerts = [world.raise_alert(f"alert {number}", alias=f"host-{number}") for number in range(3)]
    world.open_ready(**shadow)
    world.until(lambda: all(map(world.is_paged, alerts)), "the pages")
    world.until(lambda: world.metric("reconciler_shadow_alerts", verdict="missing") == 3, "nothing is there yet")
    world.control("migrate", jsm_ids="new", jsm_sync="none")
    world.until(lambda: world.metric("reconciler_shadow_alerts", verdict="rekeyed") == 3, "all are there")
    world.customer(alerts[0], "acknowledge")
    world.until(lambda: world.metric("reconciler_shadow_alerts", verdict="differs") == 1, "one differs")
    assert _compared(world) == {"rekeyed": 2, "differs": 1}
    assert "2 rekeyed, 1 differs, looked at " in world.run("status").stdout
    assert [call for call in world.writes() if call["vendor"] == "jsm"] == []

    world.faults({"do": "401", "vendor": "jsm", "times": 0})
    world.until(lambda: world.told("ALERT_SHADOW: JSM's alerts cannot be compared") > 0, "the trouble")
    assert world.get("/readyz").status_code == 200
    world.until(lambda: world.metric("reconciler_troubles", subject="shadow") == 1, "it is counted")
    world.engineer(alerts[1], "acknowledge")
    world.until(lambda: bool(world.alert(alerts[1])["acknowledged"]), "the acknowledgement in Opsgenie")
    world.no_faults()
    world.until(lambda: world.metric("reconciler_troubles", subject="shadow") is None, "the end of the trouble")
    world.assert_good()
