"""The list of routes in a real Chromium: accessible, readable on a phone, and it leads to each route's pages."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from reconciler.settings import Address
from reconciler.store.database import Database
from reconciler.web.server import Server
from reconciler.web.status_app import LIMITS
from tests.support.browser import CHROMIUM, DESKTOP, PHONE, WHY_SKIPPED, a_browser
from tests.support.desk import Desk
from tests.support.seeded_routes import at_work, with_routes

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WHY_SKIPPED)

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = "a-route-whose-name-is-of-the-longest-kin"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture
def url(database: Database) -> Iterator[str]:
    with_routes(database)
    at_work(database, LONG)
    server = Server(Desk(database).app, Address("127.0.0.1", 0), "STATUS_LISTEN", LIMITS)
    with server:
        host, port = server._listeners[0].socket.getsockname()[:2]
        yield f"http://{host}:{port}"


def test_the_list_is_accessible_fits_its_screen_and_leads_to_a_route_and_back(browser: Browser, url: str) -> None:
    for size in (PHONE, DESKTOP):
        with browser.new_context(viewport=size, base_url=url) as context:
            page = context.new_page()
            page.goto("/")
            assert page.evaluate(WIDER) <= 0, "it scrolls sideways"
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            page.get_by_role("table", name="Routes").get_by_role("link", name="search").click()
            page.wait_for_url("**/routes/search/")
            assert page.get_by_text("reconciler retry --all --route search").is_visible()
            page.get_by_role("table", name="Dead").get_by_role("link").first.click()
            page.wait_for_url("**/routes/search/pairs/a-3")
            assert page.get_by_text("reconciler retry 19 --route search").is_visible()
            page.get_by_role("link", name="All routes").click()
            page.wait_for_url(f"{url}/")
