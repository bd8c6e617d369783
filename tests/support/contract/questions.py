"""Requests to which the sandbox gives every answer that it can give: of each route, its success and each refusal.

A question is asked of a sandbox of its own with an alert and an incident in which every field has a value somewhere.
"""

import ast
import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.jsm.directory import BOT as ROBOT
from reconciler.sandbox.jsm.directory import CLOUD_ID
from reconciler.sandbox.pagerduty.directory import BOT, JANE, OMAR, POLICY_ID, SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Answer, Json, ManualClock, Response, request
from tests.support.contract.exchange import Exchange, Recorder
from tests.support.in_process import KEYS
from tests.support.paths import ROOT

ACCOUNT = f"/jsm/jsm/ops/api/{CLOUD_ID}/v1/alerts"
NAMED = "/jsm/jsm/ops/integration/v2/alerts"
USERS = f"/jsm/ex/jira/{CLOUD_ID}/rest/api/3"
_BASIC = base64.b64encode(f"{KEYS.jsm_email}:{KEYS.jsm_token}".encode()).decode()
_PAGERDUTY = {
    "Authorization": f"Token token={KEYS.pagerduty_key}",
    "Accept": "application/vnd.pagerduty+json;version=2",
    "Content-Type": "application/json",
    "From": BOT.email,
}
_HEADERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/opsgenie/", {"Authorization": f"GenieKey {KEYS.opsgenie_key}", "Content-Type": "application/json"}),
    (NAMED, {"Authorization": f"GenieKey {KEYS.jsm_key}", "Content-Type": "application/json"}),
    ("/jsm/", {"Authorization": f"Basic {_BASIC}", "Content-Type": "application/json"}),
    ("/pagerduty/", _PAGERDUTY),
)
"""The headers of a good request, by what its path begins with."""
NEW: Json = {"type": "incident", "title": "disk full", "service": {"id": SERVICE_ID, "type": "service_reference"}}


@dataclass(frozen=True, slots=True)
class Ask:
    """A question and the status of its answer.

    `{alert}`, `{incident}`, `{second}` (another incident), `{note}` (of the incident) and `{accepted}` (a write)
    stand for ids. `before` are questions that are asked before it, `fault` goes wrong with it.
    """

    status: int
    method: str
    target: str
    body: Any = None
    knobs: Json = field(default_factory=dict)
    headers: Json = field(default_factory=dict)
    before: tuple["Ask", ...] = ()
    fault: str = ""


def _opsgenie() -> Iterator[Ask]:
    alerts, alert = "/opsgenie/v2/alerts", "/opsgenie/v2/alerts/{alert}"
    yield Ask(200, "GET", f"{alerts}?query=status:open&sort=updatedAt&order=desc&limit=1&offset=1")
    yield Ask(200, "GET", f"{alerts}/count?query=status:open")
    for target in (alert, f"{alert}?identifierType=id", f"{alert}/notes?limit=1&order=asc", f"{alert}/logs?limit=1"):
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


def _pagerduty() -> Iterator[Ask]:
    incidents, incident = "/pagerduty/incidents", "/pagerduty/incidents/{incident}"
    yield from (
        Ask(200, "GET", f"{incidents}?limit=2&offset=0&total=true&sort_by=incident_number:desc&time_zone=UTC"),
        Ask(200, "GET", f"{incidents}?statuses[]=triggered&statuses[]=acknowledged&date_range=all"),
        Ask(200, "GET", incidents, knobs={"acknowledger_null": True}),
        Ask(200, "GET", incident),
        Ask(200, "GET", f"{incident}/alerts?limit=100&offset=0"),
        Ask(200, "GET", f"{incident}/notes"),
        Ask(200, "GET", f"{incident}/log_entries?include[]=channels&limit=100"),
        Ask(200, "GET", "/pagerduty/incidents/{second}/log_entries?include[]=channels"),
        Ask(200, "GET", "/pagerduty/log_entries?since=2026-11-01T00:00:00Z&include[]=channels", knobs={"noise": True}),
        Ask(200, "GET", "/pagerduty/log_entries", knobs={"noise": True}),
        Ask(200, "GET", "/pagerduty/users?query=Jane&limit=100&offset=0"),
        Ask(200, "GET", "/pagerduty/users/me", knobs={"user_token": JANE.id}),
        Ask(400, "GET", "/pagerduty/users/me"),
        Ask(200, "GET", f"/pagerduty/users/{JANE.id}"),
        Ask(200, "GET", f"/pagerduty/services/{SERVICE_ID}"),
        Ask(200, "GET", f"/pagerduty/services/{SERVICE_ID}", knobs={"acknowledgement_timeout": None}),
        Ask(200, "GET", f"/pagerduty/oncalls?escalation_policy_ids[]={POLICY_ID}"),
        Ask(200, "GET", f"/pagerduty/escalation_policies?user_ids[]={JANE.id}"),
        Ask(200, "GET", f"/pagerduty/escalation_policies/{POLICY_ID}"),
        Ask(200, "GET", "/pagerduty/maintenance_windows", knobs={"maintenance_in": 60.0}),
    )
    details = {"type": "incident_body", "details": "all of it"}
    full = Ask(201, "POST", incidents, {"incident": NEW | {"incident_key": "k", "urgency": "low", "body": details}})
    yield full
    yield Ask(200, "GET", "/pagerduty/log_entries?include[]=channels", before=(full,))
    policy = {"id": POLICY_ID, "type": "escalation_policy_reference"}
    omar = [{"assignee": {"id": OMAR.id, "type": "user_reference"}}]
    for change in (
        {"status": "acknowledged"}, {"status": "resolved"}, {"status": "triggered"}, {"urgency": "low"},
        {"title": "disk fuller"}, {"escalation_level": 2}, {"escalation_policy": policy}, {"assignments": omar},
    ):  # fmt: skip
        yield _put(200, change)
    yield Ask(200, "PUT", incidents, {"incidents": [{"id": "{incident}", "type": "incident_reference"}]})
    note = {"note": {"content": "on it"}}
    yield Ask(200, "POST", f"{incident}/notes", note)
    yield Ask(200, "PUT", f"{incident}/notes/{{note}}", note)
    yield Ask(204, "DELETE", f"{incident}/notes/{{note}}")
    yield Ask(200, "PUT", f"{incident}/merge", _sources("{second}"))
    acknowledged = (_put(200, {"status": "acknowledged"}),)
    yield Ask(201, "POST", f"{incident}/snooze", {"duration": 60}, before=acknowledged)
    yield from _pagerduty_refusals(incidents, incident)


def _pagerduty_refusals(incidents: str, incident: str) -> Iterator[Ask]:
    new: Json = {"incident": NEW}
    for headers in ({"Authorization": "Token token=another"},):
        yield Ask(401, "GET", incidents, headers=headers)
    for headers in ({"From": ""}, {"From": "nobody@example.com"}, {"Content-Type": "text/plain"}):
        yield Ask(400, "POST", incidents, new, headers=headers)
    for knobs in (
        {"service_status": "gone"}, {"service_status": "disabled"}, {"nobody_on_call": True}, {"user_gone": True},
    ):  # fmt: skip
        yield Ask(400, "POST", incidents, new, knobs)
    yield Ask(403, "POST", incidents, new, {"bot_role": "observer"})
    yield Ask(402, "POST", incidents, new, {"plan_lacks_ability": True})
    yield Ask(429, "POST", incidents, new, {"creations_per_minute": 1}, before=(Ask(201, "POST", incidents, new),))
    for values in (
        {"type": "x"}, {"title": ""}, {"title": "t" * 1025}, {"service": {"id": "PNONE"}}, {"urgency": "x"},
        {"body": {"details": {}}}, {"incident_key": "full"},
    ):  # fmt: skip
        yield Ask(400, "POST", incidents, {"incident": NEW | values})
    for body in (b"{", [], {"incident": 7}):
        yield Ask(400, "POST", incidents, body)
    for body in ({"incidents": 7}, {"incidents": [{"id": "{incident}"}]}):
        yield Ask(400, "PUT", incidents, body)
    yield Ask(413, "PUT", incidents, {"incidents": [{"id": "{incident}"}] * 251})
    for query in ("statuses[]=x", "sort_by=x", "limit=x", "offset=9999&limit=100", "since=x",
                  "since=2026-01-01T00:00:00Z&until=2026-11-01T00:00:00Z"):  # fmt: skip
        yield Ask(400, "GET", f"{incidents}?{query}")
    future = "until=2027-01-01T00:00:00Z"
    yield Ask(400, "GET", f"/pagerduty/log_entries?{future}", knobs={"until_future_refused": True})
    yield Ask(400, "GET", f"/pagerduty/log_entries?{future}&since=2027-02-01T00:00:00Z")
    nobody = "/pagerduty/incidents/PNONE"
    for target in (
        nobody, f"{nobody}/notes", f"{nobody}/alerts", f"{nobody}/log_entries", "/pagerduty/users/PNONE",
        "/pagerduty/escalation_policies/PNONE", "/pagerduty/services/PNONE", "/pagerduty/nothing",
    ):  # fmt: skip
        yield Ask(404, "GET", target)
    yield Ask(404, "GET", incident, knobs={"detail_lag": 9.0})
    yield Ask(404, "PUT", f"{incident}/notes/PNONE", {"note": {"content": "x"}})
    yield Ask(403, "GET", incident, knobs={"refused_incidents": ("full",)})
    resolved = (_put(200, {"status": "resolved"}),)
    yield from (
        _put(400, {"status": "resolved"}, before=resolved),
        _put(400, {"escalation_level": 1}, before=resolved),
        _put(400, {"status": "x"}),
        _put(400, {"escalation_level": 9}),
        _put(400, {"escalation_policy": {"id": "PNONE"}}),
        _put(400, {"assignments": [{"assignee": {"id": "PNONE"}}]}),
        Ask(400, "POST", f"{incident}/notes", {"note": {"content": ""}}),
        Ask(400, "POST", f"{incident}/notes", {"note": {"content": "x"}}, before=_NOTES),
        Ask(400, "POST", f"{incident}/snooze", {"duration": 0}),
        Ask(400, "POST", f"{incident}/snooze", {"duration": 60}, before=(_put(200, {"status": "triggered"}),)),
        Ask(400, "PUT", f"{incident}/merge", _sources("{incident}")),
    )


def _put(status: int, change: Json, before: tuple[Ask, ...] = ()) -> Ask:
    body = {"incident": {"type": "incident_reference"} | change}
    return Ask(status, "PUT", "/pagerduty/incidents/{incident}", body, before=before)


def _sources(incident: str) -> Json:
    return {"source_incidents": [{"id": incident, "type": "incident_reference"}]}


_NOTES = (Ask(200, "POST", "/control/pagerduty/incidents/{incident}/notes", {"text": "n"}),) * 1999
"""With the one that is there, as many notes as an incident may have."""
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
    return [*_opsgenie(), *_jsm(), *_pagerduty(), *_faults()]


@dataclass(frozen=True, slots=True)
class Asked:
    """All questions asked. `wrong`: the answer had another status. `sites`: lines that have refused, by file."""

    exchanges: tuple[Exchange, ...]
    wrong: tuple[str, ...]
    sites: frozenset[tuple[str, int]]


@cache
def asked() -> Asked:
    """Every question asked once; once for each process."""
    exchanges: list[Exchange] = []
    wrong: list[str] = []
    with _refusals() as sites:
        for ask in questions():
            exchange = _Stage(ask).exchange()
            exchanges.append(exchange)
            if exchange.answer.status != ask.status:
                wrong.append(f"{ask.method} {ask.target}: {exchange.answer.status}, not {ask.status}")
    return Asked(tuple(exchanges), tuple(wrong), frozenset(sites))


class _Stage:
    """A sandbox in which every field has a value somewhere."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        is_jsm = bool(ask.knobs.get("jsm_only"))
        self._recorder = Recorder(Sandbox(ManualClock(), SandboxSettings(jsm_only=is_jsm, noise=False)))
        self._names: dict[str, str] = {}
        self._alerts("jsm" if is_jsm else "opsgenie")
        self._incidents()
        self._recorder.sandbox.change(ask.knobs)
        if "{accepted}" in ask.target:
            place = ask.target.replace("requests/{accepted}", "{alert}/acknowledge")
            self._names["accepted"] = self._made(Ask(202, "POST", place, {}))["requestId"]
        for earlier in ask.before:
            self._made(earlier)

    def exchange(self) -> Exchange:
        """The question and its answer."""
        if self._ask.fault:
            self._recorder.sandbox.faults.add(Fault(self._ask.fault))
        self._answer(self._ask)
        return self._recorder.exchanges[-1]

    def _alerts(self, product: str) -> None:
        alerts, people = f"/control/{product}/alerts", {"user": "Ana Ruiz"}
        tries = 3 if product == "jsm" else "3"  # Opsgenie's details are texts by themselves
        told = {"description": "full", "details": {"host": "db-1", "tries": tries}, "tags": ["ops"],
                "source": "cron", "priority": "P2", "alias": "a"}  # fmt: skip
        self._names["alert"] = self._made(Ask(200, "POST", alerts, {"message": "disk full", **people, **told}))["id"]
        for act, more in (("notes", {"text": "one"}), ("notes", {"text": "two"}), ("acknowledge", {})):
            self._made(Ask(200, "POST", f"{alerts}/{{alert}}/{act}", people | more))
        self._made(Ask(200, "POST", f"{alerts}/{{alert}}/snooze", people | {"seconds": 60}))
        for act in ("acknowledge", "close"):
            other = self._made(Ask(200, "POST", alerts, {"message": "closed", **people}))["id"]
            self._made(Ask(200, "POST", f"{alerts}/{other}/{act}", people))

    def _incidents(self) -> None:
        incidents = "/control/pagerduty/incidents"
        for name, more in (("incident", {"key": "full", "alert_keys": ["child"]}), ("second", {"body": "text"})):
            self._names[name] = self._made(Ask(200, "POST", incidents, {"title": "disk full", **more}))["id"]
        self._names["note"] = self._made(Ask(200, "POST", f"{incidents}/{{incident}}/notes", {"text": "one"}))["id"]
        acts = ("acknowledge", "unacknowledge", "retrigger", "snooze", "reassign", "resolve", "reopen", "acknowledge")
        for act in acts:
            if act == "retrigger" or act == "snooze":
                self._made(Ask(200, "POST", f"{incidents}/{{second}}/acknowledge", {}))
            self._made(Ask(200, "POST", f"{incidents}/{{second}}/{act}", {}))
        merged = self._made(Ask(200, "POST", incidents, {"title": "merged"}))["id"]
        self._made(Ask(200, "POST", f"{incidents}/{merged}/merge", {"into": "{incident}"}))

    def _made(self, ask: Ask) -> Any:
        answer = self._answer(ask)
        assert answer.status == ask.status, (ask, answer.body)
        return answer.json()

    def _answer(self, ask: Ask) -> Any:
        known = next((headers for prefix, headers in _HEADERS if ask.target.startswith(prefix)), {})
        target, body = self._filled(ask.target), self._filled(ask.body)
        return self._recorder.handle(request(ask.method, target, body, known | ask.headers))

    def _filled(self, value: Any) -> Any:
        """With ids in place of their names."""
        match value:
            case str():
                for name, found in self._names.items():
                    value = value.replace(f"{{{name}}}", found)
                return value
            case dict():
                return {name: self._filled(one) for name, one in value.items()}
            case list():
                return [self._filled(one) for one in value]
        return value


@contextmanager
def _refusals() -> Iterator[set[tuple[str, int]]]:
    """Note meanwhile which lines refuse a request."""
    found: set[tuple[str, int]] = set()
    original = Answer.__init__

    def noting(answer: Answer, response: Response) -> None:
        frame = sys._getframe(1)
        while frame is not None:
            found.add((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        original(answer, response)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Answer, "__init__", noting)
        yield found


_REFUSE = {"error", "invalid", "not_found", "problem", "refusal", "unprocessable"}
"""The functions of the sandbox that make a vendor's refusal."""


def refusal_sites() -> Iterator[tuple[str, range]]:
    """Each place of the sandbox that refuses a request: its file, and the lines of the `raise`."""
    for path in sorted((ROOT / "reconciler" / "sandbox").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                if ast.unparse(node.exc.func).rpartition(".")[2] in _REFUSE:
                    yield str(path), range(node.lineno, (node.end_lineno or node.lineno) + 1)
