"""Secrets that guard an entrance, and addresses to which secrets are sent: open ones are refused or warned of."""

import pytest

from tests.support.configured import loaded, problem

LISTENING = {"HTTP_LISTEN": "127.0.0.1:1"}
OPEN = LISTENING | {"OPSGENIE_INTEGRATION_ID": "1-2"}
LONG = "a-secret-of-some-length"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("OPSGENIE_WEBHOOK_SECRET", {"OPSGENIE_INTEGRATION_ID": "1-2"}),
        ("JSM_WEBHOOK_SECRET", {"JSM_WEBHOOK_INTEGRATION_ID": "1-2"}),
        ("STATUS_PASSWORD", {"STATUS_LISTEN": "127.0.0.1:1"}),
    ],
)
def test_an_empty_secret_of_an_open_entrance_is_an_error(name: str, given: dict[str, str]) -> None:
    told = problem(**given, **{name: ""})
    assert told.startswith(
        f"{name}: is empty, which lets everybody in; give a value, or its file's path as {name}_FILE"
    )
    assert problem(**given, **{f"{name}_FILE": ""}) == told
    assert loaded(**{name: ""}) == loaded(), "without the entrance it opens nothing"


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        (OPEN, ["OPSGENIE_WEBHOOK_SECRET: is not set"]),
        (LISTENING | {"JSM_WEBHOOK_INTEGRATION_ID": "1"}, ["JSM_WEBHOOK_SECRET: is not set"]),
        (OPEN | {"OPSGENIE_WEBHOOK_SECRET": LONG}, []),
        (
            OPEN | {"OPSGENIE_WEBHOOK_SECRET": LONG[:15]},
            ["OPSGENIE_WEBHOOK_SECRET: is shorter than 16 characters"],
        ),
        (LISTENING | {"PAGERDUTY_WEBHOOK_SECRET": f"{LONG},{LONG}"}, []),
        (
            LISTENING | {"PAGERDUTY_WEBHOOK_SECRET": f"{LONG},a,b"},
            ["PAGERDUTY_WEBHOOK_SECRET: is shorter than 16 characters"],
        ),
        ({"OPSGENIE_INTEGRATION_ID": "1-2"}, []),  # nothing listens
    ],
)
def test_a_webhook_without_a_good_secret_is_warned_of(given: dict[str, str], warned: list[str]) -> None:
    found = loaded(**given).warnings()
    assert [line.partition(",")[0] for line in found] == warned
    assert not any(LONG[:15] in line for line in found)


URLS = {
    "PAGERDUTY_API_URL": "http://pagerduty.test",
    "OPSGENIE_API_URL": "http://10.0.0.7:8080/opsgenie",
    "JSM_API_URL": "http://gateway.test",
    "JSM_SITE_URL": "http://acme.test",
    "HEARTBEAT_URL": "http://checks.test/ping/secret-path",
}


@pytest.mark.parametrize("name", URLS)
def test_a_secret_is_sent_in_the_clear_only_where_a_setting_says_so(name: str) -> None:
    given = {name: URLS[name]}
    told = problem(**given)
    assert told.startswith(f"{name}: begins with http://, so that everybody on the way can read the secrets")
    assert told.endswith("or set ALLOW_PLAIN_HTTP=yes if the way is safe")
    assert "secret-path" not in told
    assert problem(**given, ALLOW_PLAIN_HTTP="no") == told
    assert loaded(**given, ALLOW_PLAIN_HTTP="yes").allow_plain_http == "yes"


@pytest.mark.parametrize("host", ["127.0.0.1:8900", "localhost:1", "[::1]:8900", "127.8.8.8"])
def test_this_machine_may_be_asked_over_http(host: str) -> None:
    assert loaded(OPSGENIE_API_URL=f"http://{host}/opsgenie").opsgenie_api_url.startswith("http://")


def test_a_malformed_address_is_one_problem() -> None:
    assert problem(OPSGENIE_API_URL="http://[1").count("OPSGENIE_API_URL") == 1
