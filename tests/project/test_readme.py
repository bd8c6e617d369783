"""What the README shows is what a reader gets."""

import re
from pathlib import Path

from pydantic import SecretStr

from reconciler.sandbox.server import serve
from reconciler.settings import Settings, variables
from tests.support.harness import World
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


def test_the_table_of_settings_has_every_variable_in_order_with_its_default() -> None:
    for is_jsm, page in ((False, README), (True, (ROOT / "docs/jsm.md").read_text())):
        rows = re.findall(r"^\| `([A-Z_]+)`( \(S\))? \| (.*?) ?\| (.+) \|$", page, re.MULTILINE)
        every = {name: each for name, each in variables().items() if name.startswith("JSM_") == is_jsm}
        assert [name for name, *_ in rows] == list(every)
        assert [bool(secret) for _, secret, *_ in rows] == [each.secret for each in every.values()]
        for name, _, default, meaning in rows:
            given = Settings.model_fields[name.lower()].default
            assert default.strip("`") == ("required" if every[name].needs else _shown(given)), name
            assert meaning


def _shown(default: object) -> str:
    """A default as an operator writes it."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, float):
        return f"{default:g}" if default < 1e6 else f"{default:.0f}"
    return ",".join(default) if isinstance(default, tuple) else str(default or "")


def test_the_readme_is_read_in_a_minute() -> None:
    assert len(README.splitlines()) <= 120
