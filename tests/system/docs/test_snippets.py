"""Each page's commands do what the page says: all its console blocks, in one shell and one fresh folder."""

import difflib
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.sandbox.server import environment, serve
from tests.support.docs.command import Commands
from tests.support.docs.console import Shell, Step, follow, free_ports, steps
from tests.support.docs.console import agrees as _agrees
from tests.support.docs.pages import Page, pages
from tests.support.paths import ROOT

SHOWN = {page.name: page for page in pages() if page.path.parent != ROOT and any(steps(page))}
TOOLS = ("bash", "curl", "kubectl", "openssl", "promtool", "systemd-analyze")
"""Programs that pages use and that a machine may lack."""
CLONE = ("examples", ".env-example")
"""What a page finds of the repository in its folder, as in a fresh clone."""


@pytest.mark.parametrize("name", SHOWN)
def test_the_pages_commands_print_what_it_shows(name: str, tmp_path: Path) -> None:
    page = SHOWN[name]
    found = list(steps(page))
    missing = [tool for tool in TOOLS if not shutil.which(tool) and any(tool in step.command for step in found)]
    if missing:
        pytest.skip(f"NOT CHECKED: not there: {', '.join(missing)}")
    folder = tmp_path / "clone"
    folder.mkdir()
    for part in CLONE:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    ports = free_ports()
    starts_it_itself = any("reconciler sandbox" in step.command for step in found)
    with Commands(tmp_path / "bin") as commands, ExitStack() as stack:
        environ = {}
        if not starts_it_itself:
            sandbox = stack.enter_context(serve(port=int(ports["8900"])))
            environ = environment(sandbox.url) | {"POLL_INTERVAL_SECONDS": "1"}
        _follow(page, found, Shell(folder, environ, ports, commands.folder))


def _follow(page: Page, found: list[Step], shell: Shell) -> None:
    try:
        for step in found:
            printed = follow(shell, step)
            assert _agrees(step.expected, printed), _difference(page, step, printed)
    finally:
        shell.close()


def _difference(page: Page, step: Step, printed: str) -> str:
    lines = difflib.unified_diff(
        step.expected, printed.rstrip("\n").splitlines(), "the page", "printed", lineterm=""
    )
    return f"{page.name}, line {step.line}: $ {step.command}\n" + "\n".join(lines)
