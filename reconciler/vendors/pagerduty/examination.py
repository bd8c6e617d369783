"""Reads that only an examination of the set-up makes: whose key it is, the service, its people and its windows."""

from datetime import datetime
from typing import Any

from reconciler.core.model import Incident, Person
from reconciler.vendors.json_fields import mapping, moment, natural, reference, text
from reconciler.vendors.network import server_time
from reconciler.vendors.pagerduty.client import PagerDutyClient
from reconciler.vendors.pagerduty.rows import OPEN, person_of
from reconciler.vendors.ports import PAGE, KeyOwner, MaintenanceWindow, ServiceFacts

_KEY_OF_THE_ACCOUNT = 400
"""The status with which `GET /users/me` answers an account's key, which belongs to nobody."""
_UNREADABLE = frozenset({400, 402, 403, 404, 405, 410})
_UNNAMED = "a schedule or an escalation policy whose id cannot be read"


class PagerDutyExamination(PagerDutyClient):
    """All reads, and those of an examination."""

    def server_time(self) -> datetime | None:
        """PagerDuty's clock; also a read of the service, with all errors that this may raise."""
        return server_time(self._http.get(self._service_path()).headers)

    def key_owner(self) -> KeyOwner:
        """Whose key it is, as far as PagerDuty says."""
        answer = self._http.get("/users/me", accept=_UNREADABLE)
        if answer.status == _KEY_OF_THE_ACCOUNT:
            return KeyOwner("account")
        row = mapping(mapping(answer.json).get("user"))
        owner = person_of(row)
        return KeyOwner() if owner is None else KeyOwner("user", owner, text(row.get("email")))

    def service_facts(self) -> ServiceFacts:
        """The configured service as it is now."""
        service = mapping(mapping(self._http.get(self._service_path()).json).get("service"))
        policy = mapping(service.get("escalation_policy"))
        return ServiceFacts(
            name=text(service.get("name")) or text(service.get("summary")),
            status=text(service.get("status")).strip().lower(),
            acknowledgement_timeout=natural(service.get("acknowledgement_timeout")) or None,
            policy_id=reference(policy),
            policy_name=text(policy.get("summary")),
        )

    def maintenance_windows(self) -> list[MaintenanceWindow] | None:
        """The service's maintenance windows, present and future ones; None if the key may not read them."""
        asked = [("service_ids[]", self._service_id), ("filter", "open")]
        page = self._pages.page_if_allowed("/maintenance_windows", "maintenance_windows", asked, 0)
        return None if page is None else [_window(mapping(row)) for row in page.rows]

    def people_on_call(self, policy_id: str) -> tuple[Person, ...] | None:
        """The people on call on a policy, each once; None if that cannot be read."""
        found = self._on_duty(policy_id)
        return None if found is None else tuple(dict.fromkeys(found))

    def duties(self, user_id: str, since: datetime, until: datetime) -> tuple[str, ...]:
        """Names of the schedules and escalation policies that the user is on in that time."""
        between = [("since", since.isoformat(timespec="seconds")), ("until", until.isoformat(timespec="seconds"))]
        asked = [("user_ids[]", user_id), ("time_zone", "UTC"), *between]
        on_call = [mapping(row) for page in self._pages.all("/oncalls", "oncalls", asked) for row in page.rows]
        named = [
            _name("schedule", row.get("schedule")) or _policy_name(row.get("escalation_policy")) or _UNNAMED
            for row in on_call
        ]
        page = self._pages.page_if_allowed(
            "/escalation_policies", "escalation_policies", [("user_ids[]", user_id)], 0
        )
        named += [_policy_name(row) or _UNNAMED for row in page.rows] if page else []
        return tuple(dict.fromkeys(named))

    def newest_incidents(self, most: int) -> list[Incident]:
        """The service's newest open incidents."""
        asked = [(name, value) for name, value in self._open_query() if name != "sort_by"]
        page = self._pages.page("/incidents", "incidents", [*asked, ("sort_by", "incident_number:desc")], 0)
        return self._mine(page.rows, OPEN)[: min(most, PAGE)]


def _window(row: dict[str, Any]) -> MaintenanceWindow:
    return MaintenanceWindow(
        moment(row.get("start_time")), moment(row.get("end_time")), text(row.get("description"))
    )


def _policy_name(row: Any) -> str:
    return _name("escalation policy", row)


def _name(kind: str, row: Any) -> str:
    """`escalation policy P1 "Name"`; empty if there is none."""
    found = mapping(row)
    name, key = text(found.get("name")) or text(found.get("summary")), text(found.get("id"))
    return f'{kind} {key} "{name}"' if key else ""
