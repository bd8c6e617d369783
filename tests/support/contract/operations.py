"""What the program sends: one row for each operation, in our own words, with where the vendor documents it.

Fields of a body are named with what contains them: `incident.service.id`.
"""

from dataclasses import dataclass

_OG = "docs.opsgenie.com/docs/alert-api"
_OG_MORE = "docs.opsgenie.com/docs/alert-api-continued"
_PD = "developer.pagerduty.com/api-reference"
_JSM = "developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-alerts"
_EVENTS = "developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events"
_JIRA = "developer.atlassian.com/cloud/jira/platform/rest/v3"
_ALERTS = "/jsm/ops/api/{cloudId}/v1/alerts"
_NAMED = "/jsm/ops/integration/v2/alerts"
_PAGE = "limit offset"
_FROM = ("from",)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation. `query` and `body` are the names of all that the program ever sends there.

    `headers` must be sent; every operation needs those of its vendor in ALWAYS, too.
    """

    vendor: str
    method: str
    path: str
    source: str
    query: str = ""
    body: str = ""
    headers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.vendor} {self.method} {self.path}"


ALWAYS = {
    "opsgenie": ("authorization", "accept", "user-agent"),
    "jsm": ("accept", "user-agent"),
    "pagerduty": ("authorization", "accept", "user-agent", "content-type"),
}
"""Headers of every request. A site is asked for its cloud id without a key."""
_OPSGENIE = (
    Operation("opsgenie", "GET", "/v2/alerts", f"{_OG}#list-alerts", f"query sort order {_PAGE}"),
    Operation("opsgenie", "GET", "/v2/alerts/count", f"{_OG}#count-alerts", "query"),
    Operation("opsgenie", "GET", "/v2/alerts/requests/{requestId}", f"{_OG}#get-request-status"),
    Operation("opsgenie", "GET", "/v2/alerts/{identifier}", f"{_OG}#get-alert", "identifierType"),
    *(
        Operation("opsgenie", "GET", f"/v2/alerts/{{identifier}}/{what}", f"{_OG_MORE}#list-alert-{what}",
                  f"identifierType order direction {_PAGE}")
        for what in ("notes", "logs")
    ),
    *(
        Operation("opsgenie", "POST", f"/v2/alerts/{{identifier}}/{act}", f"{_OG_MORE}#{act}-alert",
                  "identifierType", "user source")
        for act in ("acknowledge", "unacknowledge")
    ),
    Operation("opsgenie", "POST", "/v2/alerts/{identifier}/notes", f"{_OG_MORE}#add-note-to-alert",
              "identifierType", "user source note"),
    Operation("opsgenie", "GET", "/v2/heartbeats/{name}/ping", "docs.opsgenie.com/docs/heartbeat-api#ping"),
)  # fmt: skip
_OF_JSM = (
    Operation("jsm", "GET", _ALERTS, _JSM, "query sort order size offset"),
    Operation("jsm", "GET", f"{_ALERTS}/requests/{{id}}", _JSM),
    Operation("jsm", "GET", f"{_ALERTS}/{{id}}", _JSM),
    Operation("jsm", "GET", f"{_ALERTS}/{{id}}/notes", _JSM, "size after"),
    Operation("jsm", "GET", f"{_ALERTS}/{{id}}/logs", _JSM, "size after"),
    Operation("jsm", "POST", f"{_ALERTS}/{{id}}/acknowledge", _JSM),
    Operation("jsm", "POST", f"{_ALERTS}/{{id}}/unacknowledge", _JSM),
    Operation("jsm", "POST", f"{_ALERTS}/{{id}}/notes", _JSM, body="note"),
    Operation("jsm", "GET", f"{_NAMED}/requests/{{requestId}}", _EVENTS),
    Operation("jsm", "POST", f"{_NAMED}/{{identifier}}/acknowledge", _EVENTS, "identifierType", "user source"),
    Operation("jsm", "POST", f"{_NAMED}/{{identifier}}/notes", _EVENTS, "identifierType", "user source note"),
    Operation("jsm", "GET", "/ex/jira/{cloudId}/rest/api/3/myself", f"{_JIRA}/api-group-myself"),
    Operation("jsm", "GET", "/ex/jira/{cloudId}/rest/api/3/user", f"{_JIRA}/api-group-users", "accountId"),
    Operation("jsm", "GET", "/_edge/tenant_info", "support.atlassian.com: how to find a site's cloud id"),
)
_LISTED = f"{_PAGE} service_ids[] sort_by time_zone"
_PAGERDUTY = (
    Operation("pagerduty", "GET", "/incidents", f"{_PD}: List incidents",
              f"{_LISTED} statuses[] date_range incident_key since until"),
    Operation("pagerduty", "POST", "/incidents", f"{_PD}: Create an incident",
              body="incident.type incident.title incident.service.id incident.service.type incident.incident_key "
              "incident.urgency incident.body.type incident.body.details incident.priority.id "
              "incident.priority.type", headers=_FROM),
    Operation("pagerduty", "GET", "/incidents/{id}", f"{_PD}: Get an incident", "time_zone"),
    Operation("pagerduty", "PUT", "/incidents/{id}", f"{_PD}: Update an incident",
              body="incident.type incident.status incident.urgency incident.escalation_level "
              "incident.escalation_policy.id incident.escalation_policy.type incident.priority.id "
              "incident.priority.type", headers=_FROM),
    Operation("pagerduty", "GET", "/incidents/{id}/alerts", f"{_PD}: List alerts for an incident", _PAGE),
    Operation("pagerduty", "GET", "/incidents/{id}/log_entries", f"{_PD}: List log entries for an incident",
              "limit include[] time_zone"),
    Operation("pagerduty", "GET", "/incidents/{id}/notes", f"{_PD}: List notes for an incident"),
    Operation("pagerduty", "POST", "/incidents/{id}/notes", f"{_PD}: Create a note on an incident",
              body="note.content", headers=_FROM),
    Operation("pagerduty", "GET", "/log_entries", f"{_PD}: List log entries", f"{_PAGE} since time_zone"),
    Operation("pagerduty", "GET", "/users", f"{_PD}: List users", f"{_PAGE} query"),
    Operation("pagerduty", "GET", "/users/me", f"{_PD}: Get the current user"),
    Operation("pagerduty", "GET", "/users/{id}", f"{_PD}: Get a user"),
    Operation("pagerduty", "GET", "/services/{id}", f"{_PD}: Get a service"),
    Operation("pagerduty", "GET", "/oncalls", f"{_PD}: List all of the on-calls",
              f"{_PAGE} escalation_policy_ids[] user_ids[] since until time_zone"),
    Operation("pagerduty", "GET", "/escalation_policies", f"{_PD}: List escalation policies",
              f"{_PAGE} user_ids[]"),
    Operation("pagerduty", "GET", "/escalation_policies/{id}", f"{_PD}: Get an escalation policy"),
    Operation("pagerduty", "GET", "/maintenance_windows", f"{_PD}: List maintenance windows",
              f"{_PAGE} service_ids[] filter"),
    Operation("pagerduty", "GET", "/priorities", f"{_PD}: List priorities", _PAGE),
)  # fmt: skip
OPERATIONS = (*_OPSGENIE, *_OF_JSM, *_PAGERDUTY)
"""The first row that fits a request is its own."""
