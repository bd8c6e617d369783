import pytest

from reconciler.core.model import Side
from reconciler.runtime.sessions import session
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock
from tests.support.in_process import HOST, settings


@pytest.mark.parametrize(
    ("side", "name", "path"), [(Side.ALERTS, "Opsgenie", "opsgenie"), (Side.PAGERDUTY, "PagerDuty", "pagerduty")]
)
def test_each_vendor_has_a_session_of_its_own(side: Side, name: str, path: str) -> None:
    clock = SimClock()
    http = session(settings(), side, clock, RateLimiter(clock))
    assert (http.name, http.base_url) == (name, f"{HOST}/{path}")
    other = session(settings(), side, clock, RateLimiter(clock), url="https://other.example/")
    assert other.base_url == "https://other.example"
