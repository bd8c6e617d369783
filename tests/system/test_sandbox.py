"""`reconciler sandbox --jsm`: alerts are in Jira Service Management, and what is printed is all that one needs."""

import os
import re
import signal
import time
from pathlib import Path

import requests

from tests.support.launcher import launch


def test_what_the_sandbox_prints_leads_to_jsms_alerts(tmp_path: Path) -> None:
    printed = tmp_path / "out.txt"
    with printed.open("w") as out:
        started = launch(["sandbox", "--port", "0", "--jsm"], dict(os.environ), tmp_path, out, out)
    try:
        last = time.monotonic() + 60
        while "/control/state" not in (text := printed.read_text()):
            assert time.monotonic() < last, text
            time.sleep(0.05)
        env = dict(re.findall(r"(\w+)=(\S+)", text))
        cloud = requests.get(f"{env['JSM_SITE_URL']}/_edge/tenant_info", timeout=20).json()["cloudId"]
        (raised,) = re.findall(r"^curl -s (\S+)/alerts -d '(.*)'$", text, re.MULTILINE)
        alert = requests.post(f"{raised[0]}/alerts", raised[1], timeout=20).json()
        listed = requests.get(
            f"{env['JSM_API_URL']}/jsm/ops/api/{cloud}/v1/alerts", auth=(env["JSM_EMAIL"], env["JSM_API_TOKEN"]),
            timeout=20,
        ).json()  # fmt: skip
        assert [row["id"] for row in listed["values"]] == [alert["id"]]
        named = requests.post(
            f"{env['JSM_API_URL']}/jsm/ops/integration/v2/alerts/{alert['id']}/close", json={"user": "Jane Doe"},
            headers={"Authorization": f"GenieKey {env['JSM_INTEGRATION_KEY']}"}, timeout=20,
        )  # fmt: skip
        assert named.status_code == 202
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
    finally:
        started.kill()
