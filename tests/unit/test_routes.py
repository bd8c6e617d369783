"""The routes in force, and what differs between two sets of them."""

import os
from pathlib import Path

import pytest

from reconciler.routes import Difference, Route, difference, load_routes, lookup_of
from reconciler.routes_keys import PROCESS_WIDE
from reconciler.settings import SettingsError, load, load_lookup, variables
from tests.support.configured import REQUIRED, WITH_JSM
from tests.support.routes import COMMON, TWO, environ_of, routes_of

SAMPLES = {
    "PAGERDUTY_API_KEY": "another-key-1",
    "PAGERDUTY_SERVICE_ID": "POTHER1",
    "PAGERDUTY_EMAIL": "other@example.com",
    "PAGERDUTY_USER": "Other Bot",
    "ALERT_SOURCE": "jsm",
    "OPSGENIE_API_KEY": "another-key-2",
    "PAGERDUTY_API_URL": "https://api.eu.pagerduty.com",
    "OPSGENIE_API_URL": "https://api.eu.opsgenie.com",
    "OPSGENIE_QUERY": "tag: other",
    "JSM_SITE_URL": "https://other.atlassian.net",
    "JSM_CLOUD_ID": "other-id",
    "JSM_EMAIL": "jsm@example.com",
    "JSM_API_TOKEN": "another-key-3",
    "JSM_INTEGRATION_KEY": "another-key-4",
    "JSM_QUERY": "tag = other",
    "JSM_API_URL": "https://jsm.example.com",
    "SWEEP_INTERVAL_SECONDS": "600",
    "INITIAL_LOOKBACK_SECONDS": "600",
    "STALENESS_SECONDS": "60",
    "ON_OPSGENIE_UNACKNOWLEDGE": "note",
    "ON_OPSGENIE_CLOSE": "resolve",
    "ON_OPSGENIE_PRIORITY": "ignore",
    "HIGH_URGENCY_PRIORITIES": "P1",
    "ON_PAGERDUTY_ACK_TIMEOUT": "ignore",
    "ON_LATE_ALERT": "skip",
    "LATE_SECONDS": "600",
    "OUTAGE_PAGE_SECONDS": "600",
    "PAGERDUTY_PRIORITIES": "P1=SEV-1",
    "INCIDENT_TITLE": "[{priority}] {message}",
    "INCIDENT_DETAILS": "host,runbook",
}
"""Another value than the default for each variable that a route may set."""


def test_each_variable_that_a_route_may_set_is_tried() -> None:
    assert set(SAMPLES) == set(variables()) - PROCESS_WIDE


@pytest.mark.parametrize("head", ["[routes.a]", "[routes.a]\n[defaults]"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_key_has_the_effect_of_its_variable(tmp_path: Path, name: str, head: str) -> None:
    given = REQUIRED | WITH_JSM | {"ALERT_SOURCE": "opsgenie"}
    key, text = name.lower(), SAMPLES[name]
    if variables()[name].secret:
        (tmp_path / "secret").write_text(f"{text}\n")
        key, text = f"{key}_file", "secret"
    (route,) = routes_of(tmp_path, f"{head}\n{key} = '{text}'\n", given).each
    expected = load(given | {name: SAMPLES[name], "ROUTES_FILE": str(tmp_path / "routes.toml")}, None)
    assert route.settings == expected
    assert route.settings != load(given | {"ROUTES_FILE": str(tmp_path / "routes.toml")}, None)
    assert [file.variable for file in route.files] == [name] * variables()[name].secret


@pytest.mark.parametrize("given", [REQUIRED, REQUIRED | {"LATE_SECONDS": "5", "LOGLEVEL": "x"}])
def test_without_a_file_the_variables_are_the_one_route(given: dict[str, str]) -> None:
    routes = load_routes(given, None)
    assert routes.each == (Route("default", load(given, None)),)
    assert (routes.file, routes.warnings) == (None, load(given, None).warnings())
    assert routes.secret_values() == load(given, None).secret_values()


def test_without_a_file_the_problems_are_those_of_the_variables() -> None:
    given = {"LATE_SECONDS": "soon", "PAGERDUTY_USR": "x"}
    with pytest.raises(SettingsError) as expected:
        load(given, None)
    with pytest.raises(SettingsError) as caught:
        load_routes(given, None)
    assert caught.value.problems == expected.value.problems


def test_without_a_file_a_pipe_that_holds_a_secret_is_read_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"key-of-a-pipe\n")
    os.close(writing)
    given = {name: text for name, text in REQUIRED.items() if name != "OPSGENIE_API_KEY"}
    try:
        (route,) = load_routes(given | {"OPSGENIE_API_KEY_FILE": f"/proc/self/fd/{reading}"}, None).each
    finally:
        os.close(reading)
    assert route.settings.opsgenie_api_key.get_secret_value() == "key-of-a-pipe"


def test_a_path_that_is_none_is_a_problem_of_its_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        load_routes(REQUIRED | {"ROUTES_FILE": "a\nb"}, None)
    (told,) = caught.value.problems
    assert told.startswith("ROUTES_FILE: contains a line break")


def test_every_routes_secrets_are_redacted_and_none_is_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key-of-bank\n")
    routes = routes_of(tmp_path, f"{TWO}pagerduty_api_key_file = 'key'\n")
    assert {"key-of-bank", *(COMMON[name] for name in ("PAGERDUTY_API_KEY", "OPSGENIE_API_KEY"))} <= set(
        routes.secret_values()
    )
    assert len(set(routes.secret_values())) == len(routes.secret_values())
    assert not any(secret in repr(routes) for secret in routes.secret_values())
    assert str(tmp_path / "key") not in repr(routes), "a path may be the secret itself"


def test_the_files_of_secrets_are_known_by_route_and_for_the_process(tmp_path: Path) -> None:
    for name in ("key", "env", "url"):
        (tmp_path / name).write_text("https://example.com/secret-1")
    given = {name: text for name, text in COMMON.items() if name != "OPSGENIE_API_KEY"}
    given |= {"OPSGENIE_API_KEY_FILE": str(tmp_path / "env"), "HEARTBEAT_URL_FILE": str(tmp_path / "url")}
    routes = routes_of(tmp_path, f"{TWO}pagerduty_api_key_file = 'key'\n", given)
    shop, bank = ([(file.called, Path(file.path).name) for file in route.files] for route in routes.each)
    assert shop == [("OPSGENIE_API_KEY", "env")]
    assert bank == [("routes.toml: [routes.bank] pagerduty_api_key_file", "key"), ("OPSGENIE_API_KEY", "env")]
    assert [file.variable for file in routes.files] == ["HEARTBEAT_URL"]


# -- what differs --


def differing(folder: Path, before: str, after: str, **given: str) -> Difference:
    return difference(routes_of(folder, before), routes_of(folder, after, COMMON | given))


def test_the_same_routes_do_not_differ(tmp_path: Path) -> None:
    found = differing(tmp_path, TWO, f"# a remark\n{TWO}")
    assert found == Difference()
    assert not found.is_of_routes


def test_added_removed_and_changed_routes_are_named_with_the_keys_that_differ(tmp_path: Path) -> None:
    after = "[routes.shop]\nquery = 'tag: shop'\nservice = 'P9'\nshared = true\n[routes.new]\nservice = 'P2'\n"
    found = differing(tmp_path, TWO, after)
    assert found == Difference(("new",), ("bank",), {"shop": ("pagerduty_service_id", "shared")})
    assert found.is_of_routes


def test_a_default_changes_each_route_that_takes_it(tmp_path: Path) -> None:
    found = differing(
        tmp_path, f"{TWO}late_seconds = 5\n", f"[defaults]\nlate_seconds = 7\n{TWO}late_seconds = 5\n"
    )
    assert found == Difference(changed={"shop": ("late_seconds",)})


def test_another_order_is_a_difference(tmp_path: Path) -> None:
    shop, bank = TWO.split("\n\n")
    found = differing(tmp_path, TWO, f"{bank}\n{shop}\n[routes.new]\nservice = 'P2'\n")
    assert found == Difference(added=("new",), is_reordered=True)
    assert Difference(is_reordered=True).is_of_routes


def test_what_holds_for_the_process_is_no_change_of_a_route(tmp_path: Path) -> None:
    found = differing(tmp_path, TWO, TWO, LOG_LEVEL="debug", STATUS_PASSWORD="open-sesame", LATE_SECONDS="5")
    assert found.process == ("STATUS_PASSWORD", "LOG_LEVEL")
    assert found.changed == {"shop": ("late_seconds",), "bank": ("late_seconds",)}


def test_a_new_value_in_a_secrets_file_is_no_change_and_another_file_is_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    text = f"{TWO}pagerduty_api_key_file = 'one'\n"
    one.write_text("key-1")
    other.write_text("key-2")
    before = routes_of(tmp_path, text)
    one.write_text("key-2")
    assert difference(before, routes_of(tmp_path, text)) == Difference()
    keys = {"bank": ("pagerduty_api_key",)}
    assert difference(before, routes_of(tmp_path, text.replace("'one'", "'other'"))).changed == keys
    assert difference(before, routes_of(tmp_path, TWO)).changed == keys
    assert difference(before, routes_of(tmp_path, text, COMMON | {"OPSGENIE_API_KEY": "key-3"})).changed == {
        "shop": ("opsgenie_api_key",), "bank": ("opsgenie_api_key",),
    }  # fmt: skip


# -- explain --


def test_a_route_can_be_asked_about_with_its_own_keys(tmp_path: Path) -> None:
    assert lookup_of(Route("default", load(REQUIRED, None))) == load_lookup(REQUIRED, None)
    file = tmp_path / "routes.toml"
    file.write_text(TWO)
    _, bank = load_routes(environ_of(file), None).each
    assert (lookup_of(bank).opsgenie_query, lookup_of(bank).pagerduty_service_id) == ("tag: bank", "PBANK01")
