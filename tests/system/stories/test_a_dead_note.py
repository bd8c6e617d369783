"""A note is refused for good: the operator sees it in the log and in `status` as `#17`, and retries `#17`."""

import json

from reconciler.sandbox.wire import json_response
from tests.support.harness import World
from tests.support.harness.vendors import is_call

REFUSAL = json_response(400, {"error": {"message": "Product Limit Reached", "code": 2019, "errors": []}})


def test_a_dead_note_is_found_by_the_alerts_number_and_put_back_by_it(world: World) -> None:
    alerts = [world.raise_alert(f"alert {number}") for number in range(1, 18)]
    world.start()
    world.until(lambda: all(map(world.is_paged, alerts)) and world.is_settled(), "the pages")
    last = next(alert for alert in alerts if world.alert(alert)["tinyId"] == "17")
    end = world.answers(is_call("pagerduty", "POST", ends="/notes"), REFUSAL)
    world.customer(last, "notes", text="refused")
    world.until(lambda: world.standing()["dead"] == 1, "the note is dead")
    world.until(lambda: any('#17 "' in e["event"] and e["level"] == "error" for e in world.events()), "the log")
    end()
    status = world.run("status", "--exit-code")
    assert status.returncode == 3
    assert '#17 "alert ' in status.stdout
    (dead,) = json.loads(world.run("status", "--json").stdout)["dead"]
    assert (dead["alert"], dead["kind"]) == ("17", "pagerduty.add_note")
    assert world.run("retry", "#17").returncode == 0
    world.until(lambda: world.is_told(last, "refused") and world.is_settled(), "the note")
    world.assert_good()
    assert world.run("status", "--exit-code").returncode == 0
