"""The keys of a route's table, and what the values of TOML become."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reconciler.routes_keys import PROCESS_WIDE, keys, read_table
from reconciler.settings import variables

FOLDER = Path("/etc/reconciler")
PLACE = "routes.toml: [routes.shop]"


def text_of(**table: Any) -> str:
    """The one text that a table with one key becomes."""
    found = read_table(PLACE, table, "opsgenie", FOLDER)
    assert found.problems == ()
    (text,) = found.layer.texts.values()
    return text


def problem_of(key: str, value: Any) -> str:
    found = read_table(PLACE, {key: value}, "opsgenie", FOLDER)
    assert found.layer.texts == {}
    (told,) = found.problems
    assert told.startswith(f"{PLACE} {key}: ")
    return told.removeprefix(f"{PLACE} {key}: ")


def test_each_variable_is_either_the_processs_or_has_a_key() -> None:
    set_by = {key.variable.removesuffix("_FILE") for key in keys("opsgenie").values()}
    assert set_by | PROCESS_WIDE == set(variables())
    assert not set_by & PROCESS_WIDE


def test_secrets_are_given_as_files_only() -> None:
    secret = {name for name, each in variables().items() if each.secret}
    given = {name: key.variable for name, key in keys("jsm").items()}
    assert {name for name in given.values() if name.removesuffix("_FILE") in secret} == {
        "PAGERDUTY_API_KEY_FILE", "OPSGENIE_API_KEY_FILE", "JSM_API_TOKEN_FILE", "JSM_INTEGRATION_KEY_FILE",
    }  # fmt: skip


def test_the_query_is_that_of_the_product_that_the_route_reads_from() -> None:
    assert keys("opsgenie")["query"].variable == "OPSGENIE_QUERY"
    assert keys("jsm")["query"].variable == "JSM_QUERY"


FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "a text": ({"query": " tag: a "}, "tag: a"),
    "a whole number": ({"late_seconds": 90}, "90"),
    "a fraction": ({"late_seconds": 0.5}, "0.5"),
    "a time with its unit": ({"late_seconds": "15m"}, "15m"),
    "a list": ({"high_urgency_priorities": ["P1", "P3"]}, "P1,P3"),
    "an empty list": ({"high_urgency_priorities": []}, "none"),
    "a list as a text": ({"high_urgency_priorities": "P1,P3"}, "P1,P3"),
    "an alias": ({"on_alert_close": "resolve"}, "resolve"),
    "urgency: what is not named is high": ({"urgency": {"P4": "low", "P1": "high"}}, "P1,P2,P3,P5"),
    "urgency: all low": ({"urgency": dict.fromkeys(("P1", "P2", "P3", "P4", "P5"), "low")}, "none"),
    "urgency: nothing named": ({"urgency": {}}, "P1,P2,P3,P4,P5"),
    "priority: names by the alert's priority": ({"priority": {"P1": "SEV-1", "P2": "SEV 2"}}, "P1=SEV-1,P2=SEV 2"),
    "priority: none": ({"priority": {}}, ""),
    "a title": ({"title": "[{priority}] {message}"}, "[{priority}] {message}"),
    "details: some": ({"details": ["host", "runbook"]}, "host,runbook"),
    "details: all": ({"details": "all"}, "all"),
    "details: none": ({"details": []}, "none"),
    "a path is relative to the file": ({"pagerduty_api_key_file": "keys/shop"}, "/etc/reconciler/keys/shop"),
    "an absolute path": ({"pagerduty_api_key_file": "/run/key"}, "/run/key"),
    "no path": ({"pagerduty_api_key_file": ""}, ""),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_value_becomes_the_variables_text(name: str) -> None:
    table, text = FORMS[name]
    assert text_of(**table) == text


WRONG: dict[str, tuple[str, Any, str]] = {
    "a number for a text": ("service", 17, "is a number; write a text in quotes"),
    "a list for a text": ("query", ["a"], "is a list; write a text in quotes"),
    "a date": ("pagerduty_user", date(2026, 1, 1), "is a date or time; write a text in quotes"),
    "yes for a number": (
        "late_seconds", True, 'is true or false; give a number of seconds, or a text such as "15m"',
    ),
    "a huge number": ("late_seconds", 1 << 20000, "is too large a number; give seconds"),
    "numbers in a list": (
        "high_urgency_priorities", [1, 2], "is a list; give a list of texts, or one text with commas",
    ),
    "urgency as a text": ("urgency", "high", 'is a text; give a table such as { P1 = "high", P4 = "low" }'),
    "urgency of a number": ("urgency", {"P1": 1}, 'is a table; give a table such as { P1 = "high", P4 = "low" }'),
    "urgency of no priority": ("urgency", {"P6": "low"}, '"P6" is no priority; give P1 to P5'),
    "an unknown urgency": ("urgency", {"P1": "lo"}, '"lo" is no urgency; give "high" or "low"'),
    "a priority's name with a comma": (
        "priority", {"P1": "a,b"},
        '"a,b" has a comma, which no name may have here; rename the priority in PagerDuty',
    ),
    "priority as a list": (
        "priority", ["SEV-1"], 'is a list; give a table such as { P1 = "SEV-1", P2 = "SEV-2" }',
    ),
    "shared as a text": ("shared", "yes", "is a text; give true or false, without quotes"),
    "a misspelt key": ("quary", "a", "there is no such key; perhaps query is meant"),
    "a key in capitals": (
        "PAGERDUTY_SERVICE_ID", "P1", "there is no such key; perhaps pagerduty_service_id is meant",
    ),
    "nothing like a key": ("xyzzy", "a", "there is no such key; docs/routes.md lists all"),
    "the whole process's": (
        "database_url_file", "a",
        "holds for the whole process, not for a route; set DATABASE_URL_FILE in the environment or in .env",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_key_or_value_is_told_with_the_fix(name: str) -> None:
    key, value, words = WRONG[name]
    assert problem_of(key, value) == words


@pytest.mark.parametrize("name", sorted(PROCESS_WIDE))
def test_what_holds_for_the_whole_process_is_refused_with_the_place_for_it(name: str) -> None:
    assert f"set {name} in the environment or in .env" in problem_of(name.lower(), "x")


@pytest.mark.parametrize("key", ["pagerduty_api_key", "opsgenie_api_key", "jsm_api_token", "jsm_integration_key"])
def test_a_secret_in_the_file_is_refused_and_not_shown(key: str) -> None:
    told = problem_of(key, "s3cr3t-value")
    assert told.startswith("is a secret, and a routes file is no place for one")
    assert told.endswith(f"give its path as {key}_file")
    assert "s3cr3t" not in told
    assert "s3cr3t" not in repr(read_table(PLACE, {key: "s3cr3t-value"}, "opsgenie", FOLDER))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("query", "opsgenie_query"),
        ("service", "pagerduty_service_id"),
        ("urgency", "high_urgency_priorities"),
        ("on_alert_close", "on_opsgenie_close"),
    ],
)
def test_two_names_of_one_setting_are_refused(one: str, other: str) -> None:
    value = {"urgency": {"P1": "high"}}.get(one, "P1")
    (told,) = read_table(PLACE, {one: value, other: "P1"}, "opsgenie", FOLDER).problems
    assert told == f"{PLACE} {other}: and {one} are names of one setting; remove one of them"


def test_a_key_with_unprintable_characters_forges_no_line() -> None:
    (told,) = read_table(PLACE, {"a\nb": 1}, "opsgenie", FOLDER).problems
    assert told.isprintable()
