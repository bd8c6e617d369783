"""The scope of every kind of refusal: the request, one object, the account, the network path, or temporary."""

from itertools import product
from typing import Any

import pytest

from reconciler.errors import (
    Blocked,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    ObjectError,
    Permanent,
    ReconcilerError,
    Refused,
    RefusedQuery,
    Unknown,
)
from reconciler.vendors.error_scopes import TABLE, meaning, refusal, reply_of, said

OG, PD, JSM, KEYED = "Opsgenie", "PagerDuty", "JSM", "JSM integration"
CREATE = ("POST", "/incidents")
NOTE = ("POST", "/incidents/{id}/notes")
ONE = ("GET", "/incidents/{id}")
STATE = ("PUT", "/incidents/{id}")
LIST = ("GET", "/incidents")
ALERTS = ("GET", "/v2/alerts")
ALERT = ("GET", "/v2/alerts/{id}")
ACK = ("POST", "/v2/alerts/{id}/acknowledge")
ACCOUNT = "/jsm/ops/api/{cloudId}/v1/alerts"
JSM_LIST, JSM_ONE, JSM_NOTE = ("GET", ACCOUNT), ("GET", f"{ACCOUNT}/{{id}}"), ("POST", f"{ACCOUNT}/{{id}}/notes")
HTML, EMPTY = object(), None


def pd(code: int | None = None, words: str = "Nope", *errors: str) -> dict[str, Any]:
    return {"error": {"message": words, "code": code, "errors": list(errors)}}


def og(words: str = "Nope", **more: Any) -> dict[str, Any]:
    return {"message": words, "took": 0.1, "requestId": "r"} | more


def error(vendor: str, call: tuple[str, str], status: int, body: Any) -> ReconcilerError:
    html = body is HTML
    reply = reply_of(vendor, *call, status, None if html else body, html=html)
    return refusal(reply, f"{vendor}: {' '.join(call)}: {status}: {said(None if html else body)}", 7.0)


def jsm(title: str = "Nope", detail: str = "") -> dict[str, Any]:
    return {"errors": [{"title": title, "code": "NOPE"} | ({"detail": detail} if detail else {})]}


EMAIL, SERVICE, KEY = "PAGERDUTY_EMAIL", "PAGERDUTY_SERVICE_ID", "PAGERDUTY_API_KEY"
FROM = """You must specify a user's email address in the "From" header to perform this action"""

CASES: list[tuple[str, tuple[str, str], int, Any, type[Exception], str]] = [
    # temporary
    (PD, CREATE, 429, HTML, NotExecuted, "too many requests, not carried out"),
    (OG, ACK, 429, EMPTY, NotExecuted, "too many requests, not carried out"),
    (PD, CREATE, 400, pd(2020, "Rate Limit Exceeded"), NotExecuted, "too many requests"),
    (PD, CREATE, 503, pd(2020, "Rate Limit Exceeded"), NotExecuted, "too many requests"),
    (PD, CREATE, 408, HTML, Unknown, ""),
    (OG, ACK, 500, pd(2001), Unknown, ""),
    (PD, CREATE, 500, pd(1008), Unknown, ""),
    (PD, CREATE, 400, pd(2016, "The request took too long to process"), Unknown, ""),
    (PD, CREATE, 400, pd(2000, "An internal error occurred"), Unknown, ""),
    (PD, STATE, 409, pd(1005, "Data Updated Since Last Request"), Unknown, ""),
    # PagerDuty: the automation user
    (PD, CREATE, 400, pd(1008, "Requester User Not Found"), Refused, EMAIL),
    (PD, CREATE, 400, pd(2002, "Arguments Caused Error", "Requester User Not Found"), Refused, EMAIL),
    (PD, NOTE, 404, pd(1008, "Requester User Not Found"), Refused, EMAIL),
    (PD, NOTE, 400, pd(1018, "Requester not authorized"), Refused, EMAIL),
    (PD, STATE, 403, pd(1018, "Requester not authorized"), Refused, EMAIL),
    (PD, STATE, 400, pd(2011, "must specify requester_id"), Refused, EMAIL),
    (PD, STATE, 400, pd(2013, "User not found"), Refused, EMAIL),
    (PD, CREATE, 400, pd(2016, FROM), Refused, EMAIL),
    (PD, NOTE, 400, pd(2001, "Invalid Input Provided", FROM), Refused, EMAIL),
    (PD, CREATE, 400, {"error": "The From header is missing"}, Refused, EMAIL),
    (PD, CREATE, 422, {"error": ["'from' header is not a valid user"]}, Refused, EMAIL),
    *((PD, NOTE, 400, {"error": {"message": "Invalid", "code": 2001, "errors": errors}}, Refused, EMAIL)
      for errors in (
          {"requester": ["Requester User Not Found"]}, {"user": ["not found"]}, "Requesting user cannot be found",
          ["User is deactivated"], ["The user is not allowed to perform this action"],
      )),
    # PagerDuty: the service and its escalation policy
    *((PD, CREATE, 400, pd(2001, "Invalid Input Provided", words), Refused, SERVICE) for words in (
        "The service is currently in a maintenance window", "Cannot create incident: service is disabled",
        "Incidents cannot be created during a maintenance window", "Service PSVC1 could not be found",
        "Cannot create an incident on a disabled service", "Service is invalid", "Service is inactive",
        "Service must be active",
    )),
    *((PD, CREATE, 400, pd(2001, "Invalid Input Provided", words), Refused, "on call") for words in (
        "Cannot assign: the escalation policy PEP does not exist", "No user is on call for this escalation policy",
        "Nobody is currently on-call",
    )),
    (PD, CREATE, 400, pd(5002), Refused, SERVICE),
    (PD, CREATE, 400, pd(5002, "Service Not Found"), Refused, SERVICE),
    (PD, CREATE, 404, pd(5002, "Service Not Found"), Refused, SERVICE),
    (PD, CREATE, 400, pd(2001, "Invalid Input Provided", "Service not found"), Refused, SERVICE),
    (PD, CREATE, 400, {"error": {"message": "x", "errors": {"service": ["not found"]}}}, Refused, SERVICE),
    (PD, CREATE, 400, pd(2002, "Arguments Caused Error", "Service is disabled"), Refused, SERVICE),
    (PD, CREATE, 400, pd(2001, "x", "The service is currently in maintenance"), Refused, SERVICE),
    (PD, CREATE, 400, pd(1014), Refused, SERVICE),
    (PD, CREATE, 400, pd(1015), Refused, "somebody must be on call"),
    (PD, CREATE, 400, pd(1014, "Escalation Policy Not Found"), Refused, SERVICE),
    (PD, CREATE, 400, pd(1015, "Escalation Policy Has No User On Call"), Refused, "somebody must be on call"),
    (PD, CREATE, 422, pd(2001, "x", "Escalation policy has no users on call"), Refused, "on call"),
    *((PD, STATE, 400, pd(code, words), Permanent, "") for code, words in (
        (1014, "Escalation Policy Not Found"), (1015, "Escalation Policy Has No User On Call"),
        (2015, "Invalid operation"),
    )),
    (PD, NOTE, 400, pd(5002, "Simple Log Entry Limit Reached"), Permanent, ""),
    # PagerDuty: the account
    *((PD, NOTE, status, pd(code), Refused, "PagerDuty account") for status in (400, 402, 403, 404)
      for code in (2007, 2008, 2012, 2014)),
    (PD, CREATE, 400, pd(2009), Refused, "PagerDuty account"),
    (PD, CREATE, 400, pd(2015, "Invalid operation"), Refused, "PagerDuty account"),
    (PD, CREATE, 402, EMPTY, Refused, "PagerDuty account"),
    (OG, ACK, 402, og("Payment Required"), Refused, "Opsgenie account"),
    (PD, CREATE, 402, HTML, Blocked, "PAGERDUTY_API_URL"),
    (OG, ACK, 403, og("This feature is not allowed with your plan"), Refused, "plan"),
    (OG, ALERTS, 403, og("x", code=40302), Refused, "plan"),
    (OG, ALERTS, 403, og("x", code="40302"), Refused, "plan"),
    (OG, ACK, 422, og("Your current plan does not include the API"), Refused, "plan"),
    # the key
    (PD, LIST, 401, EMPTY, Refused, "not an integration's routing key nor an OAuth token"),
    (PD, LIST, 401, pd(2006, "Authentication failed"), Refused, "https://api.eu.pagerduty.com"),
    (PD, LIST, 401, pd(2010, "Access Denied"), Refused, "https://api.eu.pagerduty.com"),
    (PD, CREATE, 400, pd(2006, "Authentication failed"), Refused, KEY),
    (PD, CREATE, 400, pd(2010, "Access Denied"), Refused, KEY),
    (PD, CREATE, 403, pd(2010, "Access Denied"), Refused, "read-only"),
    (PD, CREATE, 403, pd(None, "Forbidden"), Refused, "read-only"),
    (PD, CREATE, 403, pd(2018, "Access Denied"), Refused, KEY),
    (PD, LIST, 403, pd(2010, "Access Denied"), Refused, KEY),
    (OG, ALERTS, 401, og("Could not authenticate"), Refused, "https://api.eu.opsgenie.com"),
    (OG, ALERTS, 422, og("Key format is not valid!"), Refused, "check OPSGENIE_API_KEY"),
    (OG, ACK, 422, og("Key format is not valid!"), Refused, "check OPSGENIE_API_KEY"),
    (OG, ACK, 400, og("Your account is suspended"), Refused, "Opsgenie account"),
    (OG, ACK, 422, og("Account has been deactivated"), Refused, "Opsgenie account"),
    (OG, ACK, 422, og("note: the account of bob was closed"), Permanent, ""),
    (OG, ALERTS, 401, HTML, Blocked, "OPSGENIE_API_URL"),
    (OG, ALERTS, 403, og("You are not authorized", code=40301), Refused, "API integration"),
    # one object
    (PD, ONE, 403, pd(2010, "Access Denied"), Forbidden, "only this one"),
    (PD, NOTE, 403, pd(2018, "Access Denied"), Forbidden, "only this one"),
    (PD, NOTE, 400, pd(2018, "Access Denied"), Forbidden, "only this one"),
    (OG, ACK, 403, og("Forbidden"), Forbidden, "only this one"),
    (PD, ONE, 404, pd(2100, "Not Found"), Missing, ""),
    (PD, ONE, 404, pd(2010, "Access Denied"), Missing, ""),
    (PD, NOTE, 400, pd(5001, "Incident Not Found"), Missing, ""),
    (PD, NOTE, 404, {"error": "Not found"}, Missing, ""),
    (OG, ALERT, 404, og("Alert does not exist"), Missing, ""),
    # a creation is never missing
    (PD, CREATE, 404, pd(2100, "Not Found"), Refused, SERVICE),
    (PD, CREATE, 404, HTML, Blocked, "PAGERDUTY_API_URL"),
    # a setting
    (OG, ALERTS, 422, og("Query is not valid"), RefusedQuery, "OPSGENIE_QUERY"),
    (OG, ALERTS, 400, og("Query is not valid"), RefusedQuery, "OPSGENIE_QUERY"),
    (OG, ALERTS, 404, og("Not found"), Blocked, "OPSGENIE_API_URL"),
    (PD, LIST, 404, pd(2100, "Not Found"), Blocked, "PAGERDUTY_API_URL"),
    # the network path
    (OG, ACK, 403, HTML, Blocked, "firewall (WAF)"),
    (PD, ONE, 404, HTML, Blocked, "PAGERDUTY_API_URL"),
    (PD, ONE, 404, og("Not PagerDuty's"), Blocked, "PAGERDUTY_API_URL"),
    (OG, ALERT, 404, {"error": "not Opsgenie's"}, Blocked, "OPSGENIE_API_URL"),
    (PD, ONE, 404, ["error"], Blocked, "PAGERDUTY_API_URL"),
    (PD, CREATE, 302, EMPTY, Blocked, "PAGERDUTY_API_URL"),
    (OG, ACK, 304, og(), Blocked, "OPSGENIE_API_URL"),
    (PD, CREATE, 405, pd(2001), Blocked, "PAGERDUTY_API_URL"),
    (PD, CREATE, 407, HTML, Blocked, "proxy wants a login"),
    (OG, ACK, 410, og("Deprecated"), Blocked, "2027-04-05"),
    (PD, CREATE, 410, pd(), Blocked, "PAGERDUTY_API_URL"),
    (PD, CREATE, 451, HTML, Blocked, "firewall (WAF)"),
    (PD, CREATE, 400, EMPTY, Blocked, "proxy or a firewall"),
    (PD, CREATE, 409, pd(1001), Blocked, "tried again"),
    # the request
    (PD, CREATE, 400, pd(2001, "Invalid Input Provided", "Title cannot be empty."), Permanent, ""),
    (PD, CREATE, 400, pd(2002, "Arguments Caused Error", "matching dedup key already exists"), Permanent, ""),
    (PD, CREATE, 400, pd(2001, "Title: the customer's service was not found"), Permanent, ""),
    *((PD, CREATE, 400, pd(2001, "Invalid Input Provided", words), Permanent, "") for words in (
        "Body details: user not found in LDAP", 'The title "service is disabled" is too long',
        "Assigned to user not found", "incident_key: nobody is on call",
    )),
    (PD, NOTE, 400, {"error": {"message": "x", "errors": {"content": ["service is disabled"]}}}, Permanent, ""),
    (PD, NOTE, 400, pd(2003, "Missing Arguments"), Permanent, ""),
    (PD, STATE, 400, pd(1001, "Incident Already Resolved"), Permanent, ""),
    (PD, NOTE, 413, {"error": "too large"}, Permanent, ""),
    (OG, ACK, 422, og("not processable", errors={"note": "too long"}), Permanent, ""),
    (OG, ACK, 422, {"errors": ["x"]}, Permanent, ""),
    # JSM
    *((JSM, JSM_LIST, 401, {"code": 401, "message": words}, Refused, advice)
      for words in ("Unauthorized", "Unauthorized; scope does not match")
      for advice in ("JSM_EMAIL and JSM_API_TOKEN", "has expired", "lacks a scope", "a service account's")),
    (JSM, JSM_LIST, 401, HTML, Blocked, "JSM_API_URL"),
    (JSM, JSM_LIST, 404, jsm("Not found"), Misconfigured, "not on this site (yet), or the cloud id is wrong"),
    (JSM, JSM_LIST, 404, EMPTY, Misconfigured, "JSM_SITE_URL and JSM_CLOUD_ID"),
    (JSM, JSM_LIST, 404, HTML, Blocked, "JSM_API_URL"),
    (JSM, JSM_ONE, 404, jsm("Not found"), Missing, ""),
    (JSM, JSM_ONE, 403, jsm(), Forbidden, "only this one is refused"),
    (JSM, JSM_LIST, 403, jsm(), Refused, "JSM_EMAIL lacks a right"),
    (JSM, JSM_LIST, 422, jsm("Payload cannot be validated", "bad query"), RefusedQuery, "JSM_QUERY"),
    (JSM, JSM_LIST, 400, og("bad query"), RefusedQuery, "see JSM_QUERY: JSM cannot search by it"),
    (JSM, JSM_NOTE, 402, jsm("Please upgrade your pricing plan"), Refused, "JSM account"),
    (JSM, JSM_NOTE, 422, jsm("Your account plan does not support notes"), Refused, "plan"),
    (JSM, JSM_NOTE, 422, jsm("note can not be empty"), Permanent, ""),
    (JSM, JSM_LIST, 429, jsm("Rate limit exceeded"), NotExecuted, "too many requests"),
    (JSM, JSM_LIST, 302, EMPTY, Blocked, "JSM_API_URL"),
    (KEYED, ACK, 401, og("Unauthorized"), Refused, "JSM_INTEGRATION_KEY"),
    (KEYED, ACK, 422, og("Key format is not valid!"), Refused, "JSM_INTEGRATION_KEY"),
    (KEYED, ("POST", "/v2/alerts"), 403, og(), Refused, "JSM_INTEGRATION_KEY lacks a right"),
    (KEYED, ACK, 403, og("Your account plan does not support this"), Refused, "plan"),
    (KEYED, ACK, 404, og("not found"), Missing, ""),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "call", "status", "body", "kind", "advice"), CASES)
def test_every_refusal_has_a_scope_and_a_hint_for_the_operator(
    vendor: str, call: tuple[str, str], status: int, body: Any, kind: type[Exception], advice: str
) -> None:
    found = error(vendor, call, status, body)
    assert type(found) is kind
    assert advice in str(found)
    assert str(found).startswith(f"{vendor}: {' '.join(call)}: {status}")
    assert "\n" not in str(found)
    assert "{" not in str(found).replace("{id}", "").replace("{cloudId}", "")


def test_every_row_of_the_table_is_used() -> None:
    fitting = [
        meaning(reply_of(vendor, *call, status, None if body is HTML else body, html=body is HTML))
        for vendor, call, status, body, *_ in CASES
    ]
    assert [row for row in TABLE if row not in fitting] == []


OWN = {PD: [pd(), {"error": ["x"]}, {"error": "x"}], OG: [og()]}
CODES = [1001, 1004, 1008, 1015, 1018, 2000, 2001, 2003, 2006, 2010, 2014, 2018, 2020, 2100, 5001, 5002]


@pytest.mark.parametrize("status", range(300, 600))
def test_a_creation_is_refused_for_good_only_by_pagerduty_itself_and_is_never_missing(status: int) -> None:
    for body in (*OWN[PD], *map(pd, CODES), HTML, EMPTY, og(), [], "text", {"error": None}):
        found = error(PD, CREATE, status, body)
        own = isinstance(body, dict) and body.get("error") is not None
        assert not isinstance(found, ObjectError)
        assert not isinstance(found, Permanent) or (own and status in (400, 413, 422))


@pytest.mark.parametrize("call", [CREATE, NOTE, ONE, STATE, LIST, ALERTS, ALERT, ACK])
def test_an_answer_not_sent_by_the_vendor_concerns_no_request_object_or_key(
    call: tuple[str, str],
) -> None:
    vendor = OG if "v2" in call[1] else PD
    for status, body in product(range(300, 600), (HTML, EMPTY, {"nginx": 1})):
        if (status in (401, 402) and body is not HTML) or status in (429, 408) or status >= 500:
            continue
        found = error(vendor, call, status, body)
        assert type(found) is Blocked
        assert found.retry_after is None
        assert f"{vendor.upper()}_API_KEY" not in str(found)
        assert "proxy" in str(found)


def test_only_temporary_refusals_state_how_long_to_wait() -> None:
    limited, away = (error(PD, CREATE, status, EMPTY) for status in (429, 503))
    assert isinstance(limited, NotExecuted)
    assert limited.retry_after == 7
    assert isinstance(away, Unknown)
    assert away.retry_after == 7


@pytest.mark.parametrize("call", [ONE, NOTE, STATE, ALERT, ACK])
def test_the_refusal_of_one_object_does_not_name_the_key(call: tuple[str, str]) -> None:
    vendor = OG if "v2" in call[1] else PD
    for body in (*OWN[vendor], pd(2010) if vendor == PD else og()):
        found = error(vendor, call, 403, body)
        assert type(found) is Forbidden
        assert "_API_KEY" not in str(found)
        assert " key" not in str(found)


def test_a_message_that_stands_in_a_body_twice_is_told_once() -> None:
    assert said({"message": "Not found", "errors": [{"title": "Not found", "detail": "no such alert"}]}) == (
        "Not found; no such alert"
    )
