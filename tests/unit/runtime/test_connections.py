"""Which routes share a rate: those with the same key at the same address."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.core.model import Side
from reconciler.routes import Route, load_routes
from reconciler.runtime.connections import Connections, key_of
from tests.support.clock import SimClock
from tests.support.in_process import settings
from tests.support.routes import TWO, environ_of

A = Route("a", settings())
JSM = Route("j", settings("jsm"))


def changed(route: Route, **fields: Any) -> Route:
    return replace(route, name="other", settings=route.settings.model_copy(update=fields))


def same(one: Route, other: Route, side: Side = Side.ALERTS) -> bool:
    connections = Connections(SimClock())
    shared = connections.limiter(one, side) is connections.limiter(other, side)
    assert shared is (key_of(one, side) == key_of(other, side))
    return shared


def test_one_key_has_one_rate_on_each_side() -> None:
    other = changed(A, opsgenie_query="tag: other", pagerduty_service_id="POTHER1")
    assert same(A, other)
    assert same(A, other, Side.PAGERDUTY)
    assert key_of(A, Side.ALERTS) != key_of(A, Side.PAGERDUTY)


@pytest.mark.parametrize("field", ["opsgenie_api_key", "opsgenie_api_url"])
def test_another_key_or_address_has_a_rate_of_its_own(field: str) -> None:
    value: Any = "https://other.example" if field.endswith("url") else SecretStr("other")
    other = changed(A, **{field: value})
    assert not same(A, other)
    assert same(A, other, Side.PAGERDUTY)


@pytest.mark.parametrize("field", ["jsm_email", "jsm_site_url", "jsm_cloud_id"])
def test_one_token_of_jsm_is_shared_within_a_site_only(field: str) -> None:
    """The lists of two sites have nothing in common, although Atlassian's token and address are the same."""
    assert same(JSM, changed(JSM, jsm_query="tag: other"))
    assert not same(JSM, changed(JSM, **{field: "https://other.example"}))
    assert same(JSM, changed(JSM, **{field: "https://other.example"}), Side.PAGERDUTY)


def test_a_key_in_a_file_is_known_by_the_file_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("before")
    text = TWO.replace('service = "P', 'opsgenie_api_key_file = "key"\nservice = "P')
    (tmp_path / "routes.toml").write_text(text)
    shop, bank = load_routes(environ_of(tmp_path / "routes.toml"), None).each
    (tmp_path / "key").write_text("after")
    again = load_routes(environ_of(tmp_path / "routes.toml"), None).each[1]
    assert same(shop, bank)
    assert again.settings.opsgenie_api_key != shop.settings.opsgenie_api_key
    assert same(shop, again)


def test_a_rate_is_forgotten_with_the_last_route_of_its_key() -> None:
    connections, other = Connections(SimClock()), changed(A, opsgenie_api_key=SecretStr("other"))
    kept, gone = connections.limiter(A, Side.ALERTS), connections.limiter(other, Side.ALERTS)
    connections.keep([A])
    assert connections.limiter(A, Side.ALERTS) is kept
    assert connections.limiter(other, Side.ALERTS) is not gone
