"""Where each route's settings come from, and how problems and warnings name their place."""

from pathlib import Path

import pytest

from reconciler.routes_reading import read_routes
from reconciler.settings import variables
from tests.support.configured import REQUIRED, WITH_JSM
from tests.support.routes import COMMON, TWO, environ_of, problems_of, routes_of


def test_a_route_takes_its_own_value_then_the_defaults_then_the_environments_then_the_env_files(
    tmp_path: Path,
) -> None:
    file, dotenv = tmp_path / "routes.toml", tmp_path / ".env"
    file.write_text(
        "[defaults]\non_late_alert = 'note'\nlate_seconds = 2\n[routes.a]\nservice = 'P1'\nlate_seconds = 1\n"
    )
    dotenv.write_text("LATE_SECONDS=4\nSTALENESS_SECONDS=4\nON_LATE_ALERT=skip\nOUTAGE_PAGE_SECONDS=4\n")
    (found,) = read_routes(environ_of(file) | {"STALENESS_SECONDS": "3", "LATE_SECONDS": "3"}, dotenv).each
    names = ("LATE_SECONDS", "ON_LATE_ALERT", "STALENESS_SECONDS", "OUTAGE_PAGE_SECONDS")
    assert {name: (found.reading.texts[name], found.reading.origins[name]) for name in names} == {
        "LATE_SECONDS": ("1", "routes.toml: [routes.a]"),
        "ON_LATE_ALERT": ("note", "routes.toml: [defaults]"),
        "STALENESS_SECONDS": ("3", "environment"),
        "OUTAGE_PAGE_SECONDS": ("4", ".env, line 4"),
    }


def test_an_empty_value_in_the_file_is_the_default_whatever_the_environment_says(tmp_path: Path) -> None:
    given = COMMON | {"OPSGENIE_QUERY": "tag: a", "ON_LATE_ALERT": "skip"}
    text = "[routes.a]\nservice = 'P1'\nquery = ''\non_late_alert = ''\n"
    (route,) = routes_of(tmp_path, text, given).each
    assert (route.settings.opsgenie_query, route.settings.on_late_alert) == ("", "page")
    (told,) = problems_of(tmp_path, "[routes.a]\nservice = ''\n", REQUIRED)
    assert told == "routes.toml: [routes.a] service: is missing; give the id of the service, such as PABC123"


@pytest.mark.parametrize("given", ["ON_ALERT_CLOSE", "ON_OPSGENIE_CLOSE"])
@pytest.mark.parametrize("key", ["on_alert_close", "on_opsgenie_close"])
def test_a_route_overrides_a_setting_under_either_of_its_names(tmp_path: Path, given: str, key: str) -> None:
    text = (
        f"[defaults]\n{key} = 'ignore'\n[routes.a]\nservice = 'P1'\n[routes.b]\nservice = 'P2'\n{key} = 'resolve'"
    )
    routes = routes_of(tmp_path, text, COMMON | {given: "note"})
    assert [route.settings.on_opsgenie_close for route in routes.each] == ["ignore", "resolve"]


def test_what_one_of_several_routes_lacks_is_named_by_its_key_and_what_all_lack_once(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("og-key-5678")
    text = f"[routes.a]\nopsgenie_api_key_file = '{key}'\nservice = 'P1'\n[routes.b]\nquery = 'b'\n"
    given = {name: value for name, value in COMMON.items() if name not in ("OPSGENIE_API_KEY", "PAGERDUTY_USER")}
    assert problems_of(tmp_path, text, given) == (
        "PAGERDUTY_USER: is missing; give the automation user's id or name",
        "routes.toml: [routes.b] service: is missing; give the id of the service, such as PABC123",
        "routes.toml: [routes.b] opsgenie_api_key_file: is missing; give the path of a file that holds "
        + variables()["OPSGENIE_API_KEY"].needs,
    )


def test_what_is_wrong_in_the_environment_is_told_once_and_not_for_each_route(tmp_path: Path) -> None:
    given = COMMON | {"LATE_SECONDS": "soon", "POLL_INTERVAL_SECONDS": "0", "OPSGENIE_QUERRY": "x"}
    told = problems_of(tmp_path, TWO, given)
    assert sorted(line.partition(":")[0] for line in told) == [
        "LATE_SECONDS", "OPSGENIE_QUERRY", "POLL_INTERVAL_SECONDS",
    ]  # fmt: skip


def test_what_is_wrong_in_the_environment_and_overridden_by_every_route_is_no_problem(tmp_path: Path) -> None:
    routes = routes_of(tmp_path, f"[defaults]\nlate_seconds = 5\n{TWO}", COMMON | {"LATE_SECONDS": "soon"})
    assert [route.settings.late_seconds for route in routes.each] == [5, 5]


def test_all_problems_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = (
        "[defaults]\nlate_secondz = 1\nhttp_listen = ':1'\n"
        "[routes.a]\nservice = 'P 1'\npagerduty_api_key_file = 'none'\n"
        "[routes.b]\nservice = 'P2'\non_alert_close = 'maybe'\npagerduty_api_url = 'http://proxy.example.com'\n"
        "opsgenie_api_key = 'inline-key'\n"
    )
    told = problems_of(tmp_path, text, COMMON | {"LOG_LEVEL": "loud"})
    assert [line.partition(": ")[0] for line in told if not line.startswith("routes.toml")] == ["LOG_LEVEL"]
    places = [line.split(": ")[1] for line in told if line.startswith("routes.toml")]
    assert sorted(places) == [
        "[defaults] http_listen",
        "[defaults] late_secondz",
        "[routes.a] pagerduty_api_key_file",
        "[routes.a] service",
        "[routes.b] on_alert_close",
        "[routes.b] opsgenie_api_key",
        "[routes.b] pagerduty_api_url",
    ]
    assert "inline-key" not in "".join(told)
    unreadable = next(line for line in told if "pagerduty_api_key_file" in line)
    assert unreadable == (
        "routes.toml: [routes.a] pagerduty_api_key_file: cannot be read from the file: No such file or directory; "
        "give the path of a readable file that holds the value alone"
    )


def test_a_secret_that_is_given_as_something_else_is_not_shown(tmp_path: Path) -> None:
    text = f"[routes.a]\nservice = 'P1'\non_late_alert = '{COMMON['PAGERDUTY_API_KEY']}'\n"
    (told,) = problems_of(tmp_path, text)
    assert '"***" is not known' in told
    text = f"[routes.a]\nservice = 'P1'\npagerduty_api_key_file = '{COMMON['PAGERDUTY_API_KEY']}'\n"
    (told,) = problems_of(tmp_path, text)
    assert COMMON["PAGERDUTY_API_KEY"] not in told


def test_a_placeholder_and_a_plain_address_are_named_where_they_stand(tmp_path: Path) -> None:
    text = "[routes.a]\nservice = 'PFAKE01'\nopsgenie_api_url = 'http://og.example.com'\n"
    placeholder, plain = problems_of(tmp_path, text)
    assert placeholder.startswith("routes.toml: [routes.a] service: is still the placeholder of .env-example")
    assert plain.startswith("routes.toml: [routes.a] opsgenie_api_url: begins with http://")


def test_a_route_of_the_other_product_needs_its_keys_and_not_those_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken-jsm\n")
    jsm = (
        "alert_source = 'jsm'\nservice = 'P2'\nquery = 'tag = b'\njsm_site_url = 'https://acme.atlassian.net'\n"
        "jsm_email = 'bot@example.com'\n"
    )
    text = f"[routes.a]\nservice = 'P1'\nquery = 'tag: a'\n[routes.b]\n{jsm}"
    (told,) = problems_of(tmp_path, text)
    assert told.startswith("routes.toml: [routes.b] jsm_api_token_file: is missing")
    one, other = routes_of(tmp_path, f"{text}jsm_api_token_file = 'token'\n").each
    assert (one.settings.opsgenie_query, one.settings.jsm_query) == ("tag: a", "")
    assert (other.settings.opsgenie_query, other.settings.jsm_query) == ("", "tag = b")
    assert other.settings.jsm_api_token.get_secret_value() == "t0ken-jsm"


@pytest.mark.parametrize("product", ["opsgenie", "jsm"])
def test_the_same_query_and_service_twice_are_refused(tmp_path: Path, product: str) -> None:
    given = COMMON | WITH_JSM | {"ALERT_SOURCE": product}
    text = TWO.replace("bank", "shop2").replace("tag: shop2", "tag: shop")
    assert len(routes_of(tmp_path, text, given).each) == 2
    same = text.replace("PBANK01", "PSHOP01")
    (told,) = problems_of(tmp_path, f'{same}\npagerduty_api_url = "https://api.pagerduty.com"\n', given)
    assert told == (
        "routes.toml: [routes.shop2] has the query and the service of [routes.shop], so that every alert would be "
        "mirrored twice to one service; remove one of the two, or change it"
    )


def test_the_same_query_of_another_account_is_no_repetition(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("another-key")
    text = "[routes.a]\nservice = 'P1'\n[routes.b]\nservice = 'P1'\nopsgenie_api_key_file = 'key'\n"
    routes = routes_of(tmp_path, text)
    assert (routes.names(), routes.warnings) == (("a", "b"), ())


def warned(folder: Path, text: str) -> list[str]:
    return [line.removeprefix("routes.toml: ") for line in routes_of(folder, text).warnings]


def test_a_route_that_gets_no_alert_is_warned_about(tmp_path: Path) -> None:
    every = "[routes.a]\nservice = 'P1'\n"
    some = "[routes.b]\nservice = 'P2'\nquery = 'tag: b'\n"
    shared = "shared = true\n"
    (told,) = warned(tmp_path, every + some)
    assert told.startswith("[routes.b] gets no alert: each one goes to [routes.a], which stands before it")
    assert len(warned(tmp_path, every + shared + some)) == 1
    assert warned(tmp_path, every + shared + some + shared) == []
    assert warned(tmp_path, some + every) == []
    assert len(warned(tmp_path, some + some.replace("routes.b", "routes.c").replace("P2", "P3"))) == 1
    assert warned(tmp_path, f"[defaults]\nshared = true\n{every}{some}") == []


def test_a_query_that_misses_alerts_is_warned_about_by_its_key(tmp_path: Path) -> None:
    (told,) = warned(tmp_path, "[routes.a]\nservice = 'P1'\nquery = 'status: open'\n")
    assert told.startswith("[routes.a] query: asks for status")


def test_a_file_that_others_may_change_is_warned_about(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(TWO)
    file.chmod(0o646)
    (told,) = read_routes(environ_of(file), None).warnings
    assert told == (
        "routes.toml: every user of this machine may change it, and so what is done: chmod 600 routes.toml"
    )
    file.chmod(0o644)
    assert read_routes(environ_of(file), None).warnings == ()


def test_a_warning_of_the_environment_is_given_once(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(TWO)
    given = environ_of(file) | {"STATUS_PASSWORD": "open-sesame", "LOGLEVEL": "x"}
    assert [line.partition(":")[0] for line in read_routes(given, None).warnings] == [
        "LOGLEVEL",
        "STATUS_PASSWORD",
    ]


def test_a_file_of_many_routes_looks_for_misspelt_names_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def count(*_: object) -> tuple[()]:
        looked.append(1)
        return ()

    monkeypatch.setattr("reconciler.settings_reading.misspelt", count)
    text = "".join(f"[routes.r{each}]\nquery = 'tag: {each}'\nservice = 'P1'\n" for each in range(50))
    assert len(routes_of(tmp_path, text).each) == 50
    assert looked == [1]


def test_what_is_given_in_a_wrong_way_is_one_problem_and_not_missing_too(tmp_path: Path) -> None:
    given = {name: text for name, text in COMMON.items() if name != "OPSGENIE_API_KEY"}
    told = problems_of(tmp_path, "[routes.a]\nservice = 17\nopsgenie_api_key = 'inline-key'\n", given)
    assert [line.split(": ")[1] for line in told] == ["[routes.a] service", "[routes.a] opsgenie_api_key"]
    told = problems_of(tmp_path, "[defaults]\nservice = 17\n[routes.a]\nservice = 'P 1'\n[routes.b]\n")
    assert [line.split(": ")[1] for line in told] == ["[defaults] service", "[routes.a] service"]
