"""Which settings an error about a session names."""

import pytest

from reconciler.vendors.variables import Variables, variables_of


@pytest.mark.parametrize(
    ("session", "address", "key"),
    [
        ("Opsgenie", "OPSGENIE_API_URL", "OPSGENIE_API_KEY"),
        ("PagerDuty", "PAGERDUTY_API_URL", "PAGERDUTY_API_KEY"),
        ("JSM", "JSM_API_URL", "JSM_API_TOKEN"),
        ("JSM integration", "JSM_API_URL", "JSM_INTEGRATION_KEY"),
        ("JSM site", "JSM_SITE_URL", ""),
    ],
)
def test_a_session_has_an_address_and_a_key(session: str, address: str, key: str) -> None:
    assert variables_of(session) == Variables(address, key)
