"""Client of PagerDuty's REST API v2: its JSON to core values and back, without any policy.

Lists lag, repeat rows and shift while they are paged, so that rows are made unique and checked against the
request; links in answers are never followed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.model import Act, Incident, Note
from reconciler.errors import Missing, ObjectError, Permanent
from reconciler.vendors.http import Http
from reconciler.vendors.json_fields import OnBadRow, ignore, readable, rows
from reconciler.vendors.pagerduty.pages import VENDOR, WINDOW, Pages, Params
from reconciler.vendors.pagerduty.rows import (
    OPEN,
    STATUSES,
    parse_act,
    parse_alert_key,
    parse_incident,
    parse_note,
)
from reconciler.vendors.pagerduty.setup import Setup
from reconciler.vendors.pagerduty.writes import PagerDutyWriting, incident_of, incident_path
from reconciler.vendors.ports import PAGE, LogPage

__all__ = ["PagerDutyClient", "PagerDutyWriting"]

LONGEST_RANGE = timedelta(days=180)
"""PagerDuty lists incidents of at most six months at a time: 400 beyond."""
MOST_REPORTS = 1000
"""The most incidents without a service that are reported, once each: a bound for memory."""


class PagerDutyClient(Setup):
    """Reads. `email` and `user` identify the automation user as configured."""

    def __init__(self, http: Http, service_id: str, email: str, user: str, on_bad_row: OnBadRow = ignore) -> None:
        super().__init__(http, Pages(http, on_bad_row), service_id, email, user)
        self._on_bad_row = on_bad_row
        self._without_service: set[str] = set()

    def log_entries(self, since: datetime, enough: Callable[[LogPage], bool]) -> LogPage:
        """The account's log since a time, newest first, read until it is `enough`."""
        log = LogPage()
        for log in self.log_pages(since):
            if enough(log):
                break
        return log

    def log_pages(self, since: datetime) -> Iterator[LogPage]:
        """The account's log since a time, read further with each step: each value is all that has been read.

        Entries that are added meanwhile repeat rows of later pages and hide none.
        """
        asked = [("since", _stamp(since)), ("time_zone", "UTC")]
        acts: dict[str, Act] = {}
        for requests, page in enumerate(self._pages.all("/log_entries", "log_entries", asked), 1):
            acts |= {act.id: act for act in self._acts(page.rows)}
            yield LogPage(tuple(_newest_first(acts.values())), requests, whole=not page.more)

    def open_incidents(self) -> list[Incident]:
        """Every open incident of the service, any age."""
        found: dict[str, Incident] = {}
        for page in self._pages.all("/incidents", "incidents", self._open_query()):
            found |= {incident.id: incident for incident in self._mine(page.rows, OPEN)}
        return list(found.values())

    def open_incidents_page(self, offset: int) -> tuple[list[Incident], bool]:
        """One page of the open incidents, from `offset`, and whether there is more within the paging window."""
        if offset + PAGE > WINDOW:
            return [], False
        page = self._pages.page("/incidents", "incidents", self._open_query(), offset)
        unique = {incident.id: incident for incident in self._mine(page.rows, OPEN)}
        return list(unique.values()), page.more and offset + 2 * PAGE <= WINDOW

    def incidents_by_key(self, key: str) -> list[Incident]:
        """Incidents of the service with this key, open or not, any age, oldest first.

        PagerDuty's own filter matches them by their own key, or by that of an alert.
        """
        asked = [("incident_key", key), ("service_ids[]", self._service_id), ("date_range", "all")]
        asked += [("sort_by", "incident_number:asc"), ("time_zone", "UTC")]
        found: dict[str, Incident] = {}
        for page in self._pages.all("/incidents", "incidents", asked):
            for incident in self._mine(page.rows, STATUSES):
                if incident.key == key or key in self._alert_keys(incident.id):
                    found[incident.id] = replace(incident, key=key)
        return sorted(found.values(), key=lambda incident: (incident.created_at, incident.number, incident.id))

    def keys_between(self, since: datetime, until: datetime, most: int) -> set[str] | None:
        """Keys of the service's incidents that were created in that time, open or not.

        None if they cannot be read with `most` requests, or if the time is longer than PagerDuty lists.
        """
        if until - since > LONGEST_RANGE:
            return None
        asked = [("service_ids[]", self._service_id), ("since", _stamp(since)), ("until", _stamp(until))]
        asked += [("sort_by", "incident_number:asc"), ("time_zone", "UTC")]
        found: set[str] = set()
        requests = 0
        for page in self._pages.all("/incidents", "incidents", asked):
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
        answer = self._http.get(incident_path(incident_id), [("time_zone", "UTC")])
        return incident_of(answer, incident_id, self._http.clock.now())

    def notes(self, incident_id: str) -> list[Note]:
        """All of its notes, oldest first."""
        body = self._http.get(incident_path(incident_id, "notes")).json
        found, now = rows(body, "notes", VENDOR), self._http.clock.now()
        notes = readable(found, lambda row: parse_note(row, now), VENDOR, self._on_bad_row)
        return sorted({note.id: note for note in notes}.values(), key=lambda note: (note.at, note.id))

    def acts(self, incident_id: str) -> list[Act]:
        """The newest entries of the incident's log, newest first."""
        asked = [("limit", str(PAGE)), ("include[]", "channels"), ("time_zone", "UTC")]
        try:
            body = self._http.get(incident_path(incident_id, "log_entries"), asked).json
        except Missing:
            return []
        acts = self._acts(rows(body, "log_entries", VENDOR))
        return _newest_first(replace(act, incident_id=act.incident_id or incident_id) for act in acts)

    def _open_query(self) -> Params:
        return [
            *(("statuses[]", status) for status in OPEN),
            ("service_ids[]", self._service_id),
            ("date_range", "all"),
            ("sort_by", "incident_number:asc"),
            ("time_zone", "UTC"),
        ]

    def _acts(self, found: list[Any]) -> list[Act]:
        now = self._http.clock.now()
        return readable(found, lambda row: parse_act(row, now), VENDOR, self._on_bad_row)

    def _mine(self, found: list[Any], statuses: tuple[str, ...]) -> list[Incident]:
        """The service's incidents in a list filtered by service; a row without a service counts as one."""
        now = self._http.clock.now()
        incidents = readable(found, lambda row: parse_incident(row, now), VENDOR, self._on_bad_row)
        placed = [one if one.service_id else self._placed(one) for one in incidents]
        return [one for one in placed if one.service_id == self._service_id and one.status in statuses]

    def _placed(self, incident: Incident) -> Incident:
        if incident.id not in self._without_service and len(self._without_service) < MOST_REPORTS:
            self._without_service.add(incident.id)
            self._on_bad_row(VENDOR, f"incident {incident.id} names no service: taken for {self._service_id}'s")
        return replace(incident, service_id=self._service_id)

    def _alert_keys(self, incident_id: str) -> set[str]:
        """The keys of an incident's alerts; none if they cannot be read.

        An incident that alerts were merged into shows no key of its own, or another one.
        """
        try:
            pages = list(self._pages.all(incident_path(incident_id, "alerts"), "alerts", []))
        except (ObjectError, Permanent):
            return set()
        found = [row for page in pages for row in page.rows]
        return set(readable(found, parse_alert_key, VENDOR, self._on_bad_row)) - {""}


def _stamp(at: datetime) -> str:
    """A time in whole seconds, with the zone: without one PagerDuty assumes the account's."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _newest_first(acts: Iterable[Act]) -> list[Act]:
    return sorted(acts, key=lambda act: (act.at, act.id), reverse=True)
