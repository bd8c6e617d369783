from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.runtime.examination import assemble_examination
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
