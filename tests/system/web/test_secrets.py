"""No secret appears in a log, an error, a metric or an answer, after requests that contain them everywhere."""

import json
from pathlib import Path

import requests

from reconciler.sandbox.settings import SandboxSettings
from tests.support.harness import World
from tests.support.harness.listener import SECRETS, opsgenie_body, pagerduty_body, signature

PATHS = ("/healthz", "/readyz", "/metrics", "/pd-webhook", "/ops-webhook", "/", "/nothing")


def test_no_secret_appears_in_a_log_an_error_a_metric_or_an_answer(world: World) -> None:
    keys = SandboxSettings()
    secrets = [*SECRETS, keys.opsgenie_key, keys.pagerduty_key]
    answers: list[str] = []

    world.open_ready(LOG_LEVEL="DEBUG", LOG_FORMAT="json")
    alert, incident = world.paired()
    world.customer(alert, "acknowledge")
    faults = [
        {"vendor": vendor, "do": do, "times": 1}
        for vendor in ("opsgenie", "pagerduty")
        for do in ("500_before", "truncate_after", "401")
    ]
    for fault in faults:
        requests.post(f"{world.running.url}/control/faults", json=fault, timeout=10).raise_for_status()
    body = pagerduty_body(incident)
    for secret in secrets:
        for path in PATHS:
            for method in ("GET", "POST"):
                answer = requests.request(
                    method,
                    f"{world.url}{path}?key={secret}",
                    data=json.dumps({"secret": secret, "integrationId": secret}),
                    headers={
                        "X-Webhook-Secret": secret,
                        "X-PagerDuty-Signature": signature(body, secret),
                        "X-Webhook-Id": secret,
                        "Authorization": f"GenieKey {secret}",
                    },
                    timeout=10,
                )
                answers.append(f"{answer.headers} {answer.text}")
    world.engineer(alert, "notes", text="on it")
    assert world.deliver(incident).status_code == 202
    assert world.report(opsgenie_body(alert)).status_code == 202
    world.until(lambda: world.is_noted(alert, "] on it"), "the note")
    answers.append(world.get("/metrics").text)
    assert world.stop() == 0

    for environ in (
        {"HTTP_LISTEN": "127.0.0.1"},
        {"OPSGENIE_INTEGRATION_ID": "", "OPSGENIE_WEBHOOK_SECRET": SECRETS[2]},
        {"OPSGENIE_API_KEY": "wrong key"},
        {"PAGERDUTY_WEBHOOK_SECRET": f"{SECRETS[0]},,{SECRETS[1]}"},
    ):
        done = world.run("run", **(_fast_path() | environ))
        assert done.returncode == 2
        answers += [done.stdout, done.stderr]

    logs = [file.read_text() for file in Path(world.folder).glob("*.log")]
    assert sum(len(log.splitlines()) for log in logs) > 3
    for secret in secrets:
        assert not [text for text in (*answers, *logs) if secret in text], secret


def _fast_path() -> dict[str, str]:
    return {
        "PAGERDUTY_WEBHOOK_SECRET": ",".join(SECRETS[:2]),
        "OPSGENIE_INTEGRATION_ID": "x",
        "HTTP_LISTEN": "x:1",
    }
