"""The owner of the API key, the automation user, and whom the service would page, by PagerDuty's answers."""

import re
from typing import Any

import pytest
import responses

from reconciler.core.model import Person
from reconciler.errors import (
    Blocked,
    Forbidden,
    Misconfigured,
    PersonsToken,
    Refused,
)
from reconciler.vendors.http import Http
from reconciler.vendors.ports import OnCall, ServiceStatus
from tests.support.wire.http import PAGERDUTY, query
from tests.support.wire.pagerduty import (
    ALWAYS,
    BOT,
    DENIED,
    EMAIL,
    SERVICE,
    US,
    client,
    page,
    user,
)

# -- the automation user --

USERS = f"{PAGERDUTY}/users"
BOT_ROW = {"id": BOT, "name": "Mirror Bot", "summary": "Mirror Bot", "email": "Bot@Operator.example"}
PAGE_OF_A_PROXY = {"body": "<html>denied</html>", "content_type": "text/html"}
OTHER = {"id": "POTHER1", "name": "Other", "summary": "Other", "email": "x-bot@operator.example"}


@pytest.mark.parametrize("configured", [BOT, BOT.lower(), "Mirror Bot", "mirror bot"])
def test_the_automation_user_is_found_by_its_address(wire: responses.RequestsMock, configured: str) -> None:
    wire.get(USERS, json=page("users", [OTHER, None], more=True),
             match=[query(query=EMAIL, limit="100", offset="0"), ALWAYS])  # fmt: skip
    wire.get(USERS, json=page("users", [BOT_ROW]), match=[query(query=EMAIL, limit="100", offset="100")])
    assert client(configured).automation_user().person == Person(BOT, "Mirror Bot")


@pytest.mark.parametrize("rows", [[], [OTHER, None]])
def test_the_reading_of_an_endless_list_of_users_ends(wire: responses.RequestsMock, rows: list[Any]) -> None:
    """Each page announces another one and contains nothing new."""
    wire.get(USERS, json=page("users", rows, more=True))
    wire.get(f"{USERS}/{BOT}", json={"user": BOT_ROW})
    assert client().automation_user().person == Person(BOT, "Mirror Bot")
    assert len(wire.calls) <= 6


def test_an_unknown_email_address_is_reported_with_its_variable(wire: responses.RequestsMock) -> None:
    wire.get(USERS, json=page("users", [OTHER]))
    wire.get(f"{USERS}/{BOT}", json={"user": OTHER | {"id": BOT}})
    with pytest.raises(
        Misconfigured, match=r"^PAGERDUTY_EMAIL: PagerDuty has no user with .* bot@operator\.example"
    ):
        client().automation_user()


@pytest.mark.parametrize("configured", [BOT, "Mirror Bot"])
def test_the_automation_user_is_found_where_the_list_is_searched_by_name_only(
    wire: responses.RequestsMock, configured: str
) -> None:
    named = [BOT_ROW] if configured != BOT else []
    wire.get(USERS, json=page("users", []), match=[query(query=EMAIL, limit="100", offset="0")])
    wire.get(USERS, json=page("users", named), match=[query(query=configured, limit="100", offset="0")])
    if configured == BOT:
        wire.get(f"{USERS}/{BOT}", json={"user": BOT_ROW}, match=[ALWAYS])
    assert client(configured).automation_user().person == Person(BOT, "Mirror Bot")


def test_two_different_users_are_reported_with_both_variables(wire: responses.RequestsMock) -> None:
    wire.get(USERS, json=page("users", [BOT_ROW]))
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_EMAIL, PAGERDUTY_USER: .* Mirror Bot \(PBOT001, "):
        client("Somebody Else").automation_user()


@pytest.mark.parametrize("status", [403, 404])
def test_a_key_that_may_not_list_users_reads_the_single_user(wire: responses.RequestsMock, status: int) -> None:
    wire.get(USERS, status=status, json=DENIED)
    wire.get(f"{USERS}/{BOT}", json={"user": BOT_ROW}, match=[ALWAYS])
    assert client().automation_user().person == Person(BOT, "Mirror Bot")


def test_a_key_that_may_not_read_users_leaves_the_user_unverified(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=403, json=DENIED)
    assert client("Mirror Bot").automation_user().person == Person("", "Mirror Bot")
    wire.get(f"{USERS}/{BOT}", status=403, json=DENIED)
    assert client().automation_user().person == Person(BOT, BOT)


def test_an_unknown_user_id_is_reported_with_its_variable(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=403, json=DENIED)
    wire.get(f"{USERS}/{BOT}", status=404, json=DENIED)
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_USER: PagerDuty has no user PBOT001"):
        client().automation_user()


def test_a_user_id_with_another_email_address_is_reported_with_both_variables(
    wire: responses.RequestsMock,
) -> None:
    wire.get(USERS, status=403, json=DENIED)
    wire.get(f"{USERS}/{BOT}", json={"user": OTHER | {"id": BOT}})
    with pytest.raises(Misconfigured, match=r"^PAGERDUTY_EMAIL, PAGERDUTY_USER: not the same user"):
        client().automation_user()


def test_a_wrong_key_is_refused_and_not_just_unverified(wire: responses.RequestsMock) -> None:
    wire.get(USERS, status=401, json={"error": {"message": "Unauthorized", "code": 2006}})
    with pytest.raises(Refused):
        client().automation_user()


@pytest.mark.parametrize("refused", [USERS, f"{USERS}/{BOT}"])
def test_an_answer_of_a_proxy_leaves_the_user_unverified(wire: responses.RequestsMock, refused: str) -> None:
    wire.get(USERS, status=403, json=DENIED) if refused != USERS else None
    wire.get(refused, status=404, **PAGE_OF_A_PROXY)
    with pytest.raises(Blocked, match="API_URL"):
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


# -- the owner of the key --

ME = f"{USERS}/me"
UNAUTHORIZED = {"status": 401, "json": {"error": {"message": "Unauthorized", "code": 2006}}}
ON_CALLS = f"{PAGERDUTY}/oncalls"
ALICE = {"id": "PALICE1", "name": "Alice", "summary": "Alice", "email": "alice@operator.example"}


def test_a_key_is_refused_only_where_another_endpoint_refuses_it_too(wire: responses.RequestsMock) -> None:
    wire.get(ME, **UNAUTHORIZED)
    wire.get(SERVICE_URL, **UNAUTHORIZED)
    with pytest.raises(Refused):
        client().check_key()
    answers: tuple[dict[str, Any], ...] = ({"json": {"service": {}}}, {"status": 404, "json": DENIED})
    for answer in answers:
        wire.replace("GET", SERVICE_URL, **answer)
        client().check_key()


def on_call(user_id: str) -> dict[str, Any]:
    return {"user": user(user_id, "somebody"), "escalation_level": 1}


@pytest.mark.parametrize(
    ("duty", "pages"),
    [
        ({"json": page("oncalls", [on_call("PJANE01")])}, True),
        ({"json": page("oncalls", [])}, True),
        ({"json": page("oncalls", [on_call("PJANE01"), on_call("PALICE1")])}, False),
        ({"status": 500, "json": {}}, False),
    ],
    ids=["somebody else is on call", "nobody is", "its owner is", "not known"],
)
def test_a_persons_token_is_refused_by_name_and_pages_unless_its_owner_may_be_on_call(
    wire: responses.RequestsMock, duty: dict[str, Any], *, pages: bool
) -> None:
    wire.get(ME, json={"user": ALICE}, match=[ALWAYS])
    wire.get(SERVICE_URL, json={"service": {"id": SERVICE, "escalation_policy": {"id": "PPOL001"}}})
    wire.get(ON_CALLS, **duty)
    told = "only incidents are created" if pages else "nothing is written, as that person is on call"
    with pytest.raises(
        PersonsToken, match=rf"^PAGERDUTY_API_KEY: is the user token of Alice \(.*, so that {told}; "
    ) as it:
        client().check_key()
    assert it.value.pages is pages


@pytest.mark.parametrize(
    "me",
    [
        BOT_ROW,
        ALICE | {"email": EMAIL.upper()},
        ALICE | {"email": None, "id": BOT},
        ALICE | {"email": None, "name": "mirror bot"},
    ],
)
def test_the_automation_users_own_token_is_accepted(wire: responses.RequestsMock, me: Any) -> None:
    wire.get(ME, json={"user": me})
    client("Mirror Bot" if me.get("id") != BOT else BOT).check_key()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"error": "Because this request was made using an account-level access token, …"}),
        (400, {"error": {"message": "Invalid", "code": 2001}}),
        (403, DENIED), (404, DENIED), (402, DENIED), (413, {"error": {"message": "Too large"}}), (429, {}),
        (500, {}), (200, {}), (200, {"user": None}), (200, []), (200, {"user": {}}),
    ],
)  # fmt: skip
def test_any_other_answer_does_not_refuse_the_key(wire: responses.RequestsMock, status: int, answer: Any) -> None:
    wire.get(ME, status=status, json=answer)
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
def test_an_active_service_is_accepted(wire: responses.RequestsMock, status: Any) -> None:
    row = {"id": SERVICE, "status": status, "escalation_policy": POLICY}
    wire.get(SERVICE_URL, json={"service": row}, match=[ALWAYS])
    found = client().check_service()
    assert (found.escalation_policy_id, found.objection, found.name) == ("PESC", "", "")
    assert found.state == str(status or "")


@pytest.mark.parametrize(
    ("status", "why"), [("disabled", "until it is enabled"), ("Maintenance", "until the window ends")]
)
def test_a_service_that_pages_nobody_is_an_objection(wire: responses.RequestsMock, status: str, why: str) -> None:
    wire.get(SERVICE_URL, json={"service": {"status": status, "name": "API", "escalation_policy": POLICY}})
    found = client().check_service()
    assert (found.escalation_policy_id, found.name, found.state) == ("PESC", "API", status.lower())
    assert re.match(rf'PAGERDUTY_SERVICE_ID: the service PSERVICE "API" .*nobody is paged {why}', found.objection)


def test_an_unknown_service_is_reported_with_its_variable(wire: responses.RequestsMock) -> None:
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
def test_an_unreadable_service_is_no_objection(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(SERVICE_URL, json=answer)
    assert client().check_service() == ServiceStatus()


# -- who is on call --

ONCALLS = f"{PAGERDUTY}/oncalls"
POLICIES = f"{PAGERDUTY}/escalation_policies/PESC"
BORN_ACKNOWLEDGED = (
    "PAGERDUTY_USER, PAGERDUTY_SERVICE_ID: the automation user Mirror Bot is on call on the service's escalation "
    'policy PESC "Ops": incidents it creates are acknowledged at once and page nobody; '
    "take it off every schedule and escalation policy"
)


def on_call_answer(who: Any, **more: Any) -> dict[str, Any]:
    return {"escalation_policy": POLICY, "escalation_level": 1, "user": who, "schedule": None} | more


def policy(*targets: Any) -> dict[str, Any]:
    return {
        "escalation_policy": {"id": "PESC", "name": "Ops", "escalation_rules": [None, {"targets": [*targets]}]}
    }


def test_somebody_else_on_call_is_no_objection(wire: responses.RequestsMock) -> None:
    exact = query(escalation_policy_ids_="PESC", time_zone="UTC", limit="100", offset="0")
    wire.get(ONCALLS, json=page("oncalls", [on_call_answer(user("PJANE", "Jane Doe"))]), match=[exact, ALWAYS])
    namesake = {"id": "PSCHED", "type": "schedule_reference", "summary": "Mirror Bot"}
    wire.get(POLICIES, json=policy(namesake), match=[ALWAYS])
    assert client().on_call(US, "PESC") == OnCall(people=("Jane Doe",))
    assert client().on_call(Person("", "Mirror Bot"), "PESC").objection == ""


@pytest.mark.parametrize(
    ("us", "on_duty", "targets"),
    [
        (US, user(BOT, "Another name"), []),
        (US, user("PJANE", "Jane Doe"), [user(BOT, "Mirror Bot")]),
        (Person("", "Mirror Bot"), user(BOT, "mirror bot"), []),
        (Person("Mirror Bot", "Mirror Bot"), user(BOT, "mirror bot"), []),
        (US, {"summary": "Mirror Bot"}, []),
    ],
)
def test_the_automation_user_on_call_is_an_objection(
    wire: responses.RequestsMock, us: Person, on_duty: Any, targets: list[Any]
) -> None:
    wire.get(ONCALLS, json=page("oncalls", [on_call_answer(user("PJANE", "Jane"))], more=True))
    wire.get(ONCALLS, json=page("oncalls", [on_call_answer(on_duty)]))
    wire.get(POLICIES, json=policy(*targets))
    assert client().on_call(us, "PESC").objection == BORN_ACKNOWLEDGED


def test_nobody_on_call_is_an_objection(wire: responses.RequestsMock) -> None:
    elsewhere = on_call_answer(user("PJANE", "Jane Doe"), escalation_policy={"id": "PELSE"})
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
def test_an_unreadable_on_call_answer_is_no_objection(wire: responses.RequestsMock, status: int) -> None:
    wire.get(ONCALLS, status=status, json=DENIED)
    wire.get(POLICIES, status=status, json=DENIED)
    assert client().on_call(US, "PESC").objection == ""
    assert client().on_call(US, "") == OnCall()


@pytest.mark.parametrize("answer", [{}, [], {"oncalls": None}, {"oncalls": "x"}])
def test_a_malformed_on_call_list_is_no_objection(wire: responses.RequestsMock, answer: Any) -> None:
    wire.get(ONCALLS, json=answer)
    wire.get(POLICIES, json=answer)
    assert client().on_call(US, "PESC").objection == ""


# -- priorities --

PRIORITIES = f"{PAGERDUTY}/priorities"


def test_priorities_are_read_by_name_the_most_severe_of_a_name(wire: responses.RequestsMock) -> None:
    rows = [
        {"id": "P1", "type": "priority", "name": "SEV-1", "summary": "SEV-1"}, {"id": "P2", "summary": " SEV-2 "},
        {"id": "P3", "name": "SEV-1"}, None, {"id": "P4"}, {"name": "SEV-5"},
    ]  # fmt: skip
    wire.get(PRIORITIES, json=page("priorities", rows), match=[query(limit="100", offset="0"), ALWAYS])
    found = client().priorities()
    assert list((found or {}).items()) == [("SEV-1", "P1"), ("SEV-2", "P2")]


@pytest.mark.parametrize("status", [402, 403, 404])
def test_a_plan_or_a_key_without_priorities_is_no_error(wire: responses.RequestsMock, status: int) -> None:
    wire.get(PRIORITIES, status=status, json=DENIED)
    assert client().priorities() is None


def test_a_refusal_of_the_priorities_by_a_proxy_is_one(wire: responses.RequestsMock) -> None:
    wire.get(PRIORITIES, status=403, **PAGE_OF_A_PROXY)
    with pytest.raises(Blocked, match="GET /priorities"):
        client().priorities()
