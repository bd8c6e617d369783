"""Real answers of PagerDuty, and the values expected from them, written by hand."""

from dataclasses import replace
from typing import Any

from reconciler.core.model import Act, Actor, Incident, Note, Person
from reconciler.vendors.ports import AutomationUser, KeyOwner, LogPage, ServiceFacts
from tests.support.contract.sampled import EMAIL, Read, Refusal, at

WEB = "https://subdomain.pagerduty.com"
DEMO = "https://webdemo.pagerduty.com"
EARLINE = Person("PXPGF42", "Earline Greenholt")
LAURA, WILEY = Person("P553OPV", "Laura Haley"), Person("PFBSJ2Z", "Wiley Jacobson")
FIRE = Incident(
    id="PT4KHLK",
    number=1234,
    status="resolved",
    key="baf7cf21b1da41b4b0221008339ff357",
    title="The server is on fire.",
    service_id="PIJ90N7",
    created_at=at("2015-10-06 21:30:42"),
    escalation_policy_id="PT20YPA",
    changed_by=EARLINE,
    changed_at=at("2015-10-06 21:38:23"),
    assignees=(),
    url=f"{WEB}/incidents/PT4KHLK",
    priority="P2",
)
DEMO_INCIDENT = Incident(
    id="PRORDTY",
    number=33,
    status="triggered",
    key="",
    title="My new incident",
    service_id="PN49J75",
    created_at=at("2017-09-26 15:14:36"),
    escalation_policy_id="PINYWEF",
    changed_by=Person("PN49J75", "Production XDB Cluster"),
    changed_at=at("2017-09-26 15:14:36"),
    assignees=(LAURA,),
    url=f"{DEMO}/incidents/PRORDTY",
)


def act(
    entry: str, verb: str, stamp: str, person: Person | None, incident: str = "PRORDTY", agent: str = ""
) -> Act:
    actor = Actor.MACHINE if person is None else Actor.PERSON
    return Act(entry, verb, at(stamp), actor, person, incident, agent)


TRIGGERED = act("Q02JTSNZWHSEKV", "trigger", "2015-11-07 00:14:20", None, "PT4KHLK", "My Mail Service")
HELD: dict[str, Any] = {
    "acknowledgers": (EARLINE,),
    "acknowledged_at": ((EARLINE, at("2015-11-10 00:32:52")),),
    "assignees": (EARLINE,),
    "expires_at": at("2015-11-10 01:02:52"),
}
ON_SCENE = Note("PWL7QXS", EARLINE, "Firefighters are on the scene.", at("2013-03-06 20:28:51"))
NO_ID = "a row without 'id'"


def incident(readers: Any) -> Any:
    return readers.pagerduty.incident("any")


def newest(readers: Any) -> Any:
    return readers.pagerduty.acts("any")


OF_PAGERDUTY: list[tuple[str, Read, Any]] = [
    ("openapi-examples/getIncident.200", incident, replace(FIRE, status="acknowledged", **HELD)),
    ("openapi-examples/updateIncident.200", lambda r: r.to_pagerduty.resolve("any"), replace(FIRE, **HELD)),
    ("openapi-examples/createIncident.201", lambda r: r.to_pagerduty.create_incident("k", "t", "", "high"),
     replace(FIRE, status="triggered", service_id="PWIXJZS", assignees=(EARLINE,))),
    ("openapi-examples/listIncidents.200", lambda r: r.pagerduty.incidents_by_key(FIRE.key), [FIRE]),
    ("openapi-examples/listIncidentNotes.200", lambda r: r.pagerduty.notes("any"), [
        Note("PCQC25", Person("PXPGF42", "A Global Event Rule"),
             "Initial alert information indicates a 1-alarm fire", at("2013-03-06 20:28:42")),
        ON_SCENE,
    ]),
    ("openapi-examples/createIncidentNote.200", lambda r: r.to_pagerduty.add_note("any", "text"), ON_SCENE),
    ("openapi-examples/listIncidentLogEntries.200", newest, [TRIGGERED]),
    ("openapi-examples/listLogEntries.200", lambda r: r.pagerduty.log_entries(r.clock.now(), lambda _: True),
     LogPage((TRIGGERED,), 1, whole=False)),
    ("openapi-examples/getCurrentUser.200", lambda r: r.pagerduty.key_owner(), KeyOwner("user", EARLINE, EMAIL)),
    ("openapi-examples/listUsers.200", lambda r: r.pagerduty.automation_user(), AutomationUser(EARLINE)),
    ("openapi-examples/getService.200", lambda r: r.pagerduty.service_facts(),
     ServiceFacts("My Application Service", "active", 600.0, "PT20YPA", "Another Escalation Policy")),
    ("openapi-examples/getEscalationPolicy.200", lambda r: r.pagerduty._policy("PT20YPA"),
     ("Another Escalation Policy", [Person("PAM4FGS", "Kyler Kuhn")])),
    ("openapi-examples/listPriorities.200", lambda r: r.pagerduty.priorities(),
     {"P1": "PSLWBL8", "P2": "P53ZZH5", "P3": "PGE9YCZ", "P4": "PVJPWYW", "P5": "P81SUUT"}),
    ("openapi-examples/listIncidentAlerts.200", lambda r: r.pagerduty._alert_keys("any"), {FIRE.key}),
    ("docs-v2-log-entries/incident.trigger.incident", incident, DEMO_INCIDENT),
    ("docs-v2-log-entries/incident.acknowledge.incident", incident,
     replace(DEMO_INCIDENT, status="acknowledged", acknowledgers=(LAURA,),
             acknowledged_at=((LAURA, at("2017-09-26 15:15:17")),), changed_by=LAURA,
             changed_at=at("2017-09-26 15:15:17"), expires_at=at("2017-09-26 15:45:17"))),
    ("docs-v2-log-entries/incident.assign.incident", incident,
     replace(DEMO_INCIDENT, assignees=(WILEY,), changed_at=at("2017-09-26 15:16:05"))),
    ("docs-v2-log-entries/incident.resolve.incident", incident,
     replace(DEMO_INCIDENT, status="resolved", assignees=(WILEY,), changed_by=LAURA,
             changed_at=at("2017-09-26 15:18:09"))),
    ("docs-v2-log-entries/incident.trigger.trigger_log_entry", newest,
     [act("R2XGXEI3W0FHMSDXHDIBQGBQ5E", "trigger", "2017-09-26 15:14:36", LAURA)]),
    ("docs-v2-log-entries/incident.acknowledge.acknowledge_log_entry", newest,
     [act("RRPP3746OFFZZ742NSP1G67AWC", "acknowledge", "2017-09-26 15:15:17", LAURA)]),
    ("docs-v2-log-entries/incident.assign.assign_log_entry", newest,
     [act("R6XNGC35VF6U1TUSVIE2DWXD4Z", "assign", "2017-09-26 15:16:05", LAURA)]),
    ("docs-v2-log-entries/incident.resolve.resolve_log_entry", newest,
     [act("RNAJ8DLJGWHBXXYX1CC5G50C9O", "resolve", "2017-09-26 15:18:09", LAURA)]),
    ("incidents.xsoar", incident,
     Incident("P1578", 1578, "resolved", "", "this is a test", "", at("2023-11-19 05:51:15"),
              changed_by=Person("", "API Service"), changed_at=at("2023-11-19 05:51:28"), assignees=(),
              url="https://api.pagerduty.com/test")),
    ("log_entries.annotate.minimal-observed", newest, ([], [NO_ID, NO_ID])),
]  # fmt: skip
"""An incident or a log entry by itself is put into the envelope in which the API has it."""


def create(readers: Any) -> Any:
    return readers.to_pagerduty.create_incident("k", "t", "", "high")


REFUSALS: list[Refusal] = [
    ("pagerduty/errors/400.duplicate_incident_key", create, ("Duplicate", "already exists on this service", None)),
    ("pagerduty/errors/400.error_is_array", create, ("Permanent", "at most 50 item(s)", None)),
    ("pagerduty/errors/400.errors_is_object", create, ("Permanent", "Please use a shorter duration", None)),
    ("pagerduty/errors/400.errors_is_string", create, ("Permanent", "Override must end in the future", None)),
    ("pagerduty/errors/400.invalid_input.no_content_type", create, ("Permanent", "params must be a Hash", None)),
    ("pagerduty/errors/400.invalid_input.title_empty", create, ("Permanent", "Title cannot be empty.", None)),
    ("pagerduty/errors/400.invalid_status_filter", incident, ("Permanent", "Status must be a list of", None)),
    ("pagerduty/errors/400.requester_not_found", create, ("Refused", "see PAGERDUTY_EMAIL", None)),
    ("pagerduty/errors/404.not_found", incident, ("Missing", "Not Found (code 2100)", None)),
    ("pagerduty/errors/404.not_found", create, ("Refused", "see PAGERDUTY_SERVICE_ID", None)),
    ("pagerduty/errors/429.rate_limited", create, ("NotExecuted", "Rate Limit Exceeded (code 2020)", 20.0)),
]
"""The kind, a part of the words, and the seconds after which to try again."""
