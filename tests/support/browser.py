"""A real Chromium: the machine's own, driven by Playwright, which brings none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ViewportSize, sync_playwright

CHROMIUM = shutil.which("chromium")
WHY_SKIPPED = "chromium is not on the PATH: Debian's package chromium brings it"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


@contextmanager
def a_browser() -> Iterator[Browser]:
    """One browser, without a sandbox of its own: tests run as root, and it opens pages of loopback only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
