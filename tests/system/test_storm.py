"""A storm of alerts: every page goes out before any note."""

import pytest
import requests

from reconciler.runtime.worker import WORKERS
from tests.support.harness import World


@pytest.mark.parametrize("world", [{"pagerduty_per_minute": 0, "latency": 0.01}], indirect=True)
def test_every_page_goes_before_any_note(world: World) -> None:
    alerts = [world.raise_alert(f"alert {number}", priority="P1") for number in range(120)]
    for alert in alerts:
        world.customer(alert, "notes", text="any news?")
    world.start()
    world.until(lambda: world.audit() == {}, "every page and every note")
    calls = requests.get(f"{world.running.url}/control/requests", timeout=10).json()["requests"]
    written = [call["path"].rpartition("/")[2] for call in calls if call["write"]]
    assert written.count("incidents") == written.count("notes") == 120
    last_page = max(number for number, what in enumerate(written) if what == "incidents")
    # The last pages may be on the wire when the other workers find no page left to make.
    assert written[:last_page].count("notes") <= WORKERS
