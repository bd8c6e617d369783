"""Requests to which the sandbox gives every answer that it can give: of each route, its success and each refusal.

`asking` asks each of a sandbox of its own with an alert and an incident in which every field has a value.
"""

from collections.abc import Iterator

from reconciler.sandbox.jsm.directory import BOT as ROBOT
from reconciler.sandbox.jsm.directory import CLOUD_ID
from reconciler.sandbox.pagerduty.directory import SERVICE_ID
from reconciler.sandbox.wire import Json
from tests.support.contract.ask import ANY, Ask
from tests.support.contract.pagerduty_questions import pagerduty_questions, put

ACCOUNT = f"/jsm/jsm/ops/api/{CLOUD_ID}/v1/alerts"
NAMED = "/jsm/jsm/ops/integration/v2/alerts"
USERS = f"/jsm/ex/jira/{CLOUD_ID}/rest/api/3"


def _opsgenie() -> Iterator[Ask]:
    alerts, alert = "/opsgenie/v2/alerts", "/opsgenie/v2/alerts/{alert}"
    yield Ask(200, "GET", f"{alerts}?query=status:open&sort=updatedAt&order=desc&limit=1&offset=1")
    yield Ask(200, "GET", f"{alerts}/count?query=status:open")
    for target in (
        alert,
        f"{alert}?identifierType=id",
        f"{alert}/notes?limit=1&order=asc",
        f"{alert}/logs?limit=1",
    ):
        yield Ask(200, "GET", target)
    yield Ask(200, "GET", f"{alerts}/requests/{{accepted}}")
    yield Ask(200, "GET", f"{alerts}/requests/{{accepted}}", knobs={"writes_fail": True})
    yield Ask(202, "GET", "/opsgenie/v2/heartbeats/prod/ping")
    new = {"message": "m", "alias": "a", "description": "d", "tags": ["t"], "details": {"k": "v"}, "entity": "e",
           "source": "s", "priority": "P1", "user": "u", "note": "n"}  # fmt: skip
    yield Ask(202, "POST", alerts, new)
    said = {"user": "Jane", "source": "probe", "note": "on it"}
    for act in ("acknowledge", "unacknowledge", "close", "notes"):
        yield Ask(202, "POST", f"{alert}/{act}?identifierType=id", said)
        yield Ask(422, "POST", f"{alert}/{act}", said | {"user": "u" * 101})
        yield Ask(403, "POST", f"{alert}/{act}", said, {"refused_alerts": ("1",)})
        yield Ask(401, "POST", f"{alert}/{act}", said, {"opsgenie_key": "another"})
    yield Ask(422, "POST", f"{alert}/notes", {"user": "Jane"})
    yield Ask(422, "POST", f"{alert}/acknowledge?identifierType=name", said)
    for bad in ({}, {"message": "m", "priority": "P9"}, {"message": "m", "tags": "t"},
                {"message": "m", "details": {"k": 1}}):  # fmt: skip
        yield Ask(422, "POST", alerts, bad)
    yield Ask(400, "POST", alerts, b"{")
    yield Ask(400, "POST", alerts, [])
    for query in ("offset=19999&limit=100", "limit=101", "sort=x", "query=nothing"):
        yield Ask(422, "GET", f"{alerts}?{query}")
    yield Ask(422, "GET", f"{alerts}/count?query=nothing")
    for query in ("offset=x", "direction=x"):
        yield Ask(422, "GET", f"{alert}/notes?{query}")
    for what in ("nobody", "nobody/notes", "nobody/logs", "requests/unknown"):
        yield Ask(404, "GET", f"{alerts}/{what}")
    yield Ask(404, "GET", f"{alerts}/requests/{{accepted}}", knobs={"queue_halted": True})
    yield Ask(404, "GET", "/opsgenie/v2/teams")
    yield Ask(403, "GET", alert, knobs={"refused_alerts": ("1",)})
    yield Ask(401, "GET", alerts, headers={"Authorization": "GenieKey another"})
    yield Ask(429, "GET", alerts, knobs={"opsgenie_per_minute": 1}, before=(Ask(200, "GET", alerts),))
    moved = (Ask(200, "POST", "/control/migrate", {"opsgenie_mode": "refused"}),)
    yield Ask(403, "GET", alerts, before=moved)


def _jsm() -> Iterator[Ask]:
    only: Json = {"jsm_only": True}
    for words in ("open", "acked"):
        for form in ("name", "email", "account_id"):
            knobs = only | {"jsm_status_words": words, "jsm_owner_form": form}
            for path in (
                "", "?query=status:open&sort=createdAt&order=asc&size=1&offset=1", "/{alert}", "/alias?alias=a",
                "/{alert}/notes?size=1", "/{alert}/logs?size=1",
            ):  # fmt: skip
                yield Ask(200, "GET", f"{ACCOUNT}{path}", knobs=knobs)
    yield Ask(200, "GET", f"{ACCOUNT}/requests/{{accepted}}", knobs=only)
    yield Ask(200, "GET", f"{ACCOUNT}/requests/{{accepted}}", knobs=only | {"jsm_plan": "lacks_actions"})
    for act in ("acknowledge", "unacknowledge", "close"):
        yield Ask(202, "POST", f"{ACCOUNT}/{{alert}}/{act}", knobs=only)
    new = {"message": "m", "alias": "a", "description": "d", "tags": ["t"], "extraProperties": {"k": "v"},
           "source": "s", "priority": "P1"}  # fmt: skip
    yield Ask(200, "POST", ACCOUNT, new, only)
    for bad in ({}, {"message": "m", "priority": "P9"}):
        yield Ask(422, "POST", ACCOUNT, bad, only)
    yield Ask(200, "POST", f"{ACCOUNT}/{{alert}}/notes", {"note": "hello"}, only)
    for body in ({"note": ""}, {"note": "n" * 25_001}):
        yield Ask(422, "POST", f"{ACCOUNT}/{{alert}}/notes", body, only)
    yield Ask(400, "POST", f"{ACCOUNT}/{{alert}}/notes", b"{", only)
    for query in ("size=101", "size=100&offset=19999", "sort=x", "query=nothing", "sort=updatedAt"):
        yield Ask(422, "GET", f"{ACCOUNT}?{query}", knobs=only)
    yield Ask(422, "GET", f"{ACCOUNT}/{{alert}}/notes?after=x", knobs=only)
    for path in ("/nobody", "/alias?alias=nobody", "/nobody/notes", "/nobody/logs", "/requests/unknown"):
        yield Ask(404, "GET", f"{ACCOUNT}{path}", knobs=only)
    yield Ask(404, "GET", ACCOUNT, knobs=only | {"jsm_alerts_404": True})
    yield Ask(404, "GET", f"{ACCOUNT}/{{alert}}/nothing", knobs=only)
    yield Ask(404, "GET", "/jsm/jsm/ops/api/another/v1/alerts", knobs=only)
    refused = only | {"refused_alerts": ("1",)}
    for path in ("", "/notes", "/logs"):
        yield Ask(403, "GET", f"{ACCOUNT}/{{alert}}{path}", knobs=refused)
    yield Ask(403, "POST", f"{ACCOUNT}/{{alert}}/acknowledge", knobs=refused)
    yield Ask(401, "GET", ACCOUNT, knobs=only | {"jsm_token": "another"})
    yield Ask(401, "POST", f"{ACCOUNT}/{{alert}}/acknowledge", knobs=only | {"jsm_scopes": ("read",)})
    yield Ask(402, "GET", ACCOUNT, knobs=only | {"jsm_plan": "lacks_api"})
    limit = only | {"jsm_per_minute": 1}
    yield Ask(429, "GET", ACCOUNT, knobs=limit, before=(Ask(200, "GET", ACCOUNT),))
    yield Ask(200, "GET", "/jsm/_edge/tenant_info", knobs=only)
    yield Ask(200, "GET", f"{USERS}/myself", knobs=only)
    yield Ask(200, "GET", f"{USERS}/user?accountId={ROBOT.account_id}", knobs=only)
    yield Ask(404, "GET", f"{USERS}/user?accountId=nobody", knobs=only)
    ack = Ask(202, "POST", f"{NAMED}/{{alert}}/acknowledge", {"user": "Jane"})
    yield from (
        Ask(202, "POST", NAMED, {"message": "m"}, only),
        Ask(202, "POST", ack.target, ack.body, only),
        Ask(202, "POST", f"{NAMED}/{{alert}}/close", {"user": "Jane"}, only),
        Ask(202, "POST", f"{NAMED}/{{alert}}/notes", {"user": "Jane", "note": "on it"}, only),
        Ask(200, "GET", f"{NAMED}/requests/{{accepted}}", knobs=only),
        Ask(404, "GET", f"{NAMED}/requests/unknown", knobs=only),
        Ask(404, "POST", f"{NAMED}/{{alert}}/unacknowledge", {}, only),
        Ask(401, "POST", ack.target, ack.body, only | {"jsm_key": "another"}),
        Ask(429, "POST", ack.target, ack.body, limit, before=(ack,)),
    )


_TARGETS = {
    "opsgenie": ("/opsgenie/v2/alerts", "/opsgenie/v2/alerts/{alert}/acknowledge", {}),
    "jsm": (ACCOUNT, f"{ACCOUNT}/{{alert}}/acknowledge", {"jsm_only": True}),
    "pagerduty": ("/pagerduty/incidents", "/pagerduty/incidents/{incident}/notes", {}),
}
FAULTS = ("400", "402", "403", "404", "422", "429", "500", "503")
"""The statuses with the vendor's own JSON that faults rehearse."""


def _faults() -> Iterator[Ask]:
    for read, write, knobs in _TARGETS.values():
        for status in FAULTS:
            yield Ask(int(status), "GET", read, None, knobs, fault=status)
            yield Ask(int(status), "POST", write, {}, knobs, fault=status)


def questions() -> list[Ask]:
    """All of them."""
    return [*_opsgenie(), *_jsm(), *pagerduty_questions(), *_faults()]


SWITCHED = (
    Ask(ANY, "POST", "/opsgenie/v2/alerts/{alert}/notes", {"user": "Jane", "note": "n"}),
    Ask(ANY, "POST", "/opsgenie/v2/alerts/{alert}/unacknowledge", {"user": "Jane"}),
    Ask(ANY, "GET", "/opsgenie/v2/alerts?sort=updatedAt"),
    Ask(ANY, "GET", "/opsgenie/v2/alerts/{alert}"),
    Ask(ANY, "GET", "/opsgenie/v2/alerts/{alert}/notes?limit=1"),
    Ask(ANY, "GET", "/opsgenie/v2/alerts/{alert}/logs?limit=1"),
    Ask(ANY, "POST", f"{ACCOUNT}/{{alert}}/notes", {"note": "n"}),
    Ask(ANY, "POST", f"{ACCOUNT}/{{alert}}/unacknowledge"),
    Ask(ANY, "GET", f"{ACCOUNT}?sort=createdAt"),
    Ask(ANY, "GET", f"{ACCOUNT}/{{alert}}"),
    Ask(ANY, "GET", f"{ACCOUNT}/{{alert}}/notes?size=1"),
    Ask(ANY, "GET", f"{ACCOUNT}/{{alert}}/logs?size=1"),
    Ask(ANY, "POST", "/pagerduty/incidents/{incident}/notes", {"note": {"content": "n"}}),
    put(ANY, {"status": "resolved"}),
    Ask(ANY, "GET", "/pagerduty/incidents?date_range=all"),
    Ask(ANY, "GET", "/pagerduty/incidents/{second}"),
    Ask(ANY, "GET", "/pagerduty/incidents/{incident}/notes"),
    Ask(ANY, "GET", "/pagerduty/incidents/{incident}/alerts"),
    Ask(ANY, "GET", "/pagerduty/log_entries?include[]=channels"),
    Ask(ANY, "GET", f"/pagerduty/services/{SERVICE_ID}"),
    Ask(ANY, "GET", "/pagerduty/users"),
)
"""What is asked one after the other with each setting of the sandbox turned round."""
