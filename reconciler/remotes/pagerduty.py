"""PagerDuty's REST API v2: its JSON to core values and back. Knows no policy.

Lists lag, repeat rows and shift while they are paged, so that rows are made unique and checked against what was
asked for; links in answers are never followed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from reconciler.core.model import Act, Incident, Note, Person
from reconciler.errors import Duplicate, Misconfigured, Missing, Permanent, Unknown
from reconciler.remotes.base import PAGE, AutomationUser, LogPage, OnCall, ServiceStatus
from reconciler.remotes.fields import (
    BadRow,
    OnBadRow,
    ignore,
    items,
    mapping,
    readable,
    rows,
    text,
)
from reconciler.remotes.http import Answer, Http
from reconciler.remotes.limits import Need
from reconciler.remotes.pagerduty_rows import OPEN, STATUSES, parse_act, parse_incident, parse_note

VENDOR = "PagerDuty"
LONGEST = timedelta(days=180)
"""PagerDuty lists incidents of six months at a time: 400 beyond."""
WINDOW = 10_000
"""Offset and limit together may not be more: 400."""
_DUPLICATE = "matching dedup key already exists"
_LOOKS_LIKE_ID = re.compile(r"[PQR][A-Z0-9]{5,}")
_UNREADABLE = frozenset({403, 404})
Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    more: bool


class PagerDutyClient:
    """Reads. `email` and `user` are the automation user's as configured."""

    def __init__(self, http: Http, service_id: str, email: str, user: str, on_bad_row: OnBadRow = ignore) -> None:
        self._http = http
        self._service_id = service_id
        self._email = email
        self._user = user
        self._on_bad_row = on_bad_row

    def automation_user(self) -> AutomationUser:
        """The configured automation user; unverified where the key may not read users."""
        asked = [("query", self._email)]
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self._page("/users", "users", asked, offset, accept=_UNREADABLE)
            if page is None:
                return AutomationUser(self._user_by_id())
            for row in map(mapping, page.rows):
                if _same(row.get("email"), self._email):
                    return AutomationUser(self._checked(row))
            if not page.more:
                break
        raise Misconfigured(
            f"PAGERDUTY_EMAIL: PagerDuty has no user with the login e-mail {self._email}; "
            "give the automation user's, and see that PAGERDUTY_API_KEY belongs to the same account"
        )

    def check_key(self) -> None:
        """Misconfigured when the key is a user's token and that user is not the automation user."""

    def on_call(self, user: Person, policy_id: str) -> OnCall:
        """Who would be paged: asked of the escalation policy. Answers that cannot be had tell nothing."""
        del user, policy_id
        return OnCall()

    def confirm_key(self) -> None:
        """One cheap read of no incident in particular. Refused when the account turns the key away."""
        self._http.get(f"/services/{quote(self._service_id, safe='')}")

    def check_service(self) -> ServiceStatus:
        """How the configured service stands. Misconfigured when it is unknown to the key."""
        answer = self._http.get(f"/services/{quote(self._service_id, safe='')}", accept=_UNREADABLE)
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            raise Misconfigured(
                f"PAGERDUTY_SERVICE_ID: PagerDuty has no service {self._service_id}, or our key may not see it; "
                "take the id from the end of the service's address in the browser"
            )
        service = mapping(mapping(answer.json).get("service"))
        if text(service.get("status")).lower() == "disabled":
            raise Misconfigured(
                f"PAGERDUTY_SERVICE_ID: the service {self._service_id} is disabled: nobody would be paged; "
                "enable it in PagerDuty"
            )
        return ServiceStatus()

    def log_entries(self, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        """The account's log since a time, newest first, until it is `enough`."""
        asked = [("since", _stamp(since)), ("time_zone", "UTC")]
        acts: dict[str, Act] = {}
        log = LogPage()
        for page in self._pages("/log_entries", "log_entries", asked):
            acts |= {act.id: act for act in readable(page.rows, parse_act, VENDOR, self._on_bad_row)}
            log = LogPage(tuple(_newest_first(acts.values())), log.requests + 1, whole=not page.more)
            if enough(log):
                break
        return log

    def open_incidents(self) -> list[Incident]:
        """Every open incident of the service, any age."""
        found: dict[str, Incident] = {}
        for page in self._pages("/incidents", "incidents", self._open_query()):
            found |= {incident.id: incident for incident in self._mine(page.rows, OPEN)}
        return list(found.values())

    def open_incidents_page(self, offset: int) -> tuple[list[Incident], bool]:
        """One page of the same, from `offset`, and whether there is more that can be asked for."""
        if offset + PAGE > WINDOW:
            return [], False
        page = self._page("/incidents", "incidents", self._open_query(), offset)
        unique = {incident.id: incident for incident in self._mine(page.rows if page else [], OPEN)}
        return list(unique.values()), page is not None and page.more and offset + 2 * PAGE <= WINDOW

    def incidents_by_key(self, key: str) -> list[Incident]:
        """Incidents of the service with this key, open or not, any age, oldest first."""
        asked = [("incident_key", key), ("service_ids[]", self._service_id), ("date_range", "all")]
        asked += [("sort_by", "incident_number:asc"), ("time_zone", "UTC")]
        found: dict[str, Incident] = {}
        for page in self._pages("/incidents", "incidents", asked):
            for incident in self._mine(page.rows, STATUSES):
                if incident.key == key or (not incident.key and key in self._alert_keys(incident.id)):
                    found[incident.id] = replace(incident, key=key)
        return sorted(found.values(), key=lambda incident: (incident.created_at, incident.number, incident.id))

    def keys_between(self, since: datetime, until: datetime, most: int) -> set[str] | None:
        """The keys of the service's incidents that came into being then, open or not.

        None when they cannot be had for `most` requests, or when that is longer than may be asked for.
        """
        if until - since > LONGEST:
            return None
        asked = [("service_ids[]", self._service_id), ("since", _stamp(since)), ("until", _stamp(until))]
        asked += [("sort_by", "incident_number:asc"), ("time_zone", "UTC")]
        found: set[str] = set()
        requests = 0
        for page in self._pages("/incidents", "incidents", asked):
            mine = self._mine(page.rows, STATUSES)
            keyless = [incident.id for incident in mine if not incident.key]
            requests += 1 + len(keyless)
            if requests + page.more > most:
                return None
            found |= {incident.key for incident in mine if incident.key}
            found = found.union(*(self._alert_keys(incident_id) for incident_id in keyless))
        return found

    def incident(self, incident_id: str) -> Incident:
        """The incident itself."""
        return _incident_of(self._http.get(_path(incident_id), [("time_zone", "UTC")]), incident_id)

    def notes(self, incident_id: str) -> list[Note]:
        """All of its notes, oldest first."""
        body = self._http.get(_path(incident_id, "notes")).json
        notes = readable(rows(body, "notes", VENDOR), parse_note, VENDOR, self._on_bad_row)
        return sorted({note.id: note for note in notes}.values(), key=lambda note: (note.at, note.id))

    def acts(self, incident_id: str) -> list[Act]:
        """The newest entries of the incident's log, newest first."""
        asked = [("limit", str(PAGE)), ("include[]", "channels"), ("time_zone", "UTC")]
        try:
            body = self._http.get(_path(incident_id, "log_entries"), asked).json
        except Missing:
            return []
        acts = readable(rows(body, "log_entries", VENDOR), parse_act, VENDOR, self._on_bad_row)
        return _newest_first(replace(act, incident_id=act.incident_id or incident_id) for act in acts)

    def _page(
        self, path: str, name: str, asked: Params, offset: int, accept: frozenset[int] = frozenset()
    ) -> _Page | None:
        """One page; None for an accepted refusal."""
        paging = [("limit", str(PAGE)), ("offset", str(offset))]
        answer = self._http.get(path, [*asked, *paging], accept=accept, need=Need.FEED)
        if answer.status in accept:
            return None
        found = rows(answer.json, name, VENDOR)
        told = mapping(answer.json).get("more")
        more = told if isinstance(told, bool) else len(found) >= PAGE
        return _Page(found, bool(found) and more)

    def _pages(self, path: str, name: str, asked: Params) -> Iterator[_Page]:
        before: list[Any] = []
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self._page(path, name, asked, offset)
            if page is None or page.rows == before:
                return
            yield page
            if not page.more:
                return
            before = page.rows
        self._on_bad_row(VENDOR, f"more than {WINDOW} rows of {name}: the rest cannot be listed")

    def _open_query(self) -> Params:
        return [
            *(("statuses[]", status) for status in OPEN),
            ("service_ids[]", self._service_id),
            ("date_range", "all"),
            ("sort_by", "incident_number:asc"),
            ("time_zone", "UTC"),
        ]

    def _mine(self, found: list[Any], statuses: tuple[str, ...]) -> list[Incident]:
        incidents = readable(found, parse_incident, VENDOR, self._on_bad_row)
        return [i for i in incidents if i.service_id == self._service_id and i.status in statuses]

    def _alert_keys(self, incident_id: str) -> set[str]:
        """An incident that alerts were merged into shows no key of its own: its alerts do."""
        try:
            body = self._http.get(_path(incident_id, "alerts"), [("limit", str(PAGE))]).json
        except Permanent:
            return set()
        return {text(mapping(row).get("alert_key")) for row in items(mapping(body).get("alerts"))}

    def _user_by_id(self) -> Person:
        """The key may not list users: ask for this one, where an id was given."""
        if not _LOOKS_LIKE_ID.fullmatch(self._user):
            return Person("", self._user)
        answer = self._http.get(f"/users/{quote(self._user, safe='')}", accept=_UNREADABLE)
        if answer.status == 403:  # noqa: PLR2004 - HTTP
            return Person(self._user, self._user)
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            raise Misconfigured(
                f"PAGERDUTY_USER: PagerDuty has no user {self._user}; give the automation user's id or name"
            )
        row = mapping(mapping(answer.json).get("user"))
        if text(row.get("email")) and not _same(row.get("email"), self._email):
            raise self._mismatch(row)
        return self._checked(row)

    def _checked(self, row: dict[str, Any]) -> Person:
        names = (row.get("id"), row.get("name"), row.get("summary"))
        if not text(row.get("id")) or not any(_same(name, self._user) for name in names):
            raise self._mismatch(row)
        return Person(text(row.get("id")), text(row.get("name")) or text(row.get("summary")) or self._user)

    def _mismatch(self, row: dict[str, Any]) -> Misconfigured:
        name = text(row.get("name")) or text(row.get("summary"))
        who = f"{name} ({text(row.get('id'))}, {text(row.get('email'))})"
        return Misconfigured(
            f"PAGERDUTY_EMAIL, PAGERDUTY_USER: not the same user: {self._email} and {self._user} were given, "
            f"PagerDuty knows {who}; set both to the automation user's"
        )


class PagerDutyWriting:
    """Writes, always as the automation user with this login e-mail."""

    def __init__(self, http: Http, service_id: str, email: str) -> None:
        self._http = http
        self._service_id = service_id
        self._from = {"From": email}
        self._way = ""

    def create_incident(self, key: str, title: str, body: str, urgency: str) -> Incident:
        """A new incident. Duplicate when an open one has this key already."""
        incident: dict[str, Any] = {
            "type": "incident",
            "title": title,
            "service": {"id": self._service_id, "type": "service_reference"},
            "incident_key": key,
        }
        if urgency:
            incident["urgency"] = urgency
        if body:
            incident["body"] = {"type": "incident_body", "details": body}
        try:
            answer = self._http.write("POST", "/incidents", {"incident": incident}, self._from, Need.PAGE)
        except Permanent as error:
            duplicate = error.status == 400 and _DUPLICATE in str(error).lower()  # noqa: PLR2004 - HTTP
            raise (Duplicate(str(error)) if duplicate else error) from None
        return _incident_of(answer, "just created")

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge. Reopens a resolved incident: look first."""
        return self._put(incident_id, status="acknowledged")

    def resolve(self, incident_id: str) -> Incident:
        """Resolve."""
        return self._put(incident_id, status="resolved")

    def set_urgency(self, incident_id: str, urgency: str) -> Incident:
        """Set the urgency."""
        return self._put(incident_id, urgency=urgency)

    def retrigger(self, incident: Incident, automation: Person) -> Incident:
        """Make an acknowledged incident page again. There is no call for it: the mildest way that works."""
        del automation
        ways: dict[str, Any] = {"status": "triggered", "escalation_level": 1}
        if incident.escalation_policy_id:
            policy = {"id": incident.escalation_policy_id, "type": "escalation_policy_reference"}
            ways["escalation_policy"] = policy
        why, status = "", 400
        for way in sorted(ways, key=lambda name: name != self._way):  # what worked last time goes first
            try:
                after = self._put(incident.id, **{way: ways[way]})
            except Permanent as error:
                why, status = f"; the last refusal: {error}", error.status
                continue
            if after.status == "triggered":
                self._way = way
                return after
            if after.status == "resolved":
                raise Permanent(
                    f"{VENDOR}: incident {incident.id} was resolved meanwhile; not triggered again", 409
                )
        raise Permanent(
            f"{VENDOR}: incident {incident.id} stays acknowledged whatever we tried "
            f"(status, escalation level, escalation policy); un-acknowledge it in PagerDuty{why}",
            status,
        )

    def add_note(self, incident_id: str, text: str) -> Note:
        """Add a note."""
        answer = self._http.write("POST", _path(incident_id, "notes"), {"note": {"content": text}}, self._from)
        try:
            return parse_note(mapping(answer.json).get("note"))
        except BadRow as error:
            raise Unknown(f"{VENDOR}: the answer to a new note on {incident_id} cannot be read: {error}") from None

    def _put(self, incident_id: str, **change: Any) -> Incident:
        body = {"incident": {"type": "incident_reference", **change}}
        return _incident_of(self._http.write("PUT", _path(incident_id), body, self._from), incident_id)


def _path(incident_id: str, what: str = "") -> str:
    if not incident_id:
        raise Permanent(f"{VENDOR}: an incident without an id was asked for", 400)
    return f"/incidents/{quote(incident_id, safe='')}" + (f"/{what}" if what else "")


def _stamp(at: datetime) -> str:
    """Whole seconds, with the zone: without one PagerDuty takes the account's."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _same(one: Any, other: str) -> bool:
    return bool(other) and text(one).strip().casefold() == other.strip().casefold()


def _newest_first(acts: Any) -> list[Act]:
    return sorted(acts, key=lambda act: (act.at, act.id), reverse=True)


def _incident_of(answer: Answer, which: str) -> Incident:
    try:
        return parse_incident(mapping(answer.json).get("incident"))
    except BadRow as error:
        raise Unknown(f"{VENDOR}: incident {which}: the answer cannot be read: {error}") from None
