"""Addresses, keys, scopes, rate limits; and the integration API, which is Opsgenie's without the reads."""

from typing import Any

import pytest

from reconciler.sandbox.jsm.directory import CLOUD_ID
from tests.support.jsm import ACCOUNT, BASIC, INTEGRATION, JsmBench

JIRA = f"/jsm/ex/jira/{CLOUD_ID}/rest/api/3"


def test_a_site_tells_its_id_to_everybody() -> None:
    reply = JsmBench().call("GET", "/jsm/_edge/tenant_info", headers={})
    assert (reply.status, reply.json()) == (200, {"cloudId": CLOUD_ID})


def test_users_are_found_by_their_id() -> None:
    world = JsmBench()
    alert = world.alert()
    me = world.call("GET", f"{JIRA}/myself").json()
    assert (me["displayName"], me["emailAddress"]) == ("Ops Robot", "robot@customer.example")
    world.set(jsm_owner_form="account_id")
    (row,) = world.get(f"/{alert}/logs")["values"]
    assert world.call("GET", f"{JIRA}/user?accountId={row['owner']}").json()["displayName"] == "Ana Ruiz"
    assert world.call("GET", f"{JIRA}/user?accountId={me['accountId']}").json() == me
    assert world.call("GET", f"{JIRA}/user?accountId=nobody").status == 404


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic x"}, {"Authorization": "GenieKey sandbox-jsm-key"}]
)
def test_a_wrong_token_is_401_in_a_form_of_its_own(headers: Any) -> None:
    reply = JsmBench().call("GET", ACCOUNT, headers=headers)
    assert (reply.status, reply.json()) == (401, {"code": 401, "message": "Unauthorized"})


def test_a_wrong_site_is_404() -> None:
    world = JsmBench()
    assert world.call("GET", ACCOUNT.replace(CLOUD_ID, "another")).status == 404
    assert world.call("GET", JIRA.replace(CLOUD_ID, "another") + "/myself").status == 404
    assert world.call("GET", f"{ACCOUNT}/a/b/c").status == 404


def test_a_token_without_the_scope_is_401_and_says_so() -> None:
    world = JsmBench(jsm_scopes=["read"])
    alert = world.alert()
    assert world.status(f"/{alert}") == 200
    reply = world.post(f"/{alert}/acknowledge")
    assert (reply.status, reply.json()["message"]) == (401, "Unauthorized; scope does not match")
    world.set(jsm_scopes=["write"])
    assert world.status() == 401
    assert world.post(f"/{alert}/acknowledge").status == 401
    assert world.call("GET", f"{JIRA}/myself").status == 200


def test_a_plan_may_lack_the_api_and_a_site_its_alerts() -> None:
    world = JsmBench(jsm_plan="lacks_api")
    reply = world.call("GET", ACCOUNT)
    assert (reply.status, "upgrade your pricing plan" in reply.json()["errors"][0]["detail"]) == (402, True)
    world.set(jsm_plan="enough", jsm_alerts_404=True)
    alert = world.alert()
    assert (world.status(), world.status(f"/{alert}")) == (404, 200)


def test_what_the_token_may_not_see_is_absent_without_an_error() -> None:
    world = JsmBench(jsm_blind_teams=["ops"])
    hidden, seen = world.alert(tags=["ops"]), world.alert()
    assert [row["id"] for row in world.get()["values"]] == [seen]
    assert (world.status(f"/{hidden}"), world.status(f"/{seen}")) == (404, 200)
    assert world.outcome(world.post(f"/{hidden}/acknowledge"))["status"] == "Alert does not exist"
    world.set(jsm_blind_teams=["*"])
    assert (world.get()["count"], world.status(f"/{seen}")) == (0, 404)
    world.set(jsm_blind_teams=[], blind=True)
    assert world.get()["count"] == 0


def test_the_rate_limit_names_the_time_at_which_it_ends() -> None:
    world = JsmBench(jsm_per_minute=1)
    assert world.status() == 200
    world.clock.advance(20)
    refused = world.call("GET", ACCOUNT)
    assert refused.status == 429
    assert refused.headers["X-RateLimit-Reset"] == "2026-11-23T09:01:00Z"
    assert (refused.headers["Retry-After"], refused.headers["RateLimit-Reason"]) == ("40", "jira-burst-based")
    assert world.named("/nothing/close").status == 202
    refused = world.named("/nothing/close")
    assert (refused.status, refused.headers["X-RateLimit-State"]) == (429, "THROTTLED")


# -- the integration API --


def test_the_key_acts_in_any_name() -> None:
    world = JsmBench()
    alert = world.alert()
    accepted = world.named(f"/{alert}/acknowledge", {"user": "Jane Doe", "source": "PagerDuty", "note": "mine"})
    assert accepted.status == 202
    outcome = world.call("GET", f"{INTEGRATION}/requests/{accepted.json()['requestId']}").json()["data"]
    assert (outcome["success"], outcome["status"]) == (True, "Acknowledged alert")
    assert (world.get(f"/{alert}")["owner"], world.notes(alert)) == ("Jane Doe", ["mine"])
    assert world.status(f"/requests/{accepted.json()['requestId']}") == 404
    world.named(f"/{alert}/close?identifierType=id", {"user": "Jane Doe"})
    assert world.get(f"/{alert}")["status"] == "closed"
    assert world.named("", {"message": "made by a monitor"}).status == 202
    assert world.get("?query=status:open")["count"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/a"), ("GET", "/a/notes"), ("GET", "/a/logs"), ("POST", "/a/unacknowledge"),
     ("GET", "/requests/nothing")],
)  # fmt: skip
def test_the_key_reads_nothing_and_takes_no_acknowledgement_back(method: str, path: str) -> None:
    assert JsmBench().call(method, f"{INTEGRATION}{path}").status == 404


def test_a_wrong_key_is_401() -> None:
    assert JsmBench().call("POST", f"{INTEGRATION}/a/close", {}, BASIC).status == 401


def test_a_disabled_integration_accepts_and_fails() -> None:
    world = JsmBench(jsm_integration_enabled=False)
    alert = world.alert()
    accepted = world.named(f"/{alert}/acknowledge", {"user": "Jane Doe"})
    assert accepted.status == 202
    outcome = world.call("GET", f"{INTEGRATION}/requests/{accepted.json()['requestId']}").json()["data"]
    assert (outcome["isSuccess"], outcome["status"]) == (False, "Integration is disabled.")
    assert not world.get(f"/{alert}")["acknowledged"]


# -- beside Opsgenie --


def test_a_customer_of_jsm_has_no_opsgenie() -> None:
    assert JsmBench().call("GET", "/opsgenie/v2/alerts").status == 401


def test_before_the_move_jsm_shows_nothing() -> None:
    world = JsmBench(jsm_only=False)
    alert = world.alert("opsgenie")
    assert (world.get()["count"], world.status(f"/{alert}")) == (0, 404)
    assert world.call("POST", "/control/jsm/alerts", {"message": "x"}).status == 409
    assert "jsm" not in world.control("GET", "/state")


def test_faults_and_the_list_of_requests_know_jsm() -> None:
    world = JsmBench()
    world.control("POST", "/faults", {"do": "429", "vendor": "jsm", "path": "*/v1/alerts"})
    reply = world.call("GET", ACCOUNT)
    assert (reply.status, reply.headers["X-RateLimit-Reset"]) == (429, "2026-11-23T09:00:01Z")
    world.control("POST", "/faults", {"do": "401", "vendor": "jsm", "message": "expired"})
    assert world.call("GET", ACCOUNT).json() == {"code": 401, "message": "expired"}
    assert world.status() == 200
    calls = world.control("GET", "/requests")["requests"]
    assert [(call["vendor"], call["status"], call["fault"]) for call in calls] == [
        ("jsm", 429, "429"), ("jsm", 401, "401"), ("jsm", 200, None)
    ]  # fmt: skip
