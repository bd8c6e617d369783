"""Routes files as a test gives them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.routes import Routes, load_routes
from reconciler.settings import SettingsError
from tests.support.configured import REQUIRED

COMMON = {name: text for name, text in REQUIRED.items() if name != "PAGERDUTY_SERVICE_ID"}
"""What routes usually take over from the environment."""
TWO = """
[routes.shop]
query = "tag: shop"
service = "PSHOP01"

[routes.bank]
query = "tag: bank"
service = "PBANK01"
"""


def environ_of(file: Path, given: Mapping[str, str] = COMMON) -> dict[str, str]:
    return {**given, "ROUTES_FILE": str(file)}


def routes_of(folder: Path, text: str, given: Mapping[str, str] = COMMON) -> Routes:
    """The routes of a file with this text."""
    file = folder / "routes.toml"
    file.write_text(text, encoding="utf-8")
    return load_routes(environ_of(file, given), None)


def problems_of(folder: Path, text: str, given: Mapping[str, str] = COMMON) -> tuple[str, ...]:
    """What is wrong with a file with this text."""
    with pytest.raises(SettingsError) as caught:
        routes_of(folder, text, given)
    return caught.value.problems
