"""The systemd unit is one that systemd accepts, is as confined as the docs say, and its settings load."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.settings import load, variables
from tests.support.harness import COMMAND
from tests.support.paths import ROOT
from tests.support.unit_file import SCRIPT, UNIT, command, environment, of

ANALYZE = shutil.which("systemd-analyze")
DOCS = ROOT / "docs" / "deploy" / "systemd.md"
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on the PATH: systemd brings it")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with the command where it is here: systemd asks that it be there."""
    file = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    installed = command()[0]
    assert text.count(installed) == 1
    file.write_text(text.replace(installed, str(COMMAND)), encoding="utf-8")
    return file


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    assert ANALYZE
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
def test_systemd_accepts_the_unit_and_names_what_it_does_not_know(unit: Path) -> None:
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectClock=yes", "ProtectClok=yes"))
    assert "ProtectClok" in analyze("verify", "--man=no", unit).stderr


@needs_systemd
def test_the_unit_is_as_confined_as_the_docs_say(unit: Path) -> None:
    told = re.search(r"exposure level for reconciler\.service: (\d\.\d) OK", DOCS.read_text(encoding="utf-8"))
    assert told
    done = analyze("security", "--offline=yes", "--no-pager", f"--threshold={int(float(told[1]) * 10)}", unit)
    assert done.returncode == 0, done.stdout


def test_the_settings_load_and_every_secret_is_a_credential(tmp_path: Path) -> None:
    loaded = dict(credential.split(":", 1) for credential in of("LoadCredential"))
    given = environment()
    assert of("EnvironmentFile") == ["/etc/reconciler/settings.env"]
    files = {name: value for name, value in given.items() if name.endswith("_FILE")}
    assert {value.removeprefix("%d/") for value in files.values()} == set(loaded)
    assert set(loaded.values()) == {f"/etc/reconciler/{name}" for name in loaded}
    assert {name.removesuffix("_FILE") for name in given} <= set(variables())
    for name, value in files.items():
        file = tmp_path / value.removeprefix("%d/")
        file.write_text("some-key")
        given[name] = str(file)
    account = {"PAGERDUTY_SERVICE_ID": "PSERV01", "PAGERDUTY_EMAIL": "bot@example.com"}
    settings = load(given | account, dotenv=None)
    assert settings.warnings() == ()
    assert {given[name].partition(":")[0] for name in ("HTTP_LISTEN", "STATUS_LISTEN")} == {"127.0.0.1"}
    folder = f"/var/lib/{of('StateDirectory')[0]}"
    assert settings.database_url.get_secret_value() == f"sqlite:///{folder}/reconciler.db"
    assert of("WorkingDirectory") == [folder]


def test_it_stops_gently_and_never_stays_away() -> None:
    assert of("ExecReload") == [], "credentials are copies and the environment is fixed: only a restart helps"
    assert of("TimeoutStopSec") == ["60"]
    assert of("Restart") == ["always"]
    assert of("StartLimitIntervalSec") == ["0"]
    assert of("DynamicUser") == ["yes"]


def test_the_script_runs_a_command_with_the_keys_the_settings_and_the_database_of_the_service() -> None:
    words = shlex.split(SCRIPT.read_text(encoding="utf-8").replace("\\\n", ""), comments=True)
    assert words[:3] == ["exec", "sudo", "env"]
    given = dict(word.split("=", 1) for word in words if "=" in word)
    credentials = dict(credential.split(":", 1) for credential in of("LoadCredential"))
    unit = dict(item.split("=", 1) for line in of("Environment") for item in line.split())
    assert given == {
        name: credentials[value.removeprefix("%d/")] if value.startswith("%d/") else value
        for name, value in unit.items()
    }
    assert words[3 + len(given) :] == [command()[0], "--env-file", of("EnvironmentFile")[0], "$@"]
    assert SCRIPT.stat().st_mode & 0o111 == 0o111
