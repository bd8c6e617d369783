"""The product that raises the alerts, by ALERT_SOURCE: its clients and its keys."""

from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.core.model import Person, Side
from reconciler.core.policy import NOBODY
from reconciler.runtime.alert_side import AlertSide, alert_side, names_people, query_of
from reconciler.runtime.sessions import authorization, session
from reconciler.settings import Settings
from reconciler.vendors.http import Http
from reconciler.vendors.jsm.client import JsmClient
from reconciler.vendors.jsm.writes import JsmWriting
from reconciler.vendors.json_fields import ignore
from reconciler.vendors.opsgenie.client import OpsgenieClient, OpsgenieWriting
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock
from tests.support.in_process import settings

JSM: dict[str, Any] = {
    "alert_source": "jsm", "jsm_site_url": "https://acme.example", "jsm_api_url": "https://atlassian.example",
    "jsm_email": "robot@customer.example", "jsm_api_token": SecretStr("jsm-5ecret"), "jsm_query": "tag:jsm",
    "opsgenie_query": "tag:og",
}  # fmt: skip
KEY: dict[str, Any] = {"jsm_integration_key": SecretStr("k-5ecret")}


class Made:
    """A side and the sessions that were made for it, by name."""

    def __init__(self, chosen: Settings) -> None:
        self.settings = chosen
        self.sessions: dict[str, Http] = {}
        self.side: AlertSide = alert_side(chosen, self.http, ignore)

    def http(self, name: str) -> Http:
        clock = SimClock()
        self.sessions[name] = session(self.settings, Side.ALERTS, clock, RateLimiter(clock), name=name)
        return self.sessions[name]

    def sent(self) -> dict[str, str]:
        return {
            name: each._session._keys._headers.get("Authorization", "") for name, each in self.sessions.items()
        }


def test_opsgenie_is_the_product_unless_another_one_is_named() -> None:
    made = Made(settings(opsgenie_query="tag:og"))
    assert isinstance(made.side.reader, OpsgenieClient)
    assert isinstance(made.side.writer(), OpsgenieWriting)
    assert made.side.user() == NOBODY
    assert list(made.sessions) == ["Opsgenie"]
    assert (query_of(made.settings), names_people(made.settings)) == ("tag:og", True)


@pytest.mark.parametrize(("more", "named"), [({}, False), (KEY, True)])
def test_jsm_has_a_session_for_each_of_its_apis_that_is_used(more: dict[str, Any], *, named: bool) -> None:
    made = Made(settings(**JSM, **more))
    assert isinstance(made.side.reader, JsmClient)
    assert isinstance(made.side.writer(), JsmWriting)
    assert made.side.user() == Person("robot@customer.example", "robot@customer.example")
    assert (query_of(made.settings), names_people(made.settings)) == ("tag:jsm", named)
    basic = "Basic cm9ib3RAY3VzdG9tZXIuZXhhbXBsZTpqc20tNWVjcmV0"
    assert made.sent() == {"JSM": basic, "JSM site": ""} | (
        {"JSM integration": "GenieKey k-5ecret"} if named else {}
    )
    addresses = {name: each.base_url for name, each in made.sessions.items()}
    assert addresses["JSM site"] == "https://acme.example"
    assert addresses["JSM"] == "https://atlassian.example"
    assert addresses.get("JSM integration", "https://atlassian.example/jsm/ops/integration").endswith(
        "/integration"
    )


def test_a_new_key_is_used_by_its_own_session_alone() -> None:
    made = Made(settings(**JSM, **KEY))
    before = made.sent()
    new = made.settings.model_copy(update={"jsm_integration_key": SecretStr("new")})
    made.side.keys["JSM_INTEGRATION_KEY"](new)
    assert made.sent() == before | {"JSM integration": "GenieKey new"}
    made.side.keys["JSM_API_TOKEN"](new.model_copy(update={"jsm_api_token": SecretStr("newer")}))
    assert made.sent()["JSM"] != before["JSM"]
    opsgenie = Made(settings())
    opsgenie.side.keys["OPSGENIE_API_KEY"](
        opsgenie.settings.model_copy(update={"opsgenie_api_key": SecretStr("x")})
    )
    assert opsgenie.sent() == {"Opsgenie": "GenieKey x"}


def test_a_key_that_was_not_given_at_the_start_is_not_used_later() -> None:
    made = Made(settings(**JSM))
    made.side.keys["JSM_INTEGRATION_KEY"](made.settings.model_copy(update=KEY))
    assert "JSM integration" not in made.sessions
    assert authorization(made.settings, "JSM integration") == ""


def test_a_notice_is_logged_when_it_begins_and_not_with_every_write(caplog: pytest.LogCaptureFixture) -> None:
    made = Made(settings(**JSM, **KEY))
    writing = made.side.writer()
    assert isinstance(writing, JsmWriting)
    for words in ("one", "one", "two", "one"):
        writing._notice(words)
    assert [record.getMessage().count("one") for record in caplog.records] == [1, 0, 1]
