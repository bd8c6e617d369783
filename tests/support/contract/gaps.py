"""Where a vendor's published description differs from what it takes or answers, one by one, with the source.

A gap that no request and no answer meets any longer fails a test: then it is to be removed here.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.support.contract.description import Problem

_NULL = "null is not described"
_EXTRA = "is not described"
_STATUS = "the status is not described"
_TEXT = "is not described as str"
_SETTING = "uncertain: a setting of the sandbox makes it so"
_CAPTURE = "real answers in the tests of demisto/content, Packs/PagerDuty, 2023"
_OPSGENIE_CAPTURE = "real answers in the tests of demisto/content, Packs/OpsGenie, 2021"
_WEBDEMO = "incidents in PagerDuty's developer documentation, Webhooks V2, captured in 2017"


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap. `operation`, `part` and `where` are patterns for those of a `Problem`; `what` is its own text.

    `is_excerpt`: only the copy at hand has it, as that is an excerpt; a whole description may not.
    """

    vendor: str
    operation: str
    part: str
    where: str
    what: str
    source: str
    is_excerpt: bool = False

    def covers(self, problem: Problem) -> bool:
        """Whether this is the problem."""
        return (
            (self.vendor, self.what) == (problem.vendor, problem.what)
            and fnmatchcase(problem.operation, self.operation)
            and fnmatchcase(problem.part, self.part)
            and fnmatchcase(problem.where, self.where)
        )


_OPSGENIE = (
    Gap("opsgenie", "GET /v2/alerts*", "200", "data*.seen", _EXTRA, _OPSGENIE_CAPTURE),
    Gap("opsgenie", "GET /v2/alerts*", "200", "data*.teams", _EXTRA, _OPSGENIE_CAPTURE),
    Gap("opsgenie", "GET /v2/alerts*", "200", "data*.ownerTeamId", _EXTRA, _OPSGENIE_CAPTURE),
    Gap("opsgenie", "GET /v2/alerts/requests/{requestId}", "200", "data.success", _EXTRA,
        "docs.opsgenie.com, Alert API, Get Request Status: its example has it"),
    Gap("opsgenie", "GET /v2/alerts*", "200", "data*.acknowledged", _NULL, _SETTING),
    Gap("opsgenie", "*", "422", "errors", _EXTRA, "an answer quoted in ServiceNow's community: errors by field"),
)  # fmt: skip
_JSM = (
    Gap("jsm", "GET /v2/alerts/requests/{requestId}", "200", "data.success", _EXTRA,
        "the integration API's request status has Opsgenie's form: nightingale's JSM provider"),
    Gap("jsm", "GET /api/{cloudId}/v1/alerts", "request", "sort", "'updatedAt' is not one of those described",
        "`doctor` asks whether it is honoured: JsmOperations (PowerShell Gallery) has it as its default"),
    Gap("jsm", "GET /api/{cloudId}/v1/alerts*", "200", "*acknowledged", _NULL, _SETTING),
    Gap("jsm", "*", "400", "", _STATUS, "a bad query: rrvrs/jira-alerts-mcp has seen 400 instead of 422"),
    Gap("jsm", "*", "402", "", _STATUS, "uncertain: Opsgenie's answer where a plan lacks the API"),
    Gap("jsm", "*", "403", "", _STATUS, "described for other operations"),
    Gap("jsm", "*", "404", "", _STATUS, "an alert that is gone; the list, where a site has no alerts yet"),
    Gap("jsm", "*", "422", "", _STATUS, "described for other operations; a fault that the sandbox rehearses"),
    Gap("jsm", "*", "429", "", _STATUS, "developer.atlassian.com, Rate limiting: every API may answer it"),
    Gap("jsm", "*", "500", "", _STATUS, "a failure of the server, which every API may have"),
    Gap("jsm", "*", "503", "", _STATUS, "a failure of the server, which every API may have"),
)  # fmt: skip
_PAGERDUTY_REQUESTS = (
    Gap("pagerduty", "GET /incidents/{id}", "request", "time_zone", "the parameter is not described",
        "described for the list of incidents; harmless here, where times are in UTC anyway"),
    Gap("pagerduty", "POST /incidents", "request", "incident.body.details", _TEXT,
        "the description's own example and PagerDuty's documentation have a text"),
    Gap("pagerduty", "POST /incidents", "request", "incident.body.type", _EXTRA,
        "the description requires it without describing it; its own example has it"),
    Gap("pagerduty", "POST /incidents", "request", "incident.service.id", "is described as read-only",
        "ids are read-only by the description, but a reference consists of one: its own example"),
    Gap("pagerduty", "PUT /incidents/{id}", "request", "incident.escalation_policy.id",
        "is described as read-only", "the same"),
    Gap("pagerduty", "POST /incidents", "request", "incident.priority.id",
        "is described as read-only", "the same"),
    *(
        Gap("pagerduty", operation, "request", "", "the operation is not described",
            "the copy that is at hand is an excerpt without it; developer.pagerduty.com, API reference",
            is_excerpt=True)
        for operation in ("GET /oncalls", "GET /users/{id}", "GET /maintenance_windows")
    ),
)  # fmt: skip
_PAGERDUTY_ANSWERS = (
    *(
        Gap("pagerduty", "* /incidents*", "20?", f"incident*.{name}", _NULL, source)
        for name, source in (
            ("alert_grouping", "its own description: null if the incident has no alerts"),
            ("priority", "webhooks as delivered in 2025: the tests of Aldaviva/PagerDuty"),
            ("resolve_reason", "the example of getIncident"),
            ("resolved_at", "its own description: null if the incident is not resolved"),
            ("incident_key", _WEBDEMO),
            ("last_status_change_by", _SETTING),
            ("acknowledgements.#.acknowledger", _SETTING),
        )
    ),
    *(
        Gap("pagerduty", "* /incidents*", "20?", f"incident*.{name}", _EXTRA, _CAPTURE)
        for name in ("description", "subscriber_requests")
    ),
    *(
        Gap("pagerduty", "GET /services/{id}", "200", f"service.{name}", _NULL, source)
        for name, source in (
            ("acknowledgement_timeout", "its own description: null if the feature is disabled"),
            ("auto_resolve_timeout", "its own description: null if the feature is disabled"),
            ("description", "a service that was made without one; uncertain"),
        )
    ),
    Gap("pagerduty", "GET /escalation_policies*", "200", "*.description", _NULL,
        "a policy that was made without one; uncertain"),
    Gap("pagerduty", "GET /users*", "200", "*.job_title", _NULL, "a user without one; uncertain"),
    Gap("pagerduty", "GET /users/me", "400", "error", _TEXT,
        "python-pagerduty, tests/rest_api_v2_client_test.py: the answer to an account's key"),
    Gap("pagerduty", "GET *log_entries", "200", "log_entries.#.type",
        "'acknowledge_log_entry' is not one of those described",
        "misspelt as acknowledgement_log_entry in one of two places; documentation, Webhooks V2"),
    Gap("pagerduty", "GET *log_entries", "200", "log_entries.#.type",
        "'reopen_log_entry' is not one of those described", "uncertain: no entry of a reopening is documented"),
    Gap("pagerduty", "GET *log_entries", "200", "log_entries.#.channel.type",
        "'note' is not one of those described", "the text of Channel names it; pagerduty-live reads it"),
    Gap("pagerduty", "GET *log_entries", "200", "log_entries.#.channel.details", _TEXT,
        "an incident's body is a text, see above; its log entry repeats it (uncertain)"),
    Gap("pagerduty", "*", "400", "", _STATUS, "PUT /incidents/{id} lacks what the list's PUT has described"),
    Gap("pagerduty", "*", "402", "", _STATUS, "described for other operations"),
    Gap("pagerduty", "*", "404", "", _STATUS, "described for other operations"),
    Gap("pagerduty", "*", "422", "", _STATUS, "a fault that the sandbox rehearses"),
    Gap("pagerduty", "*", "500", "", _STATUS, "developer.pagerduty.com, Errors: code 2000"),
    Gap("pagerduty", "*", "503", "", _STATUS, "a failure of the server, which every API may have"),
)  # fmt: skip
GAPS = (*_OPSGENIE, *_JSM, *_PAGERDUTY_REQUESTS, *_PAGERDUTY_ANSWERS)
UNDESCRIBED = {
    "/_edge/": "a site's cloud id: support.atlassian.com, Find your cloud id",
    "/ex/jira/": "Jira's users: developer.atlassian.com, Jira platform REST API v3, Myself and Users",
}
"""APIs of which there is no description here, by the beginnings of their paths, with where they are documented."""
