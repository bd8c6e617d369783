"""What the README shows is what a reader gets."""

import re
import subprocess
from pathlib import Path

import pytest
import requests

from reconciler.sandbox.server import serve
from tests.support.harness import COMMAND, World
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text()


def _even(text: str) -> str:
    """Without what differs from run to run: times and note ids."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)
    return re.sub(r"note P[0-9A-Z]+\]", "note ID]", text).strip()


def test_the_transcript_is_what_the_command_prints(tmp_path: Path) -> None:
    shown = re.search(r"\$ reconciler once --dry-run\n(.*?)```", README, re.DOTALL)
    assert shown
    with serve() as sandbox:
        world = World(sandbox, tmp_path)
        alert = world.raise_alert(priority="P1")
        world.once()
        world.engineer(alert, "acknowledge")
        world.engineer(alert, "notes", text="failing over to db-2")
        world.customer(alert, "notes", text="it began after the deploy")  # last: PagerDuty's stamps lack fractions
        world.raise_alert("disk 91 % full on web-3")
        printed = world.run("once", "--dry-run")
    assert printed.returncode == 0
    assert _even(printed.stdout) == _even(shown[1])


def test_the_curl_lines_do_what_they_say(tmp_path: Path) -> None:
    lines = re.findall(r"^curl -s \$S/(\S+) -d '(.*?)'", README, re.MULTILINE)
    assert len(lines) == 7
    with serve() as sandbox:
        world = World(sandbox, tmp_path)
        world.start()
        try:
            for path, body in lines:
                _act(world, path, body)
        finally:
            world.kill()
        assert world.audit() == {}


def _act(world: World, path: str, body: str) -> None:
    answer = requests.post(f"{world.running.url}/control/{path}", data=body, timeout=10)
    assert answer.ok, answer.text
    before = len(world.writes())
    # Each act is answered by at least one write; an ack of a triggered incident by exactly one.
    world.until(lambda: len(world.writes()) > before or world.audit() == {}, path)
    world.until(lambda: world.audit() == {}, path)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`reconciler ([a-z]+)(?: [a-z]+)?", README))))
def test_each_command_exists(command: str) -> None:
    helped = subprocess.run([COMMAND, command, "--help"], capture_output=True, text=True, check=False)
    assert helped.returncode == 0


def test_each_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
