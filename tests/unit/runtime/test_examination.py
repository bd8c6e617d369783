from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.core.model import Side
from reconciler.routes import Route
from reconciler.runtime.examination import assemble_examination, of_route, overlaps_of, stored_in
from tests.support.clock import SimClock
from tests.support.database import open_migrated
from tests.support.in_process import settings


def test_the_other_region_is_there_only_for_the_vendors_own_addresses() -> None:
    own = assemble_examination(settings())
    assert (own.elsewhere.opsgenie, own.elsewhere.pagerduty) == (None, None)
    regions = {"opsgenie_api_url": "https://api.opsgenie.com", "pagerduty_api_url": "https://api.eu.pagerduty.com"}
    found = assemble_examination(settings().model_copy(update=regions)).elsewhere
    assert found.opsgenie is not None
    assert found.opsgenie_url == "https://api.eu.opsgenie.com"
    assert found.pagerduty is not None
    assert found.pagerduty_url == "https://api.pagerduty.com"


@pytest.mark.parametrize(
    ("chosen", "has_opsgenie", "has_jsm"),
    [
        ({}, True, False),
        ({"alert_shadow": "jsm"}, True, True),
        ({"alert_source": "jsm"}, True, True),
        ({"alert_source": "jsm", "opsgenie_api_key": SecretStr("")}, False, True),
        ({"alert_source": "jsm", "jsm_integration_key": SecretStr("k3y")}, True, True),
    ],
)
def test_only_products_whose_keys_are_given_are_examined(
    chosen: dict[str, Any],
    *,
    has_opsgenie: bool,
    has_jsm: bool,
) -> None:
    of_jsm = {"jsm_site_url": "https://acme.atlassian.net", "jsm_email": "bot@example.com"}
    found = assemble_examination(settings().model_copy(update=of_jsm | chosen))
    assert (found.opsgenie is not None, found.jsm is not None) == (has_opsgenie, has_jsm)


def test_a_route_is_examined_with_its_own_part_of_the_database_and_keys() -> None:
    one, other = (Route(name, settings()) for name in ("shop", "search"))
    found = [of_route(each, SimClock(0.0)) for each in (one, other)]
    assert [each.examined.route for each in found] == ["shop", "search"]
    assert found[0].keys == found[1].keys
    own = Route("mail", settings().model_copy(update={"opsgenie_api_key": SecretStr("an0ther")}))
    assert of_route(own, SimClock(0.0)).keys[Side.ALERTS] != found[0].keys[Side.ALERTS]


def test_overlaps_are_looked_for_once_for_each_key_that_several_routes_share() -> None:
    other = {"opsgenie_api_key": SecretStr("an0ther")}
    routes = [Route(name, settings()) for name in ("a", "b", "c")]
    assert len(overlaps_of(routes, SimClock(0.0))) == 1
    assert len(overlaps_of(routes[:1], SimClock(0.0))) == 0
    routes.append(Route("d", settings().model_copy(update=other)))
    assert len(overlaps_of(routes, SimClock(0.0))) == 1


def test_the_routes_of_a_database_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    assert stored_in(f"sqlite:///{tmp_path}/none.db") == ()
    (tmp_path / "bad.db").write_bytes(b"not a database" * 100)
    assert stored_in(f"sqlite:///{tmp_path}/bad.db") == ()
    with open_migrated(tmp_path / "r.db").for_route("shop").writing() as unit:
        unit.cursors.save(query="")
    assert stored_in(f"sqlite:///{tmp_path}/r.db") == ("shop",)
