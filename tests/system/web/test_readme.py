"""The README's webhook commands, run unchanged by a shell."""

import re
import shutil
import subprocess

import pytest

from tests.support.harness import World
from tests.support.harness.listener import RARELY
from tests.support.paths import ROOT


def test_each_webhook_step_of_the_readme_has_the_effect_it_states(world: World) -> None:
    tools = {tool: shutil.which(tool) for tool in ("bash", "curl", "openssl")}
    bash = tools["bash"]
    if bash is None or None in tools.values():
        pytest.skip(f"NOT CHECKED: one of these is not there: {', '.join(tools)}")
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"<!-- webhooks: [^>]*-->\n```sh\n(.*?)```", readme, re.DOTALL)
    assert found
    before, *steps = re.split(r"^# ", found[1], flags=re.MULTILINE)
    assert [step.splitlines()[0] for step in steps] == [
        "Ana raises an alert: somebody is paged",
        "Ana adds a note: it stands on the incident",
        "Ana acknowledges the alert: the incident is acknowledged, and a note names her",
        "Ana takes it back: the incident pages again",
        "Jane acknowledges the incident: the alert is acknowledged in her name",
        "Jane takes it back: the alert is unacknowledged",
        "Jane adds a note: it stands on the alert",
        "somebody forges a webhook: it is turned away, and nothing happens",
    ]
    world.open_ready(
        POLL_INTERVAL_SECONDS=RARELY,
        PAGERDUTY_WEBHOOK_SECRET="some-secret",
        OPSGENIE_INTEGRATION_ID="some-integration",
        OPSGENIE_WEBHOOK_SECRET="",
    )
    with subprocess.Popen([bash, "-u"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdin
        assert shell.stdout

        def run(lines: str) -> str:
            assert shell.stdin
            assert shell.stdout
            lines = lines.replace("http://127.0.0.1:8900", world.running.url)
            shell.stdin.write(lines.replace("http://127.0.0.1:8080", world.url) + "\necho; echo done\n")
            shell.stdin.flush()
            return "".join(iter(shell.stdout.readline, "done\n"))

        run(before)
        answers = []
        shown = [
            lambda: [found["urgency"] for found in world.incidents(alert())] == ["high"],
            lambda: world.is_told(alert(), "] it began after the deploy"),
            lambda: is_incident("acknowledged") and world.is_told(alert(), "acknowledged the alert"),
            lambda: is_incident("triggered") and world.is_told(alert(), "unacknowledged the alert"),
            lambda: world.alert(alert()).get("report", {}).get("acknowledgedBy") == "Jane Doe",
            lambda: not world.alert(alert())["acknowledged"],
            lambda: world.is_noted(alert(), "] failing over to db-2"),
            lambda: True,
        ]

        def alert() -> str:
            return str(world.state()["opsgenie"]["alerts"][0]["id"])

        def is_incident(status: str) -> bool:
            return bool(world.incident(alert())["status"] == status)

        for step, is_shown in zip(steps, shown, strict=True):
            answers.append(run("# " + step))
            world.until(is_shown, step)
        shell.stdin.close()
    assert ["accepted" in answer for answer in answers] == [*[True] * 7, False]
    assert "bad_signature" in answers[-1]
    assert world.audit() == {}
