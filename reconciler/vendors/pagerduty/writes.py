"""Writes to PagerDuty, always as the automation user."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reconciler.core.model import Incident, Note, Person
from reconciler.errors import Duplicate, ObjectError, Permanent, RateLimited, ReconcilerError, Unknown
from reconciler.vendors.call_context import CallPriority, at_least
from reconciler.vendors.http import Answer, Http
from reconciler.vendors.json_fields import BadRow, ignore, mapping
from reconciler.vendors.pagerduty.duty import on_duty
from reconciler.vendors.pagerduty.pages import VENDOR, Pages, place
from reconciler.vendors.pagerduty.rows import is_user, parse_incident, parse_note

_DUPLICATE = "matching dedup key already exists"
PEOPLE = "people"
"""Name of the way that assigns people in person."""


class PagerDutyWriting:
    """Writes, always as the automation user with this login e-mail."""

    def __init__(self, http: Http, service_id: str, email: str) -> None:
        self._http = http
        self._service_id = service_id
        self._from = {"From": email}
        self._pages = Pages(http, ignore)
        self._way = ""

    def create_incident(self, key: str, title: str, body: str, urgency: str, priority_id: str = "") -> Incident:
        """A new incident. Duplicate when an open one has this key already."""
        incident: dict[str, Any] = {
            "type": "incident",
            "title": title,
            "service": {"id": self._service_id, "type": "service_reference"},
            "incident_key": key,
        }
        if urgency:
            incident["urgency"] = urgency
        if priority_id:
            incident["priority"] = _priority(priority_id)
        if body:
            incident["body"] = {"type": "incident_body", "details": body}
        try:
            with at_least(CallPriority.PAGE):
                answer = self._http.write("POST", "/incidents", {"incident": incident}, self._from)
        except Permanent as error:
            duplicate = error.status == 400 and _DUPLICATE in str(error).lower()  # noqa: PLR2004 - HTTP
            raise (Duplicate(str(error)) if duplicate else error) from None
        return incident_of(answer, "just created", self._http.clock.now())

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge. This reopens a resolved incident: check first."""
        return self._put(incident_id, status="acknowledged")

    def resolve(self, incident_id: str) -> Incident:
        """Resolve."""
        return self._put(incident_id, status="resolved")

    def set_urgency(self, incident_id: str, urgency: str, priority_id: str = "") -> Incident:
        """Set the urgency, the priority, or both; an empty one stays as it is."""
        change: dict[str, Any] = {"urgency": urgency} if urgency else {}
        change |= {"priority": _priority(priority_id)} if priority_id else {}
        return self._put(incident_id, **change)

    def retrigger(self, incident: Incident, automation: Person) -> Incident:
        """Make an incident page somebody other than the automation user again.

        There is no call for it: the known ways are tried, the mildest first, until the answer shows success.
        """
        refusal: Permanent | ObjectError | None = None
        last: Incident | None = None
        for name, change in self.unacknowledging_ways(incident.escalation_policy_id, automation):
            try:
                last = self._put(incident.id, **change)
            except (Permanent, ObjectError) as error:
                refusal = error
                continue
            if _pages_somebody(last, automation):
                self._way = name
                return last
            if last.status == "resolved":
                raise Permanent(
                    f"{VENDOR}: incident {incident.id} was resolved meanwhile; not triggered again", 409
                )
        if last is None and isinstance(refusal, ObjectError):
            raise refusal  # every way was refused for the same reason: the incident itself
        raise _stuck(incident, last, refusal, automation)

    def unacknowledging_ways(self, policy_id: str, automation: Person) -> Iterator[tuple[str, dict[str, Any]]]:
        """Names and changes of the known ways to un-acknowledge, beginning with the last successful one.

        `policy_id` is the incident's escalation policy; empty if that is not known. Who is assigned in person is
        not followed by the next level: that comes last, and is documented to work.
        """
        policy = {"id": policy_id, "type": "escalation_policy_reference"}
        ways: list[tuple[str, dict[str, Any]]] = [
            ("status", {"status": "triggered"}),
            ("level 1", {"escalation_level": 1}),
            *([("policy", {"escalation_policy": policy})] if policy_id else []),
            ("level 2", {"escalation_level": 2}),
        ]
        if self._way == PEOPLE:
            yield from self._to_people(policy_id, automation)
        yield from sorted(ways, key=lambda way: way[0] != self._way)
        if self._way != PEOPLE:
            yield from self._to_people(policy_id, automation)

    def _to_people(self, policy_id: str, automation: Person) -> Iterator[tuple[str, dict[str, Any]]]:
        people = self._people(policy_id, automation)
        if people:
            yield PEOPLE, {"assignments": [{"assignee": {"id": one, "type": "user_reference"}} for one in people]}

    def _people(self, policy_id: str, automation: Person) -> list[str]:
        """Ids of the people on call on the lowest level that has any but the automation user; empty if unknown.

        RateLimited if there is no room to ask now.
        """
        if not policy_id:
            return []
        try:
            duty = on_duty(self._pages, policy_id)
        except RateLimited:
            raise
        except ReconcilerError:
            return []
        others = [(level, one.id) for level, one in duty if one.id and not is_user(one, automation)]
        lowest = min((level for level, _ in others), default=0)
        return list(dict.fromkeys(person_id for level, person_id in others if level == lowest))

    def add_note(self, incident_id: str, text: str) -> Note:
        """Add a note."""
        answer = self._http.write(
            "POST", incident_path(incident_id, "notes"), {"note": {"content": text}}, self._from
        )
        try:
            return parse_note(mapping(answer.json).get("note"), self._http.clock.now())
        except BadRow as error:
            raise Unknown(f"{VENDOR}: the answer to a new note on {incident_id} cannot be read: {error}") from None

    def _put(self, incident_id: str, **change: Any) -> Incident:
        body = {"incident": {"type": "incident_reference", **change}}
        answer = self._http.write("PUT", incident_path(incident_id), body, self._from)
        return incident_of(answer, incident_id, self._http.clock.now())


def _priority(priority_id: str) -> dict[str, str]:
    """A reference to a priority: creations take no name (REST API, `POST /incidents`)."""
    return {"id": priority_id, "type": "priority_reference"}


def incident_path(incident_id: str, what: str = "") -> str:
    """The path of an incident, or of a part of it."""
    return place("incidents", incident_id, "incident") + (f"/{what}" if what else "")


def incident_of(answer: Answer, which: str, now: datetime) -> Incident:
    """The incident of an answer. Unknown if it cannot be read: it may exist all the same."""
    try:
        return parse_incident(mapping(answer.json).get("incident"), now)
    except BadRow as error:
        raise Unknown(f"{VENDOR}: incident {which}: the answer cannot be read: {error}") from None


def _pages_somebody(incident: Incident, automation: Person) -> bool:
    """Whether it is triggered and assigned to anybody else; assignees missing from the answer are assumed."""
    if incident.status != "triggered":
        return False
    return incident.assignees is None or any(not is_user(one, automation) for one in incident.assignees)


def _stuck(
    incident: Incident, last: Incident | None, refusal: Permanent | ObjectError | None, automation: Person
) -> Permanent:
    """The error after all ways failed: the incident stays acknowledged, or pages only the automation user."""
    status = refusal.status if isinstance(refusal, Permanent) else 400
    why = f"; the last refusal: {refusal}" if refusal else ""
    if last is not None and last.status == "triggered":
        whom = f"only to the automation user {automation.name}" if last.assignees else "to nobody"
        return Permanent(
            f"{VENDOR}: nobody is paged: incident {incident.id} is triggered again, but assigned {whom} after "
            "every known way (status, escalation level, escalation policy, assignment); take the automation user "
            f"off every schedule and escalation policy, and assign the incident to somebody{why}",
            status,
        )
    return Permanent(
        f"{VENDOR}: incident {incident.id} stays acknowledged after every known way "
        f"(status, escalation level, escalation policy, assignment); un-acknowledge it in PagerDuty{why}",
        status,
    )
