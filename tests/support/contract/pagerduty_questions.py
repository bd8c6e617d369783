"""The questions to PagerDuty's part of the sandbox; see `questions`."""

from collections.abc import Iterator
from typing import Any

from reconciler.sandbox.pagerduty.directory import JANE, OMAR, POLICY_ID, PRIORITIES, SERVICE_ID
from reconciler.sandbox.wire import Json
from tests.support.contract.ask import Ask

NEW: Json = {"type": "incident", "title": "disk full", "service": {"id": SERVICE_ID, "type": "service_reference"}}
URGENT: Json = {"id": next(iter(PRIORITIES)), "type": "priority_reference"}


def pagerduty_questions() -> Iterator[Ask]:
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
        Ask(
            200,
            "GET",
            "/pagerduty/log_entries?since=2026-11-01T00:00:00Z&include[]=channels",
            knobs={"noise": True},
        ),
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
        Ask(200, "GET", "/pagerduty/priorities?limit=100&offset=0"),
        Ask(200, "GET", "/pagerduty/priorities", knobs={"priorities": "none"}),
        Ask(402, "GET", "/pagerduty/priorities", knobs={"priorities": "lacking"}),
    )
    details = {"type": "incident_body", "details": "all of it"}
    yield Ask(201, "POST", incidents, {"incident": NEW | {"priority": URGENT}})
    full = Ask(
        201, "POST", incidents, {"incident": NEW | {"incident_key": "k", "urgency": "low", "body": details}}
    )
    yield full
    yield Ask(200, "GET", "/pagerduty/log_entries?include[]=channels", before=(full,))
    policy = {"id": POLICY_ID, "type": "escalation_policy_reference"}
    omar = [{"assignee": {"id": OMAR.id, "type": "user_reference"}}]
    for change in (
        {"status": "acknowledged"}, {"status": "resolved"}, {"status": "triggered"}, {"urgency": "low"},
        {"title": "disk fuller"}, {"escalation_level": 2}, {"escalation_policy": policy}, {"assignments": omar},
        {"priority": URGENT}, {"urgency": "low", "priority": URGENT},
    ):  # fmt: skip
        yield put(200, change)
    yield Ask(200, "PUT", incidents, {"incidents": [{"id": "{incident}", "type": "incident_reference"}]})
    note = {"note": {"content": "on it"}}
    yield Ask(200, "POST", f"{incident}/notes", note)
    yield Ask(200, "PUT", f"{incident}/notes/{{note}}", note)
    yield Ask(204, "DELETE", f"{incident}/notes/{{note}}")
    yield Ask(200, "PUT", f"{incident}/merge", _sources("{second}"))
    yield Ask(201, "POST", f"{incident}/snooze", {"duration": 60}, before=(put(200, {"status": "acknowledged"}),))
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
    refused = {"bad_services": {SERVICE_ID: "403"}}
    yield Ask(403, "POST", incidents, new, refused)
    yield Ask(403, "GET", f"{incidents}?service_ids[]={SERVICE_ID}", knobs=refused)
    yield Ask(402, "POST", incidents, new, {"plan_lacks_ability": True})
    urgent: Json = {"incident": NEW | {"priority": URGENT}}
    yield Ask(402, "POST", incidents, urgent, {"priorities": "not_in_plan"})
    for knob in ("none", "lacking", "refused"):
        yield Ask(400, "POST", incidents, urgent, {"priorities": knob})
    yield Ask(400, "POST", incidents, {"incident": NEW | {"priority": URGENT | {"id": "PNONE"}}})
    yield Ask(429, "POST", incidents, new, {"creations_per_minute": 1}, before=(Ask(201, "POST", incidents, new),))
    changes: tuple[Json, ...] = (
        {"type": "x"}, {"title": ""}, {"title": "t" * 1025}, {"service": {"id": "PNONE"}}, {"urgency": "x"},
        {"body": {"details": {}}}, {"incident_key": "full"},
    )  # fmt: skip
    for values in changes:
        yield Ask(400, "POST", incidents, {"incident": NEW | values})
    no_objects: tuple[Any, ...] = (b"{", [], {"incident": 7})
    yield from (Ask(400, "POST", incidents, bad) for bad in no_objects)
    yield Ask(400, "PUT", incidents, {"incidents": 7})
    yield Ask(400, "PUT", incidents, {"incidents": [{"id": "{incident}"}]})
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
    acknowledged, resolved = ((put(200, {"status": status}),) for status in ("acknowledged", "resolved"))
    yield from (
        put(400, {"status": "resolved"}, before=resolved),
        put(400, {"escalation_level": 1}, before=resolved),
        put(400, {"status": "x"}),
        put(400, {"status": "acknowledged"}, before=resolved, acknowledge_reopens=False),
        put(400, {"status": "acknowledged"}, before=acknowledged, reacknowledge_refused=True),
        put(400, {"status": "triggered"}, before=acknowledged, other_ways_refused=True),
        Ask(400, "POST", f"{incident}/notes", {"note": {"content": "nn"}}, {"pagerduty_note_limit": 1}),
        Ask(404, "GET", f"{incident}/alerts", knobs={"own_alerts_404": True}),
        put(400, {"escalation_level": 9}),
        put(400, {"escalation_policy": {"id": "PNONE"}}),
        put(400, {"assignments": [{"assignee": {"id": "PNONE"}}]}),
        Ask(400, "POST", f"{incident}/notes", {"note": {"content": ""}}),
        Ask(400, "POST", f"{incident}/notes", {"note": {"content": "x"}}, before=_NOTES),
        Ask(400, "POST", f"{incident}/snooze", {"duration": 0}),
        Ask(400, "POST", f"{incident}/snooze", {"duration": 60}, before=(put(200, {"status": "triggered"}),)),
        Ask(400, "PUT", f"{incident}/merge", _sources("{incident}")),
    )


def put(status: int, change: Json, before: tuple[Ask, ...] = (), **knobs: Any) -> Ask:
    body = {"incident": {"type": "incident_reference"} | change}
    return Ask(status, "PUT", "/pagerduty/incidents/{incident}", body, knobs, before=before)


def _sources(incident: str) -> Json:
    return {"source_incidents": [{"id": incident, "type": "incident_reference"}]}


_NOTES = (Ask(200, "POST", "/control/pagerduty/incidents/{incident}/notes", {"text": "n"}),) * 1999
"""With the one that is there, as many notes as an incident may have."""
