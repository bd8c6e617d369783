"""What a template is filled with: without secrets, without control characters, and escaped."""

from importlib.resources import files

import pytest
from jinja2 import DictLoader, StrictUndefined, UndefinedError

from reconciler.web.pages import PACKAGE, Pages, asset

TEMPLATES = {
    "page": '<p title="{{ text }}">{{ text }}</p>{% import "part" as part %}{{ part.bold(text) }}',
    "part": "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}",
    "number": "{{ number }} {{ number + 1 }}",
    "missing": "{{ text.nothing }}",
}


@pytest.fixture
def secrets() -> list[str]:
    return ["s3cret-of-now"]


@pytest.fixture
def pages(secrets: list[str]) -> Pages:
    pages = Pages(lambda: secrets)
    pages._templates.loader = DictLoader(TEMPLATES)
    return pages


def filled(pages: Pages, text: str) -> str:
    """The text as a page shows it, once; it stands there thrice."""
    shown = pages.html("page", text=text)
    once = shown.partition("<b>")[2].removesuffix("</b>")
    assert shown == f'<p title="{once}">{once}</p><b>{once}</b>'
    return once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onload='x' &amp;", "&#34; onload=&#39;x&#39; &amp;amp;"),
        ("a\x00b\x1b[31mc\nd", r"a\u0000b\u001b[31mc\nd"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("\u2066\u200b\ufeff\x85", r"\u2066\u200b\ufeff\u0085"),
        ("Zoë Søren 東京 😀", "Zoë Søren 東京 😀"),
        ("{{ 7 * 7 }}{% raw %}", "{{ 7 * 7 }}{% raw %}"),
        ("key s3cret-of-now!", "key ***!"),
    ],
)
def test_whatever_is_filled_in_is_shown_harmless(pages: Pages, text: str, shown: str) -> None:
    assert filled(pages, text) == shown


def test_numbers_pass_unchanged_and_what_is_missing_is_an_error(pages: Pages) -> None:
    assert pages.html("number", number=3) == "3 4"
    assert pages._templates.undefined is StrictUndefined
    with pytest.raises(UndefinedError):
        pages.html("missing", text="x")


def test_a_secret_that_was_valid_once_stays_hidden(pages: Pages, secrets: list[str]) -> None:
    assert filled(pages, "s3cret-of-now") == "***"
    secrets[:] = ["its-successor"]
    assert filled(pages, "s3cret-of-now its-successor") == "*** ***"
    assert pages.data({"words": ["its-successor"], "number": 7}) == {"words": ["***"], "number": 7}


def test_every_template_is_shipped_and_no_template_marks_a_text_as_safe() -> None:
    templates = [each for each in (files(PACKAGE) / "templates").iterdir() if each.name.endswith(".html")]
    assert len(templates) == 6
    for each in templates:
        text = each.read_text(encoding="utf-8")
        for forbidden in ("|safe", "| safe", "autoescape", "<script", "style=", "javascript:", "http:", "https:"):
            assert forbidden not in text, each.name


def test_what_the_pages_refer_to_is_shipped() -> None:
    assert asset("status.css").startswith(b"/*")
    assert asset("icon.svg").startswith(b"<svg")
    assert b"url(" not in asset("status.css")
    assert b"@import" not in asset("status.css")
