"""Fixtures of the wire tests."""

from collections.abc import Iterator

import pytest
import responses

from tests.support.clock import SimClock


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """Every request must be expected, and every expected request must be made."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def clock() -> SimClock:
    return SimClock(1000.0)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached directly, whatever the machine's proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
