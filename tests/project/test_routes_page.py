"""docs/routes.md has each key of a routes file, and what holds for the whole process; the example loads."""

import re
from pathlib import Path

from reconciler.routes_keys import PROCESS_WIDE, SHARED, keys
from reconciler.settings import variables
from tests.support.paths import ROOT
from tests.support.routes import COMMON, routes_of

PAGE = (ROOT / "docs" / "routes.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.+`) \| ([a-z ]+) \| (.+) \|$", PAGE, re.MULTILINE)
FORMS = {"text": "x", "seconds": 1, "list": ["P1"], "table": {"P1": "low"}, "path": "x"}
"""A value of TOML in each form that the page names."""


def words(cell: str) -> list[str]:
    return re.findall(r"`([A-Za-z_]+)`", cell)


def test_the_page_has_each_key_once_with_its_variable() -> None:
    listed = [key for cell, _, _ in ROWS for key in words(cell)]
    assert sorted(listed) == sorted([*keys("opsgenie"), SHARED])
    for source in ("opsgenie", "jsm"):
        for cell, _, sets in ROWS:
            for key in set(words(cell)) - {SHARED}:
                assert keys(source)[key].variable.removesuffix("_FILE") in words(sets), key


def test_each_key_takes_the_form_that_the_page_names() -> None:
    for cell, takes, _ in ROWS:
        for key in set(words(cell)) - {SHARED}:
            assert keys("jsm")[key].text(FORMS[takes]) is not None, key
            assert (takes == "path") == keys("jsm")[key].variable.endswith("_FILE"), key


def test_the_page_names_what_holds_for_the_whole_process() -> None:
    told = re.search(r"^What holds for the whole process has no key.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert told
    webhooks = {name for name in PROCESS_WIDE if "INTEGRATION_ID" in name or "WEBHOOK" in name}
    assert {*words(told[0])} - {".env"} == PROCESS_WIDE - webhooks - {"ROUTES_FILE"}
    assert "ids and\nsecrets of webhooks" in told[0]
    assert webhooks < set(variables())


def test_the_example_loads_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "partners-pagerduty-api-key").write_text("key-of-partners\n")
    text = (ROOT / "examples" / "routes.toml").read_text(encoding="utf-8")
    routes = routes_of(tmp_path, text, COMMON | {"OPSGENIE_QUERY": "tag: a"})
    assert routes.warnings == ()
    payments, partners, default = routes.each
    assert (payments.settings.high_urgency_priorities, payments.is_shared) == (("P1", "P2"), True)
    assert partners.settings.pagerduty_api_key.get_secret_value() == "key-of-partners"
    assert (default.name, default.settings.opsgenie_query, default.settings.outage_page_seconds) == (
        "default",
        "",
        0,
    )
    assert {route.settings.late_seconds for route in routes.each} == {7200}
