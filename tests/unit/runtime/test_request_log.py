"""Each request is one line at DEBUG, and costs nothing at any other level."""

import logging

import pytest

from reconciler.runtime.request_log import log_request
from reconciler.vendors.http import RequestRecord

RECORD = RequestRecord(
    "PagerDuty", "GET", "/incidents/{id}", 503, "unknown", 0.0514, "r4", path="/incidents/P1", attempt=2
)


def test_a_request_is_logged_with_its_answer_its_time_and_its_attempt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log_request(RECORD)
    (record,) = caplog.records
    event = record.msg
    assert isinstance(event, dict)
    assert event["event"] == "PagerDuty: GET /incidents/P1: 503"
    assert {name: event[name] for name in ("status", "outcome", "seconds", "attempt", "request_id")} == {
        "status": 503,
        "outcome": "unknown",
        "seconds": 0.051,
        "attempt": 2,
        "request_id": "r4",
    }


def test_a_request_without_an_answer_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log_request(RequestRecord("Opsgenie", "POST", "/v2/alerts", None, "unknown", 30.0, path="/v2/alerts"))
    assert "Opsgenie: POST /v2/alerts: no answer" in caplog.text


def test_at_info_no_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_request(RECORD)
    assert caplog.records == []
