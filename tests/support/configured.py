"""Settings as a test gives them, beside those that are required."""

from pathlib import Path

import pytest

from reconciler.settings import Address, Settings, SettingsError, load

REQUIRED = {
    "PAGERDUTY_API_KEY": "u+pd-key-1234",
    "PAGERDUTY_SERVICE_ID": "PSERV01",
    "PAGERDUTY_EMAIL": "bot@example.com",
    "PAGERDUTY_USER": "Reconciler Bot",
    "OPSGENIE_API_KEY": "og-key-5678",
}

WITH_JSM = {
    "ALERT_SOURCE": "jsm",
    "JSM_SITE_URL": "https://acme.atlassian.net",
    "JSM_EMAIL": "bot@example.com",
    "JSM_API_TOKEN": "t0ken-jsm",
}
"""What makes JSM the source of alerts, beside REQUIRED."""


def loaded(**given: str) -> Settings:
    return load(REQUIRED | given, dotenv=None)


def value(settings: Settings, name: str) -> object:
    held = getattr(settings, name.lower())
    if isinstance(held, tuple) and not isinstance(held, Address):
        return tuple(one.get_secret_value() if hasattr(one, "get_secret_value") else one for one in held)
    return held.get_secret_value() if hasattr(held, "get_secret_value") else held


def problems(given: dict[str, str], dotenv: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(given, dotenv)
    return caught.value.problems


def problem(**given: str) -> str:
    (only,) = problems(REQUIRED | given)
    return only
