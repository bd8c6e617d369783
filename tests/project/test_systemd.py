"""The systemd unit is one that systemd accepts, is as confined as the docs say, and its settings load."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.settings import load, variables
from tests.support.harness import COMMAND
from tests.support.paths import ROOT
from tests.support.unit_file import FOLDER, SCRIPT, UNIT, command, environment, of

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


@needs_systemd
def test_systemd_accepts_the_unit_with_what_a_move_to_jsm_adds(unit: Path) -> None:
    folder = unit.with_name(f"{unit.name}.d")
    folder.mkdir()
    for name in ("jsm.conf", "without-opsgenie.conf"):
        (folder / name).write_text(with_integration_key(name))
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    (folder / "jsm.conf").write_text("[Service]\nLoadCredentials=jsm-api-token:/etc/reconciler/jsm-api-token\n")
    assert "LoadCredentials" in analyze("verify", "--man=no", unit).stderr


def with_integration_key(name: str) -> str:
    """One of the files that add to the unit, with the lines in use that are comments in it."""
    return re.sub("^#(?=[A-Z]+[a-zA-Z]*=)", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_settings_load_with_the_token_of_jsm_and_without_a_key_of_opsgenies(tmp_path: Path) -> None:
    added = with_integration_key("jsm.conf")
    loaded = dict(re.findall(r"^LoadCredential=(\S+):(\S+)$", added, re.MULTILINE))
    assert loaded == {name: f"/etc/reconciler/{name}" for name in ("jsm-api-token", "jsm-integration-key")}
    given = environment() | {"PAGERDUTY_SERVICE_ID": "PSERV01", "PAGERDUTY_EMAIL": "bot@example.com"}
    for text in (added, with_integration_key("without-opsgenie.conf")):
        given |= dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    for name, value in given.items():
        if value.startswith("%d/"):
            file = tmp_path / value.removeprefix("%d/")
            file.write_text("some-key")
            given[name] = str(file)
    given |= {"ALERT_SOURCE": "jsm", "JSM_SITE_URL": "https://acme.atlassian.net", "JSM_EMAIL": "bot@example.com"}
    settings = load(given, dotenv=None)
    assert (settings.warnings(), settings.opsgenie_api_key.get_secret_value()) == ((), "")
    assert settings.jsm_integration_key
    assert {file.name for file in tmp_path.iterdir()} == {"pagerduty-api-key", *loaded}
    fallback = re.findall(
        r"^SetCredential=(\S+):\S+$", with_integration_key("without-opsgenie.conf"), re.MULTILINE
    )
    assert set(fallback) <= {credential.partition(":")[0] for credential in of("LoadCredential")}
    assert fallback == ["opsgenie-api-key"], "systemd starts the service although the file is missing"


def asked_of_sudo(folder: Path, *keys: str) -> list[str]:
    """The words that the script gives to sudo for `status --json`, where these keys are in /etc/reconciler."""
    there, programs = folder / "etc", folder / "bin"
    for each in (there, programs):
        each.mkdir(parents=True)
    (programs / "sudo").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (programs / "sudo").chmod(0o755)
    for key in keys:
        (there / key).touch()
    text = SCRIPT.read_text(encoding="utf-8").replace("file=/etc/reconciler/", f"file={there}/")
    shell = ["/bin/sh", "-euc", text, SCRIPT.name, "status", "--json"]
    done = subprocess.run(shell, capture_output=True, text=True, check=True, env={"PATH": str(programs)})
    return done.stdout.replace(str(there), "/etc/reconciler").splitlines()


def test_the_script_runs_a_command_with_the_keys_the_settings_and_the_database_of_the_service(
    tmp_path: Path,
) -> None:
    words = asked_of_sudo(tmp_path, "opsgenie-api-key")
    assert words[0] == "env"
    given = dict(word.split("=", 1) for word in words if "=" in word)
    credentials = dict(credential.split(":", 1) for credential in of("LoadCredential"))
    unit = dict(item.split("=", 1) for line in of("Environment") for item in line.split())
    assert given == {
        name: credentials[value.removeprefix("%d/")] if value.startswith("%d/") else value
        for name, value in unit.items()
    }
    assert words[1 + len(given) :] == [command()[0], "--env-file", of("EnvironmentFile")[0], "status", "--json"]
    assert SCRIPT.stat().st_mode & 0o111 == 0o111


def test_the_script_passes_the_keys_of_either_product_that_are_there(tmp_path: Path) -> None:
    both = asked_of_sudo(tmp_path / "both", "opsgenie-api-key", "jsm-api-token", "jsm-integration-key")
    jsm = asked_of_sudo(tmp_path / "jsm", "jsm-api-token")
    assert "JSM_INTEGRATION_KEY_FILE=/etc/reconciler/jsm-integration-key" in both
    assert "OPSGENIE_API_KEY_FILE=/etc/reconciler/opsgenie-api-key" in both
    assert "JSM_API_TOKEN_FILE=/etc/reconciler/jsm-api-token" in both
    assert {word for word in jsm if "OPSGENIE" in word or "JSM" in word} == {
        "JSM_API_TOKEN_FILE=/etc/reconciler/jsm-api-token"
    }
