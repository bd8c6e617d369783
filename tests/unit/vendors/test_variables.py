"""Which settings an error about a session names."""

import pytest

from reconciler.vendors.variables import Variables, variables_of


@pytest.mark.parametrize(
    ("session", "vendor", "address", "key"),
    [
        ("Opsgenie", "Opsgenie", "OPSGENIE_API_URL", "OPSGENIE_API_KEY"),
        ("PagerDuty", "PagerDuty", "PAGERDUTY_API_URL", "PAGERDUTY_API_KEY"),
        ("JSM", "JSM", "JSM_API_URL", "JSM_API_TOKEN"),
        ("JSM integration", "JSM", "JSM_API_URL", "JSM_INTEGRATION_KEY"),
        ("JSM site", "JSM", "JSM_SITE_URL", ""),
    ],
)
def test_a_session_has_an_address_and_a_key(session: str, vendor: str, address: str, key: str) -> None:
    assert variables_of(session) == Variables(vendor, address, key)
