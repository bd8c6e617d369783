"""A clock that tests can set, and both vendors' clients wired to it."""

import json
from typing import Any

import responses

from reconciler.vendors.http import Http, RequestRecord, SystemClock
from reconciler.vendors.rate_limiter import RateLimiter
from tests.support.clock import SimClock

OPSGENIE = "https://api.opsgenie.com"
PAGERDUTY = "https://api.pagerduty.com"
OPSGENIE_KEY = "og-5ecret-Key"
PAGERDUTY_KEY = "pd+5ecret_Key"


def http(
    name: str, clock: Any = None, url: str = "", records: list[RequestRecord] | None = None, **more: Any
) -> Http:
    clock = clock or SimClock(1000.0)
    scheme = f"GenieKey {OPSGENIE_KEY}" if name == "Opsgenie" else f"Token token={PAGERDUTY_KEY}"
    base = url or (OPSGENIE if name == "Opsgenie" else PAGERDUTY)
    more.setdefault("limiter", RateLimiter(clock))
    on_request = records.append if records is not None else None
    return Http(base, {"Authorization": scheme}, name=name, clock=clock, on_request=on_request, **more)


def real_http(url: str, **more: Any) -> Http:
    return http("PagerDuty", SystemClock(), url, **more)


def asked(call: Any) -> dict[str, Any]:
    """The query of a recorded request; several values of one name form a list."""
    return dict(call.request.params)


def sent_json(call: responses.Call) -> Any:
    """The body of a recorded request, as data."""
    raw = call.request.body
    assert isinstance(raw, str | bytes)
    return json.loads(raw)


def query(**params: Any) -> Any:
    """Exactly these parameters; a trailing underscore stands for []."""
    exact = {(name[:-1] + "[]" if name.endswith("_") else name): value for name, value in params.items()}
    return responses.matchers.query_param_matcher(exact)


def body(value: Any) -> Any:
    return responses.matchers.json_params_matcher(value)


def sent(**headers: str) -> Any:
    return responses.matchers.header_matcher({name.replace("_", "-"): value for name, value in headers.items()})
