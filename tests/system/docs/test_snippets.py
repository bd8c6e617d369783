"""Each page's commands do what the page says: all its console blocks, in one shell and one fresh folder."""

import difflib
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.sandbox.server import environment, serve
from tests.support.docs.command import Commands
from tests.support.docs.console import Shell, Step, agrees, follow, free_ports, steps
from tests.support.docs.pages import Page, pages
from tests.support.paths import ROOT

SHOWN = {page.name: page for page in pages() if page.path.parent != ROOT and any(steps(page))}
TOOLS = ("bash", "curl", "kubectl", "openssl", "promtool", "systemd-analyze")
"""Programs that pages use and that a machine may lack."""
CLONE = ("examples", ".env-example")
"""What a page finds of the repository in its folder, as in a fresh clone."""


AT_A_TIME = 3
"""Pages that run at the same time: most of their time they wait for an effect."""


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The selected pages at work in the background, by name."""
    selected = [item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="page") as pool:
        yield {
            name: pool.submit(_run, name, tmp_path_factory.mktemp("page")) for name in SHOWN if name in selected
        }


@pytest.mark.parametrize("name", SHOWN)
def test_the_pages_commands_print_what_it_shows(name: str, runs: dict[str, Future[None]]) -> None:
    missing = [tool for tool in TOOLS if not shutil.which(tool) and _uses(SHOWN[name], tool)]
    if missing:
        pytest.skip(f"NOT CHECKED: not there: {', '.join(missing)}")
    runs[name].result()


def _uses(page: Page, tool: str) -> bool:
    return any(tool in step.command for step in steps(page))


def _run(name: str, place: Path) -> None:
    page = SHOWN[name]
    folder = place / "clone"
    folder.mkdir()
    for part in CLONE:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    ports = free_ports()
    with Commands(place / "bin") as commands, ExitStack() as stack:
        environ = {}
        if not _uses(page, "reconciler sandbox"):
            sandbox = stack.enter_context(serve(port=int(ports["8900"])))
            environ = environment(sandbox.url) | {"POLL_INTERVAL_SECONDS": "1"}
        shell = Shell(folder, environ, ports, commands.folder)
        stack.callback(shell.close)
        for step in steps(page):
            printed = follow(shell, step)
            assert agrees(step.expected, printed), _difference(page, step, printed)


def _difference(page: Page, step: Step, printed: str) -> str:
    lines = difflib.unified_diff(
        step.expected, printed.rstrip("\n").splitlines(), "the page", "printed", lineterm=""
    )
    return f"{page.name}, line {step.line}: $ {step.command}\n" + "\n".join(lines)
