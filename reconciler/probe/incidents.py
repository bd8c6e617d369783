"""PagerDuty as the probe uses it: incidents of its own on the configured service, and what the API shows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.probe.objects import PREFIX, Created, Kind, Objects, is_made
from reconciler.probe.wire import Api, Json, NotSettled, Params, Reply
from reconciler.vendors.json_fields import items, mapping, moment, segment, text

PAGE = 100
MARGIN = timedelta(minutes=1)
_OPEN = (("statuses[]", "triggered"), ("statuses[]", "acknowledged"))
_NOISE = frozenset({"notify", "link", "unlink", "priority_change"})
"""Kinds of log entries that PagerDuty adds by itself, which say nothing about an act."""


class Incidents:
    """Incidents of one service. A new one has low urgency unless a step asks for more."""

    def __init__(self, api: Api, service_id: str, objects: Objects) -> None:
        self.api = api
        self.service_id = service_id
        self.takes_urgency = True
        """Whether a creation may have an urgency; learned from refusals."""
        self._objects = objects

    def service(self) -> Reply:
        """The service."""
        return self.api.get(f"/services/{segment(self.service_id, 'PagerDuty: service')}")

    def create(self, *, urgency: str = "low", key: str = "", length: int = 0, body: int = 0) -> Reply:
        """Try to create an incident, with this key or one of its own. NotSettled if the account may create none.

        `length` and `body` are the least lengths of its title and of its body.
        """
        one = self._objects.plan(Kind.INCIDENT)
        incident: Json = {
            "type": "incident",
            "title": one.title.ljust(length, "x"),
            "service": {"id": self.service_id, "type": "service_reference"},
            "incident_key": key or one.key,
            "body": {"type": "incident_body", "details": "Created by `reconciler probe`.".ljust(body, "x")},
            **({"urgency": urgency} if urgency and self.takes_urgency else {}),
        }
        with self._objects.unless_refused(one):
            reply = self.api.send("POST", "/incidents", {"incident": incident})
        row = mapping(reply.body.get("incident"))
        if reply.ok:
            self._objects.created(one, text(row.get("id")), text(row.get("html_url")))
        else:
            self._objects.over(one)
        if reply.status in (402, 403):
            reply.needed("a new incident")
        return reply

    def created(self, *, urgency: str = "low") -> Json:
        """A new incident, as the answer shows it; without an urgency where PagerDuty takes none.

        NotSettled if it is refused.
        """
        reply = self.create(urgency=urgency)
        if not reply.ok:
            reply = self.create(urgency="")
            self.takes_urgency = self.takes_urgency and not reply.ok
        return mapping(reply.needed("a new incident").body.get("incident"))

    def merge(self, into: str, incident_id: str) -> Reply:
        """Merge an incident into another one."""
        source = {"id": incident_id, "type": "incident_reference"}
        return self.api.send("PUT", _path(into, "merge"), {"source_incidents": [source]})

    def change(self, incident_id: str, **change: Any) -> Reply:
        """Change an incident."""
        return self.api.send("PUT", _path(incident_id), {"incident": {"type": "incident_reference", **change}})

    def acknowledged(self, incident_id: str) -> Json:
        """The incident, acknowledged by now or before. NotSettled if it is not."""
        reply = self.change(incident_id, status="acknowledged")
        if not reply.ok and text((before := self.incident(incident_id)).get("status")) == "acknowledged":
            return before
        return mapping(reply.needed("an acknowledgement").body.get("incident"))

    def snooze(self, incident_id: str, seconds: int) -> Reply:
        """Snooze an acknowledged incident."""
        return self.api.send("POST", _path(incident_id, "snooze"), {"duration": seconds})

    def note(self, incident_id: str, content: str) -> Reply:
        """Add a note."""
        return self.api.send("POST", _path(incident_id, "notes"), {"note": {"content": content}})

    def notes(self, incident_id: str) -> list[Json]:
        """The notes in the order in which they are listed."""
        reply = self.api.get(_path(incident_id, "notes")).needed("the notes")
        return rows(reply, "notes")

    def read(self, incident_id: str) -> Reply:
        """The incident by its id."""
        return self.api.get(_path(incident_id), [("time_zone", "UTC")])

    def incident(self, incident_id: str) -> Json:
        """The incident by its id; empty where it cannot be read."""
        return mapping(self.read(incident_id).body.get("incident"))

    def status(self, incident_id: str) -> str:
        """The status by id; empty where the incident cannot be read."""
        return text(self.incident(incident_id).get("status"))

    def own_log(self, incident_id: str) -> list[Json]:
        """The newest entries of the incident's log, in the order of the list; empty if it is refused."""
        asked = [("limit", str(PAGE)), ("include[]", "channels"), ("time_zone", "UTC")]
        return rows(self.api.get(_path(incident_id, "log_entries"), asked), "log_entries")

    def account_log(self, since: datetime, *more: tuple[str, str]) -> Reply:
        """The newest entries of the account's log."""
        asked = [("since", stamp(since)), ("limit", str(PAGE)), ("time_zone", "UTC"), *more]
        return self.api.get("/log_entries", asked)

    def in_account_log(self, incident_id: str, since: datetime) -> list[Json]:
        """The incident's entries among the newest of the account's log."""
        found = rows(self.account_log(since), "log_entries")
        return [row for row in found if mapping(row.get("incident")).get("id") == incident_id]

    def open(self) -> list[Json]:
        """The newest open incidents of the service."""
        return self.listed(*_OPEN, ("sort_by", "incident_number:desc"), ("limit", str(PAGE)))

    def listed(self, *asked: tuple[str, str]) -> list[Json]:
        """Incidents of the service, any age. NotSettled if the list is refused."""
        every: Params = [*asked, ("service_ids[]", self.service_id), ("date_range", "all"), ("time_zone", "UTC")]
        return rows(self.api.get("/incidents", every).needed("the list of incidents"), "incidents")

    def alerts(self, incident_id: str) -> Reply:
        """The incident's child alerts."""
        return self.api.get(_path(incident_id, "alerts"))

    def users(self, words: str) -> list[Json]:
        """The first users that match the words."""
        return rows(self.api.get("/users", [("query", words), ("limit", str(PAGE))]), "users")

    def user(self, user_id: str) -> Json:
        """A user by id; empty if it is not found."""
        return mapping(self.api.get(f"/users/{segment(user_id, 'PagerDuty: user')}").body.get("user"))

    def resolve(self, incident_id: str) -> Reply:
        """Resolve."""
        return self.change(incident_id, status="resolved")

    # -- removing --

    def adopt_leftovers(self) -> int:
        """Record open incidents of earlier runs; their number."""
        return self._adopt("")

    def find(self) -> None:
        """Record incidents of this run whose creation was not answered."""
        self._adopt(f"{PREFIX} {self._objects.nonce} ")

    def _adopt(self, beginning: str) -> int:
        known = {one.id for one in self._objects.left()}
        titled = ((text(row.get("title")), row) for row in self.open())
        found = [row for title, row in titled if is_made(title) and title.startswith(beginning)]
        strange = [row for row in found if text(row.get("id")) not in known]
        for row in strange:
            title = text(row.get("title"))
            self._objects.adopt(Kind.INCIDENT, title, text(row.get("id")), text(row.get("html_url")))
        return len(strange)

    def remove(self, one: Created) -> bool:
        """Resolve an incident; whether it is resolved now."""
        return self.status(one.id) == "resolved" or (self.resolve(one.id).ok and self.status(one.id) == "resolved")


def kind_of(entry: Json) -> str:
    """The kind of a log entry: its type without the ending."""
    return text(entry.get("type")).removesuffix("_reference").removesuffix("_log_entry")


def telling(entries: Iterable[Json], before: Iterable[Json] = ()) -> list[Json]:
    """Entries that say something about an act, without those that were there `before`, the oldest first."""
    known = {text(entry.get("id")) for entry in before}
    found = [each for each in entries if text(each.get("id")) not in known and kind_of(each) not in _NOISE]
    return sorted(found, key=lambda entry: text(entry.get("created_at")))


def agent_of(entry: Json) -> Json:
    """Who acted: a reference; empty if the entry names nobody."""
    return mapping(entry.get("agent"))


def rows(reply: Reply, name: str) -> list[Json]:
    """The objects of a list; none if the request was refused."""
    return [mapping(row) for row in items(reply.body.get(name)) if isinstance(row, dict)]


def stamp(at: datetime) -> str:
    """A time as PagerDuty takes it: whole seconds, with the zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def just_before(row: Json) -> datetime:
    """A minute before an object was created, by PagerDuty's clock."""
    at = moment(row.get("created_at"))
    if at is None:
        raise NotSettled("a new incident shows no time of its creation")
    return at - MARGIN


def ahead(now: datetime) -> tuple[str, str]:
    """The end of a window an hour in the future."""
    return ("until", stamp(now + timedelta(hours=1)))


def _path(incident_id: str, what: str = "") -> str:
    return f"/incidents/{segment(incident_id, 'PagerDuty: incident')}" + (f"/{what}" if what else "")
