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
