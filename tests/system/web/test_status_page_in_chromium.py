"""The status page in a real Chromium: accessible, readable on a phone, strict, and without a request elsewhere.

The world shows something in every part of the page; one browser serves all tests. Each page is opened once for
each colour scheme and width, and everything is checked of it then.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support.browser import CHROMIUM, DESKTOP, PHONE, WHY_SKIPPED, a_browser
from tests.support.harness import a_world
from tests.support.showcase import Showcase, show

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WHY_SKIPPED)

Scheme = Literal["light", "dark"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    with a_world(tmp_path_factory.mktemp("showcase") / "world") as world:
        yield show(world)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has to say: errors and warnings of its console, and requests elsewhere."""
    return []


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    found: Scheme = request.param
    return found


@pytest.fixture(params=["desktop", "phone"])
def tab(
    request: pytest.FixtureRequest, browser: Browser, story: Showcase, scheme: Scheme, complaints: list[str]
) -> Iterator[Page]:
    """A tab of this width and scheme."""
    context = browser.new_context(
        viewport=PHONE if request.param == "phone" else DESKTOP, color_scheme=scheme, base_url=story.page.url
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: complaints.append(asked.url) if not asked.url.startswith(f"{story.page.url}/") else None,
    )
    yield page
    context.close()


@pytest.mark.parametrize("name", ["/", "dead"])
def test_a_page_is_accessible_fits_its_screen_and_asks_for_nothing_else(
    tab: Page, story: Showcase, complaints: list[str], name: str
) -> None:
    tab.goto("/" if name == "/" else f"/pairs/{getattr(story, name)}")
    for folded in tab.locator("summary").all():
        folded.click()
    assert tab.evaluate(WIDER) <= 0, "it scrolls sideways"
    assert complaints == []
    found = Axe().run(tab, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def test_the_page_is_styled_in_each_scheme(browser: Browser, story: Showcase) -> None:
    grounds = set()
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        with browser.new_context(color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(story.page.url)
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == {"rgb(244, 245, 247)", "rgb(18, 21, 26)"}


def test_everything_of_the_story_is_there_and_leads_to_its_pair(browser: Browser, story: Showcase) -> None:
    with browser.new_context(base_url=story.page.url) as context:
        page = context.new_page()
        page.goto("/")
        for title in ("Dead", "Unknown", "Planned", "Apart", "Lag of the last day", "Settings in force"):
            assert page.get_by_role("heading", name=title).count() == 1, title
        assert page.get_by_role("img", name="How long acts took to be mirrored").is_visible()
        page.get_by_role("table", name="Dead").get_by_role("link", name="disk 91 %").first.click()
        assert page.url.endswith(f"/pairs/{story.dead}")
        assert page.get_by_text("reconciler retry 2").is_visible()
        page.get_by_role("link", name="Back to the status").click()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_a_script_in_a_page_would_not_run(browser: Browser, story: Showcase) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        policy = {}
        page.on("response", lambda answer: policy.update(answer.headers))
        page.goto(story.page.url)
        page.route("**/*", lambda route: route.fulfill(
            body="<script>document.title = 'ran'</script><style>body {color: red}</style>",
            headers=policy | {"content-type": "text/html", "content-length": ""},
        ))  # fmt: skip
        page.goto(story.page.url)
        assert page.title() != "ran"


def test_the_pictures_of_the_documentation_are_small_and_shown() -> None:
    folder = Path(__file__).parents[3] / "docs"
    text = (folder / "status-page.md").read_text(encoding="utf-8")
    pictures = [*(folder / "images").glob("status-page*.png")]
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.stat().st_size < 200_000
        assert f"images/{picture.name}" in text
