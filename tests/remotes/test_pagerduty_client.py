"""PagerDuty's calls as they go over the wire, and its answers in every state of repair."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import responses
from remotes.wire_helpers import PAGERDUTY, PAGERDUTY_KEY, FakeClock, body, http, query, sent

from reconciler.core.model import Actor, Incident, Person
from reconciler.errors import (
    Blocked,
    Duplicate,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    Refused,
    Unknown,
)
from reconciler.remotes.base import OnCall, PagerDutyReader, PagerDutyWriter, ServiceStatus
from reconciler.remotes.http import Answer, Http
from reconciler.remotes.pagerduty import PagerDutyClient, PagerDutyWriting

SERVICE = "PSERVICE"
EMAIL = "bot@operator.example"
BOT = "PBOT001"
INCIDENTS = f"{PAGERDUTY}/incidents"
ALWAYS = sent(
    Authorization=f"Token token={PAGERDUTY_KEY}",
    Accept="application/vnd.pagerduty+json;version=2",
    Cache_Control="no-cache",
)
WRITES = sent(
    Authorization=f"Token token={PAGERDUTY_KEY}",
    Accept="application/vnd.pagerduty+json;version=2",
    Content_Type="application/json",
    From=EMAIL,
)
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def client(user: str = BOT, bad: list[tuple[str, str]] | None = None) -> PagerDutyReader:
    told = bad if bad is not None else []
    return PagerDutyClient(
        http("PagerDuty"), SERVICE, EMAIL, user, on_bad_row=lambda vendor, what: told.append((vendor, what))
    )


def writing() -> PagerDutyWriter:
    return PagerDutyWriting(http("PagerDuty"), SERVICE, EMAIL)


def user(user_id: str, name: str) -> dict[str, Any]:
    return {"id": user_id, "type": "user_reference", "summary": name, "self": "https://evil.example/users"}


def incident(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"PINC{n}", "type": "incident", "summary": f"[#{n}] Disk", "incident_number": n, "title": "Disk",
        "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:05:00Z", "status": "triggered",
        "incident_key": f"alert-{n}", "service": {"id": SERVICE, "type": "service_reference"},
        "assignments": [], "last_status_change_at": "2026-11-23T09:01:00Z", "resolved_at": None,
        "escalation_policy": {"id": "PESC", "type": "escalation_policy_reference"}, "acknowledgements": [],
        "last_status_change_by": {"id": SERVICE, "type": "service_reference", "summary": "API Service"},
        "resolve_reason": None, "urgency": "high", "self": "https://evil.example/incidents/1",
    } | more  # fmt: skip


def page(name: str, rows: Any, *, more: Any = False) -> dict[str, Any]:
    return {name: rows, "limit": 100, "offset": 0, "total": None, "more": more}


# -- who we are --

USERS = f"{PAGERDUTY}/users"
BOT_ROW = {"id": BOT, "name": "Mirror Bot", "summary": "Mirror Bot", "email": "Bot@Operator.example"}
DENIED = {"error": {"message": "Access Denied", "code": 2010}}
PAGE_OF_A_PROXY = {"body": "<html>denied</html>", "content_type": "text/html"}
OTHER = {"id": "POTHER1", "name": "Other", "summary": "Other", "email": "x-bot@operator.example"}


@pytest.mark.parametrize("configured", [BOT, BOT.lower(), "Mirror Bot", "mirror bot"])
def test_the_automation_user_is_found_by_its_address(wire: responses.RequestsMock, configured: str) -> None:
    wire.get(USERS, json=page("users", [OTHER, None], more=True),
             match=[query(query=EMAIL, limit="100", offset="0"), ALWAYS])  # fmt: skip
    wire.get(USERS, json=page("users", [BOT_ROW]), match=[query(query=EMAIL, limit="100", offset="100")])
    assert client(configured).automation_user().person == Person(BOT, "Mirror Bot")


def test_an_unknown_address_names_its_variable(wire: responses.RequestsMock) -> None:
    wire.get(USERS, json=page("users", [OTHER]))
    wire.get(f"{USERS}/{BOT}", json={"user": OTHER | {"id": BOT}})
    with pytest.raises(
        Misconfigured, match=r"^PAGERDUTY_EMAIL: PagerDuty has no user with .* bot@operator\.example"
    ):
        client().automation_user()


@pytest.mark.parametrize("configured", [BOT, "Mirror Bot"])
def test_a_list_that_is_searched_by_name_alone_hides_nobody(wire: responses.RequestsMock, configured: str) -> None:
    named = [BOT_ROW] if configured != BOT else []
    wire.get(USERS, json=page("users", []), match=[query(query=EMAIL, limit="100", offset="0")])
    wire.get(USERS, json=page("users", named), match=[query(query=configured, limit="100", offset="0")])
    if configured == BOT:
        wire.get(f"{USERS}/{BOT}", json={"user": BOT_ROW}, match=[ALWAYS])
    assert client(configured).automation_user().person == Person(BOT, "Mirror Bot")


def test_two_different_users_name_both_variables(wire: responses.RequestsMock) -> None:
    wire.get(USERS, json=page("users", [BOT_ROW]))
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_EMAIL, PAGERDUTY_USER: .* Mirror Bot \(PBOT001, "):
        client("Somebody Else").automation_user()


@pytest.mark.parametrize("status", [403, 404])
def test_a_key_that_may_not_list_users_asks_for_the_one(wire: responses.RequestsMock, status: int) -> None:
    wire.get(USERS, status=status, json=DENIED)
    wire.get(f"{USERS}/{BOT}", json={"user": BOT_ROW}, match=[ALWAYS])
    assert client().automation_user().person == Person(BOT, "Mirror Bot")


def test_a_key_that_may_not_read_users_leaves_the_user_unverified(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=403, json=DENIED)
    assert client("Mirror Bot").automation_user().person == Person("", "Mirror Bot")
    wire.get(f"{USERS}/{BOT}", status=403, json=DENIED)
    assert client().automation_user().person == Person(BOT, BOT)


def test_an_unknown_user_id_names_its_variable(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=403, json=DENIED)
    wire.get(f"{USERS}/{BOT}", status=404, json=DENIED)
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_USER: PagerDuty has no user PBOT001"):
        client().automation_user()


def test_a_user_id_of_another_address_names_both_variables(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=403, json=DENIED)
    wire.get(f"{USERS}/{BOT}", json={"user": OTHER | {"id": BOT}})
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_EMAIL, PAGERDUTY_USER: not the same user"):
        client().automation_user()


def test_a_wrong_key_is_refused_not_unverified(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=401, json={"error": {"message": "Unauthorized", "code": 2006}})
    with pytest.raises(Refused):
        client().automation_user()


@pytest.mark.parametrize("refused", [USERS, f"{USERS}/{BOT}"])
def test_a_page_of_a_proxy_says_nothing_of_the_user(wire: responses.RequestsMock, refused: str) -> None:
    wire.get(USERS, status=403, json=DENIED) if refused != USERS else None
    wire.get(refused, status=404, **PAGE_OF_A_PROXY)
    with pytest.raises(Blocked, match="PAGERDUTY_API_URL"):
        client().automation_user()


@pytest.mark.parametrize("role", ["observer", "read_only_user", "read_only_limited_user", "Observer"])
def test_a_role_that_may_not_write_is_an_objection(wire: responses.RequestsMock, role: str) -> None:
    wire.get(USERS, json=page("users", [BOT_ROW | {"role": role}]))
    found = client().automation_user()
    assert found.person == Person(BOT, "Mirror Bot")
    assert found.objection == (
        f"PAGERDUTY_EMAIL: the role of Mirror Bot ({role.lower()}) may not write: "
        "give it the role responder or higher"
    )


@pytest.mark.parametrize("role", ["admin", "limited_user", "user", "owner", "restricted_access", "", None, 7])
def test_any_other_role_is_no_objection(wire: responses.RequestsMock, role: Any) -> None:
    wire.get(USERS, json=page("users", [BOT_ROW | {"role": role}]))
    assert client().automation_user().objection == ""


# -- whose key it is --

ME = f"{USERS}/me"
ALICE = {"id": "PALICE1", "name": "Alice", "summary": "Alice", "email": "alice@operator.example"}


def test_a_persons_token_is_refused_with_the_right_word(wire: responses.RequestsMock) -> None:
    wire.get(ME, json={"user": ALICE}, match=[ALWAYS])
    with pytest.raises(
        Misconfigured, match=r"^PAGERDUTY_API_KEY: is the user token of Alice \(alice@operator\.example\): "
    ):
        client().check_key()


@pytest.mark.parametrize(
    "me",
    [
        BOT_ROW,
        ALICE | {"email": EMAIL.upper()},
        ALICE | {"email": None, "id": BOT},
        ALICE | {"email": None, "name": "mirror bot"},
    ],
)
def test_the_automation_users_own_token_is_fine(wire: responses.RequestsMock, me: Any) -> None:
    wire.get(ME, json={"user": me})
    client("Mirror Bot" if me.get("id") != BOT else BOT).check_key()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"error": "Because this request was made using an account-level access token, …"}),
        (400, {"error": {"message": "Invalid", "code": 2001}}),
        (403, DENIED), (404, DENIED), (402, DENIED), (413, DENIED), (429, DENIED), (500, {}),
        (200, {}), (200, {"user": None}), (200, []), (200, {"user": {}}),
    ],
)  # fmt: skip
def test_any_other_answer_says_nothing_of_the_key(wire: responses.RequestsMock, status: int, answer: Any) -> None:
    wire.get(ME, status=status, json=answer)
    client().check_key()


def test_a_key_that_is_turned_away_is_refused(wire: responses.RequestsMock) -> None:
    wire.get(ME, status=401, json={"error": {"message": "Unauthorized", "code": 2006}})
    with pytest.raises(Refused):
        client().check_key()


def test_the_key_is_confirmed_by_the_service(wire: responses.RequestsMock) -> None:
    wire.get(f"{PAGERDUTY}/services/{SERVICE}", json={"service": {}}, match=[ALWAYS])
    client().confirm_key()
    wire.upsert("GET", f"{PAGERDUTY}/services/{SERVICE}", status=401, json={"error": {"code": 2006}})
    with pytest.raises(Refused):
        client().confirm_key()


# -- the service --

SERVICE_URL = f"{PAGERDUTY}/services/{SERVICE}"
POLICY = {"id": "PESC", "type": "escalation_policy_reference"}


@pytest.mark.parametrize("status", ["active", "warning", "critical", None, 7, "brand new"])
def test_a_service_at_work_is_good(wire: responses.RequestsMock, status: Any) -> None:
    row = {"id": SERVICE, "status": status, "escalation_policy": POLICY}
    wire.get(SERVICE_URL, json={"service": row}, match=[ALWAYS])
    assert client().check_service() == ServiceStatus("PESC", "")


@pytest.mark.parametrize(
    ("status", "why"), [("disabled", "until it is enabled"), ("Maintenance", "until the window ends")]
)
def test_a_service_that_pages_nobody_is_an_objection(wire: responses.RequestsMock, status: str, why: str) -> None:
    wire.get(SERVICE_URL, json={"service": {"status": status, "name": "API", "escalation_policy": POLICY}})
    found = client().check_service()
    assert found.escalation_policy_id == "PESC"
    assert re.match(rf'PAGERDUTY_SERVICE_ID: the service PSERVICE "API" .*nobody is paged {why}', found.objection)


def test_an_unknown_service_names_its_variable(wire: responses.RequestsMock) -> None:
    wire.get(SERVICE_URL, status=404, json={"error": {"message": "Not Found", "code": 2100}})
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_SERVICE_ID: PagerDuty has no service PSERVICE"):
        client().check_service()


def test_a_service_that_the_key_may_not_see_is_an_objection(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_asked: Any, **_more: Any) -> Any:
        raise Forbidden("PagerDuty: GET /services/{id}: 403: Access Denied (code 2010)")

    monkeypatch.setattr(Http, "get", forbidden)
    found = client().check_service()
    assert found.objection.startswith("PAGERDUTY_SERVICE_ID: PAGERDUTY_API_KEY may not see the service PSERVICE")


@pytest.mark.parametrize("answer", [{}, [], {"service": None}, {"service": {"escalation_policy": "x"}}])
def test_an_odd_service_says_nothing(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(SERVICE_URL, json=answer)
    assert client().check_service() == ServiceStatus()


# -- who would be paged --

ONCALLS = f"{PAGERDUTY}/oncalls"
POLICIES = f"{PAGERDUTY}/escalation_policies/PESC"
US = Person(BOT, "Mirror Bot")
BORN_ACKNOWLEDGED = (
    "PAGERDUTY_USER, PAGERDUTY_SERVICE_ID: the automation user Mirror Bot is on call on the service's escalation "
    'policy PESC "Ops": incidents it creates are born acknowledged and page nobody; '
    "take it off every schedule and escalation policy"
)


def duty(who: Any, **more: Any) -> dict[str, Any]:
    return {"escalation_policy": POLICY, "escalation_level": 1, "user": who, "schedule": None} | more


def policy(*targets: Any) -> dict[str, Any]:
    return {
        "escalation_policy": {"id": "PESC", "name": "Ops", "escalation_rules": [None, {"targets": [*targets]}]}
    }


def test_somebody_else_on_call_is_fine(wire: responses.RequestsMock) -> None:
    exact = query(escalation_policy_ids_="PESC", time_zone="UTC", limit="100", offset="0")
    wire.get(ONCALLS, json=page("oncalls", [duty(user("PJANE", "Jane Doe"))]), match=[exact, ALWAYS])
    wire.get(POLICIES, json=policy({"id": "PSCHED", "type": "schedule_reference"}), match=[ALWAYS])
    assert client().on_call(US, "PESC") == OnCall()


@pytest.mark.parametrize(
    ("us", "on_duty", "targets"),
    [
        (US, user(BOT, "Another name"), []),
        (US, user("PJANE", "Jane Doe"), [user(BOT, "Mirror Bot")]),
        (Person("", "Mirror Bot"), user(BOT, "mirror bot"), []),
        (US, {"summary": "Mirror Bot"}, []),
    ],
)
def test_the_automation_user_on_call_is_an_objection(
    wire: responses.RequestsMock, us: Person, on_duty: Any, targets: list[Any]
) -> None:
    wire.get(ONCALLS, json=page("oncalls", [duty(user("PJANE", "Jane"))], more=True))
    wire.get(ONCALLS, json=page("oncalls", [duty(on_duty)]))
    wire.get(POLICIES, json=policy(*targets))
    assert client().on_call(us, "PESC").objection == BORN_ACKNOWLEDGED


def test_nobody_on_call_is_an_objection(wire: responses.RequestsMock) -> None:
    elsewhere = duty(user("PJANE", "Jane Doe"), escalation_policy={"id": "PELSE"})
    wire.get(ONCALLS, json=page("oncalls", [elsewhere]))
    wire.get(POLICIES, json=policy(None, "x", {}))
    assert (
        client()
        .on_call(US, "PESC")
        .objection.startswith(
            'PAGERDUTY_SERVICE_ID: nobody is on call on the service\'s escalation policy PESC "Ops"'
        )
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_duty_that_cannot_be_read_says_nothing(wire: responses.RequestsMock, status: int) -> None:
    wire.get(ONCALLS, status=status, json=DENIED)
    wire.get(POLICIES, status=status, json=DENIED)
    assert client().on_call(US, "PESC") == OnCall()
    assert client().on_call(US, "") == OnCall()


@pytest.mark.parametrize("answer", [{}, [], {"oncalls": None}, {"oncalls": "x"}])
def test_an_odd_list_of_duty_says_nothing(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(ONCALLS, json=answer)
    wire.get(POLICIES, json=answer)
    assert client().on_call(US, "PESC") == OnCall()


# -- the log --

LOG = f"{PAGERDUTY}/log_entries"


def entry(n: int, kind: str = "acknowledge_log_entry", **more: Any) -> dict[str, Any]:
    return {
        "id": f"R{n}", "type": kind, "summary": "…", "created_at": f"2026-11-23T09:00:{n:02}Z",
        "agent": user("PJANE", "Jane Doe"), "channel": {"type": "website"}, "service": {"id": SERVICE},
        "incident": {"id": "PINC1", "type": "incident_reference"}, "teams": [], "contexts": [],
    } | more  # fmt: skip


def log_query(offset: int) -> Any:
    return query(
        since="2026-11-23T09:00:00Z", time_zone="UTC", limit="100", offset=str(offset),
    )  # fmt: skip


def test_the_log_is_read_to_its_end_newest_first(wire: responses.RequestsMock) -> None:
    wire.get(LOG, json=page("log_entries", [entry(1), entry(3)], more=True), match=[log_query(0), ALWAYS])
    wire.get(LOG, json=page("log_entries", [entry(3), entry(2)]), match=[log_query(100)])
    since = datetime(2026, 11, 23, 4, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=-5)))
    log = client().log_entries(since, lambda _: False)
    assert [act.id for act in log.acts] == ["R3", "R2", "R1"]
    assert log.requests == 2


def test_the_log_is_read_no_further_than_allowed(wire: responses.RequestsMock) -> None:
    wire.get(LOG, json=page("log_entries", [entry(1)], more=True), match=[log_query(0)])
    log = client().log_entries(AT, lambda log: log.requests == 1)
    assert (log.requests, log.whole) == (1, False)
    assert len(wire.calls) == 1


API = {"id": SERVICE, "type": "service_reference", "summary": "API Service"}
TIMEOUT = {"agent": API, "channel": {"type": "timeout"}}
WORKFLOW = {"id": "PWF1", "type": "workflow_reference", "name": "Night shift"}
SOMEBODY = Person("", "somebody")
JANE = Person("PJANE", "Jane Doe")


@pytest.mark.parametrize(
    ("row", "verb", "actor", "person", "agent"),
    [
        (entry(1), "acknowledge", Actor.PERSON, JANE, ""),
        (entry(1, "acknowledgement_log_entry"), "acknowledge", Actor.PERSON, JANE, ""),
        (entry(1, "unacknowledge_log_entry", **TIMEOUT), "unacknowledge", Actor.TIMEOUT, None, "API Service"),
        (entry(1, "unacknowledge_log_entry", agent=WORKFLOW), "unacknowledge", Actor.MACHINE, None, "Night shift"),
        (
            entry(1, "resolve_log_entry", agent={"type": "integration_reference"}),
            "resolve",
            Actor.MACHINE,
            None,
            "",
        ),
        (entry(1, "annotate_log_entry", channel={"type": "note"}), "annotate", Actor.PERSON, JANE, ""),
        (entry(1, "assign_log_entry"), "assign", Actor.PERSON, JANE, ""),
        (
            entry(1, "acknowledge_log_entry", agent={"type": "user_reference"}),
            "acknowledge",
            Actor.PERSON,
            SOMEBODY,
            "",
        ),
        (entry(1, "brand_new_log_entry", agent=None, channel=None), "brand_new", Actor.MACHINE, None, ""),
        (entry(1, "notify_log_entry", agent={"id": "P1"}, channel="x"), "notify", Actor.MACHINE, None, "P1"),
        (entry(1, None, agent=[]), "other", Actor.MACHINE, None, ""),  # type: ignore[arg-type]
    ],
)
def test_log_entries_name_the_hand(
    wire: responses.RequestsMock, row: Any, verb: str, actor: Actor, person: Person | None, agent: str
) -> None:
    wire.get(LOG, json=page("log_entries", [row]))
    (act,) = client().log_entries(AT, lambda _: False).acts
    assert (act.verb, act.actor, act.person, act.agent) == (verb, actor, person, agent)
    assert act.incident_id == "PINC1"


def test_odd_log_entries_cost_the_others_nothing(wire: responses.RequestsMock) -> None:
    bad: list[tuple[str, str]] = []
    rows = [None, {"type": "annotate_log_entry"}, entry(1, created_at="soon"), entry(2, incident=None)]
    wire.get(LOG, json=page("log_entries", [*rows, entry(3, created_at="2026-11-23T10:00:03+01:00")], more=None))
    acts = client(bad=bad).log_entries(AT, lambda _: False).acts
    assert [(act.id, act.incident_id) for act in acts] == [("R3", "PINC1"), ("R2", "")]
    assert acts[0].at == AT + timedelta(seconds=3)
    assert len(bad) == 3


# -- incidents --

OPEN = {
    "statuses_": ["triggered", "acknowledged"], "service_ids_": SERVICE, "date_range": "all",
    "sort_by": "incident_number:asc", "time_zone": "UTC", "limit": "100",
}  # fmt: skip


def test_open_incidents_are_read_to_the_end_checked_and_unique(wire: responses.RequestsMock) -> None:
    first = [
        incident(1),
        incident(2, status="resolved"),
        incident(3, service={"id": "POTHER"}),
        None,
        {"id": "PX"},
    ]
    wire.get(INCIDENTS, json=page("incidents", first, more=True), match=[query(**OPEN, offset="0"), ALWAYS])
    second = [incident(1), incident(4, status="acknowledged")]
    wire.get(INCIDENTS, json=page("incidents", second), match=[query(**OPEN, offset="100")])
    bad: list[tuple[str, str]] = []
    assert [found.id for found in client(bad=bad).open_incidents()] == ["PINC1", "PINC4"]
    assert len(bad) == 2


def test_one_page_of_open_incidents(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(1)], more=True), match=[query(**OPEN, offset="200")])
    found, more = client().open_incidents_page(200)
    assert ([one.id for one in found], more) == (["PINC1"], True)
    assert client().open_incidents_page(9_901) == ([], False)


def test_paging_stays_within_pagerdutys_window(wire: responses.RequestsMock) -> None:
    numbers = iter(range(1, 10_000))
    wire.add_callback("GET", INCIDENTS, lambda _request: (200, {}, json.dumps(page("incidents", [
        incident(next(numbers))], more=True))))  # fmt: skip
    bad: list[tuple[str, str]] = []
    assert len(client(bad=bad).open_incidents()) == 100
    assert bad == [("PagerDuty", "more than 10000 rows of incidents: the rest cannot be listed")]


@pytest.mark.parametrize("answer", [{}, [], {"incidents": {}}, {"incidents": None}, {"error": "x"}])
def test_an_answer_without_its_list_is_no_empty_list(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(INCIDENTS, json=answer)
    with pytest.raises(Unknown, match="without 'incidents'"):
        client().open_incidents()


def test_incidents_of_a_key_open_or_not(wire: responses.RequestsMock) -> None:
    exact = query(
        incident_key="alert-1", service_ids_=SERVICE, date_range="all", sort_by="incident_number:asc",
        time_zone="UTC", limit="100", offset="0",
    )  # fmt: skip
    rows = [
        incident(1, id="PNEW", created_at="2026-11-23T10:00:00Z"),
        incident(1, id="POLD", status="resolved", created_at="2026-01-01T10:00:00Z"),
        incident(2), incident(1, id="PELSE", service={"id": "POTHER"}),
    ]  # fmt: skip
    wire.get(INCIDENTS, json=page("incidents", rows), match=[exact, ALWAYS])
    wire.get(f"{INCIDENTS}/PINC2/alerts", json=page("alerts", []))
    assert [found.id for found in client().incidents_by_key("alert-1")] == ["POLD", "PNEW"]


def test_an_incident_whose_alert_bears_the_key_is_found_whatever_its_own_and_however_many_alerts(
    wire: responses.RequestsMock,
) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(7, incident_key="of-its-own")]))
    others = [{"alert_key": f"other-{n}"} for n in range(100)]
    url = f"{INCIDENTS}/PINC7/alerts"
    wire.get(url, json=page("alerts", others, more=True), match=[query(limit="100", offset="0"), ALWAYS])
    wire.get(url, json=page("alerts", [{"alert_key": "alert-1"}]), match=[query(limit="100", offset="100")])
    assert [(found.id, found.key) for found in client().incidents_by_key("alert-1")] == [("PINC7", "alert-1")]


def test_an_incident_that_lost_its_key_to_a_merge_is_known_by_its_alerts(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(n, incident_key=None) for n in (1, 2, 3)]))
    wire.get(f"{INCIDENTS}/PINC1/alerts", json={"alerts": [None, {"alert_key": "alert-1"}]})
    wire.get(f"{INCIDENTS}/PINC2/alerts", json={"alerts": [{"alert_key": "else"}]})
    wire.get(f"{INCIDENTS}/PINC3/alerts", status=404)
    assert [(found.id, found.key) for found in client().incidents_by_key("alert-1")] == [("PINC1", "alert-1")]


SINCE = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_the_keys_of_a_time_are_listed_whatever_became_of_the_incidents(wire: responses.RequestsMock) -> None:
    exact = query(
        service_ids_=SERVICE, since="2026-11-22T09:00:00Z", until="2026-11-23T09:00:00Z",
        sort_by="incident_number:asc", time_zone="UTC", limit="100", offset="0",
    )  # fmt: skip
    rows = [
        incident(1, incident_key="a1"), incident(2, incident_key="a2", status="resolved"),
        incident(3, incident_key="a3", service={"id": "POTHER"}), incident(4, incident_key=None),
    ]  # fmt: skip
    wire.get(INCIDENTS, json=page("incidents", rows), match=[exact, ALWAYS])
    wire.get(f"{INCIDENTS}/PINC4/alerts", json={"alerts": [{"alert_key": "a4"}, {"alert_key": "a5"}]})
    assert client().keys_between(SINCE, SINCE + timedelta(days=1), 2) == {"a1", "a2", "a4", "a5"}


def test_keys_that_cost_more_than_asking_for_each_are_not_listed(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [incident(1)], more=True))
    assert client().keys_between(SINCE, SINCE + timedelta(days=1), 1) is None
    wire.get(INCIDENTS, json=page("incidents", [incident(1, incident_key=None), incident(2, incident_key=None)]))
    assert client().keys_between(SINCE, SINCE + timedelta(days=1), 2) is None


def test_keys_of_longer_than_pagerduty_lists_are_not_asked_for() -> None:
    assert client().keys_between(SINCE, SINCE + timedelta(days=200), 1000) is None


def test_an_incident_is_read(wire: responses.RequestsMock) -> None:
    row = incident(
        1, status="acknowledged", urgency="low", last_status_change_by=user("PJANE", "Jane Doe"),
        acknowledgements=[{"acknowledger": user("PJANE", "Jane Doe")}, {"acknowledger": user("PJANE", "Jane Doe")},
                          {"acknowledger": {"id": "PX"}}, {"acknowledger": None}, None],
    )  # fmt: skip
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": row}, match=[query(time_zone="UTC"), ALWAYS])
    assert client().incident("PINC1") == Incident(
        id="PINC1", number=1, status="acknowledged", key="alert-1", title="Disk", service_id=SERVICE,
        created_at=AT, urgency="low", acknowledgers=(JANE, Person("PX", "PX")), escalation_policy_id="PESC",
        changed_by=JANE, changed_at=AT + timedelta(minutes=1), assignees=(),
    )  # fmt: skip


def test_a_merged_incident_tells_into_which(wire: responses.RequestsMock) -> None:
    reason = {"type": "merge_resolve_reason", "incident": {"id": "PTARGET"}}
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": incident(1, status="resolved", resolve_reason=reason)})
    assert client().incident("PINC1").merged_into == "PTARGET"


@pytest.mark.parametrize(
    ("number", "told"),
    [(7, 7), ("7", 7), (2**31 - 1, 2**31 - 1), (2**31, 0), (10**25, 0), (10**400, 0), (-1, 0), (True, 0), ({}, 0)],
)
def test_a_number_that_no_database_could_keep_is_none(
    wire: responses.RequestsMock, number: object, told: int
) -> None:
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": incident(1, incident_number=number)})
    assert client().incident("PINC1").number == told


def test_everything_optional_may_be_null_missing_or_of_another_type(wire: responses.RequestsMock) -> None:
    names = [name for name in incident(1) if name not in ("id", "status", "created_at")]
    for value in (None, 7, [], {}, "x", True):
        wire.upsert("GET", f"{INCIDENTS}/PINC1", json={"incident": incident(1) | dict.fromkeys(names, value)})
        assert client().incident("PINC1").status == "triggered"
    bare = {"id": "PINC1", "status": "resolved", "created_at": "2026-11-23T04:00:00-05:00", "novelty": {}}
    wire.upsert("GET", f"{INCIDENTS}/PINC1", json={"incident": bare})
    assert client().incident("PINC1").created_at == AT


@pytest.mark.parametrize(
    "answer", [{}, {"incident": None}, {"incident": {"id": "PINC1", "status": "snoozed"}}, []]
)
def test_an_unreadable_incident_is_not_a_missing_one(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(f"{INCIDENTS}/PINC1", json=answer)
    with pytest.raises(Unknown, match="incident PINC1: the answer cannot be read"):
        client().incident("PINC1")


def test_a_missing_incident_is_missing(wire: responses.RequestsMock) -> None:
    wire.get(f"{INCIDENTS}/PGONE", status=404, json={"error": {"message": "Not Found", "code": 2100}})
    with pytest.raises(Missing, match=r"404: Not Found \(code 2100\)"):
        client().incident("PGONE")


def test_notes_are_sorted_and_unique(wire: responses.RequestsMock) -> None:
    rows = [
        {"id": "PN3", "user": user("PJANE", "Jane Doe"), "content": "third",
         "created_at": "2026-11-23T04:00:03-05:00"},
        {"id": "PN2", "user": None, "content": None, "created_at": "2026-11-23T09:00:02Z", "deleted": True},
        {"id": "PN1", "user": {"id": "PBOT9", "type": "bot_user_reference"}, "content": "first",
         "created_at": "2026-11-23T09:00:02Z"},
        {"id": "PN3", "user": None, "content": "third", "created_at": "2026-11-23T09:00:03Z"},
        None, {"id": "PN0"},
    ]  # fmt: skip
    wire.get(f"{INCIDENTS}/PINC1/notes", json={"notes": rows}, match=[ALWAYS])
    bad: list[tuple[str, str]] = []
    found = client(bad=bad).notes("PINC1")
    assert [(note.id, note.text) for note in found] == [("PN1", "first"), ("PN2", ""), ("PN3", "third")]
    assert [note.author.name for note in found[:2]] == ["PBOT9", "somebody"]
    assert len(bad) == 2


def test_acts_of_an_incident(wire: responses.RequestsMock) -> None:
    exact = query(limit="100", include_="channels", time_zone="UTC")
    rows = [entry(1), entry(5, incident=None), entry(3)]
    wire.get(f"{INCIDENTS}/PINC9/log_entries", json=page("log_entries", rows, more=True), match=[exact, ALWAYS])
    acts = client().acts("PINC9")
    assert [(act.id, act.incident_id) for act in acts] == [("R5", "PINC9"), ("R3", "PINC1"), ("R1", "PINC1")]


def test_no_log_is_no_acts(wire: responses.RequestsMock) -> None:
    wire.get(f"{INCIDENTS}/PINC9/log_entries", status=404)
    assert client().acts("PINC9") == []


# -- writing --


def test_an_incident_is_created(wire: responses.RequestsMock) -> None:
    expected = {
        "incident": {
            "type": "incident", "title": "Disk füll", "service": {"id": SERVICE, "type": "service_reference"},
            "incident_key": "alert-1", "urgency": "high",
            "body": {"type": "incident_body", "details": "All of it"},
        }
    }  # fmt: skip
    wire.post(INCIDENTS, status=201, json={"incident": incident(1)}, match=[body(expected), WRITES])
    assert writing().create_incident("alert-1", "Disk füll", "All of it", "high").id == "PINC1"


def test_an_empty_body_and_urgency_are_left_out(wire: responses.RequestsMock) -> None:
    expected = {
        "incident": {"type": "incident", "title": "Disk", "incident_key": "alert-1",
                     "service": {"id": SERVICE, "type": "service_reference"}}
    }  # fmt: skip
    wire.post(INCIDENTS, status=201, json={"incident": incident(1, status="acknowledged")}, match=[body(expected)])
    assert writing().create_incident("alert-1", "Disk", "", "").status == "acknowledged"


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Arguments Caused Error", "code": 2002,
         "errors": ["Open incident with matching dedup key already exists on this service"]},
        {"message": "open incident with Matching Dedup Key already exists", "code": 2002},
    ],
)  # fmt: skip
def test_an_open_incident_with_the_key_is_a_duplicate(wire: responses.RequestsMock, error: Any) -> None:
    wire.post(INCIDENTS, status=400, json={"error": error})
    with pytest.raises(Duplicate):
        writing().create_incident("alert-1", "Disk", "", "high")


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Arguments Caused Error", "code": 2002},
        {"message": "Invalid", "errors": ["Title cannot be empty."]},
    ],
)
def test_any_other_refusal_is_no_duplicate(wire: responses.RequestsMock, error: Any) -> None:
    wire.post(INCIDENTS, status=400, json={"error": error})
    with pytest.raises(Permanent) as caught:
        writing().create_incident("alert-1", "", "", "high")
    assert type(caught.value) is Permanent


@pytest.mark.parametrize("answer", [{}, {"incident": None}, {"incident": {"id": "P1"}}, []])
def test_a_creation_whose_answer_cannot_be_read_is_in_doubt(wire: responses.RequestsMock, answer: Any) -> None:
    wire.post(INCIDENTS, status=201, json=answer)
    with pytest.raises(Unknown):
        writing().create_incident("alert-1", "Disk", "", "high")


@pytest.mark.parametrize(("verb", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_a_status_is_written(wire: responses.RequestsMock, verb: str, status: str) -> None:
    expected = {"incident": {"type": "incident_reference", "status": status}}
    answer = {"incident": incident(1, status=status)}
    wire.put(f"{INCIDENTS}/PINC1", json=answer, match=[body(expected), WRITES])
    assert getattr(writing(), verb)("PINC1").status == status


@pytest.mark.parametrize(("code", "words"), [(1001, "Incident Already Resolved"), (1002, "Already Acknowledged")])
def test_a_status_refused_is_permanent_with_its_code(wire: responses.RequestsMock, code: int, words: str) -> None:
    wire.put(f"{INCIDENTS}/PINC1", status=400, json={"error": {"message": words, "code": code}})
    with pytest.raises(Permanent, match=f"{words} .code {code}."):
        writing().acknowledge("PINC1")


HELD = Incident(
    id="PINC1", number=1, status="acknowledged", key="alert-1", title="Disk", service_id=SERVICE, created_at=AT,
    escalation_policy_id="PESC",
)  # fmt: skip
RUNGS = [
    {"status": "triggered"},
    {"escalation_level": 1},
    {"escalation_policy": {"id": "PESC", "type": "escalation_policy_reference"}},
    {"escalation_level": 2},
]
BOT_ALONE = {"assignments": [{"at": "2026-11-23T09:00:00Z", "assignee": user(BOT, "Mirror Bot")}]}
NAMELESS_BOT = {"assignments": [{"assignee": {"summary": "mirror bot"}}]}
NOBODY_AT_ALL: dict[str, Any] = {"assignments": []}
BOTH = {"assignments": [*BOT_ALONE["assignments"], {"assignee": user("PJANE", "Jane Doe")}]}
UNREADABLE = {"assignments": [{"assignee": None}]}
NOT_SAID = {"assignments": None}
PAGING = {"assignments": [{"assignee": user("PJANE", "Jane Doe")}]}


def rung(wire: responses.RequestsMock, n: int, outcome: Any) -> None:
    """An answer to the n-th way: a refusal's status, a status of the incident, or assignments once triggered."""
    expected = body({"incident": {"type": "incident_reference", **RUNGS[n]}})
    if isinstance(outcome, int):
        error = {"error": {"message": "Cannot Escalate", "code": 1006}}
        wire.put(f"{INCIDENTS}/PINC1", status=outcome, json=error, match=[expected, WRITES])
        return
    row = incident(1, status=outcome, **PAGING) if isinstance(outcome, str) else incident(1, **outcome)
    wire.put(f"{INCIDENTS}/PINC1", json={"incident": row}, match=[expected, WRITES])


@pytest.mark.parametrize(
    "outcomes",
    [
        ["triggered"], ["acknowledged", "triggered"], [400, "triggered"], [404, "triggered"],
        ["acknowledged", 400, "triggered"], [400, "acknowledged", "triggered"], [400, 400, 404, "triggered"],
        [BOT_ALONE, "triggered"], [NAMELESS_BOT, NOBODY_AT_ALL, BOT_ALONE, "triggered"],
        [BOTH], [NOT_SAID], [UNREADABLE],
    ],
)  # fmt: skip
def test_retriggering_takes_the_first_way_that_pages_somebody(
    wire: responses.RequestsMock, outcomes: list[Any]
) -> None:
    for n, outcome in enumerate(outcomes):
        rung(wire, n, outcome)
    assert writing().retrigger(HELD, US).status == "triggered"
    assert len(wire.calls) == len(outcomes)


def test_retriggering_begins_with_the_way_that_worked_last_time(wire: responses.RequestsMock) -> None:
    to = writing()
    rung(wire, 0, "acknowledged")
    rung(wire, 1, "triggered")
    to.retrigger(HELD, US)
    to.retrigger(HELD, US)
    assert [json.loads(call.request.body)["incident"] for call in wire.calls] == [
        {"type": "incident_reference", **RUNGS[n]} for n in (0, 1, 1)
    ]


def test_retriggering_asks_for_no_policy_where_none_is_known(wire: responses.RequestsMock) -> None:
    for n in (0, 1):
        rung(wire, n, 400)
    rung(wire, 3, "triggered")
    assert writing().retrigger(replace(HELD, escalation_policy_id=""), US).status == "triggered"


@pytest.mark.parametrize("outcomes", [[400, 400, 400, 400], ["acknowledged"] * 4, [400, "acknowledged", 404, 400]])
def test_retriggering_that_never_works_is_permanent(wire: responses.RequestsMock, outcomes: list[Any]) -> None:
    for n, outcome in enumerate(outcomes):
        rung(wire, n, outcome)
    with pytest.raises(Permanent, match="incident PINC1 stays acknowledged whatever we tried"):
        writing().retrigger(HELD, US)


@pytest.mark.parametrize(
    ("outcomes", "whom"),
    [
        ([BOT_ALONE] * 4, "only to the automation user Mirror Bot"),
        ([400, NOBODY_AT_ALL, 404, 400], "to nobody"),
    ],
)
def test_retriggering_that_pages_nobody_says_so_and_how_to_end_it(
    wire: responses.RequestsMock, outcomes: list[Any], whom: str
) -> None:
    for n, outcome in enumerate(outcomes):
        rung(wire, n, outcome)
    with pytest.raises(Permanent, match=f"nobody is paged: incident PINC1 .* assigned {whom} .*every schedule"):
        writing().retrigger(HELD, US)


def test_an_incident_that_refuses_every_way_is_the_incidents_trouble(wire: responses.RequestsMock) -> None:
    for n in range(4):
        rung(wire, n, 404)
    with pytest.raises(Missing):
        writing().retrigger(HELD, US)


def test_a_way_that_is_forbidden_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def write(_self: Http, _method: str, _path: str, sent: Any, *_more: Any) -> Answer:
        tried.append(sent["incident"])
        if len(tried) == 1:
            raise Forbidden("PagerDuty: PUT /incidents/{id}: 403: Access Denied (code 2010)")
        return Answer(200, {}, {"incident": incident(1, **PAGING)})

    monkeypatch.setattr(Http, "write", write)
    assert writing().retrigger(HELD, US).status == "triggered"
    assert len(tried) == 2


def test_retriggering_stops_where_somebody_resolved(wire: responses.RequestsMock) -> None:
    rung(wire, 0, 400)
    rung(wire, 1, "resolved")
    with pytest.raises(Permanent, match="was resolved meanwhile"):
        writing().retrigger(HELD, US)


@pytest.mark.parametrize(("status", "kind"), [(429, NotExecuted), (500, Unknown), (401, Refused)])
def test_retriggering_stops_at_any_other_failure(wire: responses.RequestsMock, status: int, kind: type) -> None:
    rung(wire, 0, "acknowledged")
    wire.put(f"{INCIDENTS}/PINC1", status=status, match=[body({"incident": {
        "type": "incident_reference", "escalation_level": 1}})],
        json={"error": {"message": "x", "code": 2006}})  # fmt: skip
    with pytest.raises(kind):
        writing().retrigger(HELD, US)
    assert len(wire.calls) == 2


def test_an_urgency_is_set(wire: responses.RequestsMock) -> None:
    expected = {"incident": {"type": "incident_reference", "urgency": "high"}}
    wire.put(f"{INCIDENTS}/PINC1", json={"incident": incident(1)}, match=[body(expected), WRITES])
    assert writing().set_urgency("PINC1", "high").urgency == "high"


@pytest.mark.parametrize("status", [200, 201])
def test_a_note_is_added(wire: responses.RequestsMock, status: int) -> None:
    row = {
        "id": "PN1",
        "user": user(BOT, "Mirror Bot"),
        "content": "[mark] x",
        "created_at": "2026-11-23T09:00:00Z",
    }
    exact = [body({"note": {"content": "[mark] x"}}), WRITES]
    wire.post(f"{INCIDENTS}/PINC1/notes", status=status, json={"note": row}, match=exact)
    note = writing().add_note("PINC1", "[mark] x")
    assert (note.id, note.author, note.text, note.at) == ("PN1", Person(BOT, "Mirror Bot"), "[mark] x", AT)


@pytest.mark.parametrize("answer", [{}, {"note": None}, {"note": {"content": "x"}}, []])
def test_a_note_whose_answer_cannot_be_read_is_in_doubt(wire: responses.RequestsMock, answer: Any) -> None:
    wire.post(f"{INCIDENTS}/PINC1/notes", json=answer)
    with pytest.raises(Unknown, match="the answer to a new note on PINC1 cannot be read"):
        writing().add_note("PINC1", "x")


@pytest.mark.parametrize("incident_id", ["", " ", ".", "..", "count"])
def test_an_id_that_would_address_something_else_is_missing_unasked(incident_id: str) -> None:
    for ask in (client().incident, client().notes, writing().resolve):
        with pytest.raises(Missing, match=rf"PagerDuty: incident '{incident_id}': this cannot be an id"):
            ask(incident_id)
    assert client().acts(incident_id) == []


def test_an_acknowledged_incident_without_acknowledgements_is_held_by_who_changed_it(
    wire: responses.RequestsMock,
) -> None:
    jane = user("PJANE", "Jane Doe")
    row = incident(1, status="acknowledged", acknowledgements=None, last_status_change_by=jane)
    wire.get(f"{INCIDENTS}/PINC1", json={"incident": row})
    assert client().incident("PINC1").acknowledgers == (JANE,)


# -- what an incident says readably, and what it does not --


def read(wire: responses.RequestsMock, **more: Any) -> Incident:
    wire.upsert("GET", f"{INCIDENTS}/PINC1", json={"incident": incident(1, **more)})
    return client().incident("PINC1")


@pytest.mark.parametrize(
    "held",
    [
        None, [], "x", [None], [{}], [{"at": "2026-11-23T09:00:00Z", "acknowledger": None}],
        [{"acknowledger": {}}], [{"acknowledger": {"type": "user_reference", "id": None, "summary": None}}],
        [{"acknowledger": {"id": "", "summary": " "}}], [{"acknowledger": 7}],
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", [None, {}, {"id": None, "summary": None}, "x"])
def test_an_acknowledgement_without_a_readable_name_is_somebodys(
    wire: responses.RequestsMock, held: Any, by: Any
) -> None:
    found = read(wire, status="acknowledged", acknowledgements=held, last_status_change_by=by)
    assert found.acknowledgers == (SOMEBODY,)
    assert read(wire, status="triggered", acknowledgements=held, last_status_change_by=by).acknowledgers == ()


def test_an_unreadable_acknowledger_beside_a_readable_one_adds_nobody(wire: responses.RequestsMock) -> None:
    held = [{"acknowledger": None}, {"acknowledger": user("PJANE", "Jane Doe")}]
    assert read(wire, status="acknowledged", acknowledgements=held).acknowledgers == (JANE,)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (API, "API Service (automation)"),
        (WORKFLOW, "Night shift (automation)"),
        ({"id": "PI1", "type": "integration_reference", "summary": None}, "PI1 (automation)"),
        ({"id": "PJANE", "type": "user", "summary": "Jane Doe"}, "Jane Doe"),
        ({"id": "PJANE", "summary": "Jane Doe"}, "Jane Doe"),
    ],
)
def test_an_automation_that_acknowledged_is_named_as_one(
    wire: responses.RequestsMock, reference: Any, name: str
) -> None:
    held = [{"acknowledger": reference}]
    assert read(wire, status="acknowledged", acknowledgements=held).acknowledgers[0].name == name


def test_assignees_are_read_and_not_guessed(wire: responses.RequestsMock) -> None:
    assert read(wire, **PAGING).assignees == (JANE,)
    assert read(wire, **BOTH).assignees == (US, JANE)
    assert read(wire, assignments=[]).assignees == ()
    assert read(wire, **UNREADABLE).assignees == (SOMEBODY,)
    for odd in (None, {}, "x", 7):
        assert read(wire, assignments=odd).assignees is None


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        ([{"type": "escalate", "at": "2026-11-23T09:20:00Z"},
          {"type": "unacknowledge", "at": "2026-11-23T09:30:00Z"}], AT + timedelta(minutes=30)),
        ([{"type": "unacknowledge", "at": "2026-11-29T09:00:00Z"}], AT + timedelta(days=6)),
        ([{"type": "unacknowledge", "at": "2999-11-29T09:00:00Z"}], None),
        ([{"type": "unacknowledge", "at": None}, None, 7], None), ([], None), (None, None), ("x", None),
    ],
)  # fmt: skip
def test_the_announced_end_of_an_acknowledgement(
    wire: responses.RequestsMock, pending: Any, expected: datetime | None
) -> None:
    assert read(wire, status="acknowledged", pending_actions=pending).expires_at == expected


ODD_STAMPS: list[Any] = [
    None, 0, -1, 0.5, True, "", "soon", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2999-01-01T00:00:00Z",
    10**30, [], {}, "2026-11-23T12:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_an_impossible_stamp_costs_an_incident_nothing(wire: responses.RequestsMock, odd: Any) -> None:
    assert read(wire, created_at=odd).created_at == AT + timedelta(minutes=5)  # updated_at
    assert read(wire, created_at=odd, updated_at=odd).created_at == AT + timedelta(minutes=1)
    found = read(wire, created_at=odd, updated_at=odd, last_status_change_at=odd)
    assert (found.created_at, found.changed_at) == (FakeClock().now(), None)


@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_a_log_entry_with_an_impossible_stamp_explains_nothing_and_ends_nothing(
    wire: responses.RequestsMock, odd: Any
) -> None:
    bad: list[tuple[str, str]] = []
    wire.get(LOG, json=page("log_entries", [entry(2, created_at=odd), entry(1)]))
    assert [act.id for act in client(bad=bad).log_entries(AT, lambda _: False).acts] == ["R1"]
    assert bad == [("PagerDuty", "log entry R2 without a readable created_at")]


def test_a_note_with_an_impossible_stamp_is_read_nevertheless(wire: responses.RequestsMock) -> None:
    row = {"id": "PN1", "user": None, "content": "read me", "created_at": 0}
    wire.get(f"{INCIDENTS}/PINC1/notes", json={"notes": [row]})
    assert [(note.text, note.at) for note in client().notes("PINC1")] == [("read me", FakeClock().now())]


@pytest.mark.parametrize("odd", [None, {}, [], "x", {"id": None}, {"id": 7}, {"id": ""}, {"id": " "}, {"id": {}}])
def test_a_listed_incident_that_names_no_service_is_kept_and_reported_once(
    wire: responses.RequestsMock, odd: Any
) -> None:
    bad: list[tuple[str, str]] = []
    wire.get(INCIDENTS, json=page("incidents", [incident(1, service=odd), incident(2)]))
    reader = client(bad=bad)
    for _ in range(2):
        assert [(one.id, one.service_id) for one in reader.open_incidents()] == [
            ("PINC1", SERVICE), ("PINC2", SERVICE),
        ]  # fmt: skip
    assert bad == [("PagerDuty", "incident PINC1 names no service: taken for PSERVICE's")]


@pytest.mark.parametrize("rows", [[None, {}, 7], []])
def test_a_list_goes_on_past_a_page_without_a_readable_row(wire: responses.RequestsMock, rows: list[Any]) -> None:
    wire.get(INCIDENTS, json=page("incidents", rows, more=True))
    wire.get(INCIDENTS, json=page("incidents", [incident(1)]))
    assert [one.id for one in client().open_incidents()] == ["PINC1"]


def test_a_list_that_says_more_without_end_ends(wire: responses.RequestsMock) -> None:
    wire.get(INCIDENTS, json=page("incidents", [], more=True))
    assert client().open_incidents() == []
    assert len(wire.calls) == 2
