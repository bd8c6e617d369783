"""Every read of both vendors' clients whose answer is a list or one object, as a table that one oracle judges.

An entry says how the answer looks, how it is read, and which fields of a row each part of the value may depend on.
These tables are written from the vendors' descriptions, not from the code.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from reconciler.core.model import Person
from reconciler.errors import Misconfigured, ReconcilerError, Unknown
from reconciler.vendors import integration_api
from reconciler.vendors.jsm.examination import JsmExamination
from reconciler.vendors.jsm.people import People
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.pagerduty.examination import PagerDutyExamination
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE
from tests.support.wire import jsm
from tests.support.wire.http import OPSGENIE, PAGERDUTY, http
from tests.support.wire.opsgenie import AT
from tests.support.wire.samples import ALERT, ENTRY, INCIDENT, INCIDENT_NOTE, JANE, LINE, NOTE, SERVICE

ALERTS, INCIDENTS, LOG = f"{OPSGENIE}/v2/alerts", f"{PAGERDUTY}/incidents", f"{PAGERDUTY}/log_entries"
EMAIL = "bot@operator.example"
Fields = Mapping[str, frozenset[str]]
"""For each attribute of a value the fields of the row, at its top level, that may change it."""


def _fields(**of: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(fields.split()) for name, fields in of.items()}


class Clients:
    """All readers, each made when it is needed, and the rows that they reported as unreadable."""

    def __init__(self) -> None:
        self.bad: list[str] = []

    def _report(self, _vendor: str, what: str) -> None:
        self.bad.append(what)

    @cached_property
    def opsgenie(self) -> OpsgenieExamination:
        """Opsgenie's."""
        return OpsgenieExamination(http("Opsgenie"), "", OPSGENIE, on_bad_row=self._report)

    @cached_property
    def pagerduty(self) -> PagerDutyExamination:
        """PagerDuty's."""
        return PagerDutyExamination(http("PagerDuty"), SERVICE, EMAIL, "PBOT01", on_bad_row=self._report)

    @cached_property
    def jsm(self) -> JsmExamination:
        """JSM's, with an integration's key."""
        account, site, keyed = (jsm.http(name) for name in ("JSM", JSM_SITE, JSM_KEYED))
        found = JsmExamination(
            account, site, keyed, email=jsm.EMAIL, cloud_id=jsm.CLOUD, query="", site_url=jsm.SITE
        )
        found._on_bad_row = self._report
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A list: `key` is the field by which its rows differ, `named` its value for each of them by number.

    `label` gives a value's part that was read from `key`. `known` are the values of one field that mean something,
    with what they mean: any other one must be read as `otherwise`, or the row be reported. `leaves`: the row says
    that it is none of ours.
    """

    name: str
    url: str
    array: str
    sample: Mapping[str, Any]
    read: Callable[[Clients], Iterable[Any]]
    fields: Fields
    key: str = "id"
    named: Callable[[int], Any] = lambda number: f"{number}_{number}"
    label: Callable[[Any], Any] = lambda value: value.id
    ahead: timedelta = timedelta(hours=1)
    leaves: Callable[[tuple[Any, ...], Any], bool] = lambda _path, _value: False

    def answer(self, rows: Any, **more: Any) -> dict[str, Any]:
        """A whole answer with these rows."""
        return {self.array: rows, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One object. `path` leads to it within the answer. `errors` are what an unreadable one may raise.

    `says`: whether a value still says that there is something, however malformed a field of it is.
    """

    name: str
    url: str
    document: Mapping[str, Any]
    read: Callable[[Clients], Any]
    fields: Fields
    errors: tuple[type[ReconcilerError], ...] = (Unknown,)
    path: tuple[str, ...] = ()
    ahead: timedelta = timedelta(hours=1)
    says: Callable[[Any], bool] = lambda _value: True


SHARED = frozenset(
    {
        "opsgenie: open alerts", "opsgenie: an alert", "jsm: alerts by creation", "jsm: an alert",
        "pagerduty: newest incidents", "pagerduty: an incident", "pagerduty: log of an incident",
    }
)  # fmt: skip
"""Readings whose rows are read as another one's."""
FAR = timedelta(days=367)
_ALERT_FIELDS = _fields(
    id="id", url="id", tiny_id="tinyId", message="message", open="status", acknowledged="acknowledged",
    created_at="createdAt", updated_at="updatedAt createdAt", snoozed_until="snoozed snoozedUntil",
    acknowledged_by="report owner acknowledged", acknowledged_at="report createdAt acknowledged",
    closed_by="report", closed_at="report createdAt", priority="priority", tags="tags", source="source",
    description="description", details="details", alias="alias",
)  # fmt: skip
JSM_ALERT = jsm.row(
    1, acknowledged=True, snoozed=True, snoozedUntil=jsm.stamp(-3600), ackTime=jsm.stamp(-5),
    closeTime=jsm.stamp(-9), owner="Ana Ruiz",
)  # fmt: skip
_JSM_ALERT_FIELDS = _ALERT_FIELDS | _fields(
    acknowledged="acknowledged status", snoozed_until="snoozed snoozedUntil status",
    acknowledged_by="owner acknowledged status", acknowledged_at="ackTime createdAt acknowledged status",
    closed_by="", closed_at="closeTime createdAt", details="extraProperties",
)  # fmt: skip
_NOTE_FIELDS = _fields(id="offset", author="owner", text="note", at="createdAt offset")
_ACT_FIELDS = _fields(
    id="offset",
    verb="log owner",
    at="createdAt offset",
    actor="owner",
    person="owner",
    agent="owner",
    incident_id="",
)
JSM_LINE = {
    "log": "Alert acknowledged via JSM", "logType": "activity", "owner": "Ana Ruiz", "logTime": jsm.stamp(60),
    "createdAt": jsm.stamp(60),
}  # fmt: skip
_INCIDENT_FIELDS = _fields(
    id="id", number="incident_number", status="status", key="incident_key", title="title summary",
    service_id="service", created_at="created_at", urgency="urgency",
    acknowledgers="acknowledgements last_status_change_by status", acknowledged_at="acknowledgements",
    escalation_policy_id="escalation_policy", changed_by="last_status_change_by",
    changed_at="last_status_change_at", merged_into="resolve_reason", merged_name="resolve_reason",
    assignees="assignments", expires_at="pending_actions", url="html_url",
)  # fmt: skip
_ENTRY_FIELDS = _fields(
    id="id",
    verb="type",
    at="created_at",
    actor="agent channel",
    person="agent",
    agent="agent",
    incident_id="incident",
)


def _is_elsewhere(path: tuple[Any, ...], value: Any) -> bool:
    """Whether the row names another service, by an id that is one."""
    return path == ("service", "id") and isinstance(value, str) and bool(value.strip())


ROWS: tuple[Rows, ...] = (
    Rows(
        name="opsgenie: alerts by change", url=ALERTS, array="data", sample=ALERT, fields=_ALERT_FIELDS, ahead=FAR,
        read=lambda clients: clients.opsgenie.recent_alerts(None),
    ),
    Rows(
        name="opsgenie: open alerts", url=ALERTS, array="data", sample=ALERT, fields=_ALERT_FIELDS, ahead=FAR,
        read=lambda clients: (one for page in clients.opsgenie.open_alerts() for one in page),
        leaves=lambda path, value: path == ("status",) and value == "closed",
    ),
    Rows(
        name="opsgenie: notes", url=f"{ALERTS}/a/notes", array="data", sample=NOTE, fields=_NOTE_FIELDS,
        key="offset", read=lambda clients: clients.opsgenie.notes("a"),
    ),
    Rows(
        name="opsgenie: log", url=f"{ALERTS}/a/logs", array="data", sample=LINE, fields=_ACT_FIELDS,
        key="offset", read=lambda clients: clients.opsgenie.acts("a"),
    ),
    Rows(
        name="jsm: alerts by creation", url=jsm.ALERTS, array="values", sample=JSM_ALERT, fields=_JSM_ALERT_FIELDS,
        ahead=FAR, read=lambda clients: clients.jsm.recent_alerts(None),
    ),
    Rows(
        name="jsm: news", url=jsm.ALERTS, array="values", sample=JSM_ALERT, fields=_JSM_ALERT_FIELDS,
        ahead=FAR, read=lambda clients: clients.jsm.changes(AT - timedelta(hours=1), None).rows,
    ),
    Rows(
        name="jsm: notes", url=f"{jsm.ALERTS}/a/notes", array="values", sample=jsm.note(5),
        fields=_fields(id="id", author="owner", text="note", at="createdAt id"),
        read=lambda clients: clients.jsm.notes("a"),
    ),
    Rows(
        name="jsm: log", url=f"{jsm.ALERTS}/a/logs", array="values", sample=JSM_LINE, key="logTime",
        fields=_fields(
            id="logTime createdAt owner log", verb="log owner", at="logTime createdAt", actor="owner",
            person="owner", agent="owner", incident_id="",
        ),
        named=jsm.stamp, label=lambda act: act.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        read=lambda clients: clients.jsm.acts("a"),
    ),
    Rows(
        name="pagerduty: open incidents", url=INCIDENTS, array="incidents", sample=INCIDENT,
        fields=_INCIDENT_FIELDS, ahead=timedelta(days=31), leaves=_is_elsewhere,
        read=lambda clients: clients.pagerduty.open_incidents(),
    ),
    Rows(
        name="pagerduty: newest incidents", url=INCIDENTS, array="incidents", sample=INCIDENT,
        fields=_INCIDENT_FIELDS, ahead=timedelta(days=31), leaves=_is_elsewhere,
        read=lambda clients: clients.pagerduty.newest_incidents(100),
    ),
    Rows(
        name="pagerduty: notes", url=f"{INCIDENTS}/P/notes", array="notes", sample=INCIDENT_NOTE,
        fields=_fields(id="id", author="user", text="content", at="created_at"),
        read=lambda clients: clients.pagerduty.notes("P"),
    ),
    Rows(
        name="pagerduty: log of the account", url=LOG, array="log_entries", sample=ENTRY, fields=_ENTRY_FIELDS,
        read=lambda clients: clients.pagerduty.log_entries(AT, lambda _: False).acts,
    ),
    Rows(
        name="pagerduty: log of an incident", url=f"{INCIDENTS}/PI/log_entries", array="log_entries", sample=ENTRY,
        fields=_ENTRY_FIELDS, read=lambda clients: clients.pagerduty.acts("PI"),
    ),
    Rows(
        name="pagerduty: keys of an incident's alerts", url=f"{INCIDENTS}/P/alerts", array="alerts",
        sample={"id": "PA", "type": "alert", "alert_key": "k", "status": "triggered", "incident": {"id": "P"}},
        key="alert_key", label=lambda key: key, fields={},
        leaves=lambda path, value: path == ("alert_key",) and value in (..., None, ""),
        read=lambda clients: clients.pagerduty._alert_keys("P"),
    ),
)  # fmt: skip


def _us(people: People) -> Person:
    """Our own user, asked for anew."""
    people.forget()
    people.ask()
    return people.us()


def _ana(people: People) -> Person:
    """A user, looked up anew."""
    people._others.clear()
    return people.person(jsm.ANA)


_RECEIPT = {
    "success": True, "isSuccess": True, "action": "Acknowledge", "processedAt": "2026-11-23T09:00:00Z",
    "integrationId": "i", "status": "Acknowledged alert", "alertId": "a", "alias": "a",
}  # fmt: skip
_RECEIPT_FIELDS = _fields(
    done="isSuccess success processedAt", detail="status isSuccess success", at="processedAt"
)
_SERVICE = {
    "id": SERVICE, "type": "service", "name": "API", "summary": "API", "status": "active",
    "acknowledgement_timeout": 1800, "auto_resolve_timeout": 14400,
    "escalation_policy": {"id": "PESC", "type": "escalation_policy_reference", "summary": "Night"},
}  # fmt: skip
_BOT = {
    "id": "PBOT01",
    "type": "user",
    "name": "Bot",
    "summary": "Bot",
    "email": EMAIL,
    "role": "user",
    "time_zone": "UTC",
}
SINGLES: tuple[Single, ...] = (
    Single(
        name="opsgenie: an alert", url=f"{ALERTS}/a", document={"data": ALERT, "took": 1, "requestId": "r"},
        path=("data",), fields=_ALERT_FIELDS, ahead=FAR, read=lambda clients: clients.opsgenie.alert("a"),
    ),
    Single(
        name="opsgenie: a receipt", url=f"{ALERTS}/requests/r", document={"data": _RECEIPT}, path=("data",),
        fields=_RECEIPT_FIELDS, errors=(), read=lambda clients: clients.opsgenie.request_status("r"),
    ),
    Single(
        name="opsgenie: the count", url=f"{ALERTS}/count", document={"data": {"count": 3}}, path=("data",),
        fields={}, read=lambda clients: clients.opsgenie.count(is_open=True),
    ),
    Single(
        name="jsm: an alert", url=f"{jsm.ALERTS}/a", document=JSM_ALERT, fields=_JSM_ALERT_FIELDS, ahead=FAR,
        read=lambda clients: clients.jsm.alert("a"),
    ),
    Single(
        name="jsm: a receipt", url=f"{jsm.ALERTS}/requests/r", document=_RECEIPT,
        fields=_RECEIPT_FIELDS, errors=(), read=lambda clients: clients.jsm.request_status("a:r"),
    ),
    Single(
        name="jsm: a receipt of the integration", url=f"{jsm.NAMED}/requests/r", document={"data": _RECEIPT},
        path=("data",), fields=_RECEIPT_FIELDS, errors=(),
        read=lambda clients: integration_api.request_status(clients.jsm._keyed, "r"),  # type: ignore[arg-type]
    ),
    Single(
        name="jsm: the count", url=jsm.ALERTS, document={"values": [], "count": 3, "links": {}}, fields={},
        read=lambda clients: clients.jsm.count(is_open=True),
    ),
    Single(
        name="jsm: our own user", url=f"{jsm.USERS}/myself", document=jsm.MYSELF, errors=(),
        fields=_fields(person="accountId displayName", kind="accountType"),
        read=lambda clients: clients.jsm.token_user(),
    ),
    Single(
        name="jsm: who we are", url=f"{jsm.USERS}/myself", document=jsm.MYSELF, errors=(),
        fields=_fields(id="accountId", name="displayName"),
        read=lambda clients: _us(clients.jsm._people),
    ),
    Single(
        name="jsm: a user", url=f"{jsm.USERS}/user", document={"accountId": jsm.ANA, "displayName": "Ana Ruiz"},
        fields=_fields(id="", name="displayName"), errors=(),
        read=lambda clients: _ana(clients.jsm._people),
    ),
    Single(
        name="jsm: the site", url=f"{jsm.SITE}/_edge/tenant_info", document={"cloudId": jsm.CLOUD}, fields={},
        errors=(Misconfigured,), read=lambda clients: clients.jsm.site_cloud_id(),
    ),
    Single(
        name="pagerduty: an incident", url=f"{INCIDENTS}/P", document={"incident": INCIDENT}, path=("incident",),
        fields=_INCIDENT_FIELDS, ahead=timedelta(days=31), read=lambda clients: clients.pagerduty.incident("P"),
    ),
    Single(
        name="pagerduty: the service", url=f"{PAGERDUTY}/services/{SERVICE}", document={"service": _SERVICE},
        path=("service",), errors=(), read=lambda clients: clients.pagerduty.check_service(),
        fields=_fields(
            escalation_policy_id="escalation_policy", objection="status", name="name summary", state="status"
        ),
    ),
    Single(
        name="pagerduty: facts of the service", url=f"{PAGERDUTY}/services/{SERVICE}",
        document={"service": _SERVICE}, path=("service",), errors=(),
        read=lambda clients: clients.pagerduty.service_facts(),
        fields=_fields(
            name="name summary", status="status", acknowledgement_timeout="acknowledgement_timeout",
            policy_id="escalation_policy", policy_name="escalation_policy",
        ),
    ),
    Single(
        name="pagerduty: whose key it is", url=f"{PAGERDUTY}/users/me", document={"user": _BOT}, path=("user",),
        errors=(), fields=_fields(kind="id name summary", person="id name summary", email="email"),
        read=lambda clients: clients.pagerduty.key_owner(),
    ),
    Single(
        name="pagerduty: the key's user", url=f"{PAGERDUTY}/users/me", document={"user": _BOT}, path=("user",),
        errors=(Misconfigured,), fields={}, read=lambda clients: clients.pagerduty.check_key(),
    ),
    Single(
        name="pagerduty: the automation user", url=f"{PAGERDUTY}/users",
        document={"users": [_BOT], "more": False}, path=("users", "0"), errors=(Unknown, Misconfigured),
        fields=_fields(person="id name summary", objection="role"),
        read=lambda clients: clients.pagerduty.automation_user(),
    ),
    Single(
        name="pagerduty: who is on call", url=f"{PAGERDUTY}/oncalls", errors=(), fields={}, path=("oncalls", "0"),
        says=lambda value: value is None or len(value) == 1,
        document={
            "oncalls": [{"user": JANE, "escalation_policy": {"type": "x"}, "schedule": None}],
            "more": False,
        },
        read=lambda clients: clients.pagerduty.people_on_call("PESC"),
    ),
    Single(
        name="pagerduty: the duties of a user", url=f"{PAGERDUTY}/oncalls", fields={}, path=("oncalls", "0"),
        says=bool,
        document={
            "oncalls": [{"user": JANE, "escalation_policy": {"id": "PESC"}, "schedule": {"id": "PS"}}],
            "more": False,
        },
        read=lambda clients: clients.pagerduty.duties("PBOT01", AT, AT),
    ),
    Single(
        name="pagerduty: the policy", url=f"{PAGERDUTY}/escalation_policies/PESC", errors=(), fields={},
        document={"escalation_policy": {"id": "PESC", "name": "Night", "escalation_rules": [{"targets": [JANE]}]}},
        read=lambda clients: clients.pagerduty._policy("PESC"),
    ),
    Single(
        name="pagerduty: maintenance windows", url=f"{PAGERDUTY}/maintenance_windows", fields={},
        path=("maintenance_windows", "0"), says=lambda value: len(value) == 1,
        ahead=timedelta(days=366_000),  # they are plans: nothing is compared with them but now
        document={
            "maintenance_windows": [
                {"start_time": "2026-11-23T08:00:00Z", "end_time": "2027-11-23T08:00:00Z", "description": "d"}
            ],
            "more": False,
        },
        read=lambda clients: clients.pagerduty.maintenance_windows(),
    ),
)  # fmt: skip
