"""The systemd unit of the examples: what its directives say."""

import shlex

from dotenv import dotenv_values

from tests.support.paths import ROOT

FOLDER = ROOT / "examples" / "systemd"
UNIT = FOLDER / "reconciler.service"
SCRIPT = FOLDER / "reconciler-service"


def of(name: str) -> list[str]:
    """The values of a directive, in order."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if not line.startswith("#")]
    return [value for each, sign, value in pairs if sign and each == name]


def command() -> list[str]:
    """The words of the command that it starts."""
    return shlex.split(of("ExecStart")[0])


def environment() -> dict[str, str]:
    """The variables that the service gets. `%d` is the folder of its credentials."""
    given = dict(item.split("=", 1) for line in of("Environment") for item in line.split())
    return given | {name: value or "" for name, value in dotenv_values(FOLDER / "settings.env").items()}
