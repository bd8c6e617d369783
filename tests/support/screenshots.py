"""`make screenshots`: the pictures of the status page in docs/images, from a story in the sandbox."""

import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser

from tests.support.browser import CHROMIUM, DESKTOP, PHONE, WHY_SKIPPED, a_browser
from tests.support.harness import a_world
from tests.support.paths import ROOT
from tests.support.showcase import Showcase, show

FOLDER = ROOT / "docs" / "images"
LARGEST = 200_000
RENAME = """([from, to]) => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data.replaceAll(from, to);
}"""
"""Gives this machine a name of an example's: pictures of it are the same wherever they are made."""
COLOURS = 128
"""As many colours as a flat page needs; the files are a third as large with them."""


def main() -> None:
    """Make every picture."""
    if CHROMIUM is None:
        sys.exit(WHY_SKIPPED)
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, a_world(Path(folder) / "world") as world, a_browser() as browser:
        world.environment["DATABASE_URL"] = f"sqlite:///{world.database.name}"  # shown on the page
        story = show(world)
        for name, path, phone, scheme, height in _pictures(story):
            _take(
                browser, story.page.url + path, FOLDER / f"{name}.png", phone=phone, scheme=scheme, height=height
            )


def _pictures(story: Showcase) -> tuple[tuple[str, str, bool, str, int], ...]:
    """Name, path, whether on a phone, colour scheme, and the height that is shown; 0: all of it."""
    pair = f"/pairs/{story.told}"
    return (
        ("status-page", "/", False, "light", 1900),
        ("status-page-dark", "/", False, "dark", 1900),
        ("status-page-phone", "/", True, "light", 2200),
        ("status-page-pair", pair, False, "light", 0),
        ("status-page-pair-phone", pair, True, "dark", 1600),
    )


def _take(browser: Browser, url: str, file: Path, *, phone: bool, scheme: str, height: int) -> None:
    context = browser.new_context(
        viewport=PHONE if phone else DESKTOP,
        device_scale_factor=2 if phone else 1,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(url)
    page.evaluate(RENAME, [socket.gethostname(), "reconciler-0"])
    if height:
        page.set_viewport_size({"width": (PHONE if phone else DESKTOP)["width"], "height": height})
    page.screenshot(path=file, full_page=not height)
    context.close()
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}: {size // 1000} kB")  # noqa: T201 - the command's output
    assert size < LARGEST, f"{file.name} is too large for a page of the documentation"


if __name__ == "__main__":
    main()
