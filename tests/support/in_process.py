"""The product against simulated vendors without a socket: the conversion of requests and answers, and settings."""

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict

from reconciler.sandbox.pagerduty.directory import BOT, SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Request, Response, parse_query
from reconciler.settings import Settings

HOST = "https://vendors.invalid"
KEYS = SandboxSettings()


_JSM: dict[str, Any] = {
    "alert_source": "jsm",
    "jsm_site_url": f"{HOST}/jsm",
    "jsm_api_url": f"{HOST}/jsm",
    "jsm_email": KEYS.jsm_email,
    "jsm_api_token": SecretStr(KEYS.jsm_token),
}
SOURCES: dict[str, dict[str, Any]] = {
    "opsgenie": {},
    "jsm": _JSM,
    "jsm named": _JSM | {"jsm_integration_key": SecretStr(KEYS.jsm_key)},
}
"""Settings by where alerts are raised. In JSM the writes bear the automation user's name or, with an integration's
key, the engineer's."""


def settings(source: str = "opsgenie", **chosen: Any) -> Settings:
    """The product's settings for the sandbox behind an adapter; `chosen` uses the field names of Settings."""
    return Settings(
        pagerduty_api_key=SecretStr(KEYS.pagerduty_key),
        pagerduty_service_id=SERVICE_ID,
        pagerduty_email=BOT.email,
        pagerduty_user=BOT.id,
        opsgenie_api_key=SecretStr(KEYS.opsgenie_key),
        pagerduty_api_url=f"{HOST}/pagerduty",
        opsgenie_api_url=f"{HOST}/opsgenie",
        **SOURCES[source],
        **chosen,
    )


def asked_of(request: requests.PreparedRequest) -> Request:
    """The request in the sandbox's type."""
    parts = urlsplit(str(request.url))
    body = request.body or b""
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    raw = body.encode() if isinstance(body, str) else body
    assert isinstance(raw, bytes)
    return Request(str(request.method), parts.path, parse_query(parts.query), headers, raw)


def answer_to(request: requests.PreparedRequest, answer: Response, raw: Any = None) -> requests.Response:
    """The sandbox's answer in the type of `requests`. `raw` replaces the stream of the body."""
    headers: Mapping[str, str] = answer.headers
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(headers)
    response.raw = raw or urllib3.HTTPResponse(
        io.BytesIO(answer.body), headers=headers, status=answer.status, preload_content=False
    )
    response.request, response.url = request, str(request.url)
    return response
